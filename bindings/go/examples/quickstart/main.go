package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/brant-db/brant-go"
)

func run(ctx context.Context) error {
	db, err := brant.Open("quickstart.db", nil)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Graphs.Create(ctx, brant.NewGraph{Name: "debian", GraphType: "open"})
	if err != nil && !errors.Is(err, brant.ErrExists) {
		return err
	}
	listener, err := db.Listen(ctx, "package:*")
	if err != nil {
		return err
	}

	// Data and notification are committed together, or not at all.
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		graph := tx.Graph("debian")
		curl := brant.NewNode{Key: "curl", Attributes: map[string]any{"version": "7.88"}}
		if _, err := graph.Nodes.PutMany(ctx, []brant.NewNode{curl, {Key: "libcurl4"}, {Key: "libc6"}}); err != nil {
			return err
		}
		edges := []brant.NewEdge{{Source: "curl", Target: "libcurl4"}, {Source: "libcurl4", Target: "libc6"}}
		if _, err := graph.Edges.PutMany(ctx, edges); err != nil {
			return err
		}
		_, err := tx.Notify(ctx, "package:added", map[string]string{"key": "curl"})
		return err
	})
	if err != nil {
		return err
	}

	closure, err := db.Graph("debian").Nodes.Closure(ctx, []string{"curl"}, nil)
	if err != nil {
		return err
	}
	notification, err := listener.Next(ctx)
	fmt.Println(closure.Keys, notification.Channel, string(notification.Payload))
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
