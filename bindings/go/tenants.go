package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Tenants are the files of a hub's organizations: Hub.Tenants. On anything but a hub's system file its methods are ErrMisuse; those that walk over all tenants are so in
// transactions, too.
type Tenants struct{ r runner }

// TenantState is the state of a tenant's file.
type TenantState string

// The states of tenants' files.
const (
	TenantNone     TenantState = "none" // not used yet
	TenantMade     TenantState = "made"
	TenantDeleting TenantState = "deleting"
)

// Tenant is an organization's file.
type Tenant struct {
	OrgID  string             `json:"org_id"`
	Slug   string             `json:"slug"`
	Status OrganizationStatus `json:"status"`
	State  TenantState        `json:"state"`
	File   string             `json:"file"`   // its id; empty: there is none
	Size   int64              `json:"size"`   // bytes, with its log
	Format int                `json:"format"` // 0: it is not open here
	Open   int64              `json:"open"`   // handles of this hub on it, idle ones too
}

// MarshalJSON writes it as the core does, with null for what there is not.
func (t Tenant) MarshalJSON() ([]byte, error) {
	type plain Tenant
	var format *int
	if t.Format != 0 {
		format = &t.Format
	}
	return json.Marshal(struct {
		plain
		File   *string `json:"file"`
		Format *int    `json:"format"`
	}{plain(t), nullable(t.File), format})
}

// TenantListOptions of Tenants.List; nil is the default.
type TenantListOptions struct {
	Status OrganizationStatus // only these; empty: all
	Limit  int                // 1..10000, default 100
	Cursor string             // that of the page before
}

// List is a page of tenants, by the ids of their organizations.
func (t Tenants) List(ctx context.Context, options *TenantListOptions) (Page[Tenant], error) {
	var o TenantListOptions
	if options != nil {
		o = *options
	}
	return do[Page[Tenant]](ctx, t.r, tenantsList, filtered(o.Limit, o.Cursor, func(in *input) { in.given("status", string(o.Status)) }))
}

// All goes through the tenants. An error is the last thing it yields.
func (t Tenants) All(ctx context.Context, options *TenantListOptions) iter.Seq2[Tenant, error] {
	var o TenantListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[Tenant], error) {
		o.Limit, o.Cursor = limit, cursor
		return t.List(ctx, &o)
	})
}

// Get is a tenant. ErrNotFound.
func (t Tenants) Get(ctx context.Context, orgID string) (Tenant, error) {
	return do[Tenant](ctx, t.r, tenantsGet, newInput().text("org_id", orgID))
}

// PageOptions of what walks over all tenants; nil is the default.
type PageOptions struct {
	Limit  int    // tenants of one call, 1..10000, default 100
	Cursor string // that of the call before
}

func (o *PageOptions) input() *input {
	in := newInput()
	if o == nil {
		return in
	}
	return in.positive("limit", o.Limit).given("cursor", o.Cursor)
}

// TenantDone is what became of one of many tenants. One that fails does not stop the others.
type TenantDone struct {
	OrgID      string          `json:"org_id"`
	OK         bool            `json:"ok"`
	From       int             `json:"from,omitzero"`       // of Migrate: the format when this hub opened it,
	To         int             `json:"to,omitzero"`         // and now
	Result     json.RawMessage `json:"result,omitempty"`    // of Apply: the operation's answer; of Maintain: as Maintained
	Synced     *TenantSynced   `json:"synced,omitzero"`     // of Maintain: its access graph, where it has one, with its members
	Checkpoint *Checkpoint     `json:"checkpoint,omitzero"` // of Maintain: of its audit log, which the system file keeps
	Fault      *itemError      `json:"error,omitempty"`
}

// TenantSynced is what became different among what a tenant's access graph derives from its members.
type TenantSynced struct {
	Added   int64 `json:"added"`
	Removed int64 `json:"removed"`
	Changed int64 `json:"changed"`
}

// Err is why it failed; nil where it is OK.
func (t TenantDone) Err() error { return t.Fault.error() }

// TenantsDone is a part of what is done to all tenants: call again with the cursor until it is empty.
type TenantsDone struct {
	Page[TenantDone]
	Finished int64 // of Maintain: organizations whose deletion was finished
}

func (t Tenants) walk(ctx context.Context, op *operation, in *input) (TenantsDone, error) {
	answer, err := do[struct {
		Items    []TenantDone `json:"items"`
		Cursor   string       `json:"cursor"`
		Finished int64        `json:"finished"`
	}](ctx, t.r, op, in)
	return TenantsDone{Page[TenantDone]{answer.Items, answer.Cursor}, answer.Finished}, err
}

// Migrate brings tenants' files to this version's format, as their first use does.
func (t Tenants) Migrate(ctx context.Context, options *PageOptions) (TenantsDone, error) {
	return t.walk(ctx, tenantsMigrate, options.input())
}

// Maintain does DB.Maintain in tenants' files, and keeps the checkpoints of their audit logs in the system file; without a cursor it first finishes what was left half
// done. The system file's own Maintain is another call.
func (t Tenants) Maintain(ctx context.Context, options *PageOptions) (TenantsDone, error) {
	return t.walk(ctx, tenantsMaintain, options.input())
}

// Apply makes one change of graph types in tenants' files, each in a transaction of its own: "graph_types.define", "graph_types.update" or "graph_types.delete", and its input. What
// succeeded stays; call again for those that failed.
func (t Tenants) Apply(ctx context.Context, operation string, input any, options *PageOptions) (TenantsDone, error) {
	return t.walk(ctx, tenantsApply, options.input().text("operation", operation).value("input", input))
}

// Backup copies a tenant's file, which may be in use, to a path outside of the hub's folder. Errors are those of DB.Backup and Hub.Tenant.
func (t Tenants) Backup(ctx context.Context, orgID, path string, options *BackupOptions) (Copied, error) {
	in := newInput().text("org_id", orgID).text("path", path)
	if options != nil {
		in.flag("overwrite", options.Overwrite)
	}
	return do[Copied](ctx, t.r, tenantsBackup, in)
}

// Restore replaces the content of a tenant's file by that of a backup of it; where the file is missing it is made. ErrConflict: it is another organization's backup.
func (t Tenants) Restore(ctx context.Context, orgID, path string) (Copied, error) {
	return do[Copied](ctx, t.r, tenantsRestore, newInput().text("org_id", orgID).text("path", path))
}

// TenantStats says how many files a hub has open.
type TenantStats struct {
	Open    int64 `json:"open"` // the system's aside
	Idle    int64 `json:"idle"`
	Pinned  int64 `json:"pinned"` // in use
	MaxOpen int64 `json:"max_open"`
	Opened  int64 `json:"opened"` // since the hub was opened
	Made    int64 `json:"made"`
	Evicted int64 `json:"evicted"` // closed to make room
}

// Stats says how many files the hub has open.
func (t Tenants) Stats(ctx context.Context) (TenantStats, error) {
	return do[TenantStats](ctx, t.r, tenantsStats, newInput())
}

// DelegationState is the state of a delegation between organizations.
type DelegationState string

// The states of delegations between organizations.
const (
	DelegationPending  DelegationState = "pending" // it gives nothing yet
	DelegationActive   DelegationState = "active"
	DelegationRevoking DelegationState = "revoking" // it gives nothing any more
	DelegationRevoked  DelegationState = "revoked"
)

// TenantDelegation is a delegation between organizations. In the access graph of FromOrg its agent is "foreign:<ToOrg>:<To>".
type TenantDelegation struct {
	ID        string          `json:"id"`
	FromOrg   string          `json:"from_org"`
	From      string          `json:"from"`
	ToOrg     string          `json:"to_org"`
	To        string          `json:"to"`
	Terms     json.RawMessage `json:"terms"`
	State     DelegationState `json:"state"`
	CreatedAt Timestamp       `json:"created_at"`
	UpdatedAt Timestamp       `json:"updated_at"`
}

// Delegate has an agent of one organization act for a principal, or an agent, of another, as Access.Delegate does within one. A crash in between leaves it inactive, to be finished by Maintain or
// the next key ring. ErrInvalid: the same organization twice, terms; ErrNotFound; ErrDenied; ErrConflict: there is one; ErrConstraint: To is no agent.
func (t Tenants) Delegate(ctx context.Context, fromOrg, toOrg string, delegation Delegation, actor ...Actor) (TenantDelegation, error) {
	in := delegation.members(newInput().text("from_org", fromOrg).text("to_org", toOrg))
	return do[TenantDelegation](ctx, t.r, tenantsDelegate, in.actor(actor))
}

// RevokeDelegation ends a delegation; what gives rights goes first. ErrNotFound; ErrDenied.
func (t Tenants) RevokeDelegation(ctx context.Context, id string, actor ...Actor) (TenantDelegation, error) {
	return do[TenantDelegation](ctx, t.r, tenantsRevokeDelegation, newInput().text("id", id).actor(actor))
}

// DelegationListOptions of Tenants.Delegations; nil is the default.
type DelegationListOptions struct {
	FromOrg string          // only from this organization; empty: all
	ToOrg   string          // only to this organization; empty: all
	State   DelegationState // only these; empty: all
	Limit   int             // 1..10000, default 100
	Cursor  string          // that of the page before
}

// Delegations is a page of the delegations between organizations, in the order of their making.
func (t Tenants) Delegations(ctx context.Context, options *DelegationListOptions) (Page[TenantDelegation], error) {
	var o DelegationListOptions
	if options != nil {
		o = *options
	}
	return do[Page[TenantDelegation]](ctx, t.r, tenantsDelegations, filtered(o.Limit, o.Cursor, func(in *input) {
		in.given("from_org", o.FromOrg).given("to_org", o.ToOrg).given("state", string(o.State))
	}))
}
