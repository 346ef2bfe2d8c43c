package gonum_test

import (
	"context"
	"path/filepath"
	"reflect"
	"sort"
	"testing"

	"github.com/brant-db/brant-go"
	bridge "github.com/brant-db/brant-go/gonum"
	"gonum.org/v1/gonum/graph/network"
	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/topo"
)

func graphOf(t *testing.T, edges []brant.NewEdge) brant.Graph {
	t.Helper()
	ctx := context.Background()
	db, err := brant.Open(filepath.Join(t.TempDir(), "test.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}); err != nil {
		t.Fatal(err)
	}
	nodes := []brant.NewNode{}
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		nodes = append(nodes, brant.NewNode{Key: key})
	}
	if _, err := db.Graph("g").Nodes.PutMany(ctx, nodes); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Graph("g").Edges.PutMany(ctx, edges); err != nil {
		t.Fatal(err)
	}
	return db.Graph("g")
}

func weight(w float64) map[string]float64 { return map[string]float64{"weight": w} }

func edges() []brant.NewEdge {
	return []brant.NewEdge{
		{Source: "a", Target: "b", Attributes: weight(1)}, {Source: "b", Target: "c", Attributes: weight(1)},
		{Source: "a", Target: "c", Attributes: weight(5)}, {Source: "c", Target: "a"}, {Source: "d", Target: "d"},
	}
}

func TestDirected(t *testing.T) {
	ctx := context.Background()
	g := graphOf(t, edges())
	arrays, err := g.Arrays(ctx, &brant.ArrayOptions{Weight: "attributes.weight"})
	if err != nil {
		t.Fatal(err)
	}
	directed := bridge.Directed(arrays)
	if directed.Nodes().Len() != 5 || directed.Edges().Len() != 4 {
		t.Fatal(directed.Nodes().Len(), directed.Edges().Len())
	}
	parts, err := g.Components(ctx, brant.Strong, nil)
	if err != nil {
		t.Fatal(err)
	}
	if found := len(topo.TarjanSCC(directed)); found != parts.Count {
		t.Errorf("%d components, brant says %d", found, parts.Count)
	}
	weighted := bridge.WeightedDirected(arrays, 2)
	shortest := path.DijkstraFrom(weighted.Node(0), weighted)
	ids, cost := shortest.To(2)
	ours, err := g.ShortestPath(ctx, "a", "c", &brant.PathOptions{Weight: "attributes.weight", DefaultWeight: new(float64)})
	if err != nil {
		t.Fatal(err)
	}
	if cost != ours.Cost || len(ids) != len(ours.Keys) || cost != 2 {
		t.Errorf("cost %v, brant says %+v", cost, ours)
	}
	if ranks := network.PageRank(directed, 0.85, 1e-9); len(ranks) != 5 {
		t.Error(ranks)
	}
	if lines := bridge.MultiDirected(arrays).Edges(); lines.Len() != 5 {
		t.Error(lines.Len())
	}
}

func TestBack(t *testing.T) {
	ctx := context.Background()
	arrays, err := graphOf(t, edges()).Arrays(ctx, &brant.ArrayOptions{Weight: "attributes.weight"})
	if err != nil {
		t.Fatal(err)
	}
	weighted := bridge.WeightedDirected(arrays, 2)
	key := func(id int64) string { return arrays.Keys[id] }
	copied := graphOf(t, bridge.Edges(weighted, key))
	if nodes := bridge.Nodes(weighted, key); len(nodes) != 5 {
		t.Error(nodes)
	}
	again, err := copied.Arrays(ctx, &brant.ArrayOptions{Weight: "attributes.weight"})
	if err != nil {
		t.Fatal(err)
	}
	same := bridge.WeightedDirected(again, 2)
	all := func(of interface {
		HasEdgeFromTo(int64, int64) bool
	}) (pairs [][2]int) {
		for u := range 5 {
			for v := range 5 {
				if of.HasEdgeFromTo(int64(u), int64(v)) {
					pairs = append(pairs, [2]int{u, v})
				}
			}
		}
		sort.Slice(pairs, func(i, j int) bool { return pairs[i][0]*5+pairs[i][1] < pairs[j][0]*5+pairs[j][1] })
		return pairs
	}
	if !reflect.DeepEqual(all(weighted), all(same)) {
		t.Errorf("%v and %v", all(weighted), all(same))
	}
	undirected := bridge.WeightedUndirected(arrays, 2)
	if bridge.Undirected(arrays).Edges().Len() != 3 || undirected.WeightedEdges().Len() != 3 || len(bridge.Edges(undirected, nil)) != 3 {
		t.Error("three pairs of nodes are joined")
	}
}
