// Package brantsql is a database/sql driver over a brant database: the same file, connections and transactions as *brant.DB, so that rows of the
// user's own tables, graphs, notifications, stream events and jobs commit together.
//
//	pool, err := sql.Open("brant", "app.db")    // or brantsql.OpenDB(db), over what is open already
//	tx, err := pool.BeginTx(ctx, nil)
//	_, err = tx.ExecContext(ctx, "INSERT INTO orders (total) VALUES (?)", 12)
//	running, err := brantsql.Tx(ctx, tx)        // the *brant.Tx of it
//	_, err = running.Queue("mail").Enqueue(ctx, "order", nil)
//	err = tx.Commit()
//
// # Names
//
// A name for sql.Open is a path, with options of brant.Open behind a question mark: "app.db?mode=ro&durability=full". mode, durability, role, permissions,
// busy_timeout (a duration, "2s"), readers, cache, adopt, network, foreign_keys. ":memory:" is one database for the whole pool. The file is opened by the first
// connection, and closed with the pool.
//
// # Connections and transactions
//
// A connection of the pool holds nothing: statements outside a transaction take the writer's turn or a reader of the *brant.DB. A transaction is a write
// transaction from its beginning, or with sql.TxOptions.ReadOnly a snapshot to read; it is serializable, so every weaker level is accepted too. The SQL
// texts BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE and ROLLBACK TO work: they are brant's transactions, nested ones savepoints.
//
// # Values
//
// Booleans, integers, floating point numbers, strings, []byte (a BLOB), json.RawMessage (TEXT) and time.Time, which is TEXT with its offset. What columns declared as
// BOOLEAN, DATE, DATETIME or TIMESTAMP hold comes back as bool and time.Time, in UTC; seconds or milliseconds since the epoch do too. Parameters are ?, ?1, :name, @name or $name,
// with values by position or sql.Named.
//
// Rows are read in parts, so that a result may be larger than the memory.
//
// Errors are those of package brant: errors.Is(err, brant.ErrBusy).
package brantsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/brant-db/brant-go"
)

// Name is what sql.Open knows the driver by.
const Name = "brant"

func init() { sql.Register(Name, Driver{}) }

// Driver opens databases by name; see the package's description.
type Driver struct{}

var _ driver.DriverContext = Driver{}

// Open is a connection to a database of its own, for those who call drivers by hand.
func (d Driver) Open(name string) (driver.Conn, error) {
	c, err := d.OpenConnector(name)
	if err != nil {
		return nil, err
	}
	made, err := c.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	made.(*conn).owner = c.(io.Closer)
	return made, nil
}

// OpenConnector reads the name. The file is opened by the first connection.
func (d Driver) OpenConnector(name string) (driver.Connector, error) {
	path, options, err := parseName(name)
	if err != nil {
		return nil, err
	}
	return &connector{path: path, options: options}, nil
}

// NewConnector is a connector over an open database, for sql.OpenDB. Closing the pool leaves the database open.
func NewConnector(db *brant.DB) driver.Connector { return &connector{db: db} }

// OpenDB is a pool over an open database, or a session. Closing it leaves the database open.
func OpenDB(db *brant.DB) *sql.DB { return sql.OpenDB(NewConnector(db)) }

type connector struct {
	path    string
	options brant.Options

	lock   sync.Mutex
	db     *brant.DB
	own    bool
	closed bool
}

var _ io.Closer = (*connector)(nil)

// Driver is Driver{}.
func (c *connector) Driver() driver.Driver { return Driver{} }

// Connect opens the file at the first time.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.closed {
		return nil, fail(brant.ErrClosed, "the pool is closed")
	}
	if c.db == nil {
		db, err := brant.Open(c.path, &c.options)
		if err != nil {
			return nil, err
		}
		c.db, c.own = db, true
	}
	return &conn{db: c.db}, nil
}

// Close closes what Connect opened.
func (c *connector) Close() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.closed = true
	if !c.own {
		return nil
	}
	return c.db.Close()
}

func parseName(name string) (path string, options brant.Options, err error) {
	name = strings.TrimPrefix(name, "file:")
	path, query, _ := strings.Cut(name, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", options, invalid("the name's options cannot be read")
	}
	for key, all := range values {
		value := all[len(all)-1]
		switch key {
		case "mode":
			options.Mode = brant.Mode(value)
		case "durability":
			options.Durability = brant.Durability(value)
		case "role":
			options.Role = brant.Role(value)
		case "permissions":
			options.Permissions = brant.Permissions(value)
		case "busy_timeout":
			options.BusyTimeout, err = time.ParseDuration(value)
			if options.BusyTimeout == 0 {
				options.BusyTimeout = -1
			}
		case "readers":
			options.Readers, err = strconv.Atoi(value)
		case "cache":
			options.Cache, err = strconv.Atoi(value)
		case "adopt":
			options.Adopt, err = strconv.ParseBool(value)
		case "network":
			options.Network, err = strconv.ParseBool(value)
		case "foreign_keys":
			options.ForeignKeys, err = strconv.ParseBool(value)
		default:
			return "", options, invalid("the name has an unknown option \"" + key + "\"; known: mode, durability, role, permissions, busy_timeout, readers, cache, adopt, network, foreign_keys; a database in memory is \":memory:\"")
		}
		if err != nil {
			return "", options, invalid("the name's option \"" + key + "\" cannot be read")
		}
	}
	return path, options, nil
}

func fail(code brant.Code, message string) error {
	return &brant.Error{Code: code, Message: message, Detail: json.RawMessage("{}")}
}

func invalid(message string) error { return fail(brant.ErrInvalid, message) }

// Execer is what runs a statement: *sql.Tx, *sql.Conn, *sql.DB, and what embeds or wraps one without changing texts and values.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// request asks a connection, as the value of a statement that no one runs, what it is.
type request struct {
	db *brant.DB
	tx *brant.Tx
}

const requestText = "-- brant: handles"

func ask(ctx context.Context, e Execer) (*request, error) {
	r := new(request)
	_, err := e.ExecContext(ctx, requestText, r)
	if err == nil && r.db == nil {
		err = fail(brant.ErrMisuse, "it is not of this driver")
	}
	return r, err
}

// Tx is the innermost running transaction of a *sql.Tx (or of a *sql.Conn in which SQL began one), with which everything else of brant commits: notifications, events,
// jobs, graphs. It is for the owner of the *sql.Tx to end it. Transactions inside it, by its own Tx or by SAVEPOINT, must have ended before SQL goes on outside of them; after ROLLBACK TO
// take it anew. ErrMisuse: there is none.
func Tx(ctx context.Context, tx Execer) (*brant.Tx, error) {
	r, err := ask(ctx, tx)
	if err != nil {
		return nil, err
	}
	if r.tx == nil {
		return nil, fail(brant.ErrMisuse, "no transaction is running")
	}
	return r.tx, nil
}

// DB is the database that a pool is over.
func DB(ctx context.Context, pool Execer) (*brant.DB, error) {
	r, err := ask(ctx, pool)
	if err != nil {
		return nil, err
	}
	return r.db, nil
}

// InTx runs fn in a write transaction of the pool, with both of its faces, and commits it when fn returns nil; else, or when fn panics, it is rolled back.
func InTx(ctx context.Context, pool *sql.DB, fn func(rows *sql.Tx, tx *brant.Tx) error) error {
	rows, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Rollback() }() // nothing is left after Commit
	tx, err := Tx(ctx, rows)
	if err != nil {
		return err
	}
	if err := fn(rows, tx); err != nil {
		return err
	}
	return rows.Commit()
}

func code(err error) brant.Code {
	var e *brant.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
