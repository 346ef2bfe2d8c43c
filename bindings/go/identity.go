package brant

import (
	"encoding/json"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Identity is accounts, organizations, their members, invitations and API keys: DB.Accounts and so on, in files of RoleSingle and RoleSystem (a
// hub's); in a tenant's file all of it is ErrMisuse. What changes something is recorded in the audit log in the same transaction, and so needs a key ring
// with an active key of PurposeAudit (ErrNotFound without); tokens need one of PurposePepper besides.

// ActorType says what somebody who acts is.
type ActorType string

// The types of actors.
const (
	ActorAccount ActorType = "account" // the default of an Actor with an ID
	ActorAPIKey  ActorType = "api_key"
	ActorAgent   ActorType = "agent"
	ActorService ActorType = "service"
	ActorSystem  ActorType = "system" // the default of an Actor without: no rule of organizations binds it
)

// Actor is who does something, and why: Actor{ID: account}. Methods that change something take at most one; without, the program itself acts, whom only
// what always holds binds. Anybody else is judged as the account of their ID, which must be active and have the right to do it (ErrDenied). On a
// session it is the session's identity: Actor{Reason: ..} adds a reason, and naming another is ErrDenied.
type Actor struct {
	Type   ActorType
	ID     string
	Reason string // for the audit log; at most 1000 bytes
}

func (in *input) actor(actors []Actor) *input {
	if len(actors) > 1 {
		in.fail(failf(ErrInvalid, "there is more than one actor"))
	}
	for _, actor := range actors {
		in.name("actor")
		in.object(func() { in.given("type", string(actor.Type)).given("id", actor.ID).given("reason", actor.Reason) })
	}
	return in
}

// Level is what a member is in an organization. Each has what those before it have.
type Level string

// The levels of members.
const (
	LevelViewer Level = "viewer" // reads
	LevelMember Level = "member" // the default: and writes
	LevelAdmin  Level = "admin"  // and makes members
	LevelOwner  Level = "owner"  // everything
)

// AccessLevel is what an account may by itself, outside of organizations.
type AccessLevel string

// The access levels of accounts.
const (
	AccessUser    AccessLevel = "user" // the default
	AccessService AccessLevel = "service"
	AccessAdmin   AccessLevel = "admin" // everything
)

// TableSchemas are JSON Schemas (2020-12) of one table.
type TableSchemas struct {
	Select json.RawMessage `json:"select"` // of a row
	Insert json.RawMessage `json:"insert"` // of what makes one
	Update json.RawMessage `json:"update"` // of what changes one
}

// IdentitySchemas are those of the rows of "accounts", "organizations", "members", "invitations", "api_keys" and "audit_logs".
func IdentitySchemas() (map[string]TableSchemas, error) {
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := cbrant.Brant_identity_schemas(out, 0, noInput); err != nil {
		return nil, fromC(err)
	}
	var answer struct {
		Tables map[string]TableSchemas `json:"tables"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return nil, unreadable(err)
	}
	return answer.Tables, nil
}

// filtered begins the input of a list: its page, and the filter where something is in it.
func filtered(limit int, cursor string, members func(*input)) *input {
	in := newInput().positive("limit", limit).given("cursor", cursor)
	before := len(in.buffer)
	in.name("filter")
	from := len(in.buffer)
	in.object(func() { members(in) })
	if len(in.buffer) == from+len("{}") {
		in.buffer = in.buffer[:before]
	}
	return in
}

// textOrNull is text that is left out when there is none, and null when it is empty.
func (in *input) textOrNull(name string, value *string) *input {
	switch {
	case value == nil:
		return in
	case *value == "":
		return in.nulls([]string{name})
	}
	return in.text(name, *value)
}

// change is a text that is left out when there is none; empty, it is refused by the core.
func (in *input) change(name string, value *string) *input {
	if value == nil {
		return in
	}
	return in.text(name, *value)
}

// never is a time that JSON has as null when it is 0.
func never(at Timestamp) *Timestamp {
	if at == 0 {
		return nil
	}
	return &at
}
