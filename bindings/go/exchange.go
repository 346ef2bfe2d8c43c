package brant

import (
	"context"
	"encoding/json"
	"io"
)

// Format is a way to write a graph. What a library has no place for travels in attributes named "@type", "@metadata" and "@key", which an
// import takes back: a round trip changes nothing but the order.
type Format string

// The formats. Export knows all; Import all but the last three.
const (
	Graphology Format = "graphology" // graphology's serialised form
	NodeLink   Format = "node_link"  // NetworkX's node-link data
	NDJSON     Format = "ndjson"     // a node or edge a line: {"node": {"key", ..}}, {"edge": {"source", "target", ..}}
	CSV        Format = "csv"        // nodes or edges
	OTLP       Format = "otlp"       // OpenTelemetry JSON traces, a graph of type "call"
	Memory     Format = "memory"     // the reference MCP memory server's JSON lines, a graph of type "memory"
	GraphML    Format = "graphml"
	DOT        Format = "dot"
	Mermaid    Format = "mermaid"
)

// ExportOptions of Graph.Export; nil is the default, which is enough but for CSV.
type ExportOptions struct {
	Part       string // CSV: "nodes" or "edges"
	EdgesName  string // NodeLink: "edges" (default) or "links"
	Filter     any    // only nodes that match, and the edges between them
	EdgeFilter any
}

// Export writes a graph to w as of one moment, page by page in bounded memory: outside a transaction in a View of its own. What w fails
// with is returned as it is. ErrConstraint: the format cannot carry something, and the message names it; nothing is left out silently.
func (g Graph) Export(ctx context.Context, w io.Writer, format Format, options *ExportOptions) error {
	write := func(r runner) error {
		cursor := ""
		for {
			in := g.input().text("format", string(format)).given("cursor", cursor)
			if options != nil {
				in.given("part", options.Part).given("edges", options.EdgesName)
				in.value("filter", options.Filter).value("edge_filter", options.EdgeFilter)
			}
			page, err := do[struct {
				Text   string `json:"text"`
				Cursor string `json:"cursor"`
			}](ctx, r, graphsExport, in)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, page.Text); err != nil {
				return err
			}
			if page.Cursor == "" {
				return nil
			}
			cursor = page.Cursor
		}
	}
	if db, ok := g.Nodes.r.(*DB); ok {
		return db.snapshot(ctx, func(tx *Tx) error { return write(tx) })
	}
	return write(g.Nodes.r)
}

// ImportOptions of Graph.Import and ImportFile; nil is the default.
type ImportOptions struct {
	Part     string         // CSV: "nodes" or "edges"
	Create   bool           // make the graph where there is none, untyped and of the document's kind
	NodeType string         // of nodes that have none
	EdgeType string         // of edges that have none
	Insert   bool           // what exists is a fault; else it is replaced
	Skip     bool           // leave items at fault out and report them; else the first ends it
	Batch    int            // ImportFile: items of one transaction, default 10000
	Resume   bool           // ImportFile: go on where an import of the same file stopped
	Progress func(Imported) // ImportFile: after each batch
}

func (o *ImportOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	in.given("part", o.Part).flag("create", o.Create).given("node_type", o.NodeType).given("edge_type", o.EdgeType).positive("batch", o.Batch)
	if o.Insert {
		in.text("mode", "insert")
	}
	if o.Skip {
		in.text("errors", "skip")
	}
	return in
}

// Imported is how far an import got.
type Imported struct {
	Done       bool        `json:"done"`
	Nodes      int64       `json:"nodes"` // these are of the whole import, also before it was resumed
	Edges      int64       `json:"edges"`
	Failed     int64       `json:"failed"`
	Items      []ItemFault `json:"items"` // the first 100 of this call
	Bytes      int64       `json:"bytes"` // so many were read,
	TotalBytes int64       `json:"total_bytes"`
}

// Import reads a graph from a text in one transaction, all or nothing. Arrays of a document may come in any order.
//
// ErrNotFound: there is no graph, and Create is not set; ErrInvalidJSON: not the format; ErrConstraint: a document of a kind that the graph
// is not (undirected edges, a multigraph); of an item at fault the code is the item's, and the error's Items say which.
func (g Graph) Import(ctx context.Context, format Format, text string, options *ImportOptions) (Imported, error) {
	return do[Imported](ctx, g.Nodes.r, graphsImport, options.members(g.input().text("format", string(format)).text("text", text)))
}

// ImportFile reads a graph from a file of any size in bounded memory, batch by batch, each in a transaction of its own, so that other
// writes come in between: with Resume it goes on after the last one, also after a crash or the end of ctx; without, it begins anew. In a Tx
// all is in that one. On failure the answer is how far it got. Errors as for Import; ErrNotFound too: no such file; ErrConflict: the file to resume is not the same any more.
func (g Graph) ImportFile(ctx context.Context, format Format, path string, options *ImportOptions) (Imported, error) {
	resume := options != nil && options.Resume
	var last Imported
	for {
		// One batch a call: other writes come in between.
		in := options.members(g.input().text("format", string(format)).text("path", path)).flag("resume", resume).integer("max_batches", 1)
		answer, err := do[Imported](ctx, g.Nodes.r, graphsImport, in)
		if err != nil {
			return last, err
		}
		answer.Items = append(last.Items, answer.Items[:min(len(answer.Items), shownFailures-len(last.Items))]...)
		last = answer
		if options != nil && options.Progress != nil {
			options.Progress(last)
		}
		if last.Done {
			return last, nil
		}
		resume = true
	}
}

// ArrayOptions of Graph.Arrays; nil is the default.
type ArrayOptions struct {
	EdgeTypes  []string
	EdgeFilter any
	Attributes bool   // with the attributes of nodes and edges
	Weight     string // path of an edge attribute, as an array of numbers
}

// Arrays are a graph as arrays of indexes, for libraries that have structures of their own. What is nil is not there.
type Arrays struct {
	Directed       *bool             `json:"directed"` // nil: mixed
	Multi          bool              `json:"multi"`
	NodeTypes      []string          `json:"node_types,omitzero"` // in typed graphs
	EdgeTypes      []string          `json:"edge_types,omitzero"`
	Keys           []string          `json:"keys"`           // of the nodes, byte by byte
	Types          []int             `json:"types,omitzero"` // of each node: index in NodeTypes
	NodeAttributes []json.RawMessage `json:"node_attributes,omitzero"`
	Sources        []int             `json:"sources"` // of each edge: index in Keys
	Targets        []int             `json:"targets"`
	EdgeTypeOf     []int             `json:"edge_type_of,omitzero"` // of each edge: index in EdgeTypes
	Undirected     []bool            `json:"undirected,omitzero"`   // of each edge, in mixed graphs
	EdgeKeys       []*string         `json:"edge_keys,omitzero"`    // where some edge has a key of its own; nil: its key is made of ends and type
	Weights        []float64         `json:"weights,omitzero"`
	EdgeAttributes []json.RawMessage `json:"edge_attributes,omitzero"`
}

// Arrays are the nodes and edges as arrays: nodes by key; edges by source, type and target, as indexes, then in the order in which they were
// made. ErrConstraint: an edge has no number at Weight; ErrLimit: it would take more than 1 GiB.
func (g Graph) Arrays(ctx context.Context, options *ArrayOptions) (Arrays, error) {
	in := g.input()
	if options != nil {
		(&Within{EdgeTypes: options.EdgeTypes, EdgeFilter: options.EdgeFilter}).members(in)
		in.flag("attributes", options.Attributes).given("weight", options.Weight)
	}
	return do[Arrays](ctx, g.Nodes.r, graphsArrays, in)
}
