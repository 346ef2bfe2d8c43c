// Package gonum hands brant's graphs to gonum's and back, through index arrays: a node's id is its index in Arrays.Keys.
//
//	arrays, err := db.Graph("debian").Arrays(ctx, nil)
//	directed := gonum.Directed(arrays)
//	ranks := network.PageRankSparse(directed, 0.85, 1e-6)
//	for id, rank := range ranks { fmt.Println(arrays.Keys[id], rank) }
//
// In directed graphs, undirected edges (all those of an undirected graph, some of a mixed one) lead both ways.
//
// It is a module of its own, so that those who do not need gonum do not get it.
package gonum

import (
	"math"
	"slices"
	"strconv"

	"github.com/brant-db/brant-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/multi"
	"gonum.org/v1/gonum/graph/simple"
)

// Directed is the graph without self-loops and parallel edges, which gonum's simple graphs do not have.
func Directed(a brant.Arrays) *simple.DirectedGraph {
	g := simple.NewDirectedGraph()
	nodes(a, g)
	arcs(a, func(source, target, _ int) {
		if source != target {
			g.SetEdge(simple.Edge{F: simple.Node(source), T: simple.Node(target)})
		}
	})
	return g
}

// Undirected is the graph with every edge both ways, without self-loops and parallel edges.
func Undirected(a brant.Arrays) *simple.UndirectedGraph {
	g := simple.NewUndirectedGraph()
	nodes(a, g)
	for i := range a.Sources {
		if a.Sources[i] != a.Targets[i] {
			g.SetEdge(simple.Edge{F: simple.Node(a.Sources[i]), T: simple.Node(a.Targets[i])})
		}
	}
	return g
}

// WeightedDirected is Directed with Arrays.Weights, which ArrayOptions.Weight fills; without them every edge weighs 1. Of parallel edges the
// lightest is taken. Where there is no edge the weight is infinite, from a node to itself 0.
func WeightedDirected(a brant.Arrays) *simple.WeightedDirectedGraph {
	g := simple.NewWeightedDirectedGraph(0, math.Inf(1))
	nodes(a, g)
	arcs(a, func(source, target, edge int) { lightest(g, a, source, target, edge) })
	return g
}

// WeightedUndirected is WeightedDirected with every edge both ways.
func WeightedUndirected(a brant.Arrays) *simple.WeightedUndirectedGraph {
	g := simple.NewWeightedUndirectedGraph(0, math.Inf(1))
	nodes(a, g)
	for i := range a.Sources {
		lightest(g, a, a.Sources[i], a.Targets[i], i)
	}
	return g
}

// MultiDirected is the graph with its parallel edges and self-loops. A line's id is the edge's index in the arrays; the way back of an
// undirected edge has that and the number of edges added.
func MultiDirected(a brant.Arrays) *multi.WeightedDirectedGraph {
	g := multi.NewWeightedDirectedGraph()
	nodes(a, g)
	seen := make([]bool, len(a.Sources))
	arcs(a, func(source, target, edge int) {
		id := int64(edge)
		if seen[edge] {
			id += int64(len(a.Sources))
		}
		seen[edge] = true
		g.SetWeightedLine(multi.WeightedLine{F: multi.Node(source), T: multi.Node(target), W: weight(a, edge), UID: id})
	})
	return g
}

func nodes(a brant.Arrays, g graph.NodeAdder) {
	for i := range a.Keys {
		g.AddNode(simple.Node(i))
	}
}

// arcs calls for each edge in each direction in which it leads.
func arcs(a brant.Arrays, arc func(source, target, edge int)) {
	for i := range a.Sources {
		arc(a.Sources[i], a.Targets[i], i)
		bothWays := a.Directed != nil && !*a.Directed || i < len(a.Undirected) && a.Undirected[i]
		if bothWays && a.Sources[i] != a.Targets[i] {
			arc(a.Targets[i], a.Sources[i], i)
		}
	}
}

func lightest(g interface {
	graph.Weighted
	SetWeightedEdge(graph.WeightedEdge)
}, a brant.Arrays, source, target, edge int) {
	if source == target {
		return
	}
	w := weight(a, edge)
	if before := g.WeightedEdge(int64(source), int64(target)); before != nil && before.Weight() <= w {
		return
	}
	g.SetWeightedEdge(simple.WeightedEdge{F: simple.Node(source), T: simple.Node(target), W: w})
}

func weight(a brant.Arrays, edge int) float64 {
	if a.Weights == nil {
		return 1
	}
	return a.Weights[edge]
}

// Nodes are the nodes of a gonum graph as brant puts them, by id. key names a node; nil: its id in decimal.
func Nodes(g graph.Graph, key func(id int64) string) []brant.NewNode {
	put := []brant.NewNode{}
	for _, id := range ids(g.Nodes()) {
		put = append(put, brant.NewNode{Key: named(key)(id)})
	}
	return put
}

// Edges are the edges of a gonum graph as brant puts them, by the ids of their ends; weights become the attribute "weight". In undirected
// graphs each comes once. The lines of a multigraph come each; only a graph type that is multi keeps them all.
func Edges(g graph.Graph, key func(id int64) string) []brant.NewEdge {
	put := []brant.NewEdge{}
	name := named(key)
	_, undirected := g.(graph.Undirected)
	for _, from := range ids(g.Nodes()) {
		for _, to := range ids(g.From(from)) {
			if undirected && to < from {
				continue
			}
			for _, attributes := range between(g, from, to) {
				put = append(put, brant.NewEdge{Source: name(from), Target: name(to), Attributes: attributes})
			}
		}
	}
	return put
}

// between has the attributes of each edge from one node to another.
func between(g graph.Graph, from, to int64) []any {
	switch g := g.(type) {
	case graph.WeightedMultigraph:
		weights := map[int64]float64{}
		found := []int64{}
		for lines := g.WeightedLines(from, to); lines.Next(); {
			line := lines.WeightedLine()
			weights[line.ID()] = line.Weight()
			found = append(found, line.ID())
		}
		slices.Sort(found)
		all := []any{}
		for _, id := range found {
			all = append(all, map[string]float64{"weight": weights[id]})
		}
		return all
	case graph.Multigraph:
		return make([]any, g.Lines(from, to).Len())
	case graph.Weighted:
		return []any{map[string]float64{"weight": g.WeightedEdge(from, to).Weight()}}
	}
	return []any{nil}
}

func ids(all graph.Nodes) []int64 {
	found := []int64{}
	for all.Next() {
		found = append(found, all.Node().ID())
	}
	slices.Sort(found)
	return found
}

func named(key func(id int64) string) func(id int64) string {
	if key != nil {
		return key
	}
	return func(id int64) string { return strconv.FormatInt(id, 10) }
}
