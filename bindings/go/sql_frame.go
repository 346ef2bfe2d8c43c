package brant

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

// A statement crosses as a frame, and so do its rows: brant_sql_run in brant/store.h has the layout.

const ( // BRANT_SQL_*
	sqlDescribe = 1 << iota
	sqlScript
	sqlClose
	sqlBatch
	sqlCursor
)

const ( // types of values, which are SQLite's
	sqlInteger = 1 + iota
	sqlFloat
	sqlText
	sqlBlob
	sqlNull
)

const (
	mostFrameBytes = 1 << 30 // of a text or a blob, as SQLite has it
)

var order = binary.LittleEndian

// statement makes the input the frame of a statement.
func (in *input) statement(s *Statement) {
	flags := uint32(0)
	for _, flag := range [...]struct {
		set bool
		bit uint32
	}{{s.Types, sqlDescribe}, {s.Script, sqlScript}, {s.Close, sqlClose}, {s.Batch != nil, sqlBatch}, {s.Cursor != 0, sqlCursor}} {
		if flag.set {
			flags |= flag.bit
		}
	}
	switch {
	case s.Limit < 0 || s.Limit > math.MaxInt32:
		in.fail(failf(ErrInvalid, "the limit must be 1 or more rows"))
		return
	case s.Batch != nil && s.Params != nil:
		in.fail(failf(ErrInvalid, "either Params or Batch, not both"))
		return
	case s.Cursor != 0 && s.Params != nil:
		in.fail(failf(ErrInvalid, "a cursor goes on without Params"))
		return
	}
	b := order.AppendUint32(in.buffer[:0], flags)
	b = order.AppendUint32(b, uint32(s.Limit))
	if s.Cursor != 0 {
		in.buffer = order.AppendUint64(b, uint64(s.Cursor))
		return
	}
	text := s.SQL
	if text == "" {
		text = " " // a text without a statement, which is not the same as no text
	}
	in.buffer = b
	in.bytes(text)
	if s.Batch == nil {
		in.buffer = order.AppendUint32(in.buffer, 1)
		in.run(s.Params)
		return
	}
	in.buffer = order.AppendUint32(in.buffer, uint32(len(s.Batch)))
	for _, params := range s.Batch {
		in.run(params)
	}
}

// run is the values of one run of the statement.
func (in *input) run(params []any) {
	if len(params) > 0 {
		if named, ok := params[0].(Params); ok {
			if len(params) > 1 {
				in.fail(failf(ErrInvalid, "Params is the only parameter, or there is none"))
				return
			}
			in.buffer = order.AppendUint32(order.AppendUint32(in.buffer, uint32(len(named))), 1)
			for name, value := range named {
				in.bytes(name)
				in.sqlValue(value)
			}
			return
		}
	}
	in.buffer = order.AppendUint32(order.AppendUint32(in.buffer, uint32(len(params))), 0)
	for _, value := range params {
		in.sqlValue(value)
	}
}

func (in *input) bytes(text string) {
	if len(text) > mostFrameBytes {
		in.fail(failf(ErrLimit, "a text or a value is larger than %d bytes", mostFrameBytes))
		return
	}
	in.buffer = append(order.AppendUint32(in.buffer, uint32(len(text))), text...)
}

func (in *input) whole64(value int64) {
	in.buffer = order.AppendUint64(append(in.buffer, sqlInteger), uint64(value))
}

func (in *input) real64(value float64) {
	if math.IsNaN(value) {
		in.fail(failf(ErrInvalid, "NaN is no value of SQL"))
		return
	}
	in.buffer = order.AppendUint64(append(in.buffer, sqlFloat), math.Float64bits(value))
}

func (in *input) sqlValue(value any) {
	switch v := value.(type) {
	case nil:
		in.buffer = append(in.buffer, sqlNull)
	case string:
		in.buffer = append(in.buffer, sqlText)
		in.bytes(v)
	case []byte:
		in.buffer = append(in.buffer, sqlBlob)
		in.bytes(borrow(v))
	case bool:
		number := int64(0)
		if v {
			number = 1
		}
		in.whole64(number)
	case int:
		in.whole64(int64(v))
	case int64:
		in.whole64(v)
	case float64:
		in.real64(v)
	case float32:
		in.real64(float64(v))
	default:
		in.written(value)
	}
}

// written is any other value, by what encoding/json makes of it.
func (in *input) written(value any) {
	text, err := json.Marshal(value)
	if err != nil {
		in.fail(&Error{Code: ErrInvalid, Message: "the value cannot be written as JSON: " + err.Error(), Detail: noDetail, cause: err})
		return
	}
	defer clear(text)
	wrong := failf(ErrInvalid, "a value must be nil, a boolean, a number, a text or bytes, or be written as one by encoding/json; a time is text or a number")
	switch text[0] {
	case 'n':
		in.buffer = append(in.buffer, sqlNull)
	case 't':
		in.whole64(1)
	case 'f':
		in.whole64(0)
	case '"':
		var v string
		if err := json.Unmarshal(text, &v); err != nil {
			in.fail(wrong)
		}
		in.sqlValue(v)
	case '[':
		in.fail(wrong)
	case '{':
		var v struct {
			Bytes  *string `json:"$base64"`
			Number *string `json:"$number"`
		}
		if json.Unmarshal(text, &v) != nil || (v.Bytes == nil) == (v.Number == nil) {
			in.fail(wrong)
			return
		}
		if v.Bytes != nil {
			bytes, err := base64.StdEncoding.DecodeString(*v.Bytes)
			if err != nil {
				in.fail(failf(ErrInvalid, `"$base64" is not base64`))
			}
			in.sqlValue(bytes)
			return
		}
		switch *v.Number {
		case "Infinity":
			in.real64(math.Inf(1))
		case "-Infinity":
			in.real64(math.Inf(-1))
		default:
			in.fail(failf(ErrInvalid, `"$number" is neither "Infinity" nor "-Infinity"`))
		}
	default:
		if whole, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			in.whole64(whole)
		} else if number, err := strconv.ParseFloat(string(text), 64); err == nil {
			in.real64(number)
		} else {
			in.fail(wrong)
		}
	}
}

// frame reads an answer. What it ends too early for is nothing, and wrong.
type frame struct {
	rest  []byte
	wrong bool
}

func (f *frame) take(count int) []byte {
	if len(f.rest) < count {
		f.rest, f.wrong = nil, true
		return make([]byte, min(count, 8))
	}
	taken := f.rest[:count]
	f.rest = f.rest[count:]
	return taken
}

func (f *frame) u8() byte    { return f.take(1)[0] }
func (f *frame) u32() uint32 { return order.Uint32(f.take(4)) }
func (f *frame) u64() uint64 { return order.Uint64(f.take(8)) }

func (f *frame) bytes() []byte {
	length := int(f.u32())
	if len(f.rest) < length {
		f.rest, f.wrong = nil, true
		return nil
	}
	return f.take(length)
}

func (f *frame) value() any {
	switch f.u8() {
	case sqlInteger:
		return int64(f.u64())
	case sqlFloat:
		return math.Float64frombits(f.u64())
	case sqlText:
		return string(f.bytes())
	case sqlBlob:
		return append([]byte{}, f.bytes()...)
	case sqlNull:
	default:
		f.wrong = true
	}
	return nil
}

func readRows(answer []byte, of *Statement) (*Rows, error) {
	f := frame{rest: answer}
	r := &Rows{Changes: int64(f.u64()), LastInsertRowID: int64(f.u64()), Cursor: int64(f.u64())}
	tail, parameters, columns, rows := f.u64(), f.u32(), int(f.u32()), f.u64()
	if of.Script {
		r.Tail, r.Parameters = int(tail), int(parameters)
	}
	if columns > len(answer) || columns > 0 && rows > uint64(len(answer)/columns) { // a byte each, at least
		return nil, unreadable(errUnexpected)
	}
	r.Columns = make([]string, columns)
	for i := range r.Columns {
		r.Columns[i] = string(f.bytes())
	}
	if of.Types {
		r.Types = make([]*ColumnType, columns)
		for i := range r.Types {
			if kind := f.u8(); kind != 0 {
				r.Types[i] = &ColumnType{NotNull: kind == 2, Declared: string(f.bytes())}
			}
		}
	}
	values := make([]any, int(rows)*columns)
	for i := range values {
		values[i] = f.value()
	}
	if columns > 0 {
		r.Rows = make([][]any, rows)
		for i := range r.Rows {
			r.Rows[i] = values[i*columns : (i+1)*columns : (i+1)*columns]
		}
	}
	if f.wrong || len(f.rest) > 0 {
		return nil, unreadable(errUnexpected)
	}
	return r, nil
}
