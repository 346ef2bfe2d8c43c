package brant

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
)

// Graphs are the graphs of the file: DB.Graphs, Tx.Graphs.
type Graphs struct{ r runner }

// Graph is one graph, by name: DB.Graph, Tx.Graph.
type Graph struct {
	Name  string
	Nodes Nodes
	Edges Edges
}

// Info describes the graph: Graphs.Get. ErrNotFound.
func (g Graph) Info(ctx context.Context) (GraphInfo, error) {
	return Graphs{g.Nodes.r}.Get(ctx, g.Name)
}

// Status of a graph.
type Status string

// The states of a graph.
const (
	StatusDraft    Status = "draft"
	StatusActive   Status = "active" // the default
	StatusArchived Status = "archived"
	StatusDeleted  Status = "deleted" // by Graphs.Delete only
)

// GraphInfo describes a graph.
type GraphInfo struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	GraphType string          `json:"graph_type"`
	OwnerID   string          `json:"owner_id"`   // empty: none
	ProjectID string          `json:"project_id"` // empty: none
	Status    Status          `json:"status"`
	Metadata  json.RawMessage `json:"metadata"`
	Nodes     int64           `json:"nodes"`
	Edges     int64           `json:"edges"`
	Changes   bool            `json:"changes"` // there is a change log that goes on: Graph.Changes
	CreatedAt Timestamp       `json:"created_at"`
	UpdatedAt Timestamp       `json:"updated_at"`
}

// MarshalJSON writes it as the core does: no owner and no project are null.
func (g GraphInfo) MarshalJSON() ([]byte, error) {
	type plain GraphInfo
	return json.Marshal(struct {
		plain
		OwnerID   *string `json:"owner_id"`
		ProjectID *string `json:"project_id"`
	}{plain(g), nullable(g.OwnerID), nullable(g.ProjectID)})
}

// NewGraph is a graph to be made.
type NewGraph struct {
	Name      string
	GraphType string // default "open": no types, any attributes
	OwnerID   string
	ProjectID string
	Status    Status
	Metadata  any
	Changes   bool // begin a change log: Graph.Changes
}

// Create makes a graph. ErrExists: the name is taken; ErrNotFound: no such graph type.
func (g Graphs) Create(ctx context.Context, graph NewGraph) (GraphInfo, error) {
	in := newInput().text("name", graph.Name).text("graph_type", cmp.Or(graph.GraphType, "open"))
	in.given("owner_id", graph.OwnerID).given("project_id", graph.ProjectID).given("status", string(graph.Status))
	in.flag("changes", graph.Changes)
	return do[GraphInfo](ctx, g.r, graphsCreate, in.value("metadata", graph.Metadata))
}

// Get describes a graph, also one that is marked deleted. ErrNotFound.
func (g Graphs) Get(ctx context.Context, name string) (GraphInfo, error) {
	return do[GraphInfo](ctx, g.r, graphsGet, newInput().text("name", name))
}

// GraphListOptions of Graphs.List; nil is the default.
type GraphListOptions struct {
	GraphType string // only of this type
	Status    Status // only of this status; empty: of every status but StatusDeleted
	Limit     int    // 1..10000, default 100
	Cursor    string // that of the page before
}

// List is a page of graphs, by name.
func (g Graphs) List(ctx context.Context, options *GraphListOptions) (Page[GraphInfo], error) {
	in := newInput()
	if options != nil {
		in.positive("limit", options.Limit).given("cursor", options.Cursor)
		in.given("graph_type", options.GraphType).given("status", string(options.Status))
	}
	return do[Page[GraphInfo]](ctx, g.r, graphsList, in)
}

// All goes through the graphs, by name. An error is the last thing it yields.
func (g Graphs) All(ctx context.Context, options *GraphListOptions) iter.Seq2[GraphInfo, error] {
	var o GraphListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[GraphInfo], error) {
		o.Limit, o.Cursor = limit, cursor
		return g.List(ctx, &o)
	})
}

// GraphChange says what to replace; nil members are left as they are. A pointer to an empty text takes owner or project away.
type GraphChange struct {
	OwnerID   *string
	ProjectID *string
	Status    Status
	Metadata  any
	Changes   *bool // begin or end the change log: Graph.Changes
}

// Update replaces what is given. Writes to an archived graph's nodes and edges are ErrConstraint. A status brings back a graph that is
// marked deleted.
func (g Graphs) Update(ctx context.Context, name string, change GraphChange) (GraphInfo, error) {
	in := newInput().text("name", name)
	for member, id := range map[string]*string{"owner_id": change.OwnerID, "project_id": change.ProjectID} {
		if id != nil && *id == "" {
			in.value(member, json.RawMessage("null"))
		} else if id != nil {
			in.text(member, *id)
		}
	}
	in.given("status", string(change.Status)).value("metadata", change.Metadata).boolean("changes", change.Changes)
	return do[GraphInfo](ctx, g.r, graphsUpdate, in)
}

// Purged is what is in a graph that was deleted.
type Purged struct {
	Deleted bool  `json:"deleted"`
	Nodes   int64 `json:"nodes"`
	Edges   int64 `json:"edges"`
}

// Delete marks a graph deleted. Then it is ErrNotFound for every method but Get, List with StatusDeleted, Update with a status, which
// brings it back, Purge and DB.Erase. Its name stays taken until Purge, which retention may do too (GraphTypes.SetRetention).
func (g Graphs) Delete(ctx context.Context, name string) (Purged, error) {
	return do[Purged](ctx, g.r, graphsDelete, newInput().text("name", name))
}
