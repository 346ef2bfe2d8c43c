package brant

import (
	"encoding/json"
	"strconv"
)

// Answers that are arrays side by side, one entry for each node or edge of a graph: read as records are (decode.go).

// elements reads an array of which about so many elements are to be expected.
func elements[T any](r *reader, expected int, element func() T) []T {
	values := make([]T, 0, expected)
	r.array(func() { values = append(values, element()) })
	return values
}

func (r *reader) strings() []string { return elements(r, 0, r.string) }

func (r *reader) integers(expected int) []int {
	return elements(r, expected, func() int { return int(r.integer()) })
}

func (r *reader) floats(expected int) []float64 { return elements(r, expected, r.float) }

func (r *reader) raws(expected int) []json.RawMessage { return elements(r, expected, r.raw) }

func (r *reader) float() float64 {
	from := r.at
	for r.at < len(r.text) {
		if c := r.text[r.at]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
			break
		}
		r.at++
	}
	value, err := strconv.ParseFloat(borrow(r.text[from:r.at]), 64)
	r.wrong = r.wrong || err != nil
	return value
}

func (c *Closure) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "keys":
			c.Keys = r.strings()
		case "depths":
			c.Depths = r.integers(len(c.Keys))
		case "parents":
			c.Parents = r.integers(len(c.Keys))
		case "truncated":
			c.Truncated = r.boolean()
		default:
			r.skip()
		}
	})
}

func (w *WalkBatch) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "keys":
			w.Keys = r.strings()
		case "depths":
			w.Depths = r.integers(len(w.Keys))
		case "parents":
			w.Parents = r.integers(len(w.Keys))
		default:
			r.skip()
		}
	})
}

// walked is what a cursor of nodes.walk yields: a batch, or none at the end.
type walked []WalkBatch

func (w *walked) read(r *reader) {
	*w = elements(r, 1, func() (batch WalkBatch) {
		batch.read(r)
		return batch
	})
}

func (d *Distances) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "keys":
			d.Keys = r.strings()
		case "costs":
			d.Costs = r.floats(len(d.Keys))
		case "parents":
			d.Parents = r.integers(len(d.Keys))
		case "truncated":
			d.Truncated = r.boolean()
		default:
			r.skip()
		}
	})
}

func (o *Order) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "keys":
			o.Keys = r.strings()
		case "generations":
			o.Generations = r.integers(0)
		default:
			r.skip()
		}
	})
}

func (c *Components) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "count":
			c.Count = int(r.integer())
		case "keys":
			c.Keys = r.strings()
		case "components":
			c.Components = r.integers(len(c.Keys))
		case "sizes":
			c.Sizes = r.integers(c.Count)
		default:
			r.skip()
		}
	})
}

func (d *Degrees) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "keys":
			d.Keys = r.strings()
		case "degrees":
			d.Degrees = r.integers(len(d.Keys))
		default:
			r.skip()
		}
	})
}

func (k *Ranks) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "keys":
			k.Keys = r.strings()
		case "scores":
			k.Scores = r.floats(len(k.Keys))
		case "iterations":
			k.Iterations = int(r.integer())
		case "converged":
			k.Converged = r.boolean()
		default:
			r.skip()
		}
	})
}

func (s *Subgraph) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "nodes":
			s.Nodes = elements(r, 0, func() (node Node) {
				node.read(r)
				return node
			})
		case "edges":
			s.Edges = elements(r, 0, func() (edge Edge) {
				edge.read(r)
				return edge
			})
		case "truncated":
			s.Truncated = r.boolean()
		default:
			r.skip()
		}
	})
}

func (a *Arrays) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "directed":
			if !r.word("null") {
				directed := r.boolean()
				a.Directed = &directed
			}
		case "multi":
			a.Multi = r.boolean()
		case "node_types":
			a.NodeTypes = r.strings()
		case "edge_types":
			a.EdgeTypes = r.strings()
		case "keys":
			a.Keys = r.strings()
		case "types":
			a.Types = r.integers(len(a.Keys))
		case "node_attributes":
			a.NodeAttributes = r.raws(len(a.Keys))
		case "sources":
			a.Sources = r.integers(0)
		case "targets":
			a.Targets = r.integers(len(a.Sources))
		case "edge_type_of":
			a.EdgeTypeOf = r.integers(len(a.Sources))
		case "undirected":
			a.Undirected = elements(r, len(a.Sources), r.boolean)
		case "edge_keys":
			a.EdgeKeys = elements(r, len(a.Sources), func() *string {
				if r.word("null") {
					return nil
				}
				key := r.string()
				return &key
			})
		case "weights":
			a.Weights = r.floats(len(a.Sources))
		case "edge_attributes":
			a.EdgeAttributes = r.raws(len(a.Sources))
		default:
			r.skip()
		}
	})
}
