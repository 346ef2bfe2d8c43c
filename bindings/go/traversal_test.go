package brant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/brant-db/brant-go"
)

func same(t testing.TB, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func road(source, target string, km float64) brant.NewEdge {
	return brant.NewEdge{Source: source, Target: target, Attributes: map[string]float64{"km": km}}
}

// roads is a graph of six nodes, one of them alone: a-b-d and a-c-d, d-e, e back to a.
func roads(t *testing.T) (*brant.DB, brant.Graph) {
	t.Helper()
	db := opened(t)
	g := db.Graph("g")
	nodes := []brant.NewNode{}
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		nodes = append(nodes, brant.NewNode{Key: key, Attributes: map[string]bool{"open": key != "c"}})
	}
	must(g.Nodes.PutMany(ctx, nodes))(t)
	must(g.Edges.PutMany(ctx, []brant.NewEdge{
		road("a", "b", 1), road("a", "c", 5), road("b", "d", 2), road("c", "d", 0.5), road("d", "e", 1), road("e", "a", 3),
	}))(t)
	return db, g
}

func float(f float64) *float64 { return &f }
func number(n int) *int        { return &n }

func TestShortestPath(t *testing.T) {
	_, g := roads(t)
	p := must(g.ShortestPath(ctx, "a", "d", nil))(t)
	same(t, p.Keys, []string{"a", "b", "d"})
	equal(t, p.Found && p.Length == 2 && p.Cost == 2 && len(p.Edges) == 2, true)
	p = must(g.ShortestPath(ctx, "a", "d", &brant.PathOptions{Weight: "attributes.km"}))(t)
	equal(t, p.Cost, 3)
	p = must(g.ShortestPath(ctx, "d", "a", &brant.PathOptions{Direction: brant.In}))(t)
	same(t, p.Keys, []string{"d", "b", "a"})
	p = must(g.ShortestPath(ctx, "a", "d", &brant.PathOptions{NodeFilter: brant.Filter{"key": brant.Filter{"$ne": "b"}}}))(t)
	same(t, p.Keys, []string{"a", "c", "d"})
	p = must(g.ShortestPath(ctx, "a", "d", &brant.PathOptions{EdgeFilter: brant.Filter{"attributes.km": brant.Filter{"$ne": 1}}}))(t)
	same(t, p.Keys, []string{"a", "c", "d"})
	for _, none := range []*brant.PathOptions{{MaxDepth: number(1)}, {EdgeTypes: []string{}}} {
		p = must(g.ShortestPath(ctx, "a", "d", none))(t)
		same(t, p, brant.Path{Keys: []string{}, Edges: []string{}})
		sameJSON(t, must(json.Marshal(p))(t), `{"found":false,"keys":[],"edges":[],"length":null,"cost":null}`)
	}
	_, err := g.ShortestPath(ctx, "a", "x", nil)
	wants(t, err, brant.ErrNotFound)
	_, err = g.ShortestPath(ctx, "a", "d", &brant.PathOptions{EdgeFilter: brant.Filter{"nothing": 1}})
	wants(t, err, brant.ErrInvalid)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "d"}))(t)
	_, err = g.ShortestPath(ctx, "a", "d", &brant.PathOptions{Weight: "attributes.km"})
	wants(t, err, brant.ErrConstraint)
	p = must(g.ShortestPath(ctx, "a", "d", &brant.PathOptions{Weight: "attributes.km", DefaultWeight: float(0)}))(t)
	same(t, p.Keys, []string{"a", "d"})

	d := must(g.ShortestPaths(ctx, "a", &brant.DistanceOptions{Weight: "attributes.km", DefaultWeight: float(9)}))(t)
	same(t, d, brant.Distances{Keys: []string{"a", "b", "d", "e", "c"}, Costs: []float64{0, 1, 3, 4, 5}, Parents: []int{-1, 0, 1, 2, 0}})
	d = must(g.ShortestPaths(ctx, "a", &brant.DistanceOptions{MaxCost: float(1), Limit: 2, MaxDepth: number(3)}))(t)
	same(t, d, brant.Distances{Keys: []string{"a", "b"}, Costs: []float64{0, 1}, Parents: []int{-1, 0}, Truncated: true})
}

func TestPathsAndWalks(t *testing.T) {
	_, g := roads(t)
	p := must(g.Paths(ctx, "a", "d", 5, nil))(t)
	same(t, p.Paths, [][]string{{"a", "b", "d"}, {"a", "c", "d"}})
	equal(t, len(p.Edges), 2)
	p = must(g.Paths(ctx, "a", "d", 5, &brant.PathsOptions{Limit: 1}))(t)
	equal(t, p.Truncated && len(p.Paths) == 1, true)
	_, err := g.Paths(ctx, "a", "d", 0, nil)
	wants(t, err, brant.ErrInvalid)

	equal(t, must(g.CountWalks(ctx, 1, nil))(t), 6)
	options := &brant.WalkCountOptions{Sources: []string{"a"}, Targets: []string{"d"}}
	equal(t, must(g.CountWalks(ctx, 2, options))(t), 2)
	options.UpTo = true
	equal(t, must(g.CountWalks(ctx, 6, options))(t), 2+4)
	options.Sources = []string{}
	equal(t, must(g.CountWalks(ctx, 2, options))(t), 0)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "a"}))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "b", Target: "b"}))(t)
	_, err = g.CountWalks(ctx, 10000, nil)
	wants(t, err, brant.ErrLimit)
}

func TestOrderAndParts(t *testing.T) {
	_, g := roads(t)
	_, err := g.TopologicalOrder(ctx, nil)
	e := wants(t, err, brant.ErrConstraint)
	var detail struct{ Cycle []string }
	check(t, json.Unmarshal(e.Detail, &detail))
	if len(detail.Cycle) < 4 {
		t.Fatalf("%s", e.Detail)
	}
	within := &brant.Within{EdgeFilter: brant.Filter{"source": brant.Filter{"$ne": "e"}}}
	order := must(g.TopologicalOrder(ctx, within))(t)
	same(t, order, brant.Order{Keys: []string{"a", "f", "b", "c", "d", "e"}, Generations: []int{0, 2, 4, 5}})
	cycle := must(g.FindCycle(ctx, nil))(t)
	equal(t, cycle.Found && cycle.Keys[0] == "a" && len(cycle.Keys) == 4 && len(cycle.Edges) == 4, true)
	same(t, must(g.FindCycle(ctx, within))(t), brant.Cycle{Keys: []string{}, Edges: []string{}})

	same(t, must(g.Components(ctx, "", nil))(t), brant.Components{Count: 2, Keys: []string{"a", "b", "c", "d", "e", "f"},
		Components: []int{0, 0, 0, 0, 0, 1}, Sizes: []int{5, 1}})
	equal(t, must(g.Components(ctx, brant.Strong, within))(t).Count, 6)
	equal(t, must(g.Components(ctx, brant.Weak, &brant.Within{NodeFilter: brant.Filter{"key": "f"}}))(t).Count, 1)

	sub := must(g.Subgraph(ctx, &brant.SubgraphOptions{Keys: []string{"d", "a", "b"}}))(t)
	equal(t, len(sub.Nodes) == 3 && sub.Nodes[0].Key == "a" && len(sub.Edges) == 2 && !sub.Truncated, true)
	sub = must(g.Subgraph(ctx, &brant.SubgraphOptions{Filter: brant.Filter{"attributes.open": true}, Limit: 2}))(t)
	equal(t, len(sub.Nodes) == 2 && sub.Truncated, true)
	equal(t, len(must(g.Subgraph(ctx, nil))(t).Edges), 6)
	_, err = g.Subgraph(ctx, &brant.SubgraphOptions{Keys: []string{"a"}, Filter: brant.Filter{}})
	wants(t, err, brant.ErrInvalid)

	degrees := must(g.Degrees(ctx, &brant.DegreeOptions{Direction: brant.Both, Order: brant.HighestFirst, Limit: 2}))(t)
	same(t, degrees, brant.Degrees{Keys: []string{"a", "d"}, Degrees: []int{3, 3}})
	degrees = must(g.Degrees(ctx, &brant.DegreeOptions{Order: brant.LowestFirst, Limit: 1}))(t)
	same(t, degrees, brant.Degrees{Keys: []string{"f"}, Degrees: []int{0}})
	degrees = must(g.Degrees(ctx, &brant.DegreeOptions{Keys: []string{"f", "a"}}))(t)
	same(t, degrees, brant.Degrees{Keys: []string{"f", "a"}, Degrees: []int{0, 2}})
	_, err = g.Degrees(ctx, &brant.DegreeOptions{Order: "sideways"})
	wants(t, err, brant.ErrInvalid)
	equal(t, len(must(g.Degrees(ctx, nil))(t).Keys), 6)

	ranks := must(g.PageRank(ctx, nil))(t)
	equal(t, ranks.Converged && len(ranks.Keys) == 6 && ranks.Keys[5] == "f", true)
	ranks = must(g.PageRank(ctx, &brant.PageRankOptions{Personalization: map[string]float64{"f": 1}, Weight: "attributes.km",
		DefaultWeight: float(1), Damping: 0.5, Tolerance: 1e-9, MaxIterations: 50, Limit: 1}))(t)
	same(t, ranks.Keys, []string{"f"})
}

func TestDepthFirst(t *testing.T) {
	_, g := roads(t)
	c := must(g.Nodes.Closure(ctx, []string{"a"}, &brant.ClosureOptions{DepthFirst: true}))(t)
	same(t, c, brant.Closure{Keys: []string{"a", "b", "d", "e", "c"}, Depths: []int{0, 1, 2, 3, 1}, Parents: []int{-1, 0, 1, 2, 0}})
	c = must(g.Nodes.Closure(ctx, []string{"a"}, &brant.ClosureOptions{NodeFilter: brant.Filter{"attributes.open": true}, MaxDepth: number(2)}))(t)
	same(t, c.Keys, []string{"a", "b", "d"})
}

// line is a graph of n nodes in a row.
func line(t *testing.T, db *brant.DB, n int) brant.Graph {
	t.Helper()
	nodes, edges := make([]brant.NewNode, n), make([]brant.NewEdge, n-1)
	for i := range nodes {
		nodes[i].Key = fmt.Sprintf("%06d", i)
		if i > 0 {
			edges[i-1] = brant.NewEdge{Source: nodes[i-1].Key, Target: nodes[i].Key}
		}
	}
	g := db.Graph("g")
	must(g.Nodes.PutMany(ctx, nodes))(t)
	must(g.Edges.PutMany(ctx, edges))(t)
	return g
}

func TestWalk(t *testing.T) {
	const n = 25_000
	path := newPath(t)
	db := open(t, path, &brant.Options{Readers: 1})
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	g := line(t, db, n)
	start := []string{"000000"}
	batches, seen := 0, 0
	for batch, err := range g.Nodes.Walk(ctx, start, nil) {
		check(t, err)
		if batches++; batches == 1 {
			// The one reader is free, and writes change nothing that the walk shows.
			_, err := g.Nodes.Delete(ctx, fmt.Sprintf("%06d", n-1), &brant.DeleteOptions{Edges: true})
			check(t, err)
			equal(t, must(g.Nodes.Count(ctx, ""))(t), n-1)
		}
		if len(batch.Keys) > 10_000 || len(batch.Keys) != len(batch.Depths) || len(batch.Keys) != len(batch.Parents) {
			t.Fatal(len(batch.Keys), len(batch.Depths), len(batch.Parents))
		}
		for i := range batch.Keys {
			if batch.Keys[i] != fmt.Sprintf("%06d", seen) || batch.Depths[i] != seen || batch.Parents[i] != seen-1 {
				t.Fatal(seen, batch.Keys[i], batch.Depths[i], batch.Parents[i])
			}
			seen++
		}
	}
	equal(t, batches, 3)
	equal(t, seen, n)

	for batch, err := range g.Nodes.Walk(ctx, start, &brant.WalkOptions{Limit: 3, DepthFirst: true}) {
		check(t, err)
		same(t, batch.Keys, []string{"000000", "000001", "000002"})
		break
	}
	for _, err := range g.Nodes.Walk(ctx, []string{"none"}, nil) {
		wants(t, err, brant.ErrNotFound)
	}
	for _, err := range g.Nodes.Walk(ctx, start, &brant.WalkOptions{NodeFilter: make(chan int)}) {
		wants(t, err, brant.ErrInvalid)
	}

	// The end of a context, and of the database, in the middle.
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	batches = 0
	for _, err := range g.Nodes.Walk(cancelled, start, nil) {
		if batches++; batches == 2 {
			wants(t, err, brant.ErrInterrupted)
		}
		cancel()
	}
	equal(t, batches, 2)
	check(t, db.View(ctx, func(tx *brant.Tx) error {
		for _, err := range tx.Graph("g").Nodes.Walk(ctx, start, nil) {
			check(t, err)
		}
		return nil
	}))
	batches = 0
	for _, err := range g.Nodes.Walk(ctx, start, nil) {
		if batches++; batches == 2 {
			wants(t, err, brant.ErrClosed)
		}
		check(t, db.Close())
	}
	equal(t, batches, 2)
	for _, err := range g.Nodes.Walk(ctx, start, nil) {
		wants(t, err, brant.ErrClosed)
	}
}

func TestWalkInMemory(t *testing.T) {
	db := open(t, ":memory:", nil)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	g := line(t, db, 12_000)
	seen := 0
	for batch, err := range g.Nodes.Walk(ctx, []string{"000000"}, nil) {
		check(t, err)
		seen += len(batch.Keys)
		_, err := g.Nodes.Put(ctx, brant.NewNode{Key: fmt.Sprint("new", seen)})
		check(t, err)
	}
	equal(t, seen, 12_000)
	err := db.Tx(ctx, func(tx *brant.Tx) error {
		for range tx.Graph("g").Nodes.Walk(ctx, []string{"000000"}, nil) {
			_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "more"})
			check(t, err)
		}
		return nil
	})
	check(t, err)
}

func TestWalkReadOnly(t *testing.T) {
	db, _ := roads(t)
	other := open(t, must(db.Info(ctx))(t).Path, &brant.Options{Mode: brant.ModeReadOnly})
	for batch, err := range other.Graph("g").Nodes.Walk(ctx, []string{"a"}, nil) {
		check(t, err)
		same(t, batch.Keys, []string{"a", "b", "c", "d", "e"})
	}
}
