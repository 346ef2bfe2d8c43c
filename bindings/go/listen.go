package brant

import (
	"context"
	"encoding/json"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Notification is what was written to a channel, or a gap where a listener was too slow.
type Notification struct {
	ID        int64 // grows in commit order
	Channel   string
	Payload   json.RawMessage // nil when it is bytes
	Bytes     []byte          // of a payload that is Bytes
	CreatedAt Timestamp
	Gap       *Gap // not nil: these were removed before they were read, and nothing else is set but the channel
}

// Gap is a range of ids, inclusive.
type Gap struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Decode decodes the payload as json.Unmarshal does.
func (n *Notification) Decode(payload any) error { return json.Unmarshal(n.Payload, payload) }

type notificationJSON struct {
	ID        int64           `json:"id"`
	Channel   string          `json:"channel"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	Bytes     []byte          `json:"payload_base64,omitzero"`
	CreatedAt Timestamp       `json:"created_at"`
}

// UnmarshalJSON reads it as the core writes it.
func (n *Notification) UnmarshalJSON(text []byte) error {
	var answer struct {
		notificationJSON
		Gap *Gap `json:"gap"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	*n = Notification{answer.ID, answer.Channel, answer.Payload, answer.Bytes, answer.CreatedAt, answer.Gap}
	return nil
}

// MarshalJSON writes it as the core does.
func (n Notification) MarshalJSON() ([]byte, error) {
	if n.Gap != nil {
		return json.Marshal(struct {
			Channel string `json:"channel"`
			Gap     *Gap   `json:"gap"`
		}{n.Channel, n.Gap})
	}
	return json.Marshal(notificationJSON{n.ID, n.Channel, n.Payload, n.Bytes, n.CreatedAt})
}

// Listener receives the notifications of some channels: each that is committed after Listen returned, by any process, once, in commit
// order.
type Listener = Watch[Notification]

// Listen subscribes to channels by patterns: * is any bytes, ? one character, [abc] [a-z] [^a] sets, \ the next character itself. Close
// the listener when it is no longer needed. ErrInvalid: no pattern, or a bad one.
func (db *DB) Listen(ctx context.Context, patterns ...string) (*Listener, error) {
	return openWatch[Notification](ctx, db, cbrant.Brant_event_listen, newInput().texts("channels", patterns))
}
