package brant

import (
	"context"
	"encoding/json"
	"io"
)

// Format is a way to write a graph.
type Format string

// The formats. Export knows all but OTLP; Import all but the last three.
const (
	Graphology Format = "graphology" // graphology's serialised form
	NodeLink   Format = "node_link"  // NetworkX's node-link data
	NDJSON     Format = "ndjson"     // a node or edge a line
	CSV        Format = "csv"        // nodes or edges
	OTLP       Format = "otlp"       // OpenTelemetry JSON traces, into a graph of type "call"
	GraphML    Format = "graphml"
	DOT        Format = "dot"
	Mermaid    Format = "mermaid"
)

// ExportOptions of Graph.Export; nil is the default.
type ExportOptions struct {
	Part       string // CSV: "nodes" or "edges"
	EdgesName  string // NodeLink: "edges" (default) or "links"
	Filter     any    // only nodes that match, and the edges between them
	EdgeFilter any
}

// Export writes a graph to w as of one moment, page by page in bounded memory.
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
		return db.View(ctx, func(tx *Tx) error { return write(tx) })
	}
	return write(g.Nodes.r)
}

// ImportOptions of Graph.Import and ImportFile; nil is the default.
type ImportOptions struct {
	Part     string // CSV: "nodes" or "edges"
	NodeType string // of nodes that have none
	EdgeType string
	Insert   bool // what exists is a fault; else it is replaced
	Skip     bool // report faults and go on; else stop
	Batch    int  // items of one transaction, default 10000
	Resume   bool // go on where an import of the same file stopped
	Progress func(Imported)
}

func (o *ImportOptions) members(in *input) *input {
	if o == nil {
		return in
	}
	in.given("part", o.Part).given("node_type", o.NodeType).given("edge_type", o.EdgeType).positive("batch", o.Batch)
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
	Nodes      int64       `json:"nodes"`
	Edges      int64       `json:"edges"`
	Failed     int64       `json:"failed"`
	Items      []ItemFault `json:"items"`
	Bytes      int64       `json:"bytes"`
	TotalBytes int64       `json:"total_bytes"`
}

// Import reads a graph from a text, all or nothing.
func (g Graph) Import(ctx context.Context, format Format, text string, options *ImportOptions) (Imported, error) {
	return do[Imported](ctx, g.Nodes.r, graphsImport, options.members(g.input().text("format", string(format)).text("text", text)))
}

// ImportFile reads a graph from a file of any size, batch by batch, each in a transaction of its own: with Resume it goes on after the last
// one, also after a crash.
func (g Graph) ImportFile(ctx context.Context, format Format, path string, options *ImportOptions) (Imported, error) {
	resume := options != nil && options.Resume
	for {
		in := options.members(g.input().text("format", string(format)).text("path", path)).flag("resume", resume)
		if options != nil && options.Progress != nil {
			in.integer("max_batches", 1)
		}
		answer, err := do[Imported](ctx, g.Nodes.r, graphsImport, in)
		if err != nil {
			return answer, err
		}
		if options != nil && options.Progress != nil {
			options.Progress(answer)
		}
		if answer.Done {
			return answer, nil
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

// Arrays are a graph as arrays of indexes, for libraries that have structures of their own.
type Arrays struct {
	Directed       *bool             `json:"directed"` // nil: mixed
	Multi          bool              `json:"multi"`
	Keys           []string          `json:"keys"`       // of the nodes, byte by byte
	Types          []*int            `json:"types"`      // of each node: index in NodeTypes
	NodeTypes      []string          `json:"node_types"` //
	Sources        []int             `json:"sources"`    // of each edge: index in Keys
	Targets        []int             `json:"targets"`
	EdgeTypeOf     []*int            `json:"edge_type_of"` // of each edge: index in EdgeTypes
	EdgeTypes      []string          `json:"edge_types"`
	EdgeKeys       []string          `json:"edge_keys"`
	Weights        []*float64        `json:"weights"`
	NodeAttributes []json.RawMessage `json:"node_attributes"`
	EdgeAttributes []json.RawMessage `json:"edge_attributes"`
}

// Arrays are the nodes and edges as arrays: nodes by key, edges by source, type and target.
func (g Graph) Arrays(ctx context.Context, options *ArrayOptions) (Arrays, error) {
	in := g.input()
	if options != nil {
		(&Within{EdgeTypes: options.EdgeTypes, EdgeFilter: options.EdgeFilter}).members(in)
		in.flag("attributes", options.Attributes).given("weight", options.Weight)
	}
	return do[Arrays](ctx, g.Nodes.r, graphsArrays, in)
}
