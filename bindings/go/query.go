package brant

import (
	"context"
)

// Filter is a filter on nodes or edges: fields ("key", "type", "attributes.status", ..) with values or operators, joined by and. Wherever a
// filter is taken, any value that encoding/json writes as such an object does too.
//
//	brant.Filter{"type": "Task", "attributes.status": brant.Filter{"$in": []string{"open", "blocked"}}}
//
// Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $prefix $contains, and $and $or $not. Fields are key, type, revision,
// type_version, created_at, updated_at, attributes.<path> and metadata.<path>, of edges also source and target; where a part of a path has
// a dot it is a JSON pointer: "attributes/a.b/c". A value alone is $eq; null is also what is missing. $gt and its like compare numbers
// with numbers and text with text, by bytes, and hold for nothing else.
//
// Every method that takes one is ErrInvalid, with {"pointer"}, for a filter that cannot be read.
type Filter map[string]any

// Plan says how a list would be read.
type Plan struct {
	SQL  string `json:"sql"`
	Plan []struct {
		ID     int    `json:"id"`
		Parent int    `json:"parent"`
		Detail string `json:"detail"`
	} `json:"plan"`
	Indexes []string `json:"indexes"` // those over attributes that it uses
	Scan    bool     `json:"scan"`    // it reads all nodes, or edges, of the graph
}

// CountWhere counts the nodes that match a filter.
func (n Nodes) CountWhere(ctx context.Context, filter any) (int64, error) {
	answer, err := do[counted](ctx, n.r, nodesCount, n.input().value("filter", filter))
	return answer.Count, err
}

// CountWhere counts the edges that match a filter.
func (e Edges) CountWhere(ctx context.Context, filter any) (int64, error) {
	answer, err := do[counted](ctx, e.r, edgesCount, e.input().value("filter", filter))
	return answer.Count, err
}

// Explain says how the first page of List with these options would be read. The texts are for people, and change with releases.
func (n Nodes) Explain(ctx context.Context, options *NodeListOptions) (Plan, error) {
	return do[Plan](ctx, n.r, nodesExplain, options.members(n.input()))
}

// Explain says how List with these options would be read.
func (e Edges) Explain(ctx context.Context, options *EdgeListOptions) (Plan, error) {
	return do[Plan](ctx, e.r, edgesExplain, options.members(e.input()))
}

// SearchOptions of Nodes.Search and Edges.Search; nil is the default.
type SearchOptions struct {
	Type   string // only of this type
	Filter any
	Limit  int    // 1..1000, default 20
	Cursor string // that of the page before
}

func (o *SearchOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	in.given("type", o.Type).value("filter", o.Filter)
	return in.positive("limit", o.Limit).given("cursor", o.Cursor)
}

// NodeHit is a node that a search found.
type NodeHit struct {
	Node    Node    `json:"node"`
	Score   float64 `json:"score"` // the higher the better
	Snippet string  `json:"snippet"`
}

// EdgeHit is an edge that a search found.
type EdgeHit struct {
	Edge    Edge    `json:"edge"`
	Score   float64 `json:"score"` // the higher the better
	Snippet string  `json:"snippet"`
}

// Search finds nodes by the words of their attributes, the best first, then by key. The query has words that all must be there, "phrases",
// prefix*, OR, NOT word or -word, AND and parentheses; case and accents do not count. In a snippet the words found stand in [ ]. The
// cursor counts: writes between pages may show an item twice or not at all. ErrInvalid: a query that says nothing or is not well formed;
// ErrConstraint: no TextIndex covers the types asked for.
func (n Nodes) Search(ctx context.Context, query string, options *SearchOptions) (Page[NodeHit], error) {
	return do[Page[NodeHit]](ctx, n.r, nodesSearch, options.members(n.input().text("query", query)))
}

// Search finds edges by the words of their attributes, as Nodes.Search does.
func (e Edges) Search(ctx context.Context, query string, options *SearchOptions) (Page[EdgeHit], error) {
	return do[Page[EdgeHit]](ctx, e.r, edgesSearch, options.members(e.input().text("query", query)))
}
