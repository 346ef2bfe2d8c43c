package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Access is an access graph: who may do what. DB.Access is the graph "access"; DB.AccessGraph another.
//
// A principal may what a grant gives to it, or to a group or role that it reaches, on the resource, on what that is part of, or on "*", which is everything; an explicit denial wins. An agent may what was
// delegated to it, by a chain of delegations from a principal that has the right now. Nobody else may anything. Scopes are "<namespace>:<action>", "*" for either;
// resources "<kind>:<id>", as "graph:notes". A chain that is too deep to be told is ErrLimit.
//
// What writes makes the graph where it is missing, is recorded in the audit log and so needs a key ring (ErrNotFound), and answers a revision, which makes a check that has not seen the
// write ErrConflict: AtLeast. Nobody gives more than they hold (ErrDenied), and what is derived from members or seeded is not written by hand (ErrDenied).
type Access struct {
	r     runner
	graph string // empty: "access"
}

// AccessGraph is the access graph of that name.
func (o operations) AccessGraph(name string) Access { return Access{o.r, name} }

func (a Access) input() *input { return newInput().given("graph", a.graph) }

// AtLeast is the revision that an answer must not be older than: ErrConflict.
type AtLeast int64

func (in *input) atLeast(revisions []AtLeast) *input {
	if len(revisions) > 1 {
		in.fail(failf(ErrInvalid, "there is more than one revision"))
	}
	for _, revision := range revisions {
		in.integer("at_least", int64(revision))
	}
	return in
}

// AccessNodeType is the type of a node of an access graph.
type AccessNodeType string

// The types of nodes of access graphs.
const (
	NodePrincipal AccessNodeType = "Principal" // an account ("account:<id>") or a service
	NodeAgent     AccessNodeType = "Agent"     // acts for principals
	NodeGroup     AccessNodeType = "Group"
	NodeRole      AccessNodeType = "Role"
	NodeResource  AccessNodeType = "Resource"
)

// Question is whether a subject may do what a scope names on a resource; without a resource, everywhere.
type Question struct{ Subject, Scope, Resource string }

func (q *Question) members(in *input) *input {
	return in.text("subject", q.Subject).text("scope", q.Scope).given("resource", q.Resource)
}

// Verdict is the answer to a question.
type Verdict struct {
	Allowed  bool  `json:"allowed"`
	Revision int64 `json:"revision"` // of the graph that says so
}

// Check answers a question. ErrNotFound: no such access graph; ErrInvalid: the scope is none; ErrLimit, ErrConflict.
func (a Access) Check(ctx context.Context, subject, scope, resource string, atLeast ...AtLeast) (Verdict, error) {
	question := Question{subject, scope, resource}
	return do[Verdict](ctx, a.r, accessCheck, question.members(a.input()).atLeast(atLeast))
}

// Answer is one of CheckMany: with an error (ErrInvalid, ErrLimit) it is not allowed.
type Answer struct {
	Allowed bool
	Err     error
}

type itemError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (i *itemError) error() error {
	if i == nil {
		return nil
	}
	return &Error{Code: codeNamed(i.Code), Message: i.Message, Detail: noDetail}
}

func errorItem(err error) *itemError {
	if err == nil {
		return nil
	}
	e := err.(*Error)
	return &itemError{e.Code.String(), e.Message}
}

// UnmarshalJSON reads the core's answer.
func (a *Answer) UnmarshalJSON(text []byte) error {
	var answer struct {
		Allowed bool       `json:"allowed"`
		Error   *itemError `json:"error"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	*a = Answer{answer.Allowed, answer.Error.error()}
	return nil
}

// MarshalJSON writes it as the core does.
func (a Answer) MarshalJSON() ([]byte, error) {
	if a.Err != nil {
		return json.Marshal(map[string]any{"error": errorItem(a.Err)})
	}
	return json.Marshal(map[string]any{"allowed": a.Allowed})
}

// Answers are those to many questions.
type Answers struct {
	Items    []Answer `json:"items"`
	Revision int64    `json:"revision"`
}

// CheckMany answers many questions, in their order, of one state.
func (a Access) CheckMany(ctx context.Context, questions []Question, atLeast ...AtLeast) (Answers, error) {
	in := a.input()
	in.array("items", len(questions), func(i int) { in.object(func() { questions[i].members(in) }) })
	return do[Answers](ctx, a.r, accessCheckMany, in.atLeast(atLeast))
}

// AccessStep is an edge on the way to an answer.
type AccessStep struct {
	Kind   string   `json:"kind"` // "BelongsTo", "HasRole", "Grants", "Denies", "Delegates"
	Source string   `json:"source"`
	Target string   `json:"target"`
	Key    string   `json:"key"`
	Scopes []string `json:"scopes,omitzero"`
}

// TriedChain is a chain of delegations, from the agent on, that gave nothing.
type TriedChain struct {
	Chain []string `json:"chain"`
	Why   string   `json:"why"`
}

// Explanation is an answer and why it is so.
type Explanation struct {
	Allowed  bool         `json:"allowed"`
	Reason   string       `json:"reason"`
	Path     []AccessStep `json:"path,omitzero"`       // what gives it: an agent's delegations, then to the edge that grants
	DeniedBy *AccessStep  `json:"denied_by,omitempty"` // what takes it
	Tried    []TriedChain `json:"tried,omitzero"`      // of an agent, up to 100
	Revision int64        `json:"revision"`
}

// Explain is Check with the way to the answer.
func (a Access) Explain(ctx context.Context, subject, scope, resource string, atLeast ...AtLeast) (Explanation, error) {
	question := Question{subject, scope, resource}
	return do[Explanation](ctx, a.r, accessExplain, question.members(a.input()).atLeast(atLeast))
}

// AccessListOptions of Access.ListObjects and ListSubjects; nil is the default.
type AccessListOptions struct {
	Kind    string // of objects: only keys that begin so, with a colon behind; of subjects: an AccessNodeType
	Limit   int    // 1..10000, default 100
	Cursor  string // that of the page before
	AtLeast int64  // revision
}

func (in *input) accessList(o *AccessListOptions) *input {
	if o == nil {
		return in
	}
	if o.AtLeast != 0 {
		in.integer("at_least", o.AtLeast)
	}
	return in.given("kind", o.Kind).positive("limit", o.Limit).given("cursor", o.Cursor)
}

// AccessPage is one part of a list of keys.
type AccessPage struct {
	Items    []string `json:"items"`
	Cursor   string   `json:"cursor"` // where to go on; empty at the end
	Revision int64    `json:"revision"`
}

// MarshalJSON writes it as the core does: a cursor that is null at the end.
func (p AccessPage) MarshalJSON() ([]byte, error) {
	type plain AccessPage
	return json.Marshal(struct {
		plain
		Cursor *string `json:"cursor"`
	}{plain(p), nullable(p.Cursor)})
}

// ListObjects is a page of the resources with a node that Check allows, by key, and "*" where it is allowed everywhere. ErrLimit: one of the page is too deep to be told.
func (a Access) ListObjects(ctx context.Context, subject, scope string, options *AccessListOptions) (AccessPage, error) {
	return do[AccessPage](ctx, a.r, accessListObjects, a.input().text("subject", subject).text("scope", scope).accessList(options))
}

// Objects goes through all of ListObjects. An error is the last thing it yields.
func (a Access) Objects(ctx context.Context, subject, scope string, options *AccessListOptions) iter.Seq2[string, error] {
	return allKeys(options, func(o *AccessListOptions) (AccessPage, error) { return a.ListObjects(ctx, subject, scope, o) })
}

// ListSubjects is a page of the subjects that Check allows, by key; an empty resource is "*". ErrLimit as ListObjects.
func (a Access) ListSubjects(ctx context.Context, scope, resource string, options *AccessListOptions) (AccessPage, error) {
	return do[AccessPage](ctx, a.r, accessListSubjects, a.input().text("scope", scope).given("resource", resource).accessList(options))
}

// Subjects goes through all of ListSubjects. An error is the last thing it yields.
func (a Access) Subjects(ctx context.Context, scope, resource string, options *AccessListOptions) iter.Seq2[string, error] {
	return allKeys(options, func(o *AccessListOptions) (AccessPage, error) { return a.ListSubjects(ctx, scope, resource, o) })
}

func allKeys(options *AccessListOptions, page func(*AccessListOptions) (AccessPage, error)) iter.Seq2[string, error] {
	var o AccessListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[string], error) {
		o.Limit, o.Cursor = limit, cursor
		part, err := page(&o)
		return Page[string]{part.Items, part.Cursor}, err
	})
}

// AccessTree is who stands behind an edge. Groups and roles have members, once: where one comes again it stands without them.
type AccessTree struct {
	Key     string         `json:"key"`
	Type    AccessNodeType `json:"type"`
	Active  *bool          `json:"active,omitempty"` // of principals and agents
	Members []AccessTree   `json:"members,omitzero"`
	Again   bool           `json:"again,omitzero"`
}

// AccessHeld is an edge that grants or denies, and who it reaches.
type AccessHeld struct {
	Edge AccessStep `json:"edge"`
	From AccessTree `json:"from"`
}

// Expansion is all that grants and denies a scope on a resource.
type Expansion struct {
	Resource  string       `json:"resource"`
	Scope     string       `json:"scope"`
	Grants    []AccessHeld `json:"grants"`
	Denies    []AccessHeld `json:"denies"`
	Truncated bool         `json:"truncated"` // there is more, or groups nest deeper than 24
	Revision  int64        `json:"revision"`
}

// ExpandOptions of Access.Expand; nil is the default.
type ExpandOptions struct {
	Limit   int   // nodes of the answer, 1..10000, default 1000
	AtLeast int64 // revision
}

// Expand is the edges that grant and deny a scope on a resource (empty: "*"), and who stands behind them.
func (a Access) Expand(ctx context.Context, scope, resource string, options *ExpandOptions) (Expansion, error) {
	in := a.input().text("scope", scope).given("resource", resource)
	if options != nil {
		if in.positive("limit", options.Limit); options.AtLeast != 0 {
			in.integer("at_least", options.AtLeast)
		}
	}
	return do[Expansion](ctx, a.r, accessExpand, in)
}
