package brantsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/brantsql"
)

// A row and a job, together or not at all.
func Example() {
	ctx := context.Background()
	pool, err := sql.Open("brant", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.ExecContext(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)"); err != nil {
		log.Fatal(err)
	}
	err = brantsql.InTx(ctx, pool, func(rows *sql.Tx, tx *brant.Tx) error {
		made, err := rows.ExecContext(ctx, "INSERT INTO orders (total) VALUES (?)", 12.5)
		if err != nil {
			return err
		}
		id, err := made.LastInsertId()
		if err != nil {
			return err
		}
		_, err = tx.Queue("mail").Enqueue(ctx, map[string]int64{"order": id})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	var total float64
	var payload string
	if err := pool.QueryRowContext(ctx, "SELECT total, payload FROM orders, jobs").Scan(&total, &payload); err != nil {
		log.Fatal(err)
	}
	fmt.Println(total, payload)
	// Output: 12.5 {"order":1}
}
