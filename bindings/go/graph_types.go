package brant

import (
	"context"
	"encoding/json"
	"iter"
)

// GraphTypes are the classes of graphs: DB.GraphTypes, Tx.GraphTypes.
type GraphTypes struct{ r runner }

// Scope says who may change a graph type.
type Scope string

// The scopes of graph types.
const (
	ScopeUser   Scope = "user" // the default
	ScopeTenant Scope = "tenant"
	ScopeSystem Scope = "system" // only a DB opened with Options.System changes it
)

// GraphConfig is what a graph type allows.
type GraphConfig struct {
	Directed       string `json:"directed"` // "directed", "undirected", "mixed"
	Multi          bool   `json:"multi"`
	AllowSelfLoops bool   `json:"allow_self_loops"`
	Acyclic        bool   `json:"acyclic"`
	MaxNodes       *int64 `json:"max_nodes"` // nil: no bound
	MaxEdges       *int64 `json:"max_edges"`
}

// EdgeType is a type of edges; nil sources or targets: any node type.
type EdgeType struct {
	Name   string   `json:"name"`
	Source []string `json:"source"`
	Target []string `json:"target"`
}

// GraphType is a class of graphs.
type GraphType struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Scope     Scope           `json:"scope"`
	Version   int64           `json:"version"`
	Config    GraphConfig     `json:"config"`
	NodeTypes []string        `json:"node_types"`
	EdgeTypes []EdgeType      `json:"edge_types"`
	Metadata  json.RawMessage `json:"metadata"`
	CreatedAt Timestamp       `json:"created_at"`
	UpdatedAt Timestamp       `json:"updated_at"`
	Module    json.RawMessage `json:"module,omitempty"`    // only from Get
	Retention json.RawMessage `json:"retention,omitempty"` // only from Get: what SetRetention set, or null
	Warnings  []Warning       `json:"warnings,omitzero"`   // only from Define and Update: what works, and is probably not meant so
}

// DefineOptions of GraphTypes.Define; nil is the default.
type DefineOptions struct {
	Name     string // default: the module's $id
	Scope    Scope
	Version  int64 // from 1
	Metadata any
}

// Define makes a graph type of a module: {"$id": name, "$defs": {"Config": .., "<Name>Node": schema, "<Name>Edge": schema,
// "<Name>EdgeConstraints": ..}}. Types of nodes and edges are named as their entries without the suffix. Defining the same module again
// under the same name and version returns the stored one.
//
// ErrValidation: the module cannot work; the violations have the JSON pointer. ErrExists: another module has the name. ErrDenied: the
// scope is system, and the database was not opened so.
func (g GraphTypes) Define(ctx context.Context, module any, options *DefineOptions) (GraphType, error) {
	in := newInput().value("module", module)
	if options != nil {
		in.given("name", options.Name).given("scope", string(options.Scope)).positive("version", int(options.Version))
		in.value("metadata", options.Metadata)
	}
	return do[GraphType](ctx, g.r, graphTypesDefine, in)
}

// Get is a graph type with its module. ErrNotFound.
func (g GraphTypes) Get(ctx context.Context, name string) (GraphType, error) {
	return do[GraphType](ctx, g.r, graphTypesGet, newInput().text("name", name))
}

// ListOptions of lists without a filter; nil is the default.
type ListOptions struct {
	Limit  int    // 1..10000, default 100
	Cursor string // that of the page before
}

// List is a page of graph types, by name.
func (g GraphTypes) List(ctx context.Context, options *ListOptions) (Page[GraphType], error) {
	in := newInput()
	if options != nil {
		in.positive("limit", options.Limit).given("cursor", options.Cursor)
	}
	return do[Page[GraphType]](ctx, g.r, graphTypesList, in)
}

// All goes through all graph types, by name. An error is the last thing it yields.
func (g GraphTypes) All(ctx context.Context) iter.Seq2[GraphType, error] {
	return all(func(limit int, cursor string) (Page[GraphType], error) {
		return g.List(ctx, &ListOptions{Limit: limit, Cursor: cursor})
	})
}

// Delete deletes a graph type. ErrConstraint: graphs use it; ErrDenied: it is built in, or of scope system.
func (g GraphTypes) Delete(ctx context.Context, name string) error {
	_, err := do[struct{}](ctx, g.r, graphTypesDelete, newInput().text("name", name))
	return err
}

// Validity is what a validation found.
type Validity struct {
	Valid      bool        `json:"valid"`
	Violations []Violation `json:"violations"` // at most 100
}

// ValidateNode checks attributes against a node type, without writing. ErrNotFound: no such graph type or type.
func (g GraphTypes) ValidateNode(ctx context.Context, graphType, nodeType string, attributes any) (Validity, error) {
	in := newInput().text("graph_type", graphType).text("type", nodeType)
	return do[Validity](ctx, g.r, graphTypesValidateNode, in.anyValue("attributes", attributes))
}

// EdgeEnds are types of nodes; empty: not checked.
type EdgeEnds struct{ SourceType, TargetType string }

// ValidateEdge checks attributes against an edge type, and whether it may join nodes of the given types, without writing.
func (g GraphTypes) ValidateEdge(ctx context.Context, graphType, edgeType string, attributes any, ends *EdgeEnds) (Validity, error) {
	in := newInput().text("graph_type", graphType).text("type", edgeType).anyValue("attributes", attributes)
	if ends != nil {
		in.given("source_type", ends.SourceType).given("target_type", ends.TargetType)
	}
	return do[Validity](ctx, g.r, graphTypesValidateEdge, in)
}
