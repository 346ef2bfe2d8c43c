package brantsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/brant-db/brant-go"
)

const (
	firstRows = 1000 // of a query outside a transaction that are read without one
	moreRows  = 5000 // of each further part
)

// rows is what a query answers, read in parts: those that follow the first of a query outside a transaction are of a read transaction of its own.
type rows struct {
	ctx   context.Context
	in    runner    // that the cursor is in
	own   *brant.Tx // that ends with the rows
	part  *brant.Rows
	at    int
	kinds []kind
	types []*brant.ColumnType
}

var (
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ interface {
		io.Closer
		Columns() []string
	} = (*rows)(nil)
)

func (r *rows) open(ctx context.Context, c *conn, text string, values []any) error {
	statement := brant.Statement{SQL: text, Params: values, Types: true, Script: true, Limit: firstRows}
	part, err := c.runner().Run(ctx, statement)
	r.in = c.runner()
	if code(err) == brant.ErrMisuse && c.tx() == nil {
		if part, err = r.snapshot(ctx, c.db, statement); err != nil {
			// Temporary tables are the writer's, and a session may have no right to a transaction.
			statement.Limit = 0
			part, err = c.db.Run(ctx, statement)
		}
	}
	if err != nil {
		return err
	}
	r.part, r.types, r.at = part, part.Types, 0
	r.kinds = make([]kind, len(part.Columns))
	for i, of := range r.types {
		if of != nil {
			r.kinds[i] = kindOf(of.Declared)
		}
	}
	return nil
}

func (r *rows) snapshot(ctx context.Context, db *brant.DB, statement brant.Statement) (*brant.Rows, error) {
	tx, err := db.BeginRead(ctx)
	if err != nil {
		return nil, err
	}
	part, err := tx.Run(ctx, statement)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	r.in, r.own = tx, tx
	return part, nil
}

// Columns are the names.
func (r *rows) Columns() []string { return r.part.Columns }

// Close gives back what the rows hold.
func (r *rows) Close() error {
	r.end()
	return nil
}

func (r *rows) end() {
	if r.part == nil {
		return
	}
	if r.own != nil {
		_ = r.own.Rollback()
		r.own = nil
	} else if r.part.Cursor != 0 {
		_, _ = r.in.Run(context.Background(), brant.Statement{Cursor: r.part.Cursor, Close: true}) // it may be over with its transaction
	}
	r.part = &brant.Rows{Columns: r.part.Columns}
}

// Next reads a row.
func (r *rows) Next(dest []driver.Value) error {
	for r.at == len(r.part.Rows) {
		if r.part.Cursor == 0 {
			r.end()
			return io.EOF
		}
		part, err := r.in.Run(r.ctx, brant.Statement{Cursor: r.part.Cursor, Limit: moreRows})
		if err != nil {
			return err
		}
		r.part, r.at = part, 0
	}
	row := r.part.Rows[r.at]
	r.part.Rows[r.at] = nil
	r.at++
	for i, value := range row {
		dest[i] = r.kinds[i].value(value)
	}
	return nil
}

// ---- types -------------------------------------------------------------------------------------------------------------

// kind is what the values of a column are to Go, by its declared type: what SQLite's rules of affinity say, and besides truth and time, which it has not.
type kind int

const (
	kindAny kind = iota
	kindBool
	kindTime
	kindInteger
	kindReal
	kindText
	kindBlob
)

func kindOf(declared string) kind {
	name, _ := cutType(declared)
	switch name {
	case "BOOLEAN", "BOOL":
		return kindBool
	case "DATE", "DATETIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITHOUT TIME ZONE":
		return kindTime
	}
	for _, rule := range []struct {
		part string
		kind kind
	}{
		{"INT", kindInteger}, {"CHAR", kindText}, {"CLOB", kindText}, {"TEXT", kindText}, {"BLOB", kindBlob}, {"REAL", kindReal},
		{"FLOA", kindReal}, {"DOUB", kindReal},
	} {
		if strings.Contains(name, rule.part) {
			return rule.kind
		}
	}
	return kindAny
}

// cutType is a declared type's name, in capitals, and what is in its parentheses.
func cutType(declared string) (name string, arguments []int64) {
	name, inner, found := strings.Cut(declared, "(")
	if found {
		inner, _, _ = strings.Cut(inner, ")")
		for _, text := range strings.Split(inner, ",") {
			number, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil {
				return strings.ToUpper(strings.TrimSpace(name)), nil
			}
			arguments = append(arguments, number)
		}
	}
	return strings.ToUpper(strings.TrimSpace(name)), arguments
}

func (k kind) value(value any) any {
	switch k {
	case kindBool:
		if n, ok := value.(int64); ok && (n == 0 || n == 1) {
			return n == 1
		}
	case kindTime:
		switch v := value.(type) {
		case int64:
			return moment(v)
		case string:
			if t, ok := parseTime(v); ok {
				return t
			}
		}
	}
	return value
}

// moment is a time in seconds, or in milliseconds where that would be after the year 5000.
func moment(n int64) time.Time {
	if n > 100_000_000_000 || n < -100_000_000_000 {
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// Seconds may have a fraction in all of them.
var timeFormats = []string{
	"2006-01-02 15:04:05-07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05 -0700 MST",
}

func parseTime(text string) (time.Time, bool) {
	for _, format := range timeFormats {
		if t, err := time.Parse(format, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func (r *rows) of(index int) *brant.ColumnType {
	if index < len(r.types) && r.types[index] != nil {
		return r.types[index]
	}
	return nil
}

// ColumnTypeDatabaseTypeName is the declared type without what is in parentheses; empty for an expression.
func (r *rows) ColumnTypeDatabaseTypeName(index int) string {
	if of := r.of(index); of != nil {
		name, _ := cutType(of.Declared)
		return name
	}
	return ""
}

// ColumnTypeNullable says whether NULL may come; of an expression it is not known.
func (r *rows) ColumnTypeNullable(index int) (nullable, ok bool) {
	if of := r.of(index); of != nil {
		return !of.NotNull, true
	}
	return false, false
}

// ColumnTypeLength is what a text's or blob's type declares.
func (r *rows) ColumnTypeLength(index int) (length int64, ok bool) {
	of := r.of(index)
	if of == nil || (r.kinds[index] != kindText && r.kinds[index] != kindBlob) {
		return 0, false
	}
	if _, arguments := cutType(of.Declared); len(arguments) == 1 {
		return arguments[0], true
	}
	return math.MaxInt64, true
}

// ColumnTypePrecisionScale is what DECIMAL and its like declare.
func (r *rows) ColumnTypePrecisionScale(index int) (precision, scale int64, ok bool) {
	of := r.of(index)
	if of == nil || r.kinds[index] != kindAny {
		return 0, 0, false
	}
	switch _, arguments := cutType(of.Declared); len(arguments) {
	case 1:
		return arguments[0], 0, true
	case 2:
		return arguments[0], arguments[1], true
	}
	return 0, 0, false
}

var scanTypes = map[kind][2]reflect.Type{ // never NULL, perhaps NULL
	kindBool:    {reflect.TypeFor[bool](), reflect.TypeFor[sql.NullBool]()},
	kindTime:    {reflect.TypeFor[time.Time](), reflect.TypeFor[sql.NullTime]()},
	kindInteger: {reflect.TypeFor[int64](), reflect.TypeFor[sql.NullInt64]()},
	kindReal:    {reflect.TypeFor[float64](), reflect.TypeFor[sql.NullFloat64]()},
	kindText:    {reflect.TypeFor[string](), reflect.TypeFor[sql.NullString]()},
	kindBlob:    {reflect.TypeFor[[]byte](), reflect.TypeFor[[]byte]()},
	kindAny:     {reflect.TypeFor[any](), reflect.TypeFor[any]()},
}

// ColumnTypeScanType is what the values can be scanned into.
func (r *rows) ColumnTypeScanType(index int) reflect.Type {
	both := scanTypes[r.kinds[index]]
	if of := r.of(index); of != nil && of.NotNull {
		return both[0]
	}
	return both[1]
}
