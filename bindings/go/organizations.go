package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Organizations are the organizations of the file: DB.Organizations, Tx.Organizations. In a hub each has a file of its own, made at its first use.
type Organizations struct{ r runner }

// OrganizationStatus is the state of an organization.
type OrganizationStatus string

// The states of organizations.
const (
	OrganizationActive    OrganizationStatus = "active"    // only then is anybody a member of it as far as rights go
	OrganizationSuspended OrganizationStatus = "suspended" // and a hub gives no handle of its file
	OrganizationDeleting  OrganizationStatus = "deleting"  // a hub is removing its file
	OrganizationDeleted   OrganizationStatus = "deleted"   // what Delete answers elsewhere
)

// Organization is a tenant.
type Organization struct {
	ID        string             `json:"id"`
	Slug      string             `json:"slug"`
	Name      string             `json:"name"`
	OwnerID   string             `json:"owner_id"`
	Status    OrganizationStatus `json:"status"`
	Metadata  json.RawMessage    `json:"metadata"`
	CreatedAt Timestamp          `json:"created_at"`
	UpdatedAt Timestamp          `json:"updated_at"`
}

// NewOrganization is an organization to be made.
type NewOrganization struct {
	Slug     string // 1 to 63 letters, digits and hyphens, kept in lower case; unique
	Name     string
	OwnerID  string // an account; default: the actor
	ID       string // a UUID in lower case; default: a new one
	Metadata any    // an object of at most 64 KiB
}

// Create makes an organization, whose owner becomes a member of LevelOwner. ErrExists: one has this slug, or this ID; ErrInvalid: slug, name or ID is not
// acceptable, or nobody is named as owner; ErrNotFound, ErrConflict: the owner is no account, or not active; ErrDenied: the owner is not the actor.
func (o Organizations) Create(ctx context.Context, organization NewOrganization, actor ...Actor) (Organization, error) {
	in := newInput().text("slug", organization.Slug).text("name", organization.Name).given("owner_id", organization.OwnerID)
	in.given("id", organization.ID).value("metadata", organization.Metadata)
	return do[Organization](ctx, o.r, organizationsCreate, in.actor(actor))
}

// Get is an organization. ErrNotFound.
func (o Organizations) Get(ctx context.Context, id string) (Organization, error) {
	return do[Organization](ctx, o.r, organizationsGet, newInput().text("id", id))
}

// Find is the organization with a slug. ErrNotFound; ErrInvalid: it is none.
func (o Organizations) Find(ctx context.Context, slug string) (Organization, error) {
	return do[Organization](ctx, o.r, organizationsGet, newInput().text("slug", slug))
}

// OrganizationListOptions of Organizations.List; nil is the default.
type OrganizationListOptions struct {
	Status  OrganizationStatus // only these; empty: all
	OwnerID string             // only those of this account; empty: all
	Limit   int                // 1..10000, default 100
	Cursor  string             // that of the page before
}

// List is a page of organizations, in the order of their making.
func (o Organizations) List(ctx context.Context, options *OrganizationListOptions) (Page[Organization], error) {
	var l OrganizationListOptions
	if options != nil {
		l = *options
	}
	return do[Page[Organization]](ctx, o.r, organizationsList, filtered(l.Limit, l.Cursor, func(in *input) {
		in.given("status", string(l.Status)).given("owner_id", l.OwnerID)
	}))
}

// All goes through the organizations. An error is the last thing it yields.
func (o Organizations) All(ctx context.Context, options *OrganizationListOptions) iter.Seq2[Organization, error] {
	var l OrganizationListOptions
	if options != nil {
		l = *options
	}
	return all(func(limit int, cursor string) (Page[Organization], error) {
		l.Limit, l.Cursor = limit, cursor
		return o.List(ctx, &l)
	})
}

// OrganizationChange says what to replace; what is nil is left as it is.
type OrganizationChange struct {
	Slug     *string
	Name     *string
	Metadata any
}

// Update replaces what is given. ErrDenied: the actor is no admin or owner of it; ErrConflict: it is being deleted; ErrNotFound, ErrInvalid, ErrExists as
// Create.
func (o Organizations) Update(ctx context.Context, id string, change OrganizationChange, actor ...Actor) (Organization, error) {
	in := newInput().text("id", id).change("slug", change.Slug).change("name", change.Name).value("metadata", change.Metadata)
	return do[Organization](ctx, o.r, organizationsUpdate, in.actor(actor))
}

// Transfer makes another active member its owner; the one before stays one of LevelOwner. ErrConflict: that account is no active member, or the organization is being
// deleted; ErrNotFound; ErrDenied: the actor is no owner.
func (o Organizations) Transfer(ctx context.Context, id, to string, actor ...Actor) (Organization, error) {
	return do[Organization](ctx, o.r, organizationsTransfer, newInput().text("id", id).text("to", to).actor(actor))
}

// Suspend takes the rights of all its members, until Resume. ErrNotFound; ErrDenied; ErrConflict: it is being deleted.
func (o Organizations) Suspend(ctx context.Context, id string, actor ...Actor) (Organization, error) {
	return do[Organization](ctx, o.r, organizationsSuspend, newInput().text("id", id).actor(actor))
}

// Resume takes Suspend back. ErrConstraint: none of its owners is active; otherwise as Suspend.
func (o Organizations) Resume(ctx context.Context, id string, actor ...Actor) (Organization, error) {
	return do[Organization](ctx, o.r, organizationsResume, newInput().text("id", id).actor(actor))
}

// Delete removes an organization with its members, invitations and keys, and in a hub its file: that one is OrganizationDeleting then. ErrNotFound;
// ErrDenied: the actor is no owner.
func (o Organizations) Delete(ctx context.Context, id string, actor ...Actor) (Organization, error) {
	return do[Organization](ctx, o.r, organizationsDelete, newInput().text("id", id).actor(actor))
}
