// Command orders keeps orders in tables of its own by database/sql, and has each of them mailed by a job that is enqueued in the same transaction: an order that is refused leaves no job. What takes
// long, or fails, is logged.
//
//	orders FILE
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/brantsql"
)

const schema = `
CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, left INTEGER NOT NULL CHECK (left >= 0));
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL REFERENCES stock, count INTEGER NOT NULL, made_at TIMESTAMP NOT NULL);
INSERT INTO stock VALUES ('tea', 5) ON CONFLICT DO UPDATE SET left = 5;
`

// order takes what is ordered out of the stock, and enqueues its mail.
func order(ctx context.Context, pool *sql.DB, item string, count int) error {
	return brantsql.InTx(ctx, pool, func(rows *sql.Tx, tx *brant.Tx) error {
		made, err := rows.ExecContext(ctx, "INSERT INTO orders (item, count, made_at) VALUES (?, ?, ?)", item, count, time.Now())
		if err != nil {
			return err
		}
		id, err := made.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.Queue("mail").Enqueue(ctx, map[string]int64{"order": id}); err != nil {
			return err
		}
		_, err = rows.ExecContext(ctx, "UPDATE stock SET left = left - ? WHERE item = ?", count, item)
		return err
	})
}

func run(ctx context.Context, path string) error {
	logged := brant.NewLogTracer(slog.Default(), &brant.LogOptions{OnlySlow: true, Slow: 5 * time.Second})
	db, err := brant.Open(path, &brant.Options{Tracer: logged})
	if err != nil {
		return err
	}
	defer db.Close()
	pool := brantsql.OpenDB(db)
	defer pool.Close()
	if _, err := pool.ExecContext(ctx, schema); err != nil {
		return err
	}
	for _, count := range []int{2, 9} {
		err := order(ctx, pool, "tea", count)
		if err != nil && !errors.Is(err, brant.ErrConstraint) {
			return err
		}
		fmt.Printf("%d of tea: ordered %t\n", count, err == nil)
	}
	working, stop := context.WithCancel(ctx)
	return db.Queue("mail").Work(working, func(ctx context.Context, job *brant.Job) error {
		var mail struct{ Order int64 }
		if err := job.Decode(&mail); err != nil {
			return brant.NoRetry(err)
		}
		var item string
		var count, left int
		err := pool.QueryRowContext(ctx, "SELECT item, count, left FROM orders JOIN stock USING (item) WHERE id = ?", mail.Order).Scan(&item, &count, &left)
		if err == nil {
			fmt.Printf("mailed: %d of %s, %d left\n", count, item, left)
			stop()
		}
		return err
	})
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("orders FILE")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
