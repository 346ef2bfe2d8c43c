package brantsql_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/brantsql"
	"github.com/brant-db/brant-go/tests/expect"
)

var (
	check = expect.OK
	wants = expect.Code
)

// must is the value of a call that must not fail.
func must[T any](value T, err error) func(testing.TB) T { return expect.Value(value, err) }

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, not %#v", got, want)
	}
}

// open is a pool by name on a new file.
func open(t *testing.T) *sql.DB {
	t.Helper()
	pool := must(sql.Open("brant", filepath.Join(t.TempDir(), "app.db")+"?busy_timeout=10m"))(t)
	t.Cleanup(func() { check(t, pool.Close()) })
	return pool
}

func run(t *testing.T, e brantsql.Execer, text string, values ...any) sql.Result {
	t.Helper()
	return must(e.ExecContext(t.Context(), text, values...))(t)
}

// one is the only value of a query.
func one[T any](t *testing.T, from interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, text string, values ...any) (value T) {
	t.Helper()
	check(t, from.QueryRowContext(t.Context(), text, values...).Scan(&value))
	return value
}

func TestValues(t *testing.T) {
	pool := open(t)
	run(t, pool, "CREATE TABLE v (id INTEGER PRIMARY KEY, any, flag BOOLEAN, at TIMESTAMP, bytes BLOB)")
	for _, value := range []any{
		nil, int64(0), int64(math.MaxInt64), int64(math.MinInt64), 1.5, 1.0, -0.0, 1e300, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), "", "text", "Zoë\x00\n\"\\", []byte{}, []byte{0, 255},
		strings.Repeat("long ", 100_000), bytes.Repeat([]byte{7}, 200_000),
	} {
		equal(t, one[any](t, pool, "SELECT ?", value), value)
		run(t, pool, "INSERT INTO v (any) VALUES (?)", value)
		equal(t, one[any](t, pool, "SELECT any FROM v WHERE id = last_insert_rowid() OR id = (SELECT max(id) FROM v)"), value)
	}
	equal(t, one[any](t, pool, "SELECT ?", math.NaN()), nil)
	equal(t, one[any](t, pool, "SELECT ?", float32(math.NaN())), nil)
	equal(t, one[any](t, pool, "SELECT ?", sql.NullFloat64{Float64: math.NaN(), Valid: true}), nil)
	equal(t, one[any](t, pool, "SELECT ?", []byte(nil)), nil)
	if _, err := pool.ExecContext(t.Context(), "SELECT ?", uint64(math.MaxUint64)); err == nil {
		t.Error("an integer of 64 bits without a sign")
	}
	if _, err := pool.ExecContext(t.Context(), "SELECT ?", struct{}{}); err == nil {
		t.Error("a struct")
	}
	equal(t, one[string](t, pool, "SELECT json_extract(?, '$.a')", json.RawMessage(`{"a": "b"}`)), "b")
	equal(t, one[int](t, pool, "SELECT ? + ?", int8(1), uint32(2)), 3)

	at := time.Date(2024, 2, 29, 12, 30, 15, 123456789, time.FixedZone("", -3600))
	run(t, pool, "INSERT INTO v (id, flag, at) VALUES (1000, ?, ?), (1001, 0, 1700000000), (1002, NULL, 1700000000123), (1003, 2, 'soon'), (1004, 1, '2024-02-29')", true, at)
	var flags, times []any
	found := must(pool.QueryContext(t.Context(), "SELECT flag, at FROM v WHERE id >= 1000 ORDER BY id"))(t)
	defer found.Close()
	for found.Next() {
		var flag, at any
		check(t, found.Scan(&flag, &at))
		flags, times = append(flags, flag), append(times, at)
	}
	check(t, found.Err())
	equal(t, flags, []any{true, false, nil, int64(2), true})
	equal(t, times, []any{at.UTC(), time.Unix(1700000000, 0).UTC(), time.UnixMilli(1700000000123).UTC(), "soon", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)})
	if got := one[time.Time](t, pool, "SELECT at FROM v WHERE at = ?", at); !got.Equal(at) {
		t.Error(got)
	}
}

func TestParameters(t *testing.T) {
	pool := open(t)
	equal(t, one[string](t, pool, "SELECT ?2 || ?1", "a", "b"), "ba")
	equal(t, one[string](t, pool, "SELECT $1 || $2", "a", "b"), "ab")
	equal(t, one[string](t, pool, "SELECT :b || @a || $c", sql.Named("a", "1"), sql.Named("b", "2"), sql.Named("c", "3")), "213")
	for _, values := range [][]any{{}, {1}, {1, 2, 3}, {1, sql.Named("a", 2)}} {
		_, err := pool.ExecContext(t.Context(), "SELECT ?, ?", values...)
		wants(t, err, brant.ErrInvalid)
		_, err = pool.QueryContext(t.Context(), "SELECT ?, ?", values...)
		wants(t, err, brant.ErrInvalid)
	}
	prepared := must(pool.PrepareContext(t.Context(), "SELECT ? * ?"))(t)
	defer prepared.Close()
	var all sync.WaitGroup
	for n := range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			var product int
			if err := prepared.QueryRow(n, n).Scan(&product); err != nil || product != n*n {
				t.Error(product, err)
			}
		}()
	}
	all.Wait()
	for _, fine := range []string{"EXPLAIN QUERY PLAN SELECT 1", "explain SELECT 1", " -- why\n SELECT 1;", "; SELECT 1", "PRAGMA user_version", "/* now */ BEGIN", "ROLLBACK"} {
		check(t, must(pool.PrepareContext(t.Context(), fine))(t).Close())
	}
	for _, wrong := range []string{"SELEC 1", "SELECT 1; SELECT 2", "", "-- nothing", "EXPLAIN", "EXPLAIN SELEC 1", "SELECT * FROM nothing", "BEGIN; SELECT 1"} {
		_, err := pool.PrepareContext(t.Context(), wrong)
		wants(t, err, brant.ErrSQL)
	}
}

func TestResults(t *testing.T) {
	pool := open(t)
	run(t, pool, `CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE log (what TEXT); -- a comment; with a semicolon
		CREATE TRIGGER logged AFTER INSERT ON parent BEGIN INSERT INTO log VALUES (new.name); INSERT INTO log VALUES ('again'); END;
		/* and another */ ;`)
	made := run(t, pool, "INSERT INTO parent (name) VALUES ('a'), ('b')")
	equal(t, must(made.LastInsertId())(t), 2)
	equal(t, must(made.RowsAffected())(t), 2) // not those of the trigger
	equal(t, must(run(t, pool, "UPDATE parent SET name = 'c'").RowsAffected())(t), 2)
	equal(t, must(run(t, pool, "DELETE FROM parent WHERE id = 1").RowsAffected())(t), 1)
	equal(t, must(run(t, pool, "CREATE TABLE other (x)").RowsAffected())(t), 0)
	equal(t, one[int](t, pool, "INSERT INTO parent (name) VALUES ('d') RETURNING id"), 3)
	equal(t, one[int](t, pool, "WITH n AS (SELECT 9 AS id) INSERT INTO parent (id) SELECT id FROM n RETURNING id"), 9)

	// Several statements: each takes its values, and the last one's rows are the answer.
	run(t, pool, "INSERT INTO other VALUES (?); INSERT INTO other VALUES (? + ?)", 1, 2, 3)
	equal(t, one[int](t, pool, "INSERT INTO other VALUES (?); SELECT sum(x) FROM other WHERE x < ?", 10, 100), 16)
	_, err := pool.ExecContext(t.Context(), "INSERT INTO other VALUES (?); SELECT nonsense", 1)
	wants(t, err, brant.ErrSQL)
	_, err = pool.ExecContext(t.Context(), "INSERT INTO other VALUES (?)", 1, 2)
	wants(t, err, brant.ErrInvalid)

	if err := pool.QueryRowContext(t.Context(), "SELECT id FROM parent WHERE id = 77").Scan(new(int)); !errors.Is(err, sql.ErrNoRows) {
		t.Error(err)
	}
	_, err = pool.ExecContext(t.Context(), "INSERT INTO parent (id) VALUES (3)")
	wants(t, err, brant.ErrConstraint)
	_, err = pool.ExecContext(t.Context(), "DELETE FROM nodes")
	wants(t, err, brant.ErrDenied)
	_, err = pool.ExecContext(t.Context(), "ATTACH 'x' AS y")
	wants(t, err, brant.ErrDenied)
}

func TestColumnTypes(t *testing.T) {
	pool := open(t)
	run(t, pool, `CREATE TABLE t (id INTEGER NOT NULL, name VARCHAR(20), price DECIMAL(10, 2) NOT NULL, ok BOOLEAN, at datetime NOT NULL, raw BLOB, r REAL, plain)`)
	found := must(pool.QueryContext(t.Context(), "SELECT *, 1 + 1 AS two FROM t"))(t)
	defer found.Close()
	var said []string
	for _, of := range must(found.ColumnTypes())(t) {
		nullable, known := of.Nullable()
		length, sized := of.Length()
		precision, scale, decimal := of.DecimalSize()
		if length == math.MaxInt64 {
			length = -1
		}
		said = append(said, fmt.Sprint(of.Name(), " ", of.DatabaseTypeName(), " ", of.ScanType(), " ", nullable, known, length, sized, precision, scale, decimal))
	}
	equal(t, said, []string{
		"id INTEGER int64 false true 0 false 0 0 false", "name VARCHAR sql.NullString true true 20 true 0 0 false",
		"price DECIMAL interface {} false true 0 false 10 2 true", "ok BOOLEAN sql.NullBool true true 0 false 0 0 false",
		"at DATETIME time.Time false true 0 false 0 0 false", "raw BLOB []uint8 true true -1 true 0 0 false",
		"r REAL sql.NullFloat64 true true 0 false 0 0 false", "plain  interface {} true true 0 false 0 0 false", "two  interface {} false false 0 false 0 0 false",
	})
}

// TestSamePromise: rows, graph, notification, event and job are there together, or not at all.
func TestSamePromise(t *testing.T) {
	db := must(brant.Open(filepath.Join(t.TempDir(), "app.db"), nil))(t)
	defer db.Close()
	pool := brantsql.OpenDB(db)
	defer pool.Close()
	must(db.Graphs.Create(t.Context(), brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	run(t, pool, "CREATE TABLE orders (id INTEGER PRIMARY KEY, total)")
	listener := must(db.Listen(t.Context(), "order:*"))(t)
	defer listener.Close()

	everything := func(rows *sql.Tx, key string) {
		t.Helper()
		run(t, rows, "INSERT INTO orders (total) VALUES (?)", 12)
		tx := must(brantsql.Tx(t.Context(), rows))(t)
		must(tx.Graph("g").Nodes.Put(t.Context(), brant.NewNode{Key: key}))(t)
		must(tx.Notify(t.Context(), "order:made", key))(t)
		must(tx.Stream("orders").Publish(t.Context(), key))(t)
		must(tx.Queue("mail").Enqueue(t.Context(), key))(t)
		equal(t, one[int](t, rows, "SELECT count(*) FROM nodes"), int(must(tx.Graph("g").Nodes.Count(t.Context(), ""))(t)))
	}
	counts := func() string {
		return fmt.Sprint(one[int](t, pool, "SELECT count(*) FROM orders"), one[int](t, pool, "SELECT count(*) FROM nodes"), one[int](t, pool, "SELECT count(*) FROM stream_events"), one[int](t, pool, "SELECT count(*) FROM jobs"))
	}
	before := counts()
	rows := must(pool.BeginTx(t.Context(), nil))(t)
	everything(rows, "gone")
	check(t, rows.Rollback())
	equal(t, counts(), before)

	rows = must(pool.BeginTx(t.Context(), nil))(t)
	everything(rows, "kept")
	run(t, rows, `SAVEPOINT "inner"`)
	everything(rows, "taken back")
	run(t, rows, "ROLLBACK TO inner")
	everything(rows, "again")
	run(t, rows, "ROLLBACK TO SAVEPOINT inner; RELEASE inner")
	run(t, rows, "SAVEPOINT two; SAVEPOINT three")
	everything(rows, "also kept")
	run(t, rows, "RELEASE SAVEPOINT two")
	check(t, rows.Commit())
	equal(t, counts(), "2 2 2 2")
	for _, key := range []string{`"kept"`, `"also kept"`} {
		equal(t, string(must(listener.Next(t.Context()))(t).Payload), key)
	}

	// The other way round: what brant began.
	check(t, db.Tx(t.Context(), func(tx *brant.Tx) error {
		_, err := tx.Execute(t.Context(), "DELETE FROM orders")
		return errors.Join(err, tx.Tx(t.Context(), func(tx *brant.Tx) error { return nil }))
	}))
	equal(t, one[int](t, pool, "SELECT count(*) FROM orders"), 0)

	failed := errors.New("no")
	err := brantsql.InTx(t.Context(), pool, func(rows *sql.Tx, tx *brant.Tx) error {
		everything(rows, "never")
		return failed
	})
	equal(t, err, failed)
	check(t, brantsql.InTx(t.Context(), pool, func(rows *sql.Tx, _ *brant.Tx) error {
		everything(rows, "last")
		return nil
	}))
	equal(t, counts(), "1 3 3 3")
	equal(t, string(must(listener.Next(t.Context()))(t).Payload), `"last"`)
	if must(brantsql.DB(t.Context(), pool))(t) != db {
		t.Error("another database")
	}
	_, err = brantsql.Tx(t.Context(), must(pool.Conn(t.Context()))(t))
	wants(t, err, brant.ErrMisuse)
}

func TestTransactions(t *testing.T) {
	pool := must(sql.Open("brant", filepath.Join(t.TempDir(), "app.db")+"?busy_timeout=50ms"))(t)
	defer pool.Close()
	run(t, pool, "CREATE TABLE t (x)")
	for level := sql.LevelDefault; level <= sql.LevelSerializable; level++ {
		tx := must(pool.BeginTx(t.Context(), &sql.TxOptions{Isolation: level}))(t)
		run(t, tx, "INSERT INTO t VALUES (1)")
		check(t, tx.Rollback())
		if err := tx.Commit(); !errors.Is(err, sql.ErrTxDone) {
			t.Error(err)
		}
	}
	_, err := pool.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelLinearizable})
	wants(t, err, brant.ErrUnsupported)

	// A snapshot, which others' commits do not change, and in which nothing is written.
	reading := must(pool.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true}))(t)
	equal(t, one[int](t, reading, "SELECT count(*) FROM t"), 0)
	run(t, pool, "INSERT INTO t VALUES (1)")
	equal(t, one[int](t, reading, "SELECT count(*) FROM t"), 0)
	_, err = reading.Exec("INSERT INTO t VALUES (1)")
	wants(t, err, brant.ErrReadOnly)
	check(t, reading.Commit())

	// One writer: another waits, and is told.
	writing := must(pool.BeginTx(t.Context(), nil))(t)
	_, err = pool.BeginTx(t.Context(), nil)
	wants(t, err, brant.ErrBusy)
	_, err = pool.ExecContext(t.Context(), "INSERT INTO t VALUES (2)")
	wants(t, err, brant.ErrBusy)
	equal(t, one[int](t, pool, "SELECT count(*) FROM t"), 1) // readers do not wait
	check(t, writing.Rollback())

	// The context's end takes it back.
	ctx, cancel := context.WithCancel(t.Context())
	ended := must(pool.BeginTx(ctx, nil))(t)
	run(t, ended, "INSERT INTO t VALUES (3)")
	cancel()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := pool.ExecContext(t.Context(), "INSERT INTO t VALUES (4)"); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	equal(t, one[int](t, pool, "SELECT count(*) FROM t"), 2)
	if _, err := pool.ExecContext(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	_, err = pool.ExecContext(short, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}

	// By SQL, in a connection of one's own.
	conn := must(pool.Conn(t.Context()))(t)
	run(t, conn, "BEGIN IMMEDIATE TRANSACTION; INSERT INTO t VALUES (5)")
	must(brantsql.Tx(t.Context(), conn))(t)
	_, err = conn.ExecContext(t.Context(), "BEGIN")
	wants(t, err, brant.ErrSQL)
	run(t, conn, "END")
	for _, wrong := range []string{"COMMIT", "ROLLBACK", "RELEASE nothing", "ROLLBACK TO nothing"} {
		_, err = conn.ExecContext(t.Context(), wrong)
		wants(t, err, brant.ErrSQL)
	}
	run(t, conn, "SAVEPOINT s; INSERT INTO t VALUES (6); RELEASE s; begin; INSERT INTO t VALUES (7); /* no */ rollback transaction")
	equal(t, one[int](t, conn, "SELECT count(*) FROM t"), 4)

	// What is left open blocks nobody once the connection is given back.
	run(t, conn, "BEGIN; INSERT INTO t VALUES (8)")
	check(t, conn.Close())
	run(t, pool, "INSERT INTO t VALUES (9)")
	equal(t, one[int](t, pool, "SELECT count(*) FROM t"), 5)

	// SQL that ends what BeginTx began is told by Commit.
	tx := must(pool.BeginTx(t.Context(), nil))(t)
	run(t, tx, "COMMIT")
	wants(t, tx.Commit(), brant.ErrMisuse)
}

// TestLargeResults reads more than one call answers, while others write.
func TestLargeResults(t *testing.T) {
	pool := must(sql.Open("brant", filepath.Join(t.TempDir(), "app.db")+"?readers=2&busy_timeout=10m"))(t)
	defer pool.Close()
	const count = 150_000 // more than the limit of a batch
	run(t, pool, "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
	run(t, pool, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO t SELECT i, 'row ' || i FROM n", count)
	through := func(from interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}, each func(id int)) {
		t.Helper()
		found := must(from.QueryContext(t.Context(), "SELECT id, text FROM t WHERE id > ? ORDER BY id", 0))(t)
		defer found.Close()
		next := 0
		for found.Next() {
			var id int
			var text string
			check(t, found.Scan(&id, &text))
			if next++; id != next || text != fmt.Sprint("row ", id) {
				t.Fatal(id, text)
			}
			each(id)
		}
		check(t, found.Err())
		equal(t, next, count)
	}
	through(pool, func(id int) {
		if id%50_000 == 0 {
			run(t, pool, "INSERT INTO t (text) VALUES ('not of the snapshot')")
		}
	})
	run(t, pool, "DELETE FROM t WHERE id > ?", count)
	tx := must(pool.BeginTx(t.Context(), nil))(t)
	through(tx, func(id int) {
		if id%50_000 == 0 { // another query beside it
			equal(t, one[int](t, tx, "SELECT count(*) FROM t"), count)
		}
	})
	// What is not read to its end is given back, too: more of them than there are readers, and than cursors that may be open.
	for range 300 {
		found := must(tx.QueryContext(t.Context(), "SELECT * FROM t"))(t)
		found.Next()
		check(t, found.Close())
	}
	check(t, tx.Commit())
	for range 10 {
		found := must(pool.QueryContext(t.Context(), "SELECT * FROM t"))(t)
		found.Next()
		check(t, found.Close())
	}
	// Large rows come in smaller parts.
	run(t, pool, "UPDATE t SET text = printf('%.*c', 200000, 'x') WHERE id <= 500; DELETE FROM t WHERE id > 500")
	found := must(pool.QueryContext(t.Context(), "SELECT text FROM t"))(t)
	defer found.Close()
	sum := 0
	for found.Next() {
		var text sql.RawBytes
		check(t, found.Scan(&text))
		sum += len(text)
	}
	check(t, found.Err())
	equal(t, sum, 500*200_000)

	// An end of the context in the middle.
	ctx, cancel := context.WithCancel(t.Context())
	some := must(pool.QueryContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"))(t)
	defer some.Close()
	for range 5000 {
		some.Next()
	}
	cancel()
	for some.Next() {
	}
	if !errors.Is(some.Err(), context.Canceled) {
		t.Error(some.Err())
	}
}

func TestConcurrency(t *testing.T) {
	pool := open(t)
	run(t, pool, "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL); INSERT INTO accounts VALUES (1, 1000), (2, 1000), (3, 1000)")
	var all sync.WaitGroup
	for range 8 {
		all.Add(2)
		go func() {
			defer all.Done()
			for range 20 {
				from, to := 1+rand.IntN(3), 1+rand.IntN(3)
				err := brantsql.InTx(t.Context(), pool, func(rows *sql.Tx, _ *brant.Tx) error {
					_, err := rows.Exec("UPDATE accounts SET balance = balance - 1 WHERE id = ?", from)
					_, other := rows.Exec("UPDATE accounts SET balance = balance + 1 WHERE id = ?", to)
					return errors.Join(err, other)
				})
				if err != nil {
					t.Error(err)
				}
			}
		}()
		go func() {
			defer all.Done()
			for range 40 {
				var sum int
				if err := pool.QueryRow("SELECT sum(balance) FROM accounts").Scan(&sum); err != nil || sum != 3000 {
					t.Error(sum, err)
				}
			}
		}()
	}
	all.Wait()
}

func TestOpening(t *testing.T) {
	folder := t.TempDir()
	for _, wrong := range []string{"x?mode=wild", "x?nothing=1", "x?readers=many", "x?%zz", "/nowhere/at/all/x.db", folder} {
		pool, err := sql.Open("brant", wrong)
		if err == nil {
			err = pool.Ping()
			check(t, pool.Close())
		}
		var e *brant.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	path := filepath.Join(folder, "app.db")
	pool := must(sql.Open("brant", "file:"+path+"?durability=full&readers=2&cache=1000000"))(t)
	check(t, pool.Ping())
	run(t, pool, "CREATE TABLE t (x)")
	db := must(brantsql.DB(t.Context(), pool))(t)
	equal(t, must(db.Info(t.Context()))(t).Durability, brant.DurabilityFull)
	check(t, pool.Close())
	wants(t, db.Check(), brant.ErrClosed)

	// The foreign keys of tables are enforced when the name says so.
	for option, orphans := range map[string]bool{"": true, "?foreign_keys=1": false} {
		pool = must(sql.Open("brant", filepath.Join(t.TempDir(), "keys.db")+option))(t)
		run(t, pool, "CREATE TABLE parent (id INTEGER PRIMARY KEY)")
		run(t, pool, "CREATE TABLE child (parent INTEGER REFERENCES parent ON DELETE CASCADE)")
		if _, err := pool.Exec("INSERT INTO child VALUES (7)"); orphans {
			check(t, err)
		} else {
			wants(t, err, brant.ErrConstraint)
		}
		check(t, pool.Close())
	}

	pool = must(sql.Open("brant", path+"?mode=ro"))(t)
	_, err := pool.Exec("INSERT INTO t VALUES (1)")
	wants(t, err, brant.ErrReadOnly)
	equal(t, one[int](t, pool, "SELECT count(*) FROM t"), 0)
	check(t, pool.Close())

	// A pool over an open database leaves it open; one in memory is one database for all.
	db = must(brant.Open(":memory:", nil))(t)
	pool = brantsql.OpenDB(db)
	run(t, pool, "CREATE TABLE t (x)")
	equal(t, one[int](t, pool, "SELECT count(*) FROM t"), 0)
	check(t, pool.Close())
	check(t, db.Check())
	pool = brantsql.OpenDB(db)
	check(t, db.Close())
	wants(t, pool.Ping(), brant.ErrClosed)
	_, err = pool.Exec("SELECT 1")
	wants(t, err, brant.ErrClosed)
	check(t, pool.Close())

	// A session's pool is judged.
	db = must(brant.Open(path, nil))(t)
	defer db.Close()
	session := must(db.Session(brant.Identity{ID: "ann", Scopes: []string{"sql:execute"}}))(t)
	defer session.Close()
	judged := brantsql.OpenDB(session)
	defer judged.Close()
	run(t, judged, "INSERT INTO t VALUES (1)")
	_, err = judged.Exec("SELECT * FROM nodes")
	wants(t, err, brant.ErrDenied)
	_, err = judged.Begin()
	wants(t, err, brant.ErrDenied)
}
