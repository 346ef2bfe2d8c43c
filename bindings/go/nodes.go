package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// Nodes are the nodes of one graph: Graph.Nodes. Every method is ErrNotFound when there is no such graph.
type Nodes struct {
	r     runner
	graph string
}

// Node is a stored node.
type Node struct {
	Key        string          `json:"key"`
	Type       string          `json:"type"` // empty in untyped graphs
	Attributes json.RawMessage `json:"attributes"`
	Metadata   json.RawMessage `json:"metadata"`
	Revision   int64           `json:"revision"` // 1, and one more with each change
	CreatedAt  Timestamp       `json:"created_at"`
	UpdatedAt  Timestamp       `json:"updated_at"`
}

// Decode decodes the attributes as json.Unmarshal does.
func (n *Node) Decode(attributes any) error { return json.Unmarshal(n.Attributes, attributes) }

// MarshalJSON writes it as the core does: no type is null.
func (n Node) MarshalJSON() ([]byte, error) {
	type plain Node
	return json.Marshal(struct {
		plain
		Type *string `json:"type"`
	}{plain(n), nullable(n.Type)})
}

// NewNode is a node to be put.
type NewNode struct {
	Key        string
	Type       string // may be left out when the node exists, or the graph type has only one
	Attributes any    // default {}
	Metadata   any    // default: what is stored, or {}
	Revision   *int64 // that must be stored: see Revision
}

func (n *NewNode) members(in *input) *input {
	return in.text("key", n.Key).given("type", n.Type).value("attributes", n.Attributes).value("metadata", n.Metadata).revision(n.Revision)
}

func (n Nodes) input() *input { return newInput().text("graph", n.graph) }

// Put inserts a node, or replaces the attributes of a stored one in place: its edges stay.
//
// ErrValidation: with violations; ErrConflict: another revision is stored; ErrConstraint: another type is, the graph is full or
// archived.
func (n Nodes) Put(ctx context.Context, node NewNode) (Put, error) {
	return do[Put](ctx, n.r, nodesPut, node.members(n.input()))
}

// PutMany puts many nodes, all or none unless BatchOptions say otherwise. On failure the error's Items say which are at fault, and its code is
// that of the first. Where several have one key the last wins. ErrLimit: more than Options.Limits.Batch.
func (n Nodes) PutMany(ctx context.Context, nodes []NewNode, options ...BatchOptions) (Batch, error) {
	in := n.input()
	return do[Batch](ctx, n.r, nodesPutMany, batchInput(in, nodes, func(node *NewNode) { node.members(in) }, options))
}

// Get is a node. ErrNotFound.
func (n Nodes) Get(ctx context.Context, key string) (Node, error) {
	return do[Node](ctx, n.r, nodesGet, n.input().text("key", key))
}

// GetMany is nodes in the order asked, nil where there is none.
func (n Nodes) GetMany(ctx context.Context, keys []string) ([]*Node, error) {
	answer, err := do[struct {
		Items []*Node `json:"items"`
	}](ctx, n.r, nodesGetMany, n.input().texts("keys", keys))
	return answer.Items, err
}

// Exists says whether there is a node.
func (n Nodes) Exists(ctx context.Context, key string) (bool, error) {
	answer, err := do[found](ctx, n.r, nodesExists, n.input().text("key", key))
	return answer.Exists, err
}

// Count counts the nodes of a type, or all of them when it is empty, without looking at them.
func (n Nodes) Count(ctx context.Context, nodeType string) (int64, error) {
	answer, err := do[counted](ctx, n.r, nodesCount, n.input().given("type", nodeType))
	return answer.Count, err
}

// NodeListOptions of Nodes.List and All; nil is the default.
type NodeListOptions struct {
	Type       string // only of this type
	Prefix     string // only keys that begin so
	Filter     any    // only those that match: see Filter
	OrderBy    string // a field as in filters ("attributes.due"); default: by key
	Descending bool
	Limit      int    // 1..10000, default 100
	Cursor     string // that of the page before
}

func (o *NodeListOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	in.given("type", o.Type).given("prefix", o.Prefix).value("filter", o.Filter).given("order_by", o.OrderBy)
	return in.flag("descending", o.Descending).positive("limit", o.Limit).given("cursor", o.Cursor)
}

// List is a page of nodes, by key, or as OrderBy says and then by key.
func (n Nodes) List(ctx context.Context, options *NodeListOptions) (Page[Node], error) {
	return do[Page[Node]](ctx, n.r, nodesList, options.members(n.input()))
}

// All goes through the nodes in the order of List, page by page: outside a transaction it sees writes in between. An error is the last thing
// it yields.
func (n Nodes) All(ctx context.Context, options *NodeListOptions) iter.Seq2[Node, error] {
	var o NodeListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[Node], error) {
		o.Limit, o.Cursor = limit, cursor
		return n.List(ctx, &o)
	})
}

// DeleteOptions of Nodes.Delete; nil is the default.
type DeleteOptions struct {
	Edges    bool   // delete the node's edges too; else a node that has some is ErrConstraint
	Revision *int64 // that must be stored: see Revision
}

// Delete deletes a node and says how many edges went with it. ErrNotFound; ErrConstraint: it has edges; ErrConflict: another revision.
func (n Nodes) Delete(ctx context.Context, key string, options *DeleteOptions) (edges int64, err error) {
	answer, err := do[deletedNode](ctx, n.r, nodesDelete, options.members(n.input().text("key", key)))
	return answer.Edges, err
}

type deletedNode struct {
	Edges int64 `json:"edges"`
}

func (o *DeleteOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	return withEdges(in, o.Edges).revision(o.Revision)
}

// Direction of a walk along edges.
type Direction string

// The directions. In undirected graphs every edge is both.
const (
	Out  Direction = "out" // the default
	In   Direction = "in"
	Both Direction = "both"
)

// NeighborOptions of Nodes.Neighbors; nil is the default.
type NeighborOptions struct {
	Direction Direction
	EdgeTypes []string // only along these; nil: all
	Limit     int      // 1..10000, default 1000
	Cursor    string   // that of the page before
}

// Neighbor is the node at the other end of an edge.
type Neighbor struct {
	Key  string       `json:"key"`
	Type string       `json:"type"` // empty in untyped graphs
	Edge NeighborEdge `json:"edge"`
}

// NeighborEdge is the edge that leads to a neighbour.
type NeighborEdge struct {
	Key        string          `json:"key"`
	Type       string          `json:"type"` // empty in untyped graphs
	Source     string          `json:"source"`
	Target     string          `json:"target"`
	Attributes json.RawMessage `json:"attributes"`
	Undirected *bool           `json:"undirected,omitempty"` // in mixed graphs only
}

// MarshalJSON writes it as the core does: no type is null.
func (n Neighbor) MarshalJSON() ([]byte, error) {
	type plain Neighbor
	return json.Marshal(struct {
		plain
		Type *string `json:"type"`
	}{plain(n), nullable(n.Type)})
}

// MarshalJSON writes it as the core does: no type is null.
func (e NeighborEdge) MarshalJSON() ([]byte, error) {
	type plain NeighborEdge
	return json.Marshal(struct {
		plain
		Type *string `json:"type"`
	}{plain(e), nullable(e.Type)})
}

// Neighbors is a page of a node's neighbours, one for each edge: out before in, then in the order in which edge types and nodes were
// made. ErrNotFound: no such node.
func (n Nodes) Neighbors(ctx context.Context, key string, options *NeighborOptions) (Page[Neighbor], error) {
	in := n.input().text("key", key)
	if options != nil {
		in.given("direction", string(options.Direction))
		if options.EdgeTypes != nil {
			in.texts("edge_types", options.EdgeTypes)
		}
		in.positive("limit", options.Limit).given("cursor", options.Cursor)
	}
	return do[Page[Neighbor]](ctx, n.r, nodesNeighbors, in)
}

// ClosureOptions of Nodes.Closure; nil is the default.
type ClosureOptions struct {
	Direction  Direction
	EdgeTypes  []string // only along these; nil: all
	EdgeFilter any      // only along edges that match: see Filter
	NodeFilter any      // only into nodes that match; where it starts need not
	DepthFirst bool     // in preorder, neighbours byte by byte; else breadth first
	MaxDepth   *int     // at most this many edges away
	Limit      int      // at most this many nodes
}

func (o *ClosureOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	along(in, o.Direction, o.EdgeTypes, o.EdgeFilter, o.NodeFilter)
	if o.DepthFirst {
		in.text("order", "depth")
	}
	return in.depth("max_depth", o.MaxDepth).positive("limit", o.Limit)
}

// Closure is what can be reached from some nodes.
type Closure struct {
	Keys      []string `json:"keys"`    // by depth, then by parent, then byte by byte; or in preorder
	Depths    []int    `json:"depths"`  // edges from the nearest start; in preorder, edges in the tree
	Parents   []int    `json:"parents"` // index of the node that this one was first reached from; -1 for a start
	Truncated bool     `json:"truncated"`
}

// Closure is what can be reached from the given nodes: breadth first, where these come first, or depth first. ErrNotFound: one of them;
// ErrLimit: the graph's snapshot would need more than 1 GiB. Walk has the same in batches.
func (n Nodes) Closure(ctx context.Context, keys []string, options *ClosureOptions) (Closure, error) {
	return do[Closure](ctx, n.r, nodesClosure, options.members(n.input().texts("keys", keys)))
}
