package brant

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Invitations are those to organizations: DB.Invitations, Tx.Invitations. They need a key ring with a key of PurposePepper (ErrNotFound). Whoever may make a member of a level
// may invite to it, and take such an invitation back.
type Invitations struct{ r runner }

// InvitationStatus is the state of an invitation.
type InvitationStatus string

// The states of invitations.
const (
	InvitationPending   InvitationStatus = "pending" // and over, when its ExpiresAt has passed
	InvitationAccepted  InvitationStatus = "accepted"
	InvitationRejected  InvitationStatus = "rejected"
	InvitationCancelled InvitationStatus = "cancelled"
)

// Invitation lets whoever has its token and the account of its email become a member.
type Invitation struct {
	ID            string           `json:"id"`
	OrgID         string           `json:"org_id"`
	KID           string           `json:"kid"` // part of its token
	Email         string           `json:"email"`
	Level         Level            `json:"level"`
	PepperVersion int64            `json:"pepper_version"`
	InvitedBy     string           `json:"invited_by"` // empty: the system
	AccountID     string           `json:"account_id"` // who accepted it; empty: nobody
	Status        InvitationStatus `json:"status"`
	ExpiresAt     Timestamp        `json:"expires_at"`
	Metadata      json.RawMessage  `json:"metadata"`
	CreatedAt     Timestamp        `json:"created_at"`
	UpdatedAt     Timestamp        `json:"updated_at"`
}

// MarshalJSON writes it as the core does, with null for who there is not.
func (i Invitation) MarshalJSON() ([]byte, error) {
	type plain Invitation
	return json.Marshal(struct {
		plain
		InvitedBy *string `json:"invited_by"`
		AccountID *string `json:"account_id"`
	}{plain(i), nullable(i.InvitedBy), nullable(i.AccountID)})
}

// NewInvitation is an invitation to be made.
type NewInvitation struct {
	OrgID     string
	Email     string
	Level     Level         // default LevelMember
	ExpiresAt time.Time     // when it is over, or
	TTL       time.Duration // after how long, up to 366 days; default a week
	Metadata  any           // an object of at most 64 KiB
}

// Invited is an invitation that was made. The token is to be sent to the email; it is shown now and never again.
type Invited struct {
	Invitation Invitation
	Token      Token
}

// Create makes an invitation. ErrExists: one of that email is pending there, or its account is a member already; ErrConflict: the organization is not
// active; ErrInvalid: the email or the time; ErrNotFound: no such organization, no key; ErrDenied.
func (i Invitations) Create(ctx context.Context, invitation NewInvitation, actor ...Actor) (Invited, error) {
	in := newInput().text("org_id", invitation.OrgID).text("email", invitation.Email).given("level", string(invitation.Level))
	in.moment("expires_at", invitation.ExpiresAt).span("ttl", invitation.TTL).value("metadata", invitation.Metadata)
	answer, err := do[struct {
		Invitation Invitation `json:"invitation"`
		Token      newToken   `json:"token"`
	}](ctx, i.r, invitationsCreate, in.actor(actor))
	return Invited{answer.Invitation, answer.Token.token}, err
}

// Get is an invitation. ErrNotFound.
func (i Invitations) Get(ctx context.Context, id string) (Invitation, error) {
	return do[Invitation](ctx, i.r, invitationsGet, newInput().text("id", id))
}

// InvitationListOptions of Invitations.List; nil is the default.
type InvitationListOptions struct {
	OrgID  string           // only to this organization; empty: all
	Email  string           // only to this one, as it is stored; empty: all
	Status InvitationStatus // only these; empty: all
	Limit  int              // 1..10000, default 100
	Cursor string           // that of the page before
}

// List is a page of invitations, in the order of their making.
func (i Invitations) List(ctx context.Context, options *InvitationListOptions) (Page[Invitation], error) {
	var o InvitationListOptions
	if options != nil {
		o = *options
	}
	return do[Page[Invitation]](ctx, i.r, invitationsList, filtered(o.Limit, o.Cursor, func(in *input) {
		in.given("org_id", o.OrgID).given("email", o.Email).given("status", string(o.Status))
	}))
}

// All goes through the invitations. An error is the last thing it yields.
func (i Invitations) All(ctx context.Context, options *InvitationListOptions) iter.Seq2[Invitation, error] {
	var o InvitationListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[Invitation], error) {
		o.Limit, o.Cursor = limit, cursor
		return i.List(ctx, &o)
	})
}

// Accepted is an invitation that was accepted, and the membership that it made.
type Accepted struct {
	Member     Member     `json:"member"`
	Invitation Invitation `json:"invitation"`
}

// Accept makes an account a member; an empty one is the actor's. ErrAuth: no invitation has this token; ErrDenied: the account's email is not the
// invitation's, or it is another than the actor; ErrConflict: it is settled already, or organization or account are not active; ErrStale: it is over; ErrExists: the account
// is a member; ErrNotFound; ErrInvalid: nobody is named.
func (i Invitations) Accept(ctx context.Context, token, accountID string, actor ...Actor) (Accepted, error) {
	return do[Accepted](ctx, i.r, invitationsAccept, newInput().text("token", token).given("account_id", accountID).actor(actor))
}

// Reject is for whoever has the token and does not want it. ErrAuth, ErrConflict, ErrStale as Accept.
func (i Invitations) Reject(ctx context.Context, token string, actor ...Actor) (Invitation, error) {
	return do[Invitation](ctx, i.r, invitationsReject, newInput().text("token", token).actor(actor))
}

// Cancel takes an invitation back. ErrConflict: it is settled already; ErrNotFound; ErrDenied.
func (i Invitations) Cancel(ctx context.Context, id string, actor ...Actor) (Invitation, error) {
	return do[Invitation](ctx, i.r, invitationsCancel, newInput().text("id", id).actor(actor))
}
