package brant

import (
	"encoding/json"
	"iter"
	"time"
)

// Timestamp is a time in milliseconds since the Unix epoch.
type Timestamp int64

// Time is the timestamp as Go's own time, in UTC.
func (t Timestamp) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String is the time as RFC 3339 has it.
func (t Timestamp) String() string { return t.Time().Format("2006-01-02T15:04:05.000Z07:00") }

// Revision is the revision that a write requires to be stored; 0 requires that nothing is. A write without one requires nothing.
func Revision(stored int64) *int64 { return &stored }

// Page is one part of a list.
type Page[T any] struct {
	Items  []T    `json:"items"`
	Cursor string `json:"cursor"` // where to go on, also when there were writes in between; empty at the end
}

// MarshalJSON writes the page as the core does: a cursor that is null at the end.
func (p Page[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Items  []T     `json:"items"`
		Cursor *string `json:"cursor"`
	}{p.Items, nullable(p.Cursor)})
}

// Put is what a put did.
type Put struct {
	Key      string `json:"key"`
	Created  bool   `json:"created"` // false: it was replaced
	Revision int64  `json:"revision"`
}

const pageOfAll = 1000

// all goes through the pages of a list.
func all[T any](page func(limit int, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		cursor := ""
		for {
			part, err := page(pageOfAll, cursor)
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
			if part.Cursor == "" {
				return
			}
			cursor = part.Cursor
		}
	}
}

// nullable is what JSON has as text or null.
func nullable(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

type found struct {
	Exists bool `json:"exists"`
}

type counted struct {
	Count int64 `json:"count"`
}
