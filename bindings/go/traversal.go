package brant

import (
	"context"
	"encoding/json"
)

// along says where a walk goes.
func along(in *input, direction Direction, edgeTypes []string, edgeFilter, nodeFilter any) *input {
	in.given("direction", string(direction))
	if edgeTypes != nil {
		in.texts("edge_types", edgeTypes)
	}
	return in.value("edge_filter", edgeFilter).value("node_filter", nodeFilter)
}

func (g Graph) input() *input { return newInput().text("graph", g.Name) }

// float is a number that is left out when there is none.
func (in *input) float(name string, value *float64) *input {
	if value == nil {
		return in
	}
	return in.value(name, *value)
}

// depth is an integer that is left out when there is none.
func (in *input) depth(name string, value *int) *input {
	if value == nil {
		return in
	}
	return in.integer(name, int64(*value))
}

// PathOptions of Graph.ShortestPath; nil is the default.
type PathOptions struct {
	Direction     Direction
	EdgeTypes     []string // only along these; nil: all
	EdgeFilter    any      // only along edges that match: see Filter
	NodeFilter    any      // only into nodes that match; where it starts need not
	Weight        string   // path of an edge attribute ("attributes.cost"); empty: every edge costs 1
	DefaultWeight *float64 // of edges without it; nil: such an edge is ErrConstraint
	MaxDepth      *int     // at most this many edges
}

// Path is a way from a node to another.
type Path struct {
	Found  bool     `json:"found"` // false: nothing else is set
	Keys   []string `json:"keys"`
	Edges  []string `json:"edges"`
	Length int      `json:"length"` // edges
	Cost   float64  `json:"cost"`   // the length, where nothing is weighted
}

// MarshalJSON writes it as the core does: no path has no length and no cost.
func (p Path) MarshalJSON() ([]byte, error) {
	type plain Path
	if p.Found {
		return json.Marshal(plain(p))
	}
	return json.Marshal(struct {
		plain
		Length *int     `json:"length"`
		Cost   *float64 `json:"cost"`
	}{plain: plain(p)})
}

// ShortestPath is the cheapest way from one node to another: among equals the one with the fewest edges, then the one whose keys come first,
// byte by byte. ErrNotFound: a node; ErrConstraint: an edge that the options allow has a weight that is missing, negative or no number;
// ErrLimit: costs beyond a float64, or a graph whose snapshot would need more than 1 GiB.
func (g Graph) ShortestPath(ctx context.Context, source, target string, options *PathOptions) (Path, error) {
	in := g.input().text("source", source).text("target", target)
	if options != nil {
		along(in, options.Direction, options.EdgeTypes, options.EdgeFilter, options.NodeFilter).given("weight", options.Weight).float("default_weight", options.DefaultWeight).depth("max_depth", options.MaxDepth)
	}
	return do[Path](ctx, g.Nodes.r, graphsShortestPath, in)
}

// DistanceOptions of Graph.ShortestPaths; nil is the default.
type DistanceOptions struct {
	Direction     Direction
	EdgeTypes     []string // only along these; nil: all
	EdgeFilter    any      // only along edges that match: see Filter
	NodeFilter    any      // only into nodes that match; where it starts need not
	Weight        string   // as in PathOptions
	DefaultWeight *float64
	MaxDepth      *int
	MaxCost       *float64
	Limit         int // at most this many nodes
}

// Distances are the cheapest ways from one node to others.
type Distances struct {
	Keys      []string  `json:"keys"` // by cost, then byte by byte
	Costs     []float64 `json:"costs"`
	Parents   []int     `json:"parents"` // index of the node before; -1 for the source, and where the limit cut that node off
	Truncated bool      `json:"truncated"`
}

// ShortestPaths are the cheapest ways from one node to all that can be reached. Errors as in ShortestPath.
func (g Graph) ShortestPaths(ctx context.Context, source string, options *DistanceOptions) (Distances, error) {
	in := g.input().text("source", source)
	if options != nil {
		along(in, options.Direction, options.EdgeTypes, options.EdgeFilter, options.NodeFilter).given("weight", options.Weight).float("default_weight", options.DefaultWeight)
		in.depth("max_depth", options.MaxDepth).float("max_cost", options.MaxCost).positive("limit", options.Limit)
	}
	return do[Distances](ctx, g.Nodes.r, graphsShortestPaths, in)
}

// PathsOptions of Graph.Paths; nil is the default.
type PathsOptions struct {
	Direction  Direction
	EdgeTypes  []string // only along these; nil: all
	EdgeFilter any      // only along edges that match: see Filter
	NodeFilter any      // only into nodes that match; where it starts need not
	Limit      int      // default 100, at most 100000
}

// Paths are ways from a node to another.
type Paths struct {
	Paths     [][]string `json:"paths"` // their keys
	Edges     [][]string `json:"edges"` // of parallel ones the first by type, then by creation
	Truncated bool       `json:"truncated"`
}

// Paths are the simple paths (no node twice) of up to maxDepth (1 to 1000) edges, by length, then by keys; each once, whatever parallel
// edges there are.
func (g Graph) Paths(ctx context.Context, source, target string, maxDepth int, options *PathsOptions) (Paths, error) {
	in := g.input().text("source", source).text("target", target).integer("max_depth", int64(maxDepth))
	if options != nil {
		along(in, options.Direction, options.EdgeTypes, options.EdgeFilter, options.NodeFilter).positive("limit", options.Limit)
	}
	return do[Paths](ctx, g.Nodes.r, graphsPaths, in)
}

// WalkCountOptions of Graph.CountWalks; nil is the default.
type WalkCountOptions struct {
	Direction  Direction
	EdgeTypes  []string // only along these; nil: all
	EdgeFilter any      // only along edges that match: see Filter
	NodeFilter any      // only into nodes that match; where it starts need not
	Sources    []string // nil: from all nodes
	Targets    []string // nil: to all nodes
	UpTo       bool     // those of 1 edge up to the length, not of the length alone
}

// CountWalks counts the walks (nodes and edges may come again) of so many edges, 0 to 10000; parallel edges are counted each. ErrLimit: an
// int64 does not hold the number.
func (g Graph) CountWalks(ctx context.Context, length int, options *WalkCountOptions) (int64, error) {
	in := g.input().integer("length", int64(length))
	if options != nil {
		along(in, options.Direction, options.EdgeTypes, options.EdgeFilter, options.NodeFilter).flag("up_to", options.UpTo)
		if options.Sources != nil {
			in.texts("sources", options.Sources)
		}
		if options.Targets != nil {
			in.texts("targets", options.Targets)
		}
	}
	answer, err := do[counted](ctx, g.Nodes.r, graphsCountWalks, in)
	return answer.Count, err
}

// Within says which part of a graph is looked at. The zero value: all of it.
type Within struct {
	EdgeTypes  []string // only these; nil: all
	EdgeFilter any      // only edges that match: see Filter
	NodeFilter any      // only nodes that match: the others are not there
}

func (w *Within) members(in *input) *input {
	if w == nil {
		return in
	}
	return along(in, "", w.EdgeTypes, w.EdgeFilter, w.NodeFilter)
}

// Order is a topological order.
type Order struct {
	Keys        []string `json:"keys"`        // by generation, then byte by byte
	Generations []int    `json:"generations"` // index at which each begins
}

// TopologicalOrder has each node after all from which an edge leads to it. ErrConstraint: there is a cycle (the detail has its keys, as
// {"cycle": [..]}), or the graph is undirected.
func (g Graph) TopologicalOrder(ctx context.Context, within *Within) (Order, error) {
	return do[Order](ctx, g.Nodes.r, graphsTopologicalOrder, within.members(g.input()))
}

// Cycle is one cycle.
type Cycle struct {
	Found bool     `json:"found"`
	Keys  []string `json:"keys"`  // from the least on
	Edges []string `json:"edges"` // each from the key of its index to the next, the last to the first
}

// FindCycle finds one cycle, where there is one; the same each time. It uses no edge twice, and a self-loop is one.
func (g Graph) FindCycle(ctx context.Context, within *Within) (Cycle, error) {
	return do[Cycle](ctx, g.Nodes.r, graphsFindCycle, within.members(g.input()))
}

// Connection says what holds a component together.
type Connection string

// The kinds of components.
const (
	Weak   Connection = "weak"   // the default: paths that take edges in either direction
	Strong Connection = "strong" // paths both ways
)

// Components are the parts of a graph.
type Components struct {
	Count      int      `json:"count"`
	Keys       []string `json:"keys"`       // byte by byte
	Components []int    `json:"components"` // of each key; numbered by their smallest key
	Sizes      []int    `json:"sizes"`
}

// Components are the connected components.
func (g Graph) Components(ctx context.Context, connection Connection, within *Within) (Components, error) {
	return do[Components](ctx, g.Nodes.r, graphsComponents, within.members(g.input().given("connection", string(connection))))
}

// SubgraphOptions of Graph.Subgraph.
type SubgraphOptions struct {
	Keys       []string // these nodes, or
	Filter     any      // those that match
	EdgeTypes  []string
	EdgeFilter any
	Limit      int // of nodes and of edges, each; default 10000
}

// Subgraph is some nodes and the edges between them.
type Subgraph struct {
	Nodes     []Node `json:"nodes"` // by key
	Edges     []Edge `json:"edges"` // by source's key, type, target's key
	Truncated bool   `json:"truncated"`
}

// Subgraph is some nodes, or all, and the edges between them. ErrNotFound: one of the keys; ErrInvalid: keys and a filter.
func (g Graph) Subgraph(ctx context.Context, options *SubgraphOptions) (Subgraph, error) {
	in := g.input()
	if options != nil {
		if options.Keys != nil {
			in.texts("keys", options.Keys)
		}
		in.value("filter", options.Filter)
		(&Within{EdgeTypes: options.EdgeTypes, EdgeFilter: options.EdgeFilter}).members(in).positive("limit", options.Limit)
	}
	return do[Subgraph](ctx, g.Nodes.r, graphsSubgraph, in)
}

// DegreeOptions of Graph.Degrees; nil is the default.
type DegreeOptions struct {
	Keys       []string // of these; nil: of all
	Direction  Direction
	EdgeTypes  []string
	EdgeFilter any
	Order      DegreeOrder
	Limit      int
}

// DegreeOrder is the order of Graph.Degrees. The zero value: as DegreeOptions.Keys, or by key.
type DegreeOrder string

// The orders by degree, then by key.
const (
	HighestFirst DegreeOrder = "highest"
	LowestFirst  DegreeOrder = "lowest"
)

// Degrees are numbers of edges.
type Degrees struct {
	Keys    []string `json:"keys"`
	Degrees []int    `json:"degrees"`
}

// Degrees counts the edges of nodes. A self-loop counts twice in an undirected graph and with Both. ErrNotFound: one of the keys.
func (g Graph) Degrees(ctx context.Context, options *DegreeOptions) (Degrees, error) {
	in := g.input()
	if options != nil {
		if options.Keys != nil {
			in.texts("keys", options.Keys)
		}
		along(in, options.Direction, options.EdgeTypes, options.EdgeFilter, nil).positive("limit", options.Limit)
		if options.Order != "" {
			highest := options.Order == HighestFirst
			if !highest && options.Order != LowestFirst {
				in.fail(failf(ErrInvalid, "%q is no order of degrees", options.Order))
			}
			in.boolean("descending", &highest)
		}
	}
	return do[Degrees](ctx, g.Nodes.r, graphsDegrees, in)
}

// PageRankOptions of Graph.PageRank; nil is the default.
type PageRankOptions struct {
	Damping         float64 // default 0.85
	Tolerance       float64 // default 1e-6, a node
	MaxIterations   int     // default 100
	Weight          string  // path of an edge attribute; empty: every edge weighs 1
	DefaultWeight   *float64
	Personalization map[string]float64 // where jumps lead, by key; nil: to all nodes alike
	EdgeTypes       []string
	EdgeFilter      any
	Limit           int // the best so many; 0: all
}

// Ranks are nodes by rank.
type Ranks struct {
	Keys       []string  `json:"keys"` // the highest first, then byte by byte
	Scores     []float64 `json:"scores"`
	Iterations int       `json:"iterations"`
	Converged  bool      `json:"converged"`
}

// PageRank ranks nodes by the edges that lead to them (Page, Brin, Motwani, Winograd 1999), as NetworkX does: a node from which nothing
// leads gives its score to all nodes as jumps do, and it has converged when the sum of the changes is less than the tolerance times the
// number of nodes. Parallel edges add up. Weights and errors as in ShortestPath.
func (g Graph) PageRank(ctx context.Context, options *PageRankOptions) (Ranks, error) {
	in := g.input()
	if options != nil {
		if options.Damping != 0 {
			in.value("damping", options.Damping)
		}
		if options.Tolerance != 0 {
			in.value("tolerance", options.Tolerance)
		}
		in.positive("max_iterations", options.MaxIterations).given("weight", options.Weight).float("default_weight", options.DefaultWeight)
		if options.Personalization != nil {
			in.value("personalization", options.Personalization)
		}
		(&Within{EdgeTypes: options.EdgeTypes, EdgeFilter: options.EdgeFilter}).members(in).positive("limit", options.Limit)
	}
	return do[Ranks](ctx, g.Nodes.r, graphsPageRank, in)
}
