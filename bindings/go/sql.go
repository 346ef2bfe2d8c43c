package brant

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// Rows is the answer to a statement. A value is nil, int64, float64, string or []byte.
type Rows struct {
	Columns         []string
	Rows            [][]any
	Changes         int64
	LastInsertRowID int64
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
	in := newInput().text("sql", sql)
	if len(params) > 0 {
		in.name("params")
		in.parameters(params)
	}
	op := sqlExecute
	if isQuery(sql) {
		op = sqlQuery
	}
	rows := new(Rows)
	if err := doInto(ctx, o.r, op, in, rows); err != nil {
		return nil, err
	}
	return rows, nil
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
	from := len(in.buffer)
	in.element(value)
	if in.err == nil && !bytes.ContainsAny(in.buffer[from:], ".eE") {
		in.buffer = append(in.buffer, ".0"...)
	}
}

// UnmarshalJSON reads the core's answer.
func (r *Rows) UnmarshalJSON(text []byte) error {
	var answer struct {
		Columns         []string `json:"columns"`
		Rows            [][]any  `json:"rows"`
		Changes         int64    `json:"changes"`
		LastInsertRowID int64    `json:"last_insert_rowid"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return err
	}
	for _, row := range answer.Rows {
		for i, value := range row {
			decoded, err := column(value)
			if err != nil {
				return err
			}
			row[i] = decoded
		}
	}
	*r = Rows{answer.Columns, answer.Rows, answer.Changes, answer.LastInsertRowID}
	return nil
}

func column(value any) (any, error) {
	switch v := value.(type) {
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return v.Float64()
		}
		return v.Int64()
	case map[string]any:
		text, _ := v["$base64"].(string)
		return base64.StdEncoding.DecodeString(text)
	}
	return value, nil
}

// MarshalJSON writes it as the core does: a blob is {"$base64": text}.
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
	return []byte(in.done()), in.err
}
