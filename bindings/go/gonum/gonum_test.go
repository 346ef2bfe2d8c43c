package gonum_test

import (
	"context"
	"math"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/brant-db/brant-go"
	bridge "github.com/brant-db/brant-go/gonum"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/network"
	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

var ctx = context.Background()

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// graphOf is a new untyped graph with five nodes.
func graphOf(t *testing.T, config brant.ConfigSpec, edges []brant.NewEdge) brant.Graph {
	t.Helper()
	db := must(brant.Open(filepath.Join(t.TempDir(), "test.db"), nil))(t)
	t.Cleanup(func() { _ = db.Close() })
	module := must(brant.NewModule(brant.ModuleSpec{ID: "kind", Config: config}))(t)
	must(db.GraphTypes.Define(ctx, module, nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "kind"}))(t)
	nodes := []brant.NewNode{}
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		nodes = append(nodes, brant.NewNode{Key: key})
	}
	must(db.Graph("g").Nodes.PutMany(ctx, nodes))(t)
	must(db.Graph("g").Edges.PutMany(ctx, edges))(t)
	return db.Graph("g")
}

func edge(source, target string, weight float64) brant.NewEdge {
	return brant.NewEdge{Source: source, Target: target, Attributes: map[string]float64{"weight": weight}}
}

func edges() []brant.NewEdge {
	return []brant.NewEdge{edge("a", "b", 1), edge("b", "c", 1), edge("a", "c", 5), edge("c", "a", 2), edge("d", "d", 7)}
}

func arrays(t *testing.T, g brant.Graph) brant.Arrays {
	t.Helper()
	return must(g.Arrays(ctx, &brant.ArrayOptions{Weight: "attributes.weight"}))(t)
}

// pairs are the edges of a graph, by the ids of their ends.
func pairs(g graph.Graph) (found [][2]int64) {
	directed, isDirected := g.(graph.Directed)
	for u := range int64(5) {
		for v := range int64(5) {
			if isDirected && directed.HasEdgeFromTo(u, v) || !isDirected && g.HasEdgeBetween(u, v) {
				found = append(found, [2]int64{u, v})
			}
		}
	}
	return found
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestDirected(t *testing.T) {
	g := graphOf(t, brant.ConfigSpec{}, edges())
	a := arrays(t, g)
	directed := bridge.Directed(a)
	same(t, directed.Nodes().Len(), 5)
	same(t, pairs(directed), [][2]int64{{0, 1}, {0, 2}, {1, 2}, {2, 0}})
	parts := must(g.Components(ctx, brant.Strong, nil))(t)
	same(t, len(topo.TarjanSCC(directed)), parts.Count)
	ranks := must(g.PageRank(ctx, &brant.PageRankOptions{Tolerance: 1e-12, MaxIterations: 1000,
		EdgeFilter: brant.Filter{"source": brant.Filter{"$ne": "d"}}}))(t)
	theirs := network.PageRankSparse(directed, 0.85, 1e-12)
	for i, key := range ranks.Keys {
		id := int64(key[0] - 'a')
		if math.Abs(theirs[id]-ranks.Scores[i]) > 1e-6 {
			t.Errorf("%s: %v, brant says %v", key, theirs[id], ranks.Scores[i])
		}
	}
}

func TestWeighted(t *testing.T) {
	g := graphOf(t, brant.ConfigSpec{Multi: true}, append(edges(), edge("a", "c", 9), edge("a", "c", 4)))
	a := arrays(t, g)
	weighted := bridge.WeightedDirected(a)
	same(t, weighted.WeightedEdge(0, 2).Weight(), 4.0)
	shortest := path.DijkstraFrom(weighted.Node(0), weighted)
	for id, key := range a.Keys {
		ours := must(g.ShortestPath(ctx, "a", key, &brant.PathOptions{Weight: "attributes.weight"}))(t)
		ids, cost := shortest.To(int64(id))
		if math.IsInf(cost, 1) {
			same(t, ours.Found, false)
			continue
		}
		same(t, cost, ours.Cost)
		same(t, len(ids), len(ours.Keys))
	}
	same(t, must(g.ShortestPath(ctx, "a", "c", &brant.PathOptions{Weight: "attributes.weight"}))(t).Cost, 2.0)

	unweighted := must(g.Arrays(ctx, nil))(t)
	same(t, bridge.WeightedDirected(unweighted).WeightedEdge(0, 2).Weight(), 1.0)
	both := bridge.WeightedUndirected(a)
	same(t, both.WeightedEdge(0, 2).Weight(), 2.0)
	same(t, pairs(both), [][2]int64{{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}})
	same(t, bridge.Undirected(a).Edges().Len(), 3)
	lines := bridge.MultiDirected(a)
	same(t, lines.WeightedLines(0, 2).Len(), 3)
	same(t, lines.WeightedLines(3, 3).Len(), 1)
}

func TestUndirectedLeadsBothWays(t *testing.T) {
	yes := true
	mixed := []brant.NewEdge{edge("b", "a", 1), edge("b", "c", 2), edge("e", "e", 3)}
	mixed[0].Undirected = &yes
	mixed[2].Undirected = &yes
	a := arrays(t, graphOf(t, brant.ConfigSpec{Directed: "mixed"}, mixed))
	same(t, pairs(bridge.Directed(a)), [][2]int64{{0, 1}, {1, 0}, {1, 2}})
	lines := bridge.MultiDirected(a)
	same(t, pairs(lines), [][2]int64{{0, 1}, {1, 0}, {1, 2}, {4, 4}})
	same(t, lines.WeightedEdges().Len(), 4)

	a = arrays(t, graphOf(t, brant.ConfigSpec{Directed: "undirected"}, []brant.NewEdge{edge("b", "a", 1), edge("c", "b", 2)}))
	same(t, pairs(bridge.WeightedDirected(a)), [][2]int64{{0, 1}, {1, 0}, {1, 2}, {2, 1}})
}

func TestBack(t *testing.T) {
	a := arrays(t, graphOf(t, brant.ConfigSpec{Multi: true}, append(edges(), edge("a", "c", 4))))
	key := func(id int64) string { return a.Keys[id] }

	weighted := bridge.WeightedDirected(a)
	again := arrays(t, graphOf(t, brant.ConfigSpec{}, bridge.Edges(weighted, key)))
	copied := bridge.WeightedDirected(again)
	same(t, pairs(copied), pairs(weighted))
	for _, pair := range pairs(weighted) {
		same(t, copied.WeightedEdge(pair[0], pair[1]).Weight(), weighted.WeightedEdge(pair[0], pair[1]).Weight())
	}

	lines := bridge.Edges(bridge.MultiDirected(a), key)
	same(t, len(lines), 6)
	again = arrays(t, graphOf(t, brant.ConfigSpec{Multi: true}, lines))
	again.EdgeKeys, a.EdgeKeys = nil, nil // new edges have keys of their own
	same(t, again, a)                     // parallel lines come in the order of their ids, and so of their making

	same(t, bridge.Nodes(weighted, nil), []brant.NewNode{{Key: "0"}, {Key: "1"}, {Key: "2"}, {Key: "3"}, {Key: "4"}})
	same(t, bridge.Nodes(weighted, key)[4], brant.NewNode{Key: "e"})
	same(t, len(bridge.Edges(bridge.WeightedUndirected(a), key)), 3)
	plain := simple.NewDirectedGraph()
	plain.SetEdge(simple.Edge{F: simple.Node(7), T: simple.Node(-2)})
	same(t, bridge.Edges(plain, nil), []brant.NewEdge{{Source: "7", Target: "-2"}})
}
