package brant

import (
	"context"
	"encoding/json"
)

// Envelopes does by hand, for any JSON value, what graphs do with attributes that their type encrypts: DB.Envelopes, Tx.Envelopes. It needs a
// key ring (DB.Keyring).
type Envelopes struct{ r runner }

// EnvelopeContext is the one place where an envelope opens.
type EnvelopeContext struct {
	TenantID string // default: the file's own id
	GraphID  string // Graphs.Get has it
	Kind     string // "node" or "edge"
	Key      string // of the node or edge
	Path     string // JSON pointer within the attributes: "/value", "/db/password"
}

func (c *EnvelopeContext) member(in *input, name string) *input {
	in.name(name)
	in.object(func() {
		in.given("tenant_id", c.TenantID).text("graph_id", c.GraphID).text("kind", c.Kind).text("key", c.Key).text("path", c.Path)
	})
	return in
}

// Seal encrypts a value, anything that encoding/json writes or JSON text as json.RawMessage, with the active key, for one place. The envelope is JSON
// text. ErrNotFound: there is no key ring, or no active key in it; ErrInvalid: the context; ErrLimit: the value is too long; ErrIO: no random bytes.
func (e Envelopes) Seal(ctx context.Context, value any, context EnvelopeContext) (json.RawMessage, error) {
	return do[json.RawMessage](ctx, e.r, envelopesSeal, context.member(newInput().anyValue("value", value), "context"))
}

// Open opens an envelope of this place, JSON text or what encoding/json writes as one; or one of an older form, which belongs to no place, where the ring
// has Legacy. ErrAuth: it does not open, whatever the reason; ErrNotFound: there is no key ring, or no such key in it that may open; ErrUnsupported:
// another algorithm; ErrLimit: its KDF is out of the ring's bounds.
func (e Envelopes) Open(ctx context.Context, envelope any, context EnvelopeContext) (Secret, error) {
	return openSecret(ctx, e.r, envelopesOpen, context.member(newInput().anyValue("envelope", envelope), "context"))
}

// Rewrapped is an envelope under the active key, in its place.
type Rewrapped struct {
	Envelope json.RawMessage `json:"envelope"`
	Changed  bool            `json:"changed"` // false: it is the one that was given
}

// Rewrap brings an envelope under the active key, and, unless to is nil, to another place; the value is not seen. Errors are those of Open and
// Seal.
func (e Envelopes) Rewrap(ctx context.Context, envelope any, context EnvelopeContext, to *EnvelopeContext) (Rewrapped, error) {
	in := context.member(newInput().anyValue("envelope", envelope), "context")
	if to != nil {
		to.member(in, "to")
	}
	return do[Rewrapped](ctx, e.r, envelopesRewrap, in)
}
