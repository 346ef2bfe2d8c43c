package brant

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// APIKeys are the API keys of the file: DB.APIKeys, Tx.APIKeys. They need a key ring with a key of PurposePepper (ErrNotFound).
//
// A key acts for its owner, in one organization or for the account by itself, and may what its scopes name and its owner holds when it is used. The program may make any;
// an account its own, with scopes that it holds; in an organization admins those of members and viewers, owners those of all who are not owners. A scope is
// "<namespace>:<action>", "*" for either.
type APIKeys struct{ r runner }

// APIKeyScheme is how a key is verified.
type APIKeyScheme string

// The schemes of API keys.
const (
	SchemeBrant  APIKeyScheme = "brant1"
	SchemeLegacy APIKeyScheme = "legacy-sha256" // taken over from another system: APIKeys.Import
)

// APIKey is an API key. Its token is not here: that is shown once.
type APIKey struct {
	ID            string          `json:"id"`
	KID           string          `json:"kid"` // part of its token
	Type          string          `json:"type"`
	Scheme        APIKeyScheme    `json:"scheme"`
	PepperVersion int64           `json:"pepper_version"`
	OwnerID       string          `json:"owner_id"`
	OrgID         string          `json:"org_id"` // empty: of the account by itself
	Name          string          `json:"name"`
	Scopes        []string        `json:"scopes"`
	ExpiresAt     Timestamp       `json:"expires_at"`   // 0: never
	RevokedAt     Timestamp       `json:"revoked_at"`   // 0: it is not
	LastUsedAt    Timestamp       `json:"last_used_at"` // 0: never; told at most once a minute
	RotatedFrom   string          `json:"rotated_from"` // the key in whose place it came; empty: none
	Metadata      json.RawMessage `json:"metadata"`
	CreatedAt     Timestamp       `json:"created_at"`
	UpdatedAt     Timestamp       `json:"updated_at"`
}

// MarshalJSON writes it as the core does, with null for what there is not.
func (k APIKey) MarshalJSON() ([]byte, error) {
	type plain APIKey
	return json.Marshal(struct {
		plain
		OrgID       *string    `json:"org_id"`
		ExpiresAt   *Timestamp `json:"expires_at"`
		RevokedAt   *Timestamp `json:"revoked_at"`
		LastUsedAt  *Timestamp `json:"last_used_at"`
		RotatedFrom *string    `json:"rotated_from"`
	}{plain(k), nullable(k.OrgID), never(k.ExpiresAt), never(k.RevokedAt), never(k.LastUsedAt), nullable(k.RotatedFrom)})
}

// NewAPIKey is a key to be made, or taken over.
type NewAPIKey struct {
	Name      string
	Scopes    []string // 1 to 256
	OwnerID   string   // an account; default: the actor
	OrgID     string   // empty: of the account by itself
	Type      string   // 1 to 12 of a-z, part of its token; default "key"
	ExpiresAt time.Time
	Metadata  any // an object of at most 64 KiB
}

func (k *NewAPIKey) input() *input {
	in := newInput().text("name", k.Name).texts("scopes", k.Scopes).given("owner_id", k.OwnerID).given("org_id", k.OrgID)
	return in.given("type", k.Type).moment("expires_at", k.ExpiresAt).value("metadata", k.Metadata)
}

// IssuedKey is a key that was made. Its token is shown now and never again.
type IssuedKey struct {
	Key      APIKey
	Token    Token
	Previous *APIKey // of Rotate: the one in whose place it came
}

func issue(ctx context.Context, r runner, op *operation, in *input) (IssuedKey, error) {
	answer, err := do[struct {
		Key      APIKey   `json:"key"`
		Token    newToken `json:"token"`
		Previous *APIKey  `json:"previous"`
	}](ctx, r, op, in)
	return IssuedKey{answer.Key, answer.Token.token, answer.Previous}, err
}

// Create makes a key. ErrDenied: the actor may not make keys of this account there, or with one of the scopes; ErrConflict: owner or organization are not active, or the
// owner no active member of it; ErrNotFound: they are not there, or a key of the ring is not; ErrInvalid.
func (k APIKeys) Create(ctx context.Context, key NewAPIKey, actor ...Actor) (IssuedKey, error) {
	return issue(ctx, k.r, apiKeysCreate, key.input().actor(actor))
}

// Get is a key. ErrNotFound.
func (k APIKeys) Get(ctx context.Context, id string) (APIKey, error) {
	return do[APIKey](ctx, k.r, apiKeysGet, newInput().text("id", id))
}

// APIKeyListOptions of APIKeys.List; nil is the default.
type APIKeyListOptions struct {
	OwnerID string       // only of this account; empty: all
	OrgID   *string      // only of this organization; of none, where it points to an empty text
	Type    string       // only these; empty: all
	Scheme  APIKeyScheme // only these; empty: all
	Active  *bool        // only those that are neither revoked nor expired, or only the others
	Limit   int          // 1..10000, default 100
	Cursor  string       // that of the page before
}

// List is a page of keys, in the order of their making.
func (k APIKeys) List(ctx context.Context, options *APIKeyListOptions) (Page[APIKey], error) {
	var o APIKeyListOptions
	if options != nil {
		o = *options
	}
	return do[Page[APIKey]](ctx, k.r, apiKeysList, filtered(o.Limit, o.Cursor, func(in *input) {
		in.given("owner_id", o.OwnerID).textOrNull("org_id", o.OrgID).given("type", o.Type).given("scheme", string(o.Scheme))
		in.boolean("active", o.Active)
	}))
}

// All goes through the keys. An error is the last thing it yields.
func (k APIKeys) All(ctx context.Context, options *APIKeyListOptions) iter.Seq2[APIKey, error] {
	var o APIKeyListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[APIKey], error) {
		o.Limit, o.Cursor = limit, cursor
		return k.List(ctx, &o)
	})
}

// Verified says whose a key is, and what it may now.
type Verified struct {
	Key          APIKey        `json:"key"`
	Account      Account       `json:"account"`
	Organization *Organization `json:"organization"` // nil: none
	Level        Level         `json:"level"`        // empty: no organization
	Scopes       []string      `json:"scopes"`
	Denies       []string      `json:"denies"` // of that, what the access graph takes away
}

// MarshalJSON writes it as the core does: no level is null.
func (v Verified) MarshalJSON() ([]byte, error) {
	type plain Verified
	return json.Marshal(struct {
		plain
		Level *string `json:"level"`
	}{plain(v), nullable(string(v.Level))})
}

func (v *Verified) key() *APIKey { return &v.Key }

// noteAgain is how long the use of a key is not noted again.
const noteAgain = time.Minute

// ask runs what verifies a token. A reader cannot note that the key was used, so the writer does once a minute.
func ask[T any, A interface {
	*T
	key() *APIKey
}](ctx context.Context, r runner, op *operation, token string) (T, error) {
	answer, err := do[T](ctx, r, op, newInput().text("token", token))
	db, outside := r.(*DB)
	if err != nil || !outside || !db.engine.readsApart() || time.Since(A(&answer).key().LastUsedAt.Time()) < noteAgain {
		return answer, err
	}
	noted, err := do[T](ctx, writing{db}, op, newInput().text("token", token))
	switch codeOf(err) {
	case 0, ErrAuth, ErrClosed, ErrDenied:
		return noted, err
	}
	return answer, nil // it is valid all the same
}

// writing runs on a database's writer what else runs on a reader.
type writing struct{ *DB }

func (w writing) run(ctx context.Context, op *operation, out *cbrant.Result, input string) error {
	return w.DB.run(ctx, &operation{op.name, op.raw, alone}, out, input)
}

// Verify says whose a token is. ErrAuth, with one message, for whatever is wrong with it; ErrNotFound: there is no pepper to compare it with. That the key was used
// is noted (LastUsedAt) and told (auth:key_verified) at most once a minute.
func (k APIKeys) Verify(ctx context.Context, token string) (Verified, error) {
	return ask[Verified](ctx, k.r, apiKeysVerify, token)
}

// RotateKeyOptions of APIKeys.Rotate; nil is the default.
type RotateKeyOptions struct {
	Overlap time.Duration // how long the old key works yet, up to 30 days; default a day, negative: not at all
}

// Rotate makes a key in the place of another, which works a while longer. ErrConflict: that one is revoked, has expired, or was rotated already; otherwise as Create.
func (k APIKeys) Rotate(ctx context.Context, id string, options *RotateKeyOptions, actor ...Actor) (IssuedKey, error) {
	in := newInput().text("id", id)
	if options != nil {
		in.span("overlap", options.Overlap)
	}
	return issue(ctx, k.r, apiKeysRotate, in.actor(actor))
}

// Revoke ends a key for ever: no verification by any process that begins after this returned finds it valid. ErrNotFound; ErrDenied.
func (k APIKeys) Revoke(ctx context.Context, id string, actor ...Actor) (APIKey, error) {
	return do[APIKey](ctx, k.r, apiKeysRevoke, newInput().text("id", id).actor(actor))
}

// Import takes over a key of another system by the SHA-256 of its token, 64 hexadecimal digits. It works until it is rotated or revoked. Take over none but long random
// tokens: a plain SHA-256 protects no others. ErrExists: there is such a key; otherwise as Create, without a pepper.
func (k APIKeys) Import(ctx context.Context, key NewAPIKey, hash string, actor ...Actor) (APIKey, error) {
	return do[APIKey](ctx, k.r, apiKeysImport, key.input().text("hash", hash).actor(actor))
}

// Authenticated is Verified with the identity of a session for whoever has the key: DB.Session.
type Authenticated struct {
	Verified
	Identity Identity `json:"identity"`
}

// MarshalJSON writes it as the core does.
func (a Authenticated) MarshalJSON() ([]byte, error) {
	type plain Verified
	return json.Marshal(struct {
		plain
		Level    *string  `json:"level"`
		Identity Identity `json:"identity"`
	}{plain(a.Verified), nullable(string(a.Level)), a.Identity})
}

// Authenticate is APIKeys.Verify, with the identity of a session.
func (o operations) Authenticate(ctx context.Context, token string) (Authenticated, error) {
	return ask[Authenticated](ctx, o.r, authAuthenticate, token)
}
