// Command jobs enqueues jobs together with data, works on them, and keeps a stream of what was done. Arguments: the file.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/brant-db/brant-go"
)

type mail struct {
	To string `json:"to"`
}

func run(ctx context.Context, path string) error {
	db, err := brant.Open(path, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Graphs.Create(ctx, brant.NewGraph{Name: "people", GraphType: "open"})
	if err != nil && !errors.Is(err, brant.ErrExists) {
		return err
	}
	mails, sent := db.Queue("mails"), db.Stream("sent")

	// Data and jobs are committed together, or not at all.
	people := []string{"ada", "grace", "barbara"}
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		for _, name := range people {
			if _, err := tx.Graph("people").Nodes.Put(ctx, brant.NewNode{Key: name}); err != nil {
				return err
			}
			if _, err := tx.Queue("mails").Enqueue(ctx, mail{To: name}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}

	// Work until all are sent. A job, its effect and its ack are one transaction: each takes effect once, whenever the process is killed.
	working, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- mails.Work(working, func(ctx context.Context, job *brant.Job) error {
			var m mail
			if err := job.Decode(&m); err != nil {
				return brant.NoRetry(err)
			}
			return db.Tx(ctx, func(tx *brant.Tx) error {
				if _, err := tx.Stream("sent").Publish(ctx, m, brant.PublishOptions{Key: m.To}); err != nil {
					return err
				}
				return job.In(tx).Ack(ctx, nil)
			})
		}, brant.WorkOptions{Concurrency: 4})
	}()

	events, err := sent.Subscribe(working, &brant.SubscribeOptions{Consumer: "printer"})
	if err != nil {
		return err
	}
	defer events.Close()
	count := 0
	for event, err := range events.All(working) {
		if err != nil {
			return err
		}
		fmt.Println(event.Offset, event.Key)
		if count++; count == len(people) {
			break
		}
	}
	stop()
	return <-done
}

func main() {
	path := "jobs.db"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	if err := run(context.Background(), path); err != nil {
		log.Fatal(err)
	}
}
