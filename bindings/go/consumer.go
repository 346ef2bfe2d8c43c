package brant

import (
	"context"
	"encoding/json"
	"time"
)

// Position is a place in a stream: FromStart, FromEnd, FromOffset, FromTime. The zero value is the default of what takes it.
type Position struct {
	text string // JSON
}

// The places that every stream has.
var (
	FromStart = Position{`"start"`} // the oldest event that is there
	FromEnd   = Position{`"end"`}   // behind the newest
)

// FromOffset is behind an offset.
func FromOffset(offset int64) Position {
	in := input{}
	in.whole(offset)
	return Position{string(in.buffer)}
}

// FromTime is before the events of that time.
func FromTime(at time.Time) Position {
	in := input{buffer: []byte{'{'}}
	in.moment("time", at)
	return Position{string(append(in.buffer, '}'))}
}

func (in *input) position(name string, at Position) *input {
	if at.text == "" {
		return in
	}
	in.name(name)
	in.buffer = append(in.buffer, at.text...)
	return in
}

// ConsumerKind tells consumers from groups.
type ConsumerKind string

// The kinds.
const (
	KindConsumer ConsumerKind = "consumer"
	KindGroup    ConsumerKind = "group"
)

// ConsumerInfo says how far a consumer or a group is.
type ConsumerInfo struct {
	Stream    string       `json:"stream"`
	Name      string       `json:"consumer"`
	Kind      ConsumerKind `json:"kind"`
	Offset    int64        `json:"offset"` // what is up to it was processed
	Lag       int64        `json:"lag"`
	Pending   *int64       `json:"pending,omitempty"` // of a group: handed out and not acknowledged
	UpdatedAt Timestamp    `json:"updated_at"`
}

type savedOffset struct {
	Offset int64 `json:"offset"`
}

func (s Stream) consumer(name string) *input { return s.input().text("consumer", name) }

// Commit says that a consumer has processed what is up to an offset, and returns what is saved, which never goes back. In the transaction of
// the effects, Tx.Stream(name).Commit lets each event take effect exactly once. ErrNotFound: the stream; ErrInvalid: beyond the newest
// offset; ErrConflict: it is a group.
func (s Stream) Commit(ctx context.Context, consumer string, offset int64) (saved int64, err error) {
	answer, err := do[savedOffset](ctx, s.r, consumersCommit, s.consumer(consumer).integer("offset", offset))
	return answer.Offset, err
}

// Seek lets a consumer or group go on elsewhere, and may go back. What a group has handed out is forgotten. ErrNotFound: the stream.
func (s Stream) Seek(ctx context.Context, consumer string, to Position) (offset int64, err error) {
	answer, err := do[savedOffset](ctx, s.r, consumersSeek, s.consumer(consumer).position("to", to))
	return answer.Offset, err
}

// Consumer says how far a consumer or group is. ErrNotFound.
func (s Stream) Consumer(ctx context.Context, name string) (ConsumerInfo, error) {
	return do[ConsumerInfo](ctx, s.r, consumersGet, s.consumer(name))
}

// Consumers says how far all consumers and groups are, by name. ErrNotFound: the stream.
func (s Stream) Consumers(ctx context.Context) ([]ConsumerInfo, error) {
	answer, err := do[struct {
		Items []ConsumerInfo `json:"items"`
	}](ctx, s.r, consumersList, s.input())
	return answer.Items, err
}

// DeleteConsumer deletes a consumer or group. ErrNotFound.
func (s Stream) DeleteConsumer(ctx context.Context, name string) error {
	_, err := do[struct{}](ctx, s.r, consumersDelete, s.consumer(name))
	return err
}

// Group shares a stream among its members, each event to one of them: Stream.Group.
type Group struct {
	Name   string
	stream Stream
}

// Group is the group of that name, which its first claim makes.
func (s Stream) Group(name string) Group { return Group{name, s} }

func (g Group) input() *input { return g.stream.input().text("group", g.Name) }

// Delivery is an event that a member of a group was given, until it is acknowledged or its lease ends.
type Delivery struct {
	Event
	Token    int64
	Delivery int // how often the event was given to somebody
}

// MarshalJSON writes it as the core does.
func (d Delivery) MarshalJSON() ([]byte, error) {
	if d.Gap != nil {
		return d.Event.MarshalJSON()
	}
	return json.Marshal(struct {
		Offset    int64           `json:"offset"`
		Key       string          `json:"key,omitempty"`
		Payload   json.RawMessage `json:"payload,omitempty"`
		Bytes     []byte          `json:"payload_base64,omitzero"`
		CreatedAt Timestamp       `json:"created_at"`
		Token     int64           `json:"token"`
		Delivery  int             `json:"delivery"`
	}{d.Offset, d.Key, d.Payload, d.Bytes, d.CreatedAt, d.Token, d.Delivery})
}

// UnmarshalJSON reads it as the core writes it.
func (d *Delivery) UnmarshalJSON(text []byte) error { return unmarshal(text, d) }

// Receipt is what a member acknowledges an event with.
type Receipt struct{ Offset, Token int64 }

// Receipt is what the event is acknowledged with.
func (d *Delivery) Receipt() Receipt { return Receipt{d.Offset, d.Token} }

// GroupClaimOptions of Group.Claim; nil is the default.
type GroupClaimOptions struct {
	Limit int           // 1..1000, default 1
	Lease time.Duration // default 30 s
	From  Position      // for a group that is not there yet; default FromStart
}

// Deliveries is what a claim of a group gave.
type Deliveries struct {
	Items []Delivery `json:"items"`
	Gap   *Gap       `json:"gap,omitempty"` // of these some were trimmed before they were acknowledged
}

// Claim gives a member events: first those whose leases ended, then new ones. It does not wait: Join does. ErrConflict: the group is a
// consumer.
func (g Group) Claim(ctx context.Context, member string, options *GroupClaimOptions) (Deliveries, error) {
	in := g.input().text("member", member)
	if options != nil {
		in.positive("limit", options.Limit).span("lease", options.Lease).position("from", options.From)
	}
	return do[Deliveries](ctx, g.stream.r, consumersClaim, in)
}

// Receipted is what became of receipts.
type Receipted struct {
	Acked int64   `json:"acked"`
	Stale []int64 `json:"stale"` // offsets whose tokens are not of the last claim, or that are pending no more
}

func (g Group) receipts(receipts []Receipt) *input {
	in := g.input()
	return in.array("items", len(receipts), func(i int) {
		in.object(func() { in.integer("offset", receipts[i].Offset).integer("token", receipts[i].Token) })
	})
}

// Ack says that events are processed. ErrNotFound: the stream, or the group.
func (g Group) Ack(ctx context.Context, receipts ...Receipt) (Receipted, error) {
	return do[Receipted](ctx, g.stream.r, consumersAck, g.receipts(receipts))
}

// Extend lets the leases of events end so much later than now; 0: 30 s. ErrNotFound.
func (g Group) Extend(ctx context.Context, lease time.Duration, receipts ...Receipt) (Receipted, error) {
	return do[Receipted](ctx, g.stream.r, consumersExtend, g.receipts(receipts).span("lease", lease))
}

// Release gives events to others at once. ErrNotFound.
func (g Group) Release(ctx context.Context, receipts ...Receipt) (Receipted, error) {
	return do[Receipted](ctx, g.stream.r, consumersRelease, g.receipts(receipts))
}
