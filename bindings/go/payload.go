package brant

import (
	"context"
	"encoding/base64"
	"iter"
	"time"
)

// Bytes as a payload are stored as they are, and answered so: in Bytes instead of Payload. Any other payload is a JSON value: what
// encoding/json writes of it, or JSON text as json.RawMessage.
type Bytes []byte

// Milliseconds is a span of time.
type Milliseconds int64

// Duration is the span as Go's own.
func (m Milliseconds) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// payload is any JSON value, or Bytes; nil is null.
func (in *input) payload(value any) *input {
	bytes, ok := value.(Bytes)
	if !ok {
		return in.anyValue("payload", value)
	}
	in.name("payload_base64")
	in.buffer = append(in.buffer, '"')
	in.buffer = base64.StdEncoding.AppendEncode(in.buffer, bytes)
	in.buffer = append(in.buffer, '"')
	return in
}

// changedPayload is a payload that is left out when it is nil.
func (in *input) changedPayload(value any) *input {
	if value == nil {
		return in
	}
	return in.payload(value)
}

// milliseconds of a span, rounded up: who says a microsecond does not mean none. Negative is 0.
func milliseconds(span time.Duration) int64 {
	if span <= 0 {
		return 0
	}
	return int64((span + time.Millisecond - 1) / time.Millisecond)
}

// span is a duration that is left out when it is 0, and 0 when it is negative.
func (in *input) span(name string, span time.Duration) *input {
	if span == 0 {
		return in
	}
	return in.integer(name, milliseconds(span))
}

// moment is a time that is left out when it is zero.
func (in *input) moment(name string, at time.Time) *input {
	if at.IsZero() {
		return in
	}
	return in.integer(name, at.UnixMilli())
}

// nulls are members that go back to their defaults.
func (in *input) nulls(names []string) *input {
	for _, name := range names {
		in.name(name)
		in.buffer = append(in.buffer, "null"...)
	}
	return in
}

// integers is an array of numbers.
func (in *input) integers(name string, values []int64) *input {
	return in.array(name, len(values), func(i int) { in.whole(values[i]) })
}

// array is an array whose elements element appends.
func (in *input) array(name string, count int, element func(i int)) *input {
	in.name(name)
	in.buffer = append(in.buffer, '[')
	for i := range count {
		if i > 0 {
			in.buffer = append(in.buffer, ',')
		}
		element(i)
	}
	in.buffer = append(in.buffer, ']')
	return in
}

// object is an object whose members members appends.
func (in *input) object(members func()) {
	in.buffer = append(in.buffer, '{')
	members()
	in.buffer = append(in.buffer, '}')
}

// Listing is one part of a list that is in the order of names or ids.
type Listing[T, After any] struct {
	Items []T   `json:"items"`
	Next  After `json:"next,omitzero"` // the After of the next part; zero at the end
}

// NameListOptions of lists by name; nil is the default.
type NameListOptions struct {
	Prefix string // only names that begin so
	Limit  int    // default 100
	After  string // Next of the part before
}

func (o *NameListOptions) input() *input {
	in := newInput()
	if o == nil {
		return in
	}
	return in.given("prefix", o.Prefix).positive("limit", o.Limit).given("after", o.After)
}

// allNamed goes through all parts of a list by name.
func allNamed[T any](list func(*NameListOptions) (Listing[T, string], error), prefix string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		options := NameListOptions{Prefix: prefix, Limit: pageOfAll}
		for {
			part, err := list(&options)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range part.Items {
				if !yield(item, nil) {
					return
				}
			}
			if options.After = part.Next; part.Next == "" {
				return
			}
		}
	}
}

// listNamed is what the lists by name have in common.
func listNamed[T any](ctx context.Context, r runner, op *operation, options *NameListOptions) (Listing[T, string], error) {
	return do[Listing[T, string]](ctx, r, op, options.input())
}
