package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Accounts are the accounts of the file: DB.Accounts, Tx.Accounts.
type Accounts struct{ r runner }

// AccountStatus says whether an account counts.
type AccountStatus string

// The states of accounts.
const (
	AccountActive   AccountStatus = "active"
	AccountInactive AccountStatus = "inactive" // it has no rights, and its keys do not work
)

// Account is somebody, or a service.
type Account struct {
	ID          string          `json:"id"`
	Email       string          `json:"email"` // normalised
	Name        string          `json:"name"`  // empty: none
	AccessLevel AccessLevel     `json:"access_level"`
	Status      AccountStatus   `json:"status"`
	Metadata    json.RawMessage `json:"metadata"`
	CreatedAt   Timestamp       `json:"created_at"`
	UpdatedAt   Timestamp       `json:"updated_at"`
}

// MarshalJSON writes it as the core does: no name is null.
func (a Account) MarshalJSON() ([]byte, error) {
	type plain Account
	return json.Marshal(struct {
		plain
		Name *string `json:"name"`
	}{plain(a), nullable(a.Name)})
}

// NewAccount is an account to be made.
type NewAccount struct {
	Email       string      // kept, and unique, in lower case and with its domain in the DNS's form
	Name        string      // may be left out
	AccessLevel AccessLevel // default AccessUser
	ID          string      // a UUID in lower case; default: a new one
	Metadata    any         // an object of at most 64 KiB
}

// Create makes an account. ErrExists: one has this email, or this ID; ErrInvalid: email, name or ID is not acceptable; ErrDenied: the actor is an
// account without AccessAdmin.
func (a Accounts) Create(ctx context.Context, account NewAccount, actor ...Actor) (Account, error) {
	in := newInput().text("email", account.Email).given("name", account.Name).given("access_level", string(account.AccessLevel))
	in.given("id", account.ID).value("metadata", account.Metadata)
	return do[Account](ctx, a.r, accountsCreate, in.actor(actor))
}

// Get is an account. ErrNotFound.
func (a Accounts) Get(ctx context.Context, id string) (Account, error) {
	return do[Account](ctx, a.r, accountsGet, newInput().text("id", id))
}

// Find is the account with an email, however it is written. ErrNotFound; ErrInvalid: it is no email.
func (a Accounts) Find(ctx context.Context, email string) (Account, error) {
	return do[Account](ctx, a.r, accountsFind, newInput().text("email", email))
}

// AccountListOptions of Accounts.List; nil is the default.
type AccountListOptions struct {
	Status      AccountStatus // only these; empty: all
	AccessLevel AccessLevel   // only these; empty: all
	Limit       int           // 1..10000, default 100
	Cursor      string        // that of the page before
}

// List is a page of accounts, in the order of their making.
func (a Accounts) List(ctx context.Context, options *AccountListOptions) (Page[Account], error) {
	var o AccountListOptions
	if options != nil {
		o = *options
	}
	return do[Page[Account]](ctx, a.r, accountsList, filtered(o.Limit, o.Cursor, func(in *input) {
		in.given("status", string(o.Status)).given("access_level", string(o.AccessLevel))
	}))
}

// All goes through the accounts. An error is the last thing it yields.
func (a Accounts) All(ctx context.Context, options *AccountListOptions) iter.Seq2[Account, error] {
	var o AccountListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[Account], error) {
		o.Limit, o.Cursor = limit, cursor
		return a.List(ctx, &o)
	})
}

// AccountChange says what to replace; what is nil or empty is left as it is.
type AccountChange struct {
	Email       *string
	Name        *string // a pointer to an empty text takes it away
	AccessLevel AccessLevel
	Metadata    any
}

// Update replaces what is given. ErrNotFound, ErrInvalid, ErrExists as Create; ErrDenied: the actor is another account without AccessAdmin, or
// changes its own access level without.
func (a Accounts) Update(ctx context.Context, id string, change AccountChange, actor ...Actor) (Account, error) {
	in := newInput().text("id", id).change("email", change.Email).textOrNull("name", change.Name)
	in.given("access_level", string(change.AccessLevel)).value("metadata", change.Metadata)
	return do[Account](ctx, a.r, accountsUpdate, in.actor(actor))
}

// Deactivate lets an account, its sessions, keys and memberships count for nothing until Reactivate. ErrConstraint: it is the last active owner of an
// organization; ErrNotFound; ErrDenied.
func (a Accounts) Deactivate(ctx context.Context, id string, actor ...Actor) (Account, error) {
	return do[Account](ctx, a.r, accountsDeactivate, newInput().text("id", id).actor(actor))
}

// Reactivate takes Deactivate back. ErrNotFound; ErrDenied: the actor is an account without AccessAdmin.
func (a Accounts) Reactivate(ctx context.Context, id string, actor ...Actor) (Account, error) {
	return do[Account](ctx, a.r, accountsReactivate, newInput().text("id", id).actor(actor))
}

// AccountDeleted is what went with an account.
type AccountDeleted struct {
	Deleted bool  `json:"deleted"`
	APIKeys int64 `json:"api_keys"`
	Members int64 `json:"members"` // memberships
}

// Delete removes an account, with its keys and memberships. ErrConstraint: it owns an organization, or is the last active owner of one; ErrNotFound;
// ErrDenied.
func (a Accounts) Delete(ctx context.Context, id string, actor ...Actor) (AccountDeleted, error) {
	return do[AccountDeleted](ctx, a.r, accountsDelete, newInput().text("id", id).actor(actor))
}
