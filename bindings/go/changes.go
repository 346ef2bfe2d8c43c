package brant

import (
	"context"
	"encoding/json"
)

// Change is what a write did to a node or edge of a graph with a change log. Its JSON is the payload of an event of Graph.ChangeStream.
type Change struct {
	Op         string          `json:"op"`   // "put", "delete"; "begin" and "end" of the log
	Kind       string          `json:"kind"` // "node", "edge"; "graph"
	Key        string          `json:"key"`
	Type       *string         `json:"type,omitempty"` // nil in untyped graphs
	Source     string          `json:"source,omitempty"`
	Target     string          `json:"target,omitempty"`
	Undirected *bool           `json:"undirected,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"` // nil: {}
	Revision   int64           `json:"revision,omitzero"`
	Snapshot   bool            `json:"snapshot,omitzero"` // it was there when the log began
	Before     json.RawMessage `json:"before,omitempty"`  // {type, attributes, metadata, revision}; nil: the row is new
}

// Changes is a part of the change log that NewGraph.Changes or GraphChange.Changes begins, with a Change in each event. after is Next of the
// part before, or 0; limit 0 is 1000. ErrConflict: the graph never had a log.
func (g Graph) Changes(ctx context.Context, after int64, limit int) (Events, error) {
	in := newInput().text("graph", g.Name).positive("after", int(after)).positive("limit", limit)
	return do[Events](ctx, g.Nodes.r, graphsChanges, in)
}

// ChangeStream is the stream that the change log is, to be subscribed to and configured.
func (g Graph) ChangeStream(ctx context.Context) (Stream, error) {
	info, err := g.Info(ctx)
	return Stream{"changes:" + info.ID, g.Nodes.r}, err
}

// KeyDifference is what became of nodes, or of edges.
type KeyDifference struct {
	Created []string `json:"created"`
	Updated []string `json:"updated"`
	Deleted []string `json:"deleted"`
}

// GraphDifference is what is different in a graph between two moments.
type GraphDifference struct {
	From      int64         `json:"from"` // offsets of the change log
	To        int64         `json:"to"`
	Nodes     KeyDifference `json:"nodes"`
	Edges     KeyDifference `json:"edges"`
	Truncated bool          `json:"truncated"`
}

// DiffOptions of Graph.Diff; nil is the default.
type DiffOptions struct {
	To    Position // default: now
	Limit int      // keys in all, 1..1000000, default 10000
}

// Diff says what is different from what was at an offset of the change log, or a time: FromOffset, FromTime. What came and went is not
// listed. ErrConflict: the log does not say how the graph was then.
func (g Graph) Diff(ctx context.Context, from Position, options *DiffOptions) (GraphDifference, error) {
	in := newInput().text("graph", g.Name).position("from", from)
	if options != nil {
		in.position("to", options.To).positive("limit", options.Limit)
	}
	return do[GraphDifference](ctx, g.Nodes.r, graphsDiff, in)
}

// Replayed is what Replay made.
type Replayed struct {
	Graph  string `json:"graph"`
	Offset int64  `json:"offset"`
	Nodes  int64  `json:"nodes"`
	Edges  int64  `json:"edges"`
}

// Replay makes a new graph of what this one was at an offset of its change log, or a time: FromOffset, FromTime; of the graph type that is
// given, or of the same when that is empty. ErrConflict: the log does not say how it was; ErrExists: there is one of that name.
func (g Graph) Replay(ctx context.Context, to Position, into, graphType string) (Replayed, error) {
	in := newInput().text("graph", g.Name).position("to", to).text("into", into).given("graph_type", graphType)
	return do[Replayed](ctx, g.Nodes.r, graphsReplay, in)
}
