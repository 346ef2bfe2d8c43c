package brant

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Stream is an append-only stream of events: DB.Stream, Tx.Stream. Its first event makes it; nothing is looked up before its methods are
// called. What waits (Subscribe, Group.Join) is for a DB's.
type Stream struct {
	Name string
	r    runner
}

// Stream is the stream of that name.
func (o operations) Stream(name string) Stream { return Stream{name, o.r} }

// Streams are the streams of the file: DB.Streams, Tx.Streams.
type Streams struct{ r runner }

// List is a part of the streams, by name.
func (s Streams) List(ctx context.Context, options *NameListOptions) (Listing[StreamInfo, string], error) {
	return listNamed[StreamInfo](ctx, s.r, streamsList, options)
}

// All goes through the streams whose names begin so, by name. An error is the last thing it yields.
func (s Streams) All(ctx context.Context, prefix string) iter.Seq2[StreamInfo, error] {
	return allNamed(func(o *NameListOptions) (Listing[StreamInfo, string], error) { return s.List(ctx, o) }, prefix)
}

// Stats counts what is in each stream, by name.
func (s Streams) Stats(ctx context.Context) ([]StreamStats, error) {
	answer, err := do[struct {
		Items []StreamStats `json:"items"`
	}](ctx, s.r, streamsStats, newInput())
	return answer.Items, err
}

// StreamPolicy is what a stream keeps.
type StreamPolicy struct {
	MaxAge       *Milliseconds `json:"max_age"` // nil: without bound
	MaxCount     *int64        `json:"max_count"`
	KeepUnread   bool          `json:"keep_unread"`
	Compact      bool          `json:"compact"`
	CompactAfter Milliseconds  `json:"compact_after"`
}

// StreamInfo describes a stream.
type StreamInfo struct {
	Name           string       `json:"stream"`
	First          int64        `json:"first"` // the oldest offset that is there; Last + 1: none
	Last           int64        `json:"last"`  // the newest that was given; 0: none
	Count          int64        `json:"count"`
	Policy         StreamPolicy `json:"policy"`
	Consumers      int          `json:"consumers"`
	TrimmedThrough int64        `json:"trimmed_through"`
	CreatedAt      Timestamp    `json:"created_at"`
	UpdatedAt      Timestamp    `json:"updated_at"`
}

// StreamChange says what to change of what a stream keeps; what is zero or nil stays as it is.
type StreamChange struct {
	MaxAge       time.Duration // older events go with DB.Maintain
	MaxCount     *int64        // the oldest beyond so many go as others are published
	KeepUnread   *bool         // of these only what all consumers and groups have processed
	Compact      *bool         // DB.Maintain keeps the newest event of each key; one whose payload is null goes too
	CompactAfter time.Duration // so long after it was published
	Reset        []string      // members of StreamPolicy, as JSON names them, that go back to their defaults
}

func (s Stream) input() *input { return newInput().text("stream", s.Name) }

// Configure makes the stream where there is none, and changes what it keeps.
func (s Stream) Configure(ctx context.Context, change StreamChange) (StreamInfo, error) {
	in := s.input().span("max_age", change.MaxAge)
	if change.MaxCount != nil {
		in.integer("max_count", *change.MaxCount)
	}
	in.boolean("keep_unread", change.KeepUnread).boolean("compact", change.Compact).span("compact_after", change.CompactAfter)
	return do[StreamInfo](ctx, s.r, streamsConfigure, in.nulls(change.Reset))
}

// Info describes the stream. ErrNotFound.
func (s Stream) Info(ctx context.Context) (StreamInfo, error) {
	return do[StreamInfo](ctx, s.r, streamsGet, s.input())
}

// Delete deletes the stream, also while it has consumers or groups (ErrConflict) when it is forced. ErrNotFound.
func (s Stream) Delete(ctx context.Context, force bool) (events int64, err error) {
	answer, err := do[struct {
		Deleted int64 `json:"deleted"`
	}](ctx, s.r, streamsDelete, s.input().flag("force", force))
	return answer.Deleted, err
}

// PublishOptions of Stream.Publish; the zero value is the default.
type PublishOptions struct {
	Key string // for those who read by key, and compaction
}

// Publish writes an event, with any value that encoding/json can write, JSON text as json.RawMessage, or Bytes. It is seen after the commit,
// and never when it is rolled back. Offsets begin at 1 and are given in commit order, without a gap. ErrLimit: it is larger than a document.
func (s Stream) Publish(ctx context.Context, payload any, options ...PublishOptions) (offset int64, err error) {
	in := s.input().payload(payload)
	if err := atMostOne(options); err != nil {
		in.fail(err)
	} else if len(options) == 1 {
		in.given("key", options[0].Key)
	}
	answer, err := do[struct {
		Offset int64 `json:"offset"`
	}](ctx, s.r, streamsPublish, in)
	return answer.Offset, err
}

// NewEvent is an event to be published with others.
type NewEvent struct {
	Payload any
	Key     string
}

// PublishMany publishes events, all or none, with offsets one after the other. ErrLimit: more than Options.Limits.Batch.
func (s Stream) PublishMany(ctx context.Context, events []NewEvent) (first, last int64, err error) {
	in := s.input()
	in.array("items", len(events), func(i int) {
		in.object(func() { in.payload(events[i].Payload).given("key", events[i].Key) })
	})
	answer, err := do[struct {
		First int64 `json:"first"`
		Last  int64 `json:"last"`
	}](ctx, s.r, streamsPublishMany, in)
	return answer.First, answer.Last, err
}

// Event is an event of a stream, or a gap where some were trimmed before they were read.
type Event struct {
	Offset    int64
	Key       string
	Payload   json.RawMessage // nil when it is bytes
	Bytes     []byte          // of a payload that is Bytes
	CreatedAt Timestamp
	Gap       *Gap // not nil: these were trimmed before they were read, and nothing else is set
}

// Decode decodes the payload as json.Unmarshal does.
func (e *Event) Decode(payload any) error { return json.Unmarshal(e.Payload, payload) }

// MarshalJSON writes it as the core does.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.Gap != nil {
		return json.Marshal(struct {
			Gap *Gap `json:"gap"`
		}{e.Gap})
	}
	return json.Marshal(struct {
		Offset    int64           `json:"offset"`
		Key       string          `json:"key,omitempty"`
		Payload   json.RawMessage `json:"payload,omitempty"`
		Bytes     []byte          `json:"payload_base64,omitzero"`
		CreatedAt Timestamp       `json:"created_at"`
	}{e.Offset, e.Key, e.Payload, e.Bytes, e.CreatedAt})
}

// UnmarshalJSON reads it as the core writes it.
func (e *Event) UnmarshalJSON(text []byte) error { return unmarshal(text, e) }

// ReadOptions of Stream.Read; nil is the default.
type ReadOptions struct {
	After   int64     // only behind this offset; newest first: only before it, 0: from the newest
	Since   time.Time // only not older than that
	Keys    []string  // only with one of these keys; nil: all
	Reverse bool      // the newest first
	Limit   int       // 1..100000, default 1000
}

// Events is a part of a stream.
type Events struct {
	Items []Event `json:"items"`
	Next  int64   `json:"next,omitzero"` // the After to go on with; 0: at the end
	Gap   *Gap    `json:"gap,omitempty"` // of these some were trimmed
}

// Read is a part of the stream, in order. In a transaction its own events are read, too. ErrNotFound.
func (s Stream) Read(ctx context.Context, options *ReadOptions) (Events, error) {
	in := s.input()
	if options != nil {
		if options.After != 0 {
			in.integer("after", options.After)
		}
		in.moment("since", options.Since).positive("limit", options.Limit).flag("reverse", options.Reverse)
		if options.Keys != nil {
			in.texts("keys", options.Keys)
		}
	}
	return do[Events](ctx, s.r, streamsRead, in)
}

// All goes through what is in the stream, part by part. An error is the last thing it yields.
func (s Stream) All(ctx context.Context, options *ReadOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var o ReadOptions
		if options != nil {
			o = *options
		}
		for {
			part, err := s.Read(ctx, &o)
			if err != nil {
				yield(Event{}, err)
				return
			}
			if part.Gap != nil && !yield(Event{Gap: part.Gap}, nil) {
				return
			}
			for _, event := range part.Items {
				if !yield(event, nil) {
					return
				}
			}
			if o.After = part.Next; part.Next == 0 {
				return
			}
		}
	}
}

// Latest is the newest event of a key. ErrNotFound.
func (s Stream) Latest(ctx context.Context, key string) (Event, error) {
	return do[Event](ctx, s.r, streamsLatest, s.input().text("key", key))
}

// TrimOptions of Stream.Trim: at least one.
type TrimOptions struct {
	Before   int64         // those before this offset
	MaxCount *int64        // the oldest beyond so many
	MaxAge   time.Duration // those that are older
}

// Trim removes the oldest events now, read or not; who had not read them is told of a gap. ErrNotFound.
func (s Stream) Trim(ctx context.Context, options TrimOptions) (trimmed int64, err error) {
	in := s.input()
	if options.Before != 0 {
		in.integer("before", options.Before)
	}
	if options.MaxCount != nil {
		in.integer("max_count", *options.MaxCount)
	}
	answer, err := do[struct {
		Trimmed int64 `json:"trimmed"`
	}](ctx, s.r, streamsTrim, in.span("max_age", options.MaxAge))
	return answer.Trimmed, err
}

// Compact removes all but the newest event of each key now, whether the stream's policy says so or not. ErrNotFound.
func (s Stream) Compact(ctx context.Context) (removed int64, err error) {
	answer, err := do[struct {
		Removed int64 `json:"removed"`
	}](ctx, s.r, streamsCompact, s.input())
	return answer.Removed, err
}

// StreamStats counts what is in a stream, and how far its consumers are.
type StreamStats struct {
	Name     string     `json:"stream"`
	First    int64      `json:"first"`
	Last     int64      `json:"last"`
	Count    int64      `json:"count"`
	OldestAt *Timestamp `json:"oldest_at,omitempty"`
	NewestAt *Timestamp `json:"newest_at,omitempty"`
	Rates    struct {
		Published float64 `json:"published"`
	} `json:"rates"` // a second, over the last five minutes
	Consumers []struct {
		Name   string       `json:"name"`
		Kind   ConsumerKind `json:"kind"`
		Offset int64        `json:"offset"`
		Lag    int64        `json:"lag"`
		LagAge Milliseconds `json:"lag_ms"` // of the oldest that is not processed
	} `json:"consumers"`
}

// Stats counts what is in the stream. ErrNotFound.
func (s Stream) Stats(ctx context.Context) (StreamStats, error) {
	return do[StreamStats](ctx, s.r, streamsStats, s.input())
}
