// Command follow prints what is committed to a file, live, until the graph of packages was loaded and asked.
//
//	follow FILE
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	brant "github.com/brant-db/brant-go"
)

type change struct {
	Graph     string   `json:"graph"`
	Count     int      `json:"count"`
	Keys      []string `json:"keys"`
	Truncated bool     `json:"truncated"`
}

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "follow:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("usage: follow FILE")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	db, err := brant.Open(arguments[1], &brant.Options{BusyTimeout: 10 * time.Minute})
	if err != nil {
		return err
	}
	defer db.Close()
	listener, err := db.Listen(ctx, "graph:*", "nodes:*", "edges:*", "debian:*")
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Println("  follow: listening")

	start, events, things := time.Now(), 0, 0
	for notification, err := range listener.All(ctx) {
		if err != nil {
			return err
		}
		events++
		var about change
		_ = json.Unmarshal(notification.Payload, &about)
		things += about.Count
		late := time.Since(notification.CreatedAt.Time()).Round(time.Millisecond)
		switch {
		case about.Count > 0:
			fmt.Printf("  follow: %6.2f s  %-14s %6d of %s, first %s (%v after it was written)\n",
				time.Since(start).Seconds(), notification.Channel, about.Count, about.Graph, about.Keys[0], late)
		default:
			fmt.Printf("  follow: %6.2f s  %s\n", time.Since(start).Seconds(), notification.Channel)
		}
		if notification.Channel == "debian:answered" {
			break
		}
	}
	fmt.Printf("  follow: %d events about %d nodes and edges\n", events, things)
	return nil
}
