package brant

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Rows is the answer to a statement. A value is nil, int64, float64, string or []byte.
type Rows struct {
	Columns         []string
	Rows            [][]any
	Changes         int64 // rows that the statement itself inserted, updated or deleted; not those of triggers and of foreign keys' actions
	LastInsertRowID int64

	Types      []*ColumnType // of Statement.Types
	Cursor     int64         // of Statement.Limit: by which the rows that follow are to be had; 0: these were the last
	Parameters int           // of Statement.Script: how many parameters the statement had
	Tail       int           // of Statement.Script: the byte at which the next statement begins; 0: there is none
}

// ColumnType is what a table's definition says of a column; nil for an expression.
type ColumnType struct {
	Declared string `json:"type"` // "VARCHAR(20)", or empty
	NotNull  bool   `json:"not_null"`
}

// Statement is SQL to run with what Execute leaves out: DB.Run, Tx.Run.
type Statement struct {
	SQL    string
	Params []any   // as Execute has them
	Batch  [][]any // instead of Params: it runs with each, all or none of it
	Types  bool    // also say what the columns' tables declare
	// Script runs the first of several statements, with as many of the Params as it has parameters; Rows.Tail says where the rest begins.
	Script bool
	// Limit lets a statement that only reads answer at most so many rows, fewer when they are large, and a Cursor for those that follow: in a
	// transaction, with which the cursor ends. Outside one more rows are ErrMisuse.
	Limit  int
	Cursor int64 // goes on with it, at most Limit rows; without SQL
	// Close closes the Cursor, after Limit rows of it if there is a Limit. Of a statement with a Limit: the first so many rows of any are answered, and there is no
	// Cursor; a query ends there, what writes is done to its end.
	Close bool
}

// Params are parameters by name, without the prefix (":name" is "name"): the one parameter of an Execute.
type Params map[string]any

// Execute runs one statement of the user's own SQL on the file: nil, booleans, integers, floating point numbers, strings and []byte by
// position, or Params by name. In a Tx it runs in the transaction, together with everything else.
//
// A query outside a transaction runs on a reader, where temporary tables and what SQLite keeps for a connection (changes()) are not to
// be had. brant's own tables can be read; what would change them, the settings of the file or the transaction is ErrDenied.
//
// ErrSQL: the text is wrong; ErrInvalid: the parameters do not fit; ErrConstraint: a rule of the user's tables; ErrLimit: more rows than
// Options.Limits.Batch.
func (o operations) Execute(ctx context.Context, sql string, params ...any) (*Rows, error) {
	return o.Run(ctx, Statement{SQL: sql, Params: params})
}

// Run is Execute with more to say. At most 100 cursors are open in a transaction (ErrLimit); one that has ended is ErrMisuse.
func (o operations) Run(ctx context.Context, statement Statement) (*Rows, error) {
	in := newInput()
	defer in.free()
	in.statement(&statement)
	if in.err != nil {
		return nil, in.err
	}
	op := sqlExecute
	if statement.Cursor == 0 && isQuery(statement.SQL) {
		op = sqlQuery
	}
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := o.r.run(ctx, op, out, borrow(in.buffer)); err != nil {
		return nil, err
	}
	return readRows(out.Bytes(), &statement)
}

// isQuery guesses; when it is wrong the statement runs on the writer in the end.
func isQuery(sql string) bool {
	word := strings.TrimLeft(sql, " \t\r\n(")
	for _, first := range [...]string{"SELECT", "WITH", "VALUES", "EXPLAIN"} {
		if len(word) > len(first) && strings.EqualFold(word[:len(first)], first) {
			return true
		}
	}
	return false
}

func (in *input) parameters(params []any) {
	if named, ok := params[0].(Params); ok {
		if len(params) > 1 {
			in.fail(failf(ErrInvalid, "Params is the only parameter, or there is none"))
		}
		in.buffer = append(in.buffer, '{')
		for name, value := range named {
			if in.buffer[len(in.buffer)-1] != '{' {
				in.buffer = append(in.buffer, ',')
			}
			in.buffer = append(appendText(in.buffer, name), ':')
			in.parameter(value)
		}
		in.buffer = append(in.buffer, '}')
		return
	}
	in.buffer = append(in.buffer, '[')
	for i, value := range params {
		if i > 0 {
			in.buffer = append(in.buffer, ',')
		}
		in.parameter(value)
	}
	in.buffer = append(in.buffer, ']')
}

func (in *input) parameter(value any) {
	switch v := value.(type) {
	case nil:
		in.buffer = append(in.buffer, "null"...)
	case string:
		in.buffer = appendText(in.buffer, v)
	case []byte:
		in.buffer = append(in.buffer, `{"$base64":"`...)
		in.buffer = base64.StdEncoding.AppendEncode(in.buffer, v)
		in.buffer = append(in.buffer, `"}`...)
	case int:
		in.buffer = strconv.AppendInt(in.buffer, int64(v), 10)
	case int64:
		in.buffer = strconv.AppendInt(in.buffer, v, 10)
	case float64:
		in.number(v)
	case float32:
		in.number(float64(v))
	default:
		in.element(value)
	}
}

// number keeps a floating point number one: encoding/json writes 1.0 as 1, which SQL divides as an integer.
func (in *input) number(value float64) {
	if math.IsInf(value, 0) {
		in.buffer = append(in.buffer, `{"$number":"`...)
		in.buffer = append(in.buffer, map[bool]string{true: "-", false: ""}[value < 0]+`Infinity"}`...)
		return
	}
	from := len(in.buffer)
	in.element(value)
	if in.err == nil && !bytes.ContainsAny(in.buffer[from:], ".eE") {
		in.buffer = append(in.buffer, ".0"...)
	}
}

// UnmarshalJSON reads the core's answer.
func (r *Rows) UnmarshalJSON(text []byte) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return err
	}
	return decode(compact.Bytes(), r)
}

func (r *Rows) read(from *reader) {
	*r = Rows{}
	from.object(func(name []byte) {
		switch string(name) {
		case "columns":
			r.Columns = from.strings()
		case "rows":
			r.Rows = elements(from, 1, func() []any {
				return elements(from, len(r.Columns), from.column)
			})
		case "types":
			r.Types = elements(from, len(r.Columns), func() (of *ColumnType) {
				if json.Unmarshal(from.raw(), &of) != nil {
					from.wrong = true
				}
				return of
			})
		case "changes":
			r.Changes = from.integer()
		case "last_insert_rowid":
			r.LastInsertRowID = from.integer()
		case "cursor":
			if !from.word("null") {
				r.Cursor = from.integer()
			}
		case "parameters":
			r.Parameters = int(from.integer())
		case "tail":
			r.Tail = int(from.integer())
		default:
			from.skip()
		}
	})
}

// column is a value of a row.
func (r *reader) column() any {
	switch r.next() {
	case '"':
		return r.string()
	case 'n', 't', 'f':
		if r.word("null") {
			return nil
		}
		return r.boolean()
	case '{':
		var value any
		r.object(func(name []byte) {
			text := r.quoted()
			if string(name) == "$number" {
				number, err := strconv.ParseFloat(string(text), 64)
				r.wrong, value = r.wrong || err != nil, number
				return
			}
			bytes, err := base64.StdEncoding.AppendDecode([]byte{}, text)
			r.wrong, value = r.wrong || err != nil, bytes
		})
		return value
	}
	from := r.at
	for r.at < len(r.text) && (r.text[r.at] >= '0' && r.text[r.at] <= '9' || r.text[r.at] == '-') {
		r.at++
	}
	whole := r.at == len(r.text) || (r.text[r.at] != '.' && r.text[r.at] != 'e' && r.text[r.at] != 'E')
	r.at = from
	if whole {
		return r.integer()
	}
	return r.float()
}

// MarshalJSON writes it as the core does: a blob is {"$base64": text}, an infinite number {"$number": text}.
func (r Rows) MarshalJSON() ([]byte, error) {
	in := newInput()
	defer in.free()
	in.texts("columns", r.Columns).name("rows")
	in.buffer = append(in.buffer, '[')
	for i, row := range r.Rows {
		if i > 0 {
			in.buffer = append(in.buffer, ',')
		}
		if len(row) == 0 {
			in.buffer = append(in.buffer, "[]"...)
		} else {
			in.parameters(row)
		}
	}
	in.buffer = append(in.buffer, ']')
	in.integer("changes", r.Changes).integer("last_insert_rowid", r.LastInsertRowID)
	if r.Types != nil {
		in.anyValue("types", r.Types)
	}
	if r.Cursor != 0 {
		in.integer("cursor", r.Cursor)
	}
	if r.Parameters != 0 || r.Tail != 0 {
		in.integer("parameters", int64(r.Parameters)).integer("tail", int64(r.Tail))
	}
	return []byte(in.done()), in.err
}
