package brant

import (
	"context"
	"time"
)

// Put makes a node, or gives one its attributes anew: {"status": "suspended"} ends all that goes through a principal or agent at once. ErrValidation; ErrConstraint: the
// node is of another type; ErrInvalid: an account_id that is not that of its key; ErrDenied: it is derived or seeded.
func (a Access) Put(ctx context.Context, key string, nodeType AccessNodeType, attributes any, actor ...Actor) (Node, error) {
	in := a.input().text("key", key).text("type", string(nodeType)).value("attributes", attributes)
	return do[Node](ctx, a.r, accessPut, in.actor(actor))
}

// AccessRemoved is what went with a node.
type AccessRemoved struct {
	Removed  bool  `json:"removed"`
	Edges    int64 `json:"edges"`
	Revision int64 `json:"revision"`
}

// Remove takes a node out, with all its grants, denials, roles and delegations. ErrNotFound; ErrDenied: it is derived or seeded, a member of an organization, or one end of a
// delegation between organizations.
func (a Access) Remove(ctx context.Context, key string, actor ...Actor) (AccessRemoved, error) {
	return do[AccessRemoved](ctx, a.r, accessRemove, a.input().text("key", key).actor(actor))
}

// AccessMoved is what SetParent did.
type AccessMoved struct {
	Changed  bool  `json:"changed"`
	Revision int64 `json:"revision"`
}

// SetParent has a resource be part of another, and of no other (empty: of none): what holds there holds here. ErrConstraint: it would be part of itself.
func (a Access) SetParent(ctx context.Context, resource, parent string, actor ...Actor) (AccessMoved, error) {
	return do[AccessMoved](ctx, a.r, accessSetParent, a.input().text("resource", resource).textOrNull("parent", &parent).actor(actor))
}

// AccessWritten is the edge that a call wrote.
type AccessWritten struct {
	Edge     Edge  `json:"edge"`
	Revision int64 `json:"revision"`
}

// Grant gives a subject scopes on a resource: Access.Grant, Access.Deny.
type Grant struct {
	Subject   string
	Scopes    []string  // 1 to 256
	Resource  string    // and all that is part of it; default "*"
	ExpiresAt time.Time // zero: never
}

func (a Access) grant(ctx context.Context, op *operation, g *Grant, actor []Actor) (AccessWritten, error) {
	in := a.input().text("subject", g.Subject).texts("scopes", g.Scopes).given("resource", g.Resource).moment("expires_at", g.ExpiresAt)
	return do[AccessWritten](ctx, a.r, op, in.actor(actor))
}

// Grant gives a principal, group or role scopes; again: more of them. ErrNotFound: no such subject; ErrConstraint: an agent, to which one delegates; ErrConflict: what is there has other scopes
// and ends at another time; ErrDenied.
func (a Access) Grant(ctx context.Context, grant Grant, actor ...Actor) (AccessWritten, error) {
	return a.grant(ctx, accessGrant, &grant, actor)
}

// Deny denies what the scopes overlap, whoever grants it, also to agents. Errors as Grant.
func (a Access) Deny(ctx context.Context, denial Grant, actor ...Actor) (AccessWritten, error) {
	return a.grant(ctx, accessDeny, &denial, actor)
}

// Assignment is a role that a principal or group gets, or the group that it becomes part of: Access.Assign.
type Assignment struct {
	Subject   string
	Role      string    // or
	Group     string    //
	ExpiresAt time.Time // of a role; zero: never
}

// Assign gives a role, or takes into a group. ErrNotFound: no such subject, role or group; ErrConstraint: they are of other types; ErrDenied: a group that is derived from members.
func (a Access) Assign(ctx context.Context, assignment Assignment, actor ...Actor) (AccessWritten, error) {
	in := a.input().text("subject", assignment.Subject).given("role", assignment.Role).given("group", assignment.Group)
	return do[AccessWritten](ctx, a.r, accessAssign, in.moment("expires_at", assignment.ExpiresAt).actor(actor))
}

// RevokeKind is what Revoke takes back.
type RevokeKind string

// The kinds of what can be revoked.
const (
	RevokeGrant      RevokeKind = "grant"
	RevokeDeny       RevokeKind = "deny"
	RevokeRole       RevokeKind = "role"
	RevokeGroup      RevokeKind = "group"
	RevokeDelegation RevokeKind = "delegation" // and with it what was delegated on
)

// Revocation says what is taken back: Access.Revoke.
type Revocation struct {
	Kind    RevokeKind
	Subject string   // from whom, or who delegated
	Target  string   // the resource (default "*"), role, group or agent
	Scopes  []string // only what these cover; nil: all
}

// AccessRevoked is what Revoke did.
type AccessRevoked struct {
	Revoked  int64 `json:"revoked"` // 1, or 0: there was no such thing
	Revision int64 `json:"revision"`
}

// Revoke takes back what goes from a subject to a target. ErrNotFound: no such subject; ErrConstraint: a scope is a part of a wider one that is there; ErrDenied.
func (a Access) Revoke(ctx context.Context, revocation Revocation, actor ...Actor) (AccessRevoked, error) {
	in := a.input().text("kind", string(revocation.Kind)).text("subject", revocation.Subject).given("target", revocation.Target)
	if revocation.Scopes != nil {
		in.texts("scopes", revocation.Scopes)
	}
	return do[AccessRevoked](ctx, a.r, accessRevoke, in.actor(actor))
}

// Delegation has an agent act for a principal, or for another agent: Access.Delegate.
type Delegation struct {
	From          string // a principal or an agent
	To            string // an agent, which is made where it is missing
	Scopes        []string
	ExpiresAt     time.Time // zero: never
	MaxDepth      int       // how many delegations may follow, and only with MayRedelegate
	MayRedelegate bool
}

func (d *Delegation) members(in *input) *input {
	in.text("from", d.From).text("to", d.To).texts("scopes", d.Scopes).moment("expires_at", d.ExpiresAt)
	return in.positive("max_depth", d.MaxDepth).flag("may_redelegate", d.MayRedelegate)
}

// Delegate has an agent act for another, with these scopes, as far as that one has the right itself at the time. Again: these terms in place of the former. ErrDenied: it
// cannot give that; ErrNotFound: no such From; ErrConstraint: To is no agent, or is From.
func (a Access) Delegate(ctx context.Context, delegation Delegation, actor ...Actor) (AccessWritten, error) {
	return do[AccessWritten](ctx, a.r, accessDelegate, delegation.members(a.input()).actor(actor))
}

// Seeded is what Seed wrote.
type Seeded struct {
	Operations int64 `json:"operations"`
	Roles      int64 `json:"roles"`
	Changed    int64 `json:"changed"`
	Revision   int64 `json:"revision"`
}

// Seed writes what is so by definition: a resource "operation:<name>" for each operation, and the roles "role:viewer" to "role:owner" with the scopes of these levels. Call it after each
// release; again it changes nothing, and what was given at run time stays.
func (a Access) Seed(ctx context.Context, actor ...Actor) (Seeded, error) {
	return do[Seeded](ctx, a.r, accessSeed, a.input().actor(actor))
}

// Synced is what Sync wrote.
type Synced struct {
	Added    int64 `json:"added"`
	Removed  int64 `json:"removed"`
	Changed  int64 `json:"changed"`
	Revision int64 `json:"revision"`
}

// SyncMember is a member, for Sync.
type SyncMember struct {
	AccountID string
	Level     Level
	Status    MemberStatus // default MemberActive
}

// Sync derives anew who is in the groups of organizations' members: of one, or of all (empty). In a tenant's file members are all that there are; elsewhere nil, since the
// file has its own (ErrInvalid).
func (a Access) Sync(ctx context.Context, orgID string, members []SyncMember, actor ...Actor) (Synced, error) {
	in := a.input().given("org_id", orgID)
	if members != nil {
		in.array("members", len(members), func(i int) {
			in.object(func() {
				in.text("account_id", members[i].AccountID).text("level", string(members[i].Level)).given("status", string(members[i].Status))
			})
		})
	}
	return do[Synced](ctx, a.r, accessSync, in.actor(actor))
}
