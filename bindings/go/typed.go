package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// TypedNodes are the nodes of one type in one graph, with attributes of the Go type T: see NodesOf.
type TypedNodes[T any] struct{ typedItems }

// TypedEdges are the edges of one type in one graph, with attributes of the Go type T: see EdgesOf.
type TypedEdges[T any] struct{ typedItems }

// NodesOf are the nodes of a type, by the operations of the type (GraphTypes.Operations). The key of a node of another type is ErrNotFound,
// and so is a type that the graph type does not have; a graph of another graph type is ErrInvalid. T is anything that encoding/json reads and
// writes as the attributes, a struct mostly. Attributes are part of the operation's input here: where Insert or Put refuses them it is ErrInvalid
// with Violations; Patch, which judges the result, has ErrValidation, as Nodes.Put and Nodes.Patch have.
//
//	tasks := brant.NodesOf[Task](db.Graph("plan"), "tasks", "Task")
//	_, err := tasks.Insert(ctx, "paint", Task{Title: "paint the wall"})
//	task, err := tasks.Get(ctx, "paint") // task.Attributes.Title
func NodesOf[T any](graph Graph, graphType, nodeType string) TypedNodes[T] {
	return TypedNodes[T]{typedItems{graph, typed + graphType + "." + nodeType + "."}}
}

// EdgesOf are the edges of a type, as NodesOf are nodes. An edge type that shares its name with a node type is named with "Edge" behind it.
func EdgesOf[T any](graph Graph, graphType, edgeType string) TypedEdges[T] {
	return TypedEdges[T]{typedItems{graph, typed + graphType + "." + edgeType + "."}}
}

// TypedNode is a stored node with its attributes decoded.
type TypedNode[T any] struct {
	Node
	Attributes T
}

// TypedEdge is a stored edge with its attributes decoded.
type TypedEdge[T any] struct {
	Edge
	Attributes T
}

// PutOptions of TypedNodes.Put and Insert.
type PutOptions struct {
	Metadata any    // default: what is stored, or {}
	Revision *int64 // that must be stored: see Revision; not for Insert
}

func (in *input) putOptions(options []PutOptions) *input {
	for _, option := range options {
		in.value("metadata", option.Metadata).revision(option.Revision)
	}
	return in
}

// EdgePutOptions of TypedEdges.Put and Insert.
type EdgePutOptions struct {
	Key        string // see Edges.Put
	Undirected *bool  // in mixed graphs: this edge goes both ways
	Metadata   any    // default: what is stored, or {}
	Revision   *int64 // that must be stored: see Revision; not for Insert
}

func (in *input) edgePutOptions(options []EdgePutOptions) *input {
	for _, option := range options {
		in.given("key", option.Key).boolean("undirected", option.Undirected).value("metadata", option.Metadata).revision(option.Revision)
	}
	return in
}

// typedItems is what both have.
type typedItems struct {
	graph Graph
	names string // begins the operations' names
}

func (t typedItems) operation(verb string) (runner, *operation) {
	op, _ := byName(t.names + verb) // it fails for names of the registry only
	return t.graph.Nodes.r, op
}

func runTyped[A any](ctx context.Context, t typedItems, verb string, in *input) (A, error) {
	r, op := t.operation(verb)
	return do[A](ctx, r, op, in)
}

func (t typedItems) count(ctx context.Context, filter any) (int64, error) {
	answer, err := runTyped[counted](ctx, t, "count", t.graph.input().value("filter", filter))
	return answer.Count, err
}

func (t typedItems) patch(ctx context.Context, patch Patch) (Patched, error) {
	return runTyped[Patched](ctx, t, "patch", patch.members(t.graph.input()))
}

func attributesOf[T any](text json.RawMessage) (attributes T, err error) {
	if err := json.Unmarshal(text, &attributes); err != nil {
		return attributes, &Error{Code: ErrInvalid, Message: "the attributes do not fit: " + err.Error(), Detail: noDetail, cause: err}
	}
	return attributes, nil
}

func typedNode[T any](node Node) (TypedNode[T], error) {
	attributes, err := attributesOf[T](node.Attributes)
	return TypedNode[T]{node, attributes}, err
}

func typedEdge[T any](edge Edge) (TypedEdge[T], error) {
	attributes, err := attributesOf[T](edge.Attributes)
	return TypedEdge[T]{edge, attributes}, err
}

func typedPage[From, To any](page Page[From], err error, decode func(From) (To, error)) (Page[To], error) {
	if err != nil {
		return Page[To]{}, err
	}
	decoded := Page[To]{Items: make([]To, 0, len(page.Items)), Cursor: page.Cursor}
	for _, item := range page.Items {
		one, err := decode(item)
		if err != nil {
			return Page[To]{}, err
		}
		decoded.Items = append(decoded.Items, one)
	}
	return decoded, nil
}

// Insert inserts a node. Errors as for Nodes.Insert.
func (t TypedNodes[T]) Insert(ctx context.Context, key string, attributes T, options ...PutOptions) (Put, error) {
	return runTyped[Put](ctx, t.typedItems, "insert", t.graph.input().text("key", key).anyValue("attributes", attributes).putOptions(options))
}

// Put inserts a node, or replaces the attributes of a stored one. Errors as for Nodes.Put.
func (t TypedNodes[T]) Put(ctx context.Context, key string, attributes T, options ...PutOptions) (Put, error) {
	return runTyped[Put](ctx, t.typedItems, "put", t.graph.input().text("key", key).anyValue("attributes", attributes).putOptions(options))
}

// Get is a node. ErrNotFound.
func (t TypedNodes[T]) Get(ctx context.Context, key string) (TypedNode[T], error) {
	node, err := runTyped[Node](ctx, t.typedItems, "get", t.graph.input().text("key", key))
	if err != nil {
		return TypedNode[T]{}, err
	}
	return typedNode[T](node)
}

// Patch changes members of a node's attributes. Errors as for Nodes.Patch.
func (t TypedNodes[T]) Patch(ctx context.Context, patch Patch) (Patched, error) {
	return t.patch(ctx, patch)
}

// Delete deletes a node. Errors as for Nodes.Delete.
func (t TypedNodes[T]) Delete(ctx context.Context, key string, options *DeleteOptions) (edges int64, err error) {
	answer, err := runTyped[deletedNode](ctx, t.typedItems, "delete", options.members(t.graph.input().text("key", key)))
	return answer.Edges, err
}

// Count counts those that match a filter; nil: all.
func (t TypedNodes[T]) Count(ctx context.Context, filter any) (int64, error) {
	return t.count(ctx, filter)
}

// Find is a page of the nodes that match, as Nodes.List has them; options have no type.
func (t TypedNodes[T]) Find(ctx context.Context, options *NodeListOptions) (Page[TypedNode[T]], error) {
	page, err := runTyped[Page[Node]](ctx, t.typedItems, "find", options.members(t.graph.input()))
	return typedPage(page, err, typedNode[T])
}

// All goes through the nodes that match, page by page, as Nodes.All does.
func (t TypedNodes[T]) All(ctx context.Context, options *NodeListOptions) iter.Seq2[TypedNode[T], error] {
	var o NodeListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[TypedNode[T]], error) {
		o.Limit, o.Cursor = limit, cursor
		return t.Find(ctx, &o)
	})
}

// Insert inserts an edge. Errors as for Edges.Insert.
func (t TypedEdges[T]) Insert(ctx context.Context, source, target string, attributes T, options ...EdgePutOptions) (Put, error) {
	return t.put(ctx, "insert", source, target, attributes, options)
}

// Put inserts an edge, or replaces the attributes of a stored one. Errors as for Edges.Put.
func (t TypedEdges[T]) Put(ctx context.Context, source, target string, attributes T, options ...EdgePutOptions) (Put, error) {
	return t.put(ctx, "put", source, target, attributes, options)
}

func (t TypedEdges[T]) put(ctx context.Context, verb, source, target string, attributes T, options []EdgePutOptions) (Put, error) {
	in := t.graph.input().text("source", source).text("target", target).anyValue("attributes", attributes)
	return runTyped[Put](ctx, t.typedItems, verb, in.edgePutOptions(options))
}

// Get is an edge. ErrNotFound.
func (t TypedEdges[T]) Get(ctx context.Context, key string) (TypedEdge[T], error) {
	edge, err := runTyped[Edge](ctx, t.typedItems, "get", t.graph.input().text("key", key))
	if err != nil {
		return TypedEdge[T]{}, err
	}
	return typedEdge[T](edge)
}

// Patch changes members of an edge's attributes. Errors as for Edges.Patch.
func (t TypedEdges[T]) Patch(ctx context.Context, patch Patch) (Patched, error) {
	return t.patch(ctx, patch)
}

// Delete deletes an edge. revision is that which must be stored, or nil. ErrNotFound; ErrConflict: another revision.
func (t TypedEdges[T]) Delete(ctx context.Context, key string, revision *int64) error {
	_, err := runTyped[struct{}](ctx, t.typedItems, "delete", t.graph.input().text("key", key).revision(revision))
	return err
}

// Count counts those that match a filter; nil: all.
func (t TypedEdges[T]) Count(ctx context.Context, filter any) (int64, error) {
	return t.count(ctx, filter)
}

// Find is a page of the edges that match, as Edges.List has them; options have no type.
func (t TypedEdges[T]) Find(ctx context.Context, options *EdgeListOptions) (Page[TypedEdge[T]], error) {
	page, err := runTyped[Page[Edge]](ctx, t.typedItems, "find", options.members(t.graph.input()))
	return typedPage(page, err, typedEdge[T])
}

// All goes through the edges that match, page by page, as Edges.All does.
func (t TypedEdges[T]) All(ctx context.Context, options *EdgeListOptions) iter.Seq2[TypedEdge[T], error] {
	var o EdgeListOptions
	if options != nil {
		o = *options
	}
	return all(func(limit int, cursor string) (Page[TypedEdge[T]], error) {
		o.Limit, o.Cursor = limit, cursor
		return t.Find(ctx, &o)
	})
}
