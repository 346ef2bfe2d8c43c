package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Edges are the edges of one graph: Graph.Edges. Every method is ErrNotFound when there is no such graph.
type Edges struct {
	r     runner
	graph string
}

// Edge is a stored edge.
type Edge struct {
	Key        string          `json:"key"`
	Type       string          `json:"type"` // empty in untyped graphs
	Source     string          `json:"source"`
	Target     string          `json:"target"`
	Attributes json.RawMessage `json:"attributes"`
	Undirected *bool           `json:"undirected,omitempty"` // in mixed graphs only
	Metadata   json.RawMessage `json:"metadata"`
	Revision   int64           `json:"revision"` // 1, and one more with each change
	CreatedAt  Timestamp       `json:"created_at"`
	UpdatedAt  Timestamp       `json:"updated_at"`
}

// Decode decodes the attributes as json.Unmarshal does.
func (e *Edge) Decode(attributes any) error { return json.Unmarshal(e.Attributes, attributes) }

// MarshalJSON writes it as the core does: no type is null.
func (e Edge) MarshalJSON() ([]byte, error) {
	type plain Edge
	return json.Marshal(struct {
		plain
		Type *string `json:"type"`
	}{plain(e), nullable(e.Type)})
}

// NewEdge is an edge to be put.
type NewEdge struct {
	Source     string
	Target     string
	Type       string // may be left out when the edge exists, or the graph type has only one
	Key        string // see Edges.Put
	Attributes any    // default {}
	Metadata   any    // default: what is stored, or {}
	Undirected *bool  // in mixed graphs: this edge goes both ways
	Revision   *int64 // that must be stored: see Revision
}

func (e *NewEdge) members(in *input) *input {
	in.text("source", e.Source).text("target", e.Target).given("type", e.Type).given("key", e.Key)
	return in.value("attributes", e.Attributes).value("metadata", e.Metadata).boolean("undirected", e.Undirected).revision(e.Revision)
}

func (e Edges) input() *input { return newInput().text("graph", e.graph) }

// Put inserts an edge, or replaces the attributes of a stored one in place.
//
// Without a key: in a graph that is not multi the edge is known by source, type and target, so that a retry is the same edge; in a
// multi graph it is a new one, whose key is made.
//
// ErrNotFound: an end does not exist. ErrConstraint: ends that the edge type does not allow, other ends than the stored edge's, a self-loop,
// a cycle, the graph is full or archived. ErrValidation, ErrConflict as for nodes.
func (e Edges) Put(ctx context.Context, edge NewEdge) (Put, error) {
	return do[Put](ctx, e.r, edgesPut, edge.members(e.input()))
}

// PutMany puts many edges, all or none unless BatchOptions say otherwise, as Nodes.PutMany does.
func (e Edges) PutMany(ctx context.Context, edges []NewEdge, options ...BatchOptions) (Batch, error) {
	in := e.input()
	return do[Batch](ctx, e.r, edgesPutMany, batchInput(in, edges, func(edge *NewEdge) { edge.members(in) }, options))
}

// Get is an edge. ErrNotFound.
func (e Edges) Get(ctx context.Context, key string) (Edge, error) {
	return do[Edge](ctx, e.r, edgesGet, e.input().text("key", key))
}

// Exists says whether there is an edge.
func (e Edges) Exists(ctx context.Context, key string) (bool, error) {
	answer, err := do[found](ctx, e.r, edgesExists, e.input().text("key", key))
	return answer.Exists, err
}

// Count counts the edges of a type, or all of them when it is empty, without looking at them.
func (e Edges) Count(ctx context.Context, edgeType string) (int64, error) {
	answer, err := do[counted](ctx, e.r, edgesCount, e.input().given("type", edgeType))
	return answer.Count, err
}

// EdgeListOptions of Edges.List and All; nil is the default.
type EdgeListOptions struct {
	Type       string // only of this type
	Source     string // only from this node
	Target     string // only to this node
	Filter     any    // only those that match: see Filter
	OrderBy    string // a field as in filters ("attributes.weight"); default: see List
	Descending bool
	Limit      int    // 1..10000, default 100
	Cursor     string // that of the page before
}

func (o *EdgeListOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	in.given("type", o.Type).given("source", o.Source).given("target", o.Target).value("filter", o.Filter)
	return in.given("order_by", o.OrderBy).flag("descending", o.Descending).positive("limit", o.Limit).given("cursor", o.Cursor)
}

// List is a page of edges, by source's key, then type, then in the order in which targets were made; or as OrderBy says, then in the order in
// which they were made.
func (e Edges) List(ctx context.Context, options *EdgeListOptions) (Page[Edge], error) {
	return do[Page[Edge]](ctx, e.r, edgesList, options.members(e.input()))
}

// All goes through the edges in the order of List, page by page: outside a transaction it sees writes in between. An error is the last
// thing it yields.
func (e Edges) All(ctx context.Context, options *EdgeListOptions) iter.Seq2[Edge, error] {
	var o EdgeListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[Edge], error) {
		o.Limit, o.Cursor = limit, cursor
		return e.List(ctx, &o)
	})
}

// Delete deletes an edge. revision is that which must be stored, or nil. ErrNotFound; ErrConflict: another revision.
func (e Edges) Delete(ctx context.Context, key string, revision *int64) error {
	_, err := do[struct{}](ctx, e.r, edgesDelete, e.input().text("key", key).revision(revision))
	return err
}
