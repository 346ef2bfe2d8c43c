// Package gonum hands brant's graphs to gonum's and back, through index arrays: a node's id is its index in Arrays.Keys.
//
//	arrays, err := db.Graph("debian").Arrays(ctx, nil)
//	directed := gonum.Directed(arrays)
//	ranks := network.PageRankSparse(directed, 0.85, 1e-6)
//	for id, rank := range ranks { fmt.Println(arrays.Keys[id], rank) }
//
// It is a module of its own, so that those who do not need gonum do not get it.
package gonum

import (
	"fmt"
	"math"

	"github.com/brant-db/brant-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/multi"
	"gonum.org/v1/gonum/graph/simple"
)

// Directed is the graph without self-loops and parallel edges, which gonum's simple graphs do not have.
func Directed(a brant.Arrays) *simple.DirectedGraph {
	g := simple.NewDirectedGraph()
	each(a, g.AddNode, func(source, target simple.Node, _ int) { g.SetEdge(simple.Edge{F: source, T: target}) })
	return g
}

// Undirected is the graph with every edge both ways, without self-loops and parallel edges.
func Undirected(a brant.Arrays) *simple.UndirectedGraph {
	g := simple.NewUndirectedGraph()
	each(a, g.AddNode, func(source, target simple.Node, _ int) { g.SetEdge(simple.Edge{F: source, T: target}) })
	return g
}

// WeightedDirected is the graph with Arrays.Weights, which ArrayOptions.Weight fills; an edge without a number there weighs `absent`.
// Of parallel edges the lightest is taken.
func WeightedDirected(a brant.Arrays, absent float64) *simple.WeightedDirectedGraph {
	g := simple.NewWeightedDirectedGraph(0, math.Inf(1))
	each(a, g.AddNode, func(source, target simple.Node, edge int) {
		weight := weightOf(a, edge, absent)
		if before, known := g.Weight(source.ID(), target.ID()); known && before <= weight {
			return
		}
		g.SetWeightedEdge(simple.WeightedEdge{F: source, T: target, W: weight})
	})
	return g
}

// WeightedUndirected is WeightedDirected with every edge both ways.
func WeightedUndirected(a brant.Arrays, absent float64) *simple.WeightedUndirectedGraph {
	g := simple.NewWeightedUndirectedGraph(0, math.Inf(1))
	each(a, g.AddNode, func(source, target simple.Node, edge int) {
		weight := weightOf(a, edge, absent)
		if before, known := g.Weight(source.ID(), target.ID()); known && before <= weight {
			return
		}
		g.SetWeightedEdge(simple.WeightedEdge{F: source, T: target, W: weight})
	})
	return g
}

// MultiDirected is the graph with its parallel edges and self-loops; a line's id is the edge's index in the arrays.
func MultiDirected(a brant.Arrays) *multi.DirectedGraph {
	g := multi.NewDirectedGraph()
	for i := range a.Keys {
		g.AddNode(multi.Node(i))
	}
	for i := range a.Sources {
		g.SetLine(multi.Line{F: multi.Node(a.Sources[i]), T: multi.Node(a.Targets[i]), UID: int64(i)})
	}
	return g
}

func each(a brant.Arrays, node func(graph.Node), edge func(source, target simple.Node, index int)) {
	for i := range a.Keys {
		node(simple.Node(i))
	}
	for i := range a.Sources {
		if a.Sources[i] != a.Targets[i] {
			edge(simple.Node(a.Sources[i]), simple.Node(a.Targets[i]), i)
		}
	}
}

func weightOf(a brant.Arrays, edge int, absent float64) float64 {
	if edge < len(a.Weights) && a.Weights[edge] != nil {
		return *a.Weights[edge]
	}
	return absent
}

// Nodes and Edges of a gonum graph as brant puts them. key names a node; nil: its id in decimal.
func Nodes(g graph.Graph, key func(id int64) string) []brant.NewNode {
	nodes := []brant.NewNode{}
	for all := g.Nodes(); all.Next(); {
		nodes = append(nodes, brant.NewNode{Key: named(key)(all.Node().ID())})
	}
	return nodes
}

// Edges of a gonum graph as brant puts them; weights become the attribute "weight". In undirected graphs each edge comes once.
func Edges(g graph.Graph, key func(id int64) string) []brant.NewEdge {
	edges := []brant.NewEdge{}
	name := named(key)
	weighted, hasWeights := g.(graph.Weighted)
	_, undirected := g.(graph.Undirected)
	for all := g.Nodes(); all.Next(); {
		from := all.Node().ID()
		for others := g.From(from); others.Next(); {
			to := others.Node().ID()
			if undirected && to < from {
				continue
			}
			edge := brant.NewEdge{Source: name(from), Target: name(to)}
			if hasWeights {
				if weight, known := weighted.Weight(from, to); known {
					edge.Attributes = map[string]float64{"weight": weight}
				}
			}
			edges = append(edges, edge)
		}
	}
	return edges
}

func named(key func(id int64) string) func(id int64) string {
	if key != nil {
		return key
	}
	return func(id int64) string { return fmt.Sprint(id) }
}
