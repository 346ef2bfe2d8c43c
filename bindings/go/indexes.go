package brant

import "context"

// Indexes are the indexes over attributes: DB.Indexes, Tx.Indexes.
type Indexes struct{ r runner }

// IndexKind says what an index is for.
type IndexKind string

// The kinds of indexes.
const (
	ValueIndex IndexKind = "value" // filters and orders; the default
	TextIndex  IndexKind = "text"  // Nodes.Search, Edges.Search
)

// NewIndex is an index to be made, of one type of nodes or edges.
type NewIndex struct {
	GraphType string
	NodeType  string    // this, or
	EdgeType  string    // this; in an untyped graph type neither, but
	Of        string    // "nodes" or "edges"
	Kind      IndexKind // default ValueIndex
	Paths     []string  // "attributes.status", 1 to 8
	Name      string    // default: made of the rest
}

// Index is an index over attributes.
type Index struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	GraphType string    `json:"graph_type"`
	NodeType  *string   `json:"node_type"`
	EdgeType  *string   `json:"edge_type"`
	Of        string    `json:"of"` // "nodes" or "edges"
	Kind      IndexKind `json:"kind"`
	Paths     []string  `json:"paths"`
	CreatedAt Timestamp `json:"created_at"`
}

// Create makes an index, at once and for all graphs of the type, or returns the same one that is there. Filters and orders use it where
// the type is given, or is the only one. ErrExists: another has the name; ErrNotFound: no such graph type; ErrInvalid: no such type, or a
// bad path.
func (x Indexes) Create(ctx context.Context, index NewIndex) (Index, error) {
	in := newInput().text("graph_type", index.GraphType).given("node_type", index.NodeType).given("edge_type", index.EdgeType)
	in.given("of", index.Of).given("kind", string(index.Kind)).texts("paths", index.Paths).given("name", index.Name)
	return do[Index](ctx, x.r, indexesCreate, in)
}

// List is all indexes by name, or those of a graph type where it is not empty.
func (x Indexes) List(ctx context.Context, graphType string) ([]Index, error) {
	answer, err := do[struct {
		Items []Index `json:"items"`
	}](ctx, x.r, indexesList, newInput().given("graph_type", graphType))
	return answer.Items, err
}

// Delete deletes an index. ErrNotFound.
func (x Indexes) Delete(ctx context.Context, name string) error {
	_, err := do[struct{}](ctx, x.r, indexesDelete, newInput().text("name", name))
	return err
}
