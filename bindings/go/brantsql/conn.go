package brantsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/brant-db/brant-go"
)

// conn is one connection of the pool: the transactions that run in it, if any. database/sql lets one goroutine at a time use it.
type conn struct {
	db     *brant.DB
	owner  io.Closer // of Driver.Open: what closes with it
	levels []level
	closed bool
}

// level is a transaction, or inside another a savepoint.
type level struct {
	name string // of a savepoint
	tx   *brant.Tx
}

var (
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)

type runner interface {
	Run(ctx context.Context, statement brant.Statement) (*brant.Rows, error)
}

func (c *conn) tx() *brant.Tx {
	if len(c.levels) == 0 {
		return nil
	}
	return c.levels[len(c.levels)-1].tx
}

func (c *conn) runner() runner {
	if tx := c.tx(); tx != nil {
		return tx
	}
	return c.db
}

// Close rolls back what is open.
func (c *conn) Close() error {
	c.closed = true
	c.rollback(0)
	if c.owner != nil {
		return c.owner.Close()
	}
	return nil
}

// rollback takes back the levels from one on.
func (c *conn) rollback(from int) {
	for len(c.levels) > from {
		last := len(c.levels) - 1
		_ = c.levels[last].tx.Rollback()
		c.levels = c.levels[:last]
	}
}

// Ping says whether the database is open.
func (c *conn) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.db.Check()
}

// IsValid is asked when the connection goes back to the pool: who left a transaction open there would block all writers.
func (c *conn) IsValid() bool { return !c.closed && len(c.levels) == 0 }

// ResetSession has nothing to reset: IsValid lets no connection with a transaction through.
func (c *conn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// ---- transactions ------------------------------------------------------------------------------------------------------

// Begin is for those who know no BeginTx.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx begins a write transaction, or a snapshot to read.
func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if level := sql.IsolationLevel(options.Isolation); level < sql.LevelDefault || level > sql.LevelSerializable {
		return nil, fail(brant.ErrUnsupported, "transactions are serializable, not "+level.String())
	}
	if len(c.levels) > 0 {
		return nil, fail(brant.ErrMisuse, "a transaction is running in this connection; SAVEPOINT begins one inside it")
	}
	if err := c.begin(ctx, "", options.ReadOnly); err != nil {
		return nil, err
	}
	return &transaction{c, c.levels[0].tx}, nil
}

func (c *conn) begin(ctx context.Context, name string, readOnly bool) error {
	var tx *brant.Tx
	var err error
	switch outer := c.tx(); {
	case outer != nil:
		tx, err = outer.Begin(ctx)
	case readOnly:
		tx, err = c.db.BeginRead(ctx)
	default:
		tx, err = c.db.Begin(ctx)
	}
	if err == nil {
		c.levels = append(c.levels, level{name, tx})
	}
	return err
}

// commit ends the levels from one on.
func (c *conn) commit(ctx context.Context, from int) error {
	for len(c.levels) > from {
		last := len(c.levels) - 1
		tx := c.levels[last].tx
		c.levels = c.levels[:last]
		if err := tx.Commit(ctx); err != nil {
			_ = tx.Rollback()
			if last == 0 || from > 0 {
				return err
			}
			c.rollback(0)
			return err
		}
	}
	return nil
}

// transaction is what BeginTx began. SQL may have ended it meanwhile.
type transaction struct {
	conn *conn
	tx   *brant.Tx
}

func (t *transaction) running() bool { return len(t.conn.levels) > 0 && t.conn.levels[0].tx == t.tx }

// Commit commits, with savepoints that are still open.
func (t *transaction) Commit() error {
	if !t.running() {
		return fail(brant.ErrMisuse, "the transaction is over: SQL ended it")
	}
	return t.conn.commit(context.Background(), 0)
}

// Rollback rolls back.
func (t *transaction) Rollback() error {
	if t.running() {
		t.conn.rollback(0)
	}
	return nil
}

// control runs a text that begins or ends a transaction.
func (c *conn) control(ctx context.Context, what control) error {
	place := -1
	if what.name != "" {
		place = slices.IndexFunc(c.levels, func(l level) bool { return strings.EqualFold(l.name, what.name) })
		for i := len(c.levels) - 1; i > place; i-- { // the innermost of that name
			if strings.EqualFold(c.levels[i].name, what.name) {
				place = i
			}
		}
	}
	switch what.verb {
	case verbBegin:
		if len(c.levels) > 0 {
			return sqlError("cannot start a transaction within a transaction")
		}
		return c.begin(ctx, "", false)
	case verbCommit, verbRollback:
		if len(c.levels) == 0 {
			return sqlError("no transaction is active")
		}
		if what.verb == verbCommit {
			return c.commit(ctx, 0)
		}
		c.rollback(0)
		return nil
	case verbSavepoint:
		return c.begin(ctx, what.name, false)
	}
	if place < 0 {
		return sqlError("no such savepoint: " + what.name)
	}
	if what.verb == verbRelease {
		return c.commit(ctx, place)
	}
	c.rollback(place) // and the savepoint stays
	return c.begin(ctx, what.name, false)
}

func sqlError(message string) error { return fail(brant.ErrSQL, message) }

// ---- values ------------------------------------------------------------------------------------------------------------

const timeFormat = "2006-01-02 15:04:05.999999999-07:00"

// CheckNamedValue takes what the default does, and what this driver has its own idea of.
func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	switch v := value.Value.(type) {
	case *request:
		v.db, v.tx = c.db, c.tx()
		return driver.ErrRemoveArgument
	case json.RawMessage: // a BLOB would be JSONB to SQLite
		if v == nil {
			value.Value = nil
		} else {
			value.Value = string(v)
		}
		return nil
	}
	return driver.ErrSkip
}

func params(values []driver.NamedValue) ([]any, error) {
	if len(values) == 0 {
		return nil, nil
	}
	named := brant.Params{}
	positions := make([]any, 0, len(values))
	for _, value := range values {
		v := value.Value
		switch given := v.(type) {
		case time.Time:
			v = given.Format(timeFormat)
		case float64:
			if math.IsNaN(given) { // NULL, as SQLite has it
				v = nil
			}
		case []byte:
			if given == nil { // NULL, as other drivers have it
				v = nil
			}
		}
		if value.Name != "" {
			named[value.Name] = v
		} else {
			positions = append(positions, v)
		}
	}
	switch {
	case len(named) == 0:
		return positions, nil
	case len(positions) > 0:
		return nil, invalid("values are given by position or by name, not both")
	}
	return []any{named}, nil
}

// ---- statements --------------------------------------------------------------------------------------------------------

// result is a driver.Result.
type result struct{ id, changes int64 }

// LastInsertId is the rowid of the last row that was inserted.
func (r result) LastInsertId() (int64, error) { return r.id, nil }

// RowsAffected counts the rows that the last statement inserted, changed or deleted, without those of triggers.
func (r result) RowsAffected() (int64, error) { return r.changes, nil }

// ExecContext runs all statements of a text, each with the next of the values.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if query == requestText {
		return result{}, nil
	}
	values, err := params(args)
	if err != nil {
		return nil, err
	}
	var done result
	_, values, err = c.each(ctx, query, values, func(text string, values []any) (tail, used int, last bool, err error) {
		rows, err := c.runner().Run(ctx, brant.Statement{SQL: text, Params: values, Script: true})
		if err != nil {
			return 0, 0, false, err
		}
		done = result{id: rows.LastInsertRowID, changes: rows.Changes}
		return rows.Tail, rows.Parameters, false, nil
	})
	if err != nil {
		return nil, err
	}
	if len(values) > 0 && !isNamed(values) {
		return nil, invalid(fmt.Sprintf("%d values were given for parameters that the text has not", len(values)))
	}
	return done, nil
}

func isNamed(values []any) bool {
	_, named := values[0].(brant.Params)
	return named
}

// each runs the statements of a text one after the other, until run says that it is the last; it answers what is left.
func (c *conn) each(
	ctx context.Context, text string, values []any, run func(text string, values []any) (tail, used int, last bool, err error),
) (string, []any, error) {
	for some := false; ; some = true {
		text = skipSpace(text)
		if text == "" {
			if !some {
				_, _, _, err := run(text, nil) // says that there is none
				return "", values, err
			}
			return "", values, nil
		}
		if what, rest, ok := parseControl(text); ok {
			if err := c.control(ctx, what); err != nil {
				return "", nil, err
			}
			text = rest
			continue
		}
		tail, used, last, err := run(text, values)
		if err != nil {
			return "", nil, err
		}
		if len(values) > 0 && !isNamed(values) {
			values = values[used:]
		}
		if tail == 0 || last {
			return text[tail:], values, nil
		}
		text = text[tail:]
	}
}

// QueryContext runs all statements of a text and answers the rows of the last.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	values, err := params(args)
	if err != nil {
		return nil, err
	}
	answer := &rows{ctx: ctx}
	_, values, err = c.each(ctx, query, values, func(text string, values []any) (tail, used int, last bool, err error) {
		answer.end()
		if err := answer.open(ctx, c, text, values); err != nil {
			return 0, 0, false, err
		}
		return answer.part.Tail, answer.part.Parameters, false, nil
	})
	if err == nil && len(values) > 0 && !isNamed(values) {
		err = invalid(fmt.Sprintf("%d values were given for parameters that the text has not", len(values)))
	}
	if err != nil {
		answer.end()
		return nil, err
	}
	if answer.part == nil { // nothing but the beginnings and ends of transactions
		answer.part = &brant.Rows{}
	}
	return answer, nil
}

// Prepare is for those who know no PrepareContext.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext looks whether the text is one statement that SQLite understands.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	text := skipSpace(query)
	if what, rest, ok := parseControl(text); ok {
		if skipSpace(rest) != "" {
			return nil, sqlError("the SQL text holds more than one statement; run them one at a time, after " + what.verb.String())
		}
		return &statement{c, query}, nil
	}
	if text == "" {
		text = query // which says what is wrong with it
	} else if word, _ := cutWord(text); !strings.EqualFold(word, "EXPLAIN") {
		text = "EXPLAIN " + text
	}
	if _, err := c.runner().Run(ctx, brant.Statement{SQL: text}); err != nil && code(err) != brant.ErrInvalid {
		return nil, err // INVALID: it wants values
	}
	return &statement{c, query}, nil
}

// statement is a text: the core prepares it anew each time.
type statement struct {
	conn *conn
	text string
}

var (
	_ driver.StmtExecContext  = (*statement)(nil)
	_ driver.StmtQueryContext = (*statement)(nil)
)

// Close has nothing to do.
func (s *statement) Close() error { return nil }

// NumInput leaves it to the core to count.
func (s *statement) NumInput() int { return -1 }

// Exec is for those who know no ExecContext.
func (s *statement) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), positions(args))
}

// Query is for those who know no QueryContext.
func (s *statement) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), positions(args))
}

// ExecContext runs it.
func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.text, args)
}

// QueryContext runs it.
func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.text, args)
}

func positions(args []driver.Value) []driver.NamedValue {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return values
}
