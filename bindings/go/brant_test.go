package brant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func TestOpenOptions(t *testing.T) {
	path := newPath(t)
	db := open(t, path, &brant.Options{
		Mode: brant.ModeCreate, Durability: brant.DurabilityFull, Role: brant.RoleTenant, Permissions: brant.PermissionsPrivate,
		BusyTimeout: 100 * time.Millisecond, System: true, Limits: brant.Limits{Document: 2048, Depth: 4, Key: 16, Batch: 3},
		Cache: 1 << 20, Readers: 2,
	})
	info := must(db.Info(ctx))(t)
	equal(t, info.Path, path)
	equal(t, info.Role, brant.RoleTenant)
	equal(t, info.Mode, brant.ModeCreate)
	equal(t, info.Durability, brant.DurabilityFull)
	equal(t, info.Version, brant.Version())
	if info.PageSize != 4096 || info.Pages < 5 || info.Format < 1 || info.SQLiteVersion == "" || info.Size == 0 {
		t.Fatalf("%+v", info)
	}
	if age := time.Since(info.CreatedAt.Time()); age < -time.Minute || age > time.Minute {
		t.Fatalf("made %s", info.CreatedAt)
	}
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	nodes := db.Graph("g").Nodes
	_, err := nodes.Put(ctx, brant.NewNode{Key: strings.Repeat("k", 17)})
	wants(t, err, brant.ErrLimit)
	_, err = nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: map[string]string{"x": strings.Repeat("x", 3000)}})
	wants(t, err, brant.ErrLimit)
	_, err = nodes.PutMany(ctx, []brant.NewNode{{Key: "a"}, {Key: "b"}, {Key: "c"}, {Key: "d"}})
	wants(t, err, brant.ErrLimit)
	mode := must(os.Stat(path))(t).Mode().Perm()
	equal(t, mode, 0o600)

	shared := filepath.Join(t.TempDir(), "shared.db")
	open(t, shared, &brant.Options{Permissions: brant.PermissionsGroup, BusyTimeout: -1})
	equal(t, must(os.Stat(shared))(t).Mode().Perm(), 0o660)
}

func TestRelativePath(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	db := open(t, "a.db", nil)
	t.Chdir(t.TempDir()) // the readers are opened later
	equal(t, must(db.Info(ctx))(t).Path, filepath.Join(folder, "a.db"))
}

func TestGraphTypes(t *testing.T) {
	db := open(t, newPath(t), nil)
	defined := must(db.GraphTypes.Define(ctx, json.RawMessage(module), &brant.DefineOptions{
		Name: "people", Scope: brant.ScopeTenant, Version: 3, Metadata: map[string]int{"a": 1},
	}))(t)
	equal(t, defined.Name, "people")
	equal(t, defined.Scope, brant.ScopeTenant)
	equal(t, defined.Version, 3)
	equal(t, defined.Config.Directed, "directed")
	equal(t, *defined.Config.MaxNodes, 100)
	equal(t, defined.Config.MaxEdges, nil)
	equal(t, fmt.Sprint(defined.NodeTypes), "[Person Company]")
	sameJSON(t, defined.Metadata, `{"a":1}`)
	for _, e := range defined.EdgeTypes {
		if e.Name == "WorksFor" && (fmt.Sprint(e.Source, e.Target) != "[Person] [Company]") || e.Name == "Knows" && e.Source != nil {
			t.Fatalf("%+v", e)
		}
	}
	if defined.Module != nil {
		t.Fatal("Define returned the module")
	}
	got := must(db.GraphTypes.Get(ctx, "people"))(t)
	equal(t, got.ID, defined.ID)
	if !strings.Contains(string(got.Module), "PersonNode") {
		t.Fatalf("%s", got.Module)
	}
	page := must(db.GraphTypes.List(ctx, &brant.ListOptions{Limit: 1}))(t)
	if len(page.Items) != 1 || page.Cursor == "" {
		t.Fatalf("%+v", page)
	}
	names := []string{}
	for graphType, err := range db.GraphTypes.All(ctx) {
		check(t, err)
		names = append(names, graphType.Name)
	}
	if !slices.Contains(names, "people") || !slices.Contains(names, "open") || !slices.IsSorted(names) {
		t.Fatal(names)
	}

	valid := must(db.GraphTypes.ValidateNode(ctx, "people", "Person", person{Name: "Ada"}))(t)
	if !valid.Valid || len(valid.Violations) != 0 {
		t.Fatalf("%+v", valid)
	}
	invalid := must(db.GraphTypes.ValidateNode(ctx, "people", "Person", map[string]any{"age": "old"}))(t)
	if invalid.Valid || len(invalid.Violations) != 2 {
		t.Fatalf("%+v", invalid)
	}
	for _, v := range invalid.Violations {
		if v.Keyword == "type" && v.Instance != "/age" || v.Message == "" || v.Schema == "" {
			t.Fatalf("%+v", v)
		}
	}
	must(db.GraphTypes.ValidateNode(ctx, "people", "Person", nil))(t)
	edge := must(db.GraphTypes.ValidateEdge(ctx, "people", "WorksFor", map[string]int{"since": 1815},
		&brant.EdgeEnds{SourceType: "Person", TargetType: "Company"}))(t)
	equal(t, edge.Valid, true)
	edge = must(db.GraphTypes.ValidateEdge(ctx, "people", "WorksFor", map[string]string{"since": "x"}, nil))(t)
	equal(t, edge.Valid, false)

	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "people"}))(t)
	wants(t, db.GraphTypes.Delete(ctx, "people"), brant.ErrConstraint)
	must(db.Graphs.Purge(ctx, "g", 0))(t)
	check(t, db.GraphTypes.Delete(ctx, "people"))
	_, err := db.GraphTypes.Get(ctx, "people")
	wants(t, err, brant.ErrNotFound)
	_, err = db.GraphTypes.Define(ctx, map[string]any{"$id": "bad", "$defs": map[string]any{"XNode": map[string]any{"type": "strin"}}}, nil)
	if e := wants(t, err, brant.ErrValidation); len(e.Violations()) == 0 {
		t.Fatalf("%s", e.Detail)
	}
	_, err = db.GraphTypes.Define(ctx, json.RawMessage(module), &brant.DefineOptions{Scope: brant.ScopeSystem})
	wants(t, err, brant.ErrDenied)
}

func TestGraphs(t *testing.T) {
	db := open(t, newPath(t), nil)
	created := must(db.Graphs.Create(ctx, brant.NewGraph{
		Name: "g", GraphType: "open", OwnerID: "o", ProjectID: "p", Status: brant.StatusDraft, Metadata: map[string]bool{"m": true},
	}))(t)
	got := must(db.Graphs.Get(ctx, "g"))(t)
	equal(t, got.ID, created.ID)
	equal(t, must(db.Graph("g").Info(ctx))(t).ID, created.ID)
	equal(t, got.OwnerID, "o")
	equal(t, got.ProjectID, "p")
	equal(t, got.Status, brant.StatusDraft)
	equal(t, got.GraphType, "open")
	sameJSON(t, got.Metadata, `{"m":true}`)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "plain"}))(t)
	equal(t, must(db.Graphs.Get(ctx, "plain"))(t).GraphType, "open")
	must(db.Graphs.Purge(ctx, "plain", 0))(t)

	none, project := "", "q"
	changed := must(db.Graphs.Update(ctx, "g", brant.GraphChange{
		OwnerID: &none, ProjectID: &project, Status: brant.StatusActive, Metadata: map[string]int{"n": 1},
	}))(t)
	equal(t, changed.OwnerID, "")
	equal(t, changed.ProjectID, "q")
	equal(t, changed.Status, brant.StatusActive)
	sameJSON(t, changed.Metadata, `{"n":1}`)
	text, _ := json.Marshal(changed)
	if !strings.Contains(string(text), `"owner_id":null`) || !strings.Contains(string(text), `"project_id":"q"`) {
		t.Fatalf("%s", text)
	}

	for i := range 3 {
		must(db.Graphs.Create(ctx, brant.NewGraph{Name: fmt.Sprint("h", i), GraphType: "open"}))(t)
	}
	_, err := db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"})
	wants(t, err, brant.ErrExists)
	_, err = db.Graphs.Create(ctx, brant.NewGraph{Name: "x", GraphType: "none"})
	wants(t, err, brant.ErrNotFound)
	page := must(db.Graphs.List(ctx, &brant.GraphListOptions{GraphType: "open", Status: brant.StatusActive, Limit: 3}))(t)
	equal(t, len(page.Items), 3)
	rest := must(db.Graphs.List(ctx, &brant.GraphListOptions{GraphType: "open", Status: brant.StatusActive, Cursor: page.Cursor}))(t)
	equal(t, len(rest.Items), 1)
	equal(t, rest.Cursor, "")
	names := ""
	for graph, err := range db.Graphs.All(ctx, &brant.GraphListOptions{Status: brant.StatusActive}) {
		check(t, err)
		names += graph.Name + " "
	}
	equal(t, names, "g h0 h1 h2 ")

	must(db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
	must(db.Graph("g").Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "a"}))(t)
	purged := must(db.Graphs.Delete(ctx, "g"))(t)
	equal(t, purged, brant.Purged{Deleted: true, Nodes: 1, Edges: 1})
	must(db.Graphs.Update(ctx, "h0", brant.GraphChange{Status: brant.StatusArchived}))(t)
	_, err = db.Graph("h0").Nodes.Put(ctx, brant.NewNode{Key: "a"})
	wants(t, err, brant.ErrConstraint)
}

func TestNodes(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	put := must(nodes.Put(ctx, brant.NewNode{Key: "ada", Attributes: person{"Ada", 36}, Metadata: json.RawMessage(` {"m" : [1]} `)}))(t)
	equal(t, put, brant.Put{Key: "ada", Created: true, Revision: 1})
	node := must(nodes.Get(ctx, "ada"))(t)
	equal(t, node.Key, "ada")
	equal(t, node.Type, "")
	sameJSON(t, node.Metadata, `{"m":[1]}`)
	var p person
	check(t, node.Decode(&p))
	equal(t, p, person{"Ada", 36})
	text, _ := json.Marshal(node)
	if !strings.Contains(string(text), `"type":null`) {
		t.Fatalf("%s", text)
	}

	put = must(nodes.Put(ctx, brant.NewNode{Key: "ada", Attributes: person{Name: "Ada L"}, Revision: brant.Revision(1)}))(t)
	equal(t, put, brant.Put{Key: "ada", Created: false, Revision: 2})
	node = must(nodes.Get(ctx, "ada"))(t)
	sameJSON(t, node.Attributes, `{"name":"Ada L"}`)
	sameJSON(t, node.Metadata, `{"m":[1]}`)
	_, err := nodes.Put(ctx, brant.NewNode{Key: "ada", Revision: brant.Revision(0)})
	wants(t, err, brant.ErrConflict)

	many := []brant.NewNode{}
	for i := range 2500 {
		many = append(many, brant.NewNode{Key: fmt.Sprintf("n%04d", i), Attributes: map[string]int{"i": i}})
	}
	sameBatch(t, must(nodes.PutMany(ctx, many))(t), brant.Batch{Created: 2500})
	sameBatch(t, must(nodes.PutMany(ctx, many[:10]))(t), brant.Batch{Updated: 10})
	sameBatch(t, must(nodes.PutMany(ctx, nil))(t), brant.Batch{})
	equal(t, must(nodes.Count(ctx, ""))(t), 2501)
	equal(t, must(nodes.Exists(ctx, "n0000"))(t), true)
	equal(t, must(nodes.Exists(ctx, "none"))(t), false)
	got := must(nodes.GetMany(ctx, []string{"n0001", "none", "ada"}))(t)
	if len(got) != 3 || got[0].Key != "n0001" || got[1] != nil || got[2].Key != "ada" {
		t.Fatalf("%v", got)
	}

	page := must(nodes.List(ctx, &brant.NodeListOptions{Prefix: "n", Limit: 2}))(t)
	equal(t, page.Items[1].Key, "n0001")
	page = must(nodes.List(ctx, &brant.NodeListOptions{Prefix: "n", Limit: 2, Cursor: page.Cursor}))(t)
	equal(t, page.Items[0].Key, "n0002")
	count := 0
	for node, err := range nodes.All(ctx, &brant.NodeListOptions{Prefix: "n"}) {
		check(t, err)
		equal(t, node.Key, fmt.Sprintf("n%04d", count))
		count++
	}
	equal(t, count, 2500)
	for range nodes.All(ctx, nil) {
		break
	}
	for _, err := range db.Graph("none").Nodes.All(ctx, nil) {
		wants(t, err, brant.ErrNotFound)
	}

	equal(t, must(nodes.Delete(ctx, "n0000", nil))(t), 0)
	_, err = nodes.Delete(ctx, "n0000", nil)
	wants(t, err, brant.ErrNotFound)
	must(db.Graph("g").Edges.Put(ctx, brant.NewEdge{Source: "ada", Target: "n0001"}))(t)
	_, err = nodes.Delete(ctx, "ada", &brant.DeleteOptions{Revision: brant.Revision(9)})
	wants(t, err, brant.ErrConflict)
	_, err = nodes.Delete(ctx, "ada", nil)
	wants(t, err, brant.ErrConstraint)
	equal(t, must(nodes.Delete(ctx, "ada", &brant.DeleteOptions{Edges: true, Revision: brant.Revision(2)}))(t), 1)
}

func TestTypedNodes(t *testing.T) {
	db := open(t, newPath(t), nil)
	must(db.GraphTypes.Define(ctx, json.RawMessage(module), nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "crm"}))(t)
	g := db.Graph("g")
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "ada", Type: "Person", Attributes: person{Name: "Ada"}}))(t)
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "acme", Type: "Company"}))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "ada", Target: "acme", Type: "WorksFor", Attributes: map[string]int{"since": 1}}))(t)
	equal(t, must(g.Nodes.Get(ctx, "ada"))(t).Type, "Person")
	equal(t, must(g.Nodes.Count(ctx, "Person"))(t), 1)
	equal(t, len(must(g.Nodes.List(ctx, &brant.NodeListOptions{Type: "Company"}))(t).Items), 1)
	equal(t, must(g.Edges.Count(ctx, "Knows"))(t), 0)

	_, err := g.Nodes.Put(ctx, brant.NewNode{Key: "x", Type: "Robot"})
	if err == nil {
		t.Fatal("a robot was put")
	}
	_, err = g.Nodes.Put(ctx, brant.NewNode{Key: "x", Type: "Person", Attributes: map[string]any{"name": 7, "extra": true}})
	e := wants(t, err, brant.ErrValidation)
	equal(t, len(e.Violations()), 2)
	_, err = g.Nodes.PutMany(ctx, []brant.NewNode{
		{Key: "a", Type: "Person", Attributes: person{Name: "A"}},
		{Key: "b", Type: "Person", Attributes: map[string]int{"name": 1}},
	})
	items := wants(t, err, brant.ErrValidation).Items()
	if len(items) != 1 || items[0].Index != 1 || items[0].Key != "b" || items[0].Code != "VALIDATION" || len(items[0].Violations) != 1 {
		t.Fatalf("%+v", items)
	}
	equal(t, must(g.Nodes.Exists(ctx, "a"))(t), false)
	_, err = g.Edges.Put(ctx, brant.NewEdge{Source: "acme", Target: "ada", Type: "WorksFor"})
	wants(t, err, brant.ErrConstraint)
}

func TestEdges(t *testing.T) {
	db := opened(t)
	g := db.Graph("g")
	must(g.Nodes.PutMany(ctx, []brant.NewNode{{Key: "a"}, {Key: "b"}, {Key: "c"}}))(t)
	put := must(g.Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "b", Attributes: map[string]int{"w": 1}, Metadata: map[string]int{"m": 1}}))(t)
	equal(t, put.Created, true)
	again := must(g.Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "b", Attributes: map[string]int{"w": 2}}))(t)
	equal(t, again, brant.Put{Key: put.Key, Created: false, Revision: 2})
	edge := must(g.Edges.Get(ctx, put.Key))(t)
	equal(t, edge.Source+edge.Target, "ab")
	var weights map[string]int
	check(t, edge.Decode(&weights))
	equal(t, weights["w"], 2)
	sameJSON(t, edge.Metadata, `{"m":1}`)
	text, _ := json.Marshal(edge)
	if !strings.Contains(string(text), `"type":null`) {
		t.Fatalf("%s", text)
	}
	sameBatch(t, must(g.Edges.PutMany(ctx, []brant.NewEdge{{Source: "b", Target: "c", Key: "bc"}, {Source: "a", Target: "c"}}))(t),
		brant.Batch{Created: 2})
	_, err := g.Edges.PutMany(ctx, []brant.NewEdge{{Source: "a", Target: "nobody"}})
	equal(t, wants(t, err, brant.ErrNotFound).Items()[0].Index, 0)
	equal(t, must(g.Edges.Exists(ctx, "bc"))(t), true)
	equal(t, must(g.Edges.Count(ctx, ""))(t), 3)
	equal(t, len(must(g.Edges.List(ctx, &brant.EdgeListOptions{Source: "a"}))(t).Items), 2)
	equal(t, len(must(g.Edges.List(ctx, &brant.EdgeListOptions{Target: "c", Limit: 1}))(t).Items), 1)
	order := ""
	for edge, err := range g.Edges.All(ctx, nil) {
		check(t, err)
		order += edge.Source + edge.Target + " "
	}
	equal(t, order, "ab ac bc ")

	neighbors := must(g.Nodes.Neighbors(ctx, "c", &brant.NeighborOptions{Direction: brant.In, Limit: 1}))(t)
	equal(t, neighbors.Items[0].Key, "a")
	equal(t, neighbors.Items[0].Edge.Target, "c")
	neighbors = must(g.Nodes.Neighbors(ctx, "c", &brant.NeighborOptions{Direction: brant.In, Cursor: neighbors.Cursor}))(t)
	text, _ = json.Marshal(neighbors)
	if !strings.Contains(string(text), `"cursor":null`) || strings.Count(string(text), `"type":null`) != 2*len(neighbors.Items) {
		t.Fatalf("%s", text)
	}
	equal(t, len(must(g.Nodes.Neighbors(ctx, "a", nil))(t).Items), 2)

	closure := must(g.Nodes.Closure(ctx, []string{"a"}, nil))(t)
	equal(t, fmt.Sprint(closure), "{[a b c] [0 1 1] [-1 0 0] false}")
	depth := 0
	closure = must(g.Nodes.Closure(ctx, []string{"c"}, &brant.ClosureOptions{Direction: brant.In, MaxDepth: &depth}))(t)
	equal(t, fmt.Sprint(closure.Keys), "[c]")
	closure = must(g.Nodes.Closure(ctx, []string{"a"}, &brant.ClosureOptions{Limit: 2}))(t)
	equal(t, closure.Truncated, true)

	check(t, g.Edges.Delete(ctx, "bc", brant.Revision(1)))
	wants(t, g.Edges.Delete(ctx, "bc", nil), brant.ErrNotFound)
}

func TestExecute(t *testing.T) {
	db := opened(t)
	must(db.Execute(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, r REAL, s TEXT, b BLOB, n)"))(t)
	rows := must(db.Execute(ctx, "INSERT INTO t VALUES (?, ?, ?, ?, ?)", int64(1)<<62, 1.0, "x\x01\"", []byte{0, 1, 255}, nil))(t)
	equal(t, rows.Changes, 1)
	equal(t, rows.LastInsertRowID, 1<<62)
	rows = must(db.Execute(ctx, "SELECT *, r / 2 AS half FROM t WHERE s = :s AND :yes", brant.Params{"s": "x\x01\"", "yes": true}))(t)
	equal(t, fmt.Sprint(rows.Columns), "[id r s b n half]")
	equal(t, fmt.Sprintf("%#v", rows.Rows[0]), fmt.Sprintf("%#v", []any{int64(1) << 62, 1.0, "x\x01\"", []byte{0, 1, 255}, nil, 0.5}))
	rows = must(db.Execute(ctx, "SELECT 3 / ?, 3 / ?, ?", 2, 2.0, float32(0.5)))(t)
	equal(t, fmt.Sprint(rows.Rows[0]...), "1 1.5 0.5")
	equal(t, len(must(db.Execute(ctx, " WITH x AS (SELECT 5) INSERT INTO t (id) SELECT * FROM x RETURNING id"))(t).Rows), 1)
	equal(t, must(db.Execute(ctx, "SELECT count(*) FROM t"))(t).Rows[0][0], any(int64(2)))
	text, _ := json.Marshal(must(db.Execute(ctx, "SELECT b FROM t WHERE b IS NOT NULL"))(t))
	equal(t, string(text), `{"columns":["b"],"rows":[[{"$base64":"AAH/"}]],"changes":0,"last_insert_rowid":0}`)

	_, err := db.Execute(ctx, "SELECT nothing FROM nowhere")
	wants(t, err, brant.ErrSQL)
	_, err = db.Execute(ctx, "SELECT ?")
	wants(t, err, brant.ErrInvalid)
	_, err = db.Execute(ctx, "SELECT ?", brant.Params{}, 1)
	wants(t, err, brant.ErrInvalid)
	_, err = db.Execute(ctx, "SELECT ?", func() {})
	wants(t, err, brant.ErrInvalid)
	_, err = db.Execute(ctx, "INSERT INTO t (id) VALUES (5)")
	wants(t, err, brant.ErrConstraint)
	_, err = db.Execute(ctx, "DELETE FROM nodes")
	wants(t, err, brant.ErrDenied)
	_, err = db.Execute(ctx, "WITH x AS (SELECT 5) DELETE FROM nodes")
	wants(t, err, brant.ErrDenied)
	// A temporary table is on the writer's connection.
	must(db.Execute(ctx, "CREATE TEMP TABLE mine AS SELECT 7 AS seven"))(t)
	equal(t, must(db.Execute(ctx, "SELECT seven FROM mine"))(t).Rows[0][0], any(int64(7)))
}

func TestCall(t *testing.T) {
	db := opened(t)
	var put brant.Put
	check(t, db.Call(ctx, "nodes.put", map[string]any{"graph": "g", "key": "a"}, &put))
	equal(t, put.Created, true)
	check(t, db.Call(ctx, "nodes.delete", json.RawMessage(`{"graph": "g", "key": "a"}`), nil))
	answer := must(db.CallJSON(ctx, "nodes.count", []byte(`{"graph": "g"}`)))(t)
	equal(t, string(answer), `{"count":0}`)
	answer = must(db.CallJSON(ctx, "db.info", nil))(t)
	if !strings.Contains(string(answer), `"mode":"create"`) {
		t.Fatalf("%s", answer)
	}
	wants(t, db.Call(ctx, "nodes.put", map[string]any{"graph": "g", "keys": "a"}, nil), brant.ErrInvalid)
	wants(t, db.Call(ctx, "nodes.none", nil, nil), brant.ErrNotFound)
	wants(t, db.Call(ctx, "events.listen", map[string]any{"channels": []string{"a"}}, nil), brant.ErrMisuse)
	wants(t, db.Call(ctx, "transaction.begin", nil, nil), brant.ErrMisuse)
	wants(t, db.Call(ctx, "nodes.count", map[string]any{"graph": make(chan int)}, nil), brant.ErrInvalid)
	var wrong []int
	wants(t, db.Call(ctx, "nodes.count", map[string]any{"graph": "g"}, &wrong), brant.ErrInvalid)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		wants(t, tx.Call(ctx, "db.backup", map[string]string{"path": newPath(t)}, nil), brant.ErrMisuse)
		return tx.Call(ctx, "nodes.put", []byte(`{"graph": "g", "key": "b"}`), &put)
	}))
	equal(t, must(db.Graph("g").Nodes.Exists(ctx, "b"))(t), true)
}

func TestOperations(t *testing.T) {
	all := must(brant.Operations())(t)
	some := must(brant.Operations("nodes", "events"))(t)
	if len(all) < 35 || len(some) >= len(all) || len(must(brant.Operations("none"))(t)) != 0 {
		t.Fatal(len(all), len(some))
	}
	for _, op := range some {
		if op.Title == "" || op.Type == "" || !json.Valid(op.InputSchema) || !json.Valid(op.OutputSchema) || len(op.RequiredScopes) == 0 {
			t.Fatalf("%+v", op)
		}
		if op.Name == "events.listen" {
			equal(t, op.Type, brant.Subscription)
		}
	}
}

func TestDoctorBackupRestoreMaintain(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	must(nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
	report := must(db.Doctor(ctx))(t)
	if !report.OK || len(report.Checks) == 0 || !report.Checks[0].OK {
		t.Fatalf("%+v", report)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	backup := must(db.Backup(ctx, copied, nil))(t)
	if backup.Path != copied || backup.Pages == 0 || backup.Size == 0 {
		t.Fatalf("%+v", backup)
	}
	_, err := db.Backup(ctx, copied, nil)
	wants(t, err, brant.ErrExists)
	must(db.Backup(ctx, copied, &brant.BackupOptions{Overwrite: true}))(t)
	must(nodes.Put(ctx, brant.NewNode{Key: "b"}))(t)
	must(db.Restore(ctx, copied))(t)
	equal(t, must(nodes.Exists(ctx, "b"))(t), false)
	equal(t, must(nodes.Exists(ctx, "a"))(t), true)
	_, err = db.Restore(ctx, copied+"x")
	wants(t, err, brant.ErrNotFound)
	maintained := must(db.Maintain(ctx))(t)
	equal(t, maintained.Pruned, 0)
	equal(t, must(open(t, copied, nil).Graph("g").Nodes.Count(ctx, ""))(t), 1)
}

func TestMemory(t *testing.T) {
	db := open(t, ":memory:", nil)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	nodes := db.Graph("g").Nodes
	listener := must(db.Listen(ctx, "nodes:*", "mine"))(t)
	must(nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
	equal(t, must(nodes.Count(ctx, ""))(t), 1)
	equal(t, must(listener.Next(ctx))(t).Channel, "nodes:created")
	done := make(chan error)
	go func() {
		_, err := listener.Next(ctx)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Notify(ctx, "mine", nil)
		return err
	}))
	check(t, <-done)
	check(t, db.View(ctx, func(tx *brant.Tx) error {
		_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "b"})
		wants(t, err, brant.ErrReadOnly)
		return nil
	}))
	equal(t, must(db.Info(ctx))(t).Path, ":memory:")
	must(db.Execute(ctx, "CREATE TABLE t (x)"))(t)
	equal(t, len(must(db.Execute(ctx, "SELECT * FROM t"))(t).Rows), 0)
	go func() {
		_, err := listener.Next(ctx)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	check(t, db.Close())
	wants(t, <-done, brant.ErrClosed)
}

func TestTransactions(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	boom := errors.New("boom")
	equal(t, db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
		equal(t, must(tx.Graph("g").Nodes.Exists(ctx, "a"))(t), true)
		equal(t, must(nodes.Exists(ctx, "a"))(t), false) // a reader beside it
		return boom
	}), boom)
	equal(t, must(nodes.Count(ctx, ""))(t), 0)

	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
		must(tx.Execute(ctx, "CREATE TABLE t (x)"))(t)
		must(tx.Notify(ctx, "c", 1))(t)
		equal(t, tx.Tx(ctx, func(inner *brant.Tx) error {
			must(inner.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "b"}))(t)
			_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "c"})
			wants(t, err, brant.ErrMisuse) // the outer one
			wants(t, tx.Commit(ctx), brant.ErrMisuse)
			wants(t, tx.Rollback(), brant.ErrMisuse)
			return boom
		}), boom)
		_, err := tx.Graph("g").Nodes.Get(ctx, "b")
		wants(t, err, brant.ErrNotFound) // a failure leaves the transaction as it is
		return tx.Tx(ctx, func(inner *brant.Tx) error {
			_, err := inner.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "d"})
			return err
		})
	}))
	equal(t, must(nodes.Count(ctx, ""))(t), 2)

	var kept *brant.Tx
	check(t, db.Tx(ctx, func(tx *brant.Tx) error { kept = tx; return nil }))
	_, err := kept.Graph("g").Nodes.Get(ctx, "a")
	wants(t, err, brant.ErrMisuse)
	wants(t, kept.Commit(ctx), brant.ErrMisuse)
	check(t, kept.Rollback())

	func() {
		defer func() { equal(t, recover(), any("panic")) }()
		_ = db.Tx(ctx, func(tx *brant.Tx) error {
			must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "p"}))(t)
			_ = tx.Tx(ctx, func(*brant.Tx) error { panic("panic") })
			return nil
		})
	}()
	equal(t, must(nodes.Exists(ctx, "p"))(t), false)

	check(t, db.View(ctx, func(tx *brant.Tx) error {
		equal(t, must(tx.Graph("g").Nodes.Count(ctx, ""))(t), 2)
		must(nodes.Put(ctx, brant.NewNode{Key: "later"}))(t)
		equal(t, must(tx.Graph("g").Nodes.Count(ctx, ""))(t), 2) // one moment
		_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "x"})
		wants(t, err, brant.ErrReadOnly)
		return tx.Tx(ctx, func(inner *brant.Tx) error {
			equal(t, must(inner.Graph("g").Nodes.Count(ctx, ""))(t), 2)
			return nil
		})
	}))

	tx := must(db.Begin(ctx))(t)
	must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "e"}))(t)
	inner := must(tx.Begin(ctx))(t)
	must(inner.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "f"}))(t)
	check(t, inner.Rollback())
	check(t, tx.Commit(ctx))
	check(t, tx.Rollback())
	read := must(db.BeginRead(ctx))(t)
	equal(t, must(read.Graph("g").Nodes.Exists(ctx, "e"))(t), true)
	equal(t, must(read.Graph("g").Nodes.Exists(ctx, "f"))(t), false)
	check(t, read.Rollback())

	ended, cancel := context.WithCancel(ctx)
	err = db.Tx(ended, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "q"}))(t)
		cancel()
		return nil
	})
	wants(t, err, brant.ErrInterrupted)
	equal(t, must(nodes.Exists(ctx, "q"))(t), false)
}

const long = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000000) "

// SQLite takes back the whole transaction when a write in it is interrupted: what follows must not be committed by itself.
func TestTransactionLost(t *testing.T) {
	db := opened(t)
	must(db.Execute(ctx, "CREATE TABLE t (x)"))(t)
	inner := func(tx *brant.Tx) error {
		lost := false
		for span := 20 * time.Millisecond; !lost; span *= 2 { // a context that ends before the call begins does no harm
			_, err := tx.Execute(within(t, span), long+"INSERT INTO t SELECT n FROM c")
			wants(t, err, brant.ErrTimeout)
			_, err = tx.Graph("g").Nodes.Get(ctx, "before")
			lost = err != nil
		}
		_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "after"})
		wants(t, err, brant.ErrMisuse)
		return nil
	}
	err := db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "before"}))(t)
		wants(t, tx.Tx(ctx, inner), brant.ErrMisuse)
		_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "after"})
		wants(t, err, brant.ErrMisuse)
		_, err = tx.Graph("g").Nodes.Get(ctx, "after")
		wants(t, err, brant.ErrMisuse)
		return nil
	})
	wants(t, err, brant.ErrMisuse)
	equal(t, must(db.Graph("g").Nodes.Count(ctx, ""))(t), 0)

	must(db.Execute(ctx, "CREATE TABLE u (x UNIQUE ON CONFLICT ROLLBACK)"))(t)
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Execute(ctx, "INSERT INTO u VALUES (1)"))(t)
		_, err := tx.Execute(ctx, "INSERT INTO u VALUES (1)")
		wants(t, err, brant.ErrConstraint)
		_, err = tx.Execute(ctx, "INSERT INTO u VALUES (2)")
		wants(t, err, brant.ErrMisuse)
		return nil
	})
	wants(t, err, brant.ErrMisuse)
	equal(t, len(must(db.Execute(ctx, "SELECT * FROM u"))(t).Rows), 0)

	// A read that ends early takes nothing with it.
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "kept"}))(t)
		_, err := tx.Execute(within(t, 20*time.Millisecond), long+"SELECT count(*) FROM c")
		wants(t, err, brant.ErrTimeout)
		return nil
	}))
	equal(t, must(db.Graph("g").Nodes.Exists(ctx, "kept"))(t), true)
}
