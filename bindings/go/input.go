package brant

import (
	"encoding/json"
	"strconv"
	"sync"
	"unsafe"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// input builds the JSON object that an operation takes. Text goes in byte for byte, so that the core refuses what is not UTF-8
// where encoding/json would quietly alter it. The first fault sticks.
type input struct {
	buffer []byte
	err    error
}

var inputs = sync.Pool{New: func() any { return new(input) }}

func newInput() *input {
	in := inputs.Get().(*input)
	in.buffer = append(in.buffer[:0], '{')
	in.err = nil
	return in
}

const keptInput = 1 << 20 // bytes; a larger buffer is not kept

// free leaves nothing of what the object held: it may have been a secret.
func (in *input) free() {
	clear(in.buffer)
	if cap(in.buffer) <= keptInput {
		inputs.Put(in)
	}
}

// done ends the object. The string is on the buffer: it is valid until free.
func (in *input) done() string {
	in.buffer = append(in.buffer, '}')
	return unsafe.String(&in.buffer[0], len(in.buffer))
}

// name begins a member. Names are our own and need no escapes.
func (in *input) name(name string) {
	if last := in.buffer[len(in.buffer)-1]; last != '{' {
		in.buffer = append(in.buffer, ',')
	}
	in.buffer = append(in.buffer, '"')
	in.buffer = append(in.buffer, name...)
	in.buffer = append(in.buffer, '"', ':')
}

func (in *input) text(name, value string) *input {
	in.name(name)
	in.buffer = appendText(in.buffer, value)
	return in
}

// given is text that is left out when it is empty.
func (in *input) given(name, value string) *input {
	if value == "" {
		return in
	}
	return in.text(name, value)
}

func (in *input) integer(name string, value int64) *input {
	in.name(name)
	in.buffer = strconv.AppendInt(in.buffer, value, 10)
	return in
}

// whole is an integer in an array.
func (in *input) whole(value int64) { in.buffer = strconv.AppendInt(in.buffer, value, 10) }

// positive is an integer that is left out when it is 0.
func (in *input) positive(name string, value int) *input {
	if value == 0 {
		return in
	}
	return in.integer(name, int64(value))
}

// real is a number that is left out when it is 0.
func (in *input) real(name string, value float64) *input {
	if value == 0 {
		return in
	}
	return in.value(name, value)
}

// revision is an integer that is left out when there is none.
func (in *input) revision(value *int64) *input {
	if value == nil {
		return in
	}
	return in.integer("revision", *value)
}

// flag is true, or left out.
func (in *input) flag(name string, value bool) *input {
	if !value {
		return in
	}
	in.name(name)
	in.buffer = append(in.buffer, "true"...)
	return in
}

// boolean is true or false, or left out when there is none.
func (in *input) boolean(name string, value *bool) *input {
	if value == nil {
		return in
	}
	in.name(name)
	in.buffer = strconv.AppendBool(in.buffer, *value)
	return in
}

// key begins a member whose name is the user's.
func (in *input) key(name string) {
	if last := in.buffer[len(in.buffer)-1]; last != '{' {
		in.buffer = append(in.buffer, ',')
	}
	in.buffer = append(appendText(in.buffer, name), ':')
}

func (in *input) texts(name string, values []string) *input {
	in.name(name)
	in.list(values)
	return in
}

// list is an array of texts.
func (in *input) list(values []string) {
	in.buffer = append(in.buffer, '[')
	for i, value := range values {
		if i > 0 {
			in.buffer = append(in.buffer, ',')
		}
		in.buffer = appendText(in.buffer, value)
	}
	in.buffer = append(in.buffer, ']')
}

// value is any JSON value; nil is left out, and so is JSON text that is nil.
func (in *input) value(name string, value any) *input {
	switch v := value.(type) {
	case nil:
		return in
	case json.RawMessage:
		if v == nil {
			return in
		}
	}
	in.name(name)
	in.element(value)
	return in
}

// anyValue is any JSON value; nil is null.
func (in *input) anyValue(name string, value any) *input {
	if value == nil {
		value = json.RawMessage("null")
	}
	return in.value(name, value)
}

// item is an object in an array.
func (in *input) item(index int, members func()) {
	if index > 0 {
		in.buffer = append(in.buffer, ',')
	}
	in.buffer = append(in.buffer, '{')
	members()
	in.buffer = append(in.buffer, '}')
}

// element appends a value as JSON: JSON text (json.RawMessage, []byte) as it is, anything else as encoding/json writes it.
func (in *input) element(value any) {
	var text []byte
	switch v := value.(type) {
	case json.RawMessage:
		text = v
	case []byte:
		text = v
	default:
		written, err := json.Marshal(value)
		if err != nil {
			in.fail(&Error{Code: ErrInvalid, Message: "the value cannot be written as JSON: " + err.Error(), Detail: noDetail, cause: err})
			return
		}
		in.buffer = append(in.buffer, written...)
		clear(written) // as free does
		return
	}
	if !oneValue(text) {
		in.fail(refuseJSON(text))
		return
	}
	in.buffer = append(in.buffer, text...)
}

func (in *input) fail(err error) {
	if in.err == nil {
		in.err = err
	}
}

// refuseJSON is the core's own complaint about a text.
func refuseJSON(text []byte) error {
	if _, err := CompactJSON(text); err != nil {
		return err
	}
	return failf(ErrInvalidJSON, "the text is not one JSON value")
}

// oneValue says whether a text, put into a larger one, can be nothing but one value there: it closes no more than it opens, and at its
// outermost level has neither comma nor colon. Whether it is right inside is for the core to say.
func oneValue(text []byte) bool {
	depth, seen := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return false
			}
			seen = true
		case '{', '[':
			depth++
			seen = true
		case '}', ']':
			if depth--; depth < 0 {
				return false
			}
		case ',', ':':
			if depth == 0 {
				return false
			}
		case ' ', '\t', '\n', '\r':
		default:
			seen = true
		}
	}
	return depth == 0 && seen
}

const hexDigits = "0123456789abcdef"

// appendText appends a JSON string. Bytes from 0x20 up go in as they are.
func appendText(buffer []byte, text string) []byte {
	buffer = append(buffer, '"')
	from := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		buffer = append(buffer, text[from:i]...)
		if c < 0x20 {
			buffer = append(buffer, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			buffer = append(buffer, '\\', c)
		}
		from = i + 1
	}
	buffer = append(buffer, text[from:]...)
	return append(buffer, '"')
}

var results = sync.Pool{New: func() any { return new(cbrant.Result) }}

func freeResult(out *cbrant.Result) {
	out.Reset()
	results.Put(out)
}

// borrow is bytes as text, for a call that reads them only while it runs.
func borrow(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	return unsafe.String(&text[0], len(text))
}

// CompactJSON checks that a text is JSON as brant accepts it (RFC 8259, stricter) and returns its compact form: members in their
// order, doubles in their shortest form, integers exact.
//
// ErrInvalidJSON: with {"offset": byte} for a syntax error, invalid UTF-8, a lone surrogate, a duplicate key, a number that neither a
// 64-bit integer nor a double holds; ErrLimit: nesting deeper than 512.
func CompactJSON(text []byte) ([]byte, error) {
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := cbrant.Brant_json_compact(out, borrow(text)); err != nil {
		return nil, fromC(err)
	}
	return append([]byte(nil), out.Bytes()...), nil
}
