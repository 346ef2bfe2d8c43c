package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Members are who belongs to which organization: DB.Members, Tx.Members.
//
// Whoever acts must be an active member of LevelAdmin or LevelOwner of an active organization; only an owner makes, changes, suspends or removes an owner, and nobody gives a level above
// their own (ErrDenied). An organization always has an active owner, and its owner is of LevelOwner (ErrConstraint).
type Members struct{ r runner }

// MemberStatus says whether a membership counts.
type MemberStatus string

// The states of memberships.
const (
	MemberActive    MemberStatus = "active"
	MemberSuspended MemberStatus = "suspended"
)

// Member is the membership of an account in an organization, which is the authority on what it may do there.
type Member struct {
	ID        string          `json:"id"`
	OrgID     string          `json:"org_id"`
	AccountID string          `json:"account_id"`
	Level     Level           `json:"level"`
	Status    MemberStatus    `json:"status"`
	Metadata  json.RawMessage `json:"metadata"`
	CreatedAt Timestamp       `json:"created_at"`
	UpdatedAt Timestamp       `json:"updated_at"`
}

func belonging(orgID, accountID string) *input {
	return newInput().text("org_id", orgID).text("account_id", accountID)
}

// Add makes an account a member; an empty level is LevelMember. ErrExists: it is one already; ErrConflict: the account is not active, or the
// organization is being deleted; ErrNotFound; ErrDenied.
func (m Members) Add(ctx context.Context, orgID, accountID string, level Level, actor ...Actor) (Member, error) {
	return do[Member](ctx, m.r, membersAdd, belonging(orgID, accountID).given("level", string(level)).actor(actor))
}

// Get is a membership. ErrNotFound.
func (m Members) Get(ctx context.Context, orgID, accountID string) (Member, error) {
	return do[Member](ctx, m.r, membersGet, belonging(orgID, accountID))
}

// MemberListOptions of Members.List; nil is the default.
type MemberListOptions struct {
	OrgID     string       // only of this organization; empty: all
	AccountID string       // only of this account; empty: all
	Level     Level        // only these; empty: all
	Status    MemberStatus // only these; empty: all
	Limit     int          // 1..10000, default 100
	Cursor    string       // that of the page before
}

// List is a page of memberships, in the order of their making.
func (m Members) List(ctx context.Context, options *MemberListOptions) (Page[Member], error) {
	var o MemberListOptions
	if options != nil {
		o = *options
	}
	return do[Page[Member]](ctx, m.r, membersList, filtered(o.Limit, o.Cursor, func(in *input) {
		in.given("org_id", o.OrgID).given("account_id", o.AccountID).given("level", string(o.Level)).given("status", string(o.Status))
	}))
}

// All goes through the memberships. An error is the last thing it yields.
func (m Members) All(ctx context.Context, options *MemberListOptions) iter.Seq2[Member, error] {
	var o MemberListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[Member], error) {
		o.Limit, o.Cursor = limit, cursor
		return m.List(ctx, &o)
	})
}

// SetLevel gives a member another level. ErrNotFound: no such organization or membership; ErrConflict: the organization is being deleted; ErrDenied;
// ErrConstraint.
func (m Members) SetLevel(ctx context.Context, orgID, accountID string, level Level, actor ...Actor) (Member, error) {
	return do[Member](ctx, m.r, membersSetLevel, belonging(orgID, accountID).text("level", string(level)).actor(actor))
}

// Suspend lets a membership count for nothing until Resume. Errors as SetLevel.
func (m Members) Suspend(ctx context.Context, orgID, accountID string, actor ...Actor) (Member, error) {
	return do[Member](ctx, m.r, membersSuspend, belonging(orgID, accountID).actor(actor))
}

// Resume takes Suspend back. Errors as SetLevel.
func (m Members) Resume(ctx context.Context, orgID, accountID string, actor ...Actor) (Member, error) {
	return do[Member](ctx, m.r, membersResume, belonging(orgID, accountID).actor(actor))
}

// Remove ends a membership. Errors as SetLevel.
func (m Members) Remove(ctx context.Context, orgID, accountID string, actor ...Actor) error {
	_, err := do[struct{}](ctx, m.r, membersRemove, belonging(orgID, accountID).actor(actor))
	return err
}

// Leave ends a membership of the actor's own, as any member may; an empty account is the actor's. Errors as SetLevel; ErrInvalid: nobody is named.
func (m Members) Leave(ctx context.Context, orgID, accountID string, actor ...Actor) error {
	_, err := do[struct{}](ctx, m.r, membersLeave, newInput().text("org_id", orgID).given("account_id", accountID).actor(actor))
	return err
}
