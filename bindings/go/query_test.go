package brant_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
)

func TestFilters(t *testing.T) {
	_, g := crm(t)
	for i, name := range []string{"Ada", "Bob", "Cid", "Dan"} {
		must(g.Nodes.Put(ctx, brant.NewNode{Key: strings.ToLower(name), Type: "Person", Attributes: person{name, 20 + i}}))(t)
	}
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "acme", Type: "Company"}))(t)
	for _, key := range []string{"ada", "bob"} {
		must(g.Edges.Put(ctx, brant.NewEdge{Source: key, Target: "acme", Type: "WorksFor", Attributes: employment{Since: 1990 + len(key) + int(key[0])}}))(t)
	}
	for _, of := range []struct {
		filter any
		keys   string
	}{
		{nil, "acme ada bob cid dan"},
		{brant.Filter{}, "acme ada bob cid dan"},
		{brant.Filter{"type": "Person", "attributes.age": brant.Filter{"$gt": 20, "$lte": 22}}, "bob cid"},
		{brant.Filter{"$or": []brant.Filter{{"key": "ada"}, {"attributes.name": brant.Filter{"$prefix": "D"}}}}, "ada dan"},
		{brant.Filter{"$not": brant.Filter{"attributes.age": brant.Filter{"$exists": true}}}, "acme"},
		{json.RawMessage(`{"attributes.name": {"$in": ["Bob", "Dan"]}}`), "bob dan"},
		{map[string]any{"attributes.name": map[string]any{"$contains": "a"}}, "ada dan"},
	} {
		page := must(g.Nodes.List(ctx, &brant.NodeListOptions{Filter: of.filter}))(t)
		keys := []string{}
		for _, node := range page.Items {
			keys = append(keys, node.Key)
		}
		equal(t, strings.Join(keys, " "), of.keys)
		equal(t, must(g.Nodes.CountWhere(ctx, of.filter))(t), int64(len(keys)))
	}
	page := must(g.Nodes.List(ctx, &brant.NodeListOptions{OrderBy: "attributes.age", Descending: true, Limit: 2}))(t)
	equal(t, page.Items[0].Key+page.Items[1].Key, "dancid")
	page = must(g.Nodes.List(ctx, &brant.NodeListOptions{OrderBy: "attributes.age", Descending: true, Cursor: page.Cursor}))(t)
	equal(t, len(page.Items), 3)
	equal(t, page.Items[2].Key, "acme")
	_, err := g.Nodes.List(ctx, &brant.NodeListOptions{Filter: brant.Filter{"attributes.age": brant.Filter{"$near": 1}}})
	e := wants(t, err, brant.ErrInvalid)
	var detail struct{ Pointer string }
	check(t, json.Unmarshal(e.Detail, &detail))
	if !strings.HasPrefix(detail.Pointer, "/filter/") {
		t.Fatalf("%s", e.Detail)
	}

	equal(t, must(g.Edges.CountWhere(ctx, brant.Filter{"source": "ada"}))(t), 1)
	edges := must(g.Edges.List(ctx, &brant.EdgeListOptions{Filter: brant.Filter{"target": "acme"}, OrderBy: "attributes.since", Descending: true}))(t)
	equal(t, len(edges.Items), 2)
	equal(t, edges.Items[0].Source, "bob")
}

func TestIndexesAndSearch(t *testing.T) {
	db, g := crm(t)
	for _, name := range []string{"Ada Lovelace", "Ada Byron", "Charles Babbage"} {
		must(g.Nodes.Put(ctx, brant.NewNode{Key: name, Type: "Person", Attributes: person{name, 1}}))(t)
	}
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "acme", Type: "Company"}))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "Ada Byron", Target: "Ada Lovelace", Type: "Knows", Attributes: map[string]string{"how": "the same person"}}))(t)
	_, err := g.Nodes.Search(ctx, "ada", nil)
	wants(t, err, brant.ErrConstraint)

	index := must(db.Indexes.Create(ctx, brant.NewIndex{GraphType: "crm", NodeType: "Person", Paths: []string{"attributes.name"}}))(t)
	equal(t, index.Name, "crm.Person.attributes.name")
	equal(t, index.Kind, brant.ValueIndex)
	equal(t, *index.NodeType+index.Of, "Personnodes")
	equal(t, index.EdgeType, nil)
	again := must(db.Indexes.Create(ctx, brant.NewIndex{GraphType: "crm", NodeType: "Person", Paths: []string{"attributes.name"}}))(t)
	equal(t, again.ID, index.ID)
	plan := must(g.Nodes.Explain(ctx, &brant.NodeListOptions{Filter: brant.Filter{"type": "Person", "attributes.name": "Ada Byron"}}))(t)
	if plan.Scan || len(plan.Indexes) != 1 || plan.Indexes[0] != index.Name || plan.SQL == "" || len(plan.Plan) == 0 || plan.Plan[0].Detail == "" {
		t.Fatalf("%+v", plan)
	}
	plan = must(g.Edges.Explain(ctx, &brant.EdgeListOptions{Filter: brant.Filter{"attributes.how": "x"}}))(t)
	if !plan.Scan || len(plan.Indexes) != 0 {
		t.Fatalf("%+v", plan)
	}

	must(db.Indexes.Create(ctx, brant.NewIndex{GraphType: "crm", NodeType: "Person", Kind: brant.TextIndex, Paths: []string{"attributes.name"}, Name: "people"}))(t)
	must(db.Indexes.Create(ctx, brant.NewIndex{GraphType: "crm", EdgeType: "Knows", Kind: brant.TextIndex, Paths: []string{"attributes.how"}, Name: "how"}))(t)
	found := must(g.Nodes.Search(ctx, "ada -byron", &brant.SearchOptions{Type: "Person"}))(t)
	equal(t, len(found.Items), 1)
	hit := found.Items[0]
	if hit.Node.Key != "Ada Lovelace" || hit.Node.Type != "Person" || hit.Snippet != "[Ada] Lovelace" {
		t.Fatalf("%+v", hit)
	}
	found = must(g.Nodes.Search(ctx, "ada OR babb*", &brant.SearchOptions{Type: "Person", Limit: 2}))(t)
	equal(t, len(found.Items) == 2 && found.Cursor != "", true)
	found = must(g.Nodes.Search(ctx, "ada OR babb*", &brant.SearchOptions{Type: "Person", Limit: 2, Cursor: found.Cursor}))(t)
	equal(t, len(found.Items) == 1 && found.Cursor == "", true)
	found = must(g.Nodes.Search(ctx, "ada", &brant.SearchOptions{Type: "Person", Filter: brant.Filter{"key": "Ada Byron"}}))(t)
	equal(t, len(found.Items), 1)
	edges := must(g.Edges.Search(ctx, `"same person"`, &brant.SearchOptions{Type: "Knows"}))(t)
	equal(t, len(edges.Items) == 1 && edges.Items[0].Edge.Source == "Ada Byron", true)
	_, err = g.Nodes.Search(ctx, `"open`, &brant.SearchOptions{Type: "Person"})
	wants(t, err, brant.ErrInvalid)

	equal(t, len(must(db.Indexes.List(ctx, ""))(t)), 3)
	equal(t, len(must(db.Indexes.List(ctx, "open"))(t)), 0)
	check(t, db.Indexes.Delete(ctx, "people"))
	wants(t, db.Indexes.Delete(ctx, "people"), brant.ErrNotFound)
	_, err = db.Indexes.Create(ctx, brant.NewIndex{GraphType: "crm", NodeType: "Company", Paths: []string{"attributes.title"}, Name: "how"})
	wants(t, err, brant.ErrExists)
	_, err = db.Indexes.Create(ctx, brant.NewIndex{GraphType: "crm", NodeType: "Nobody", Paths: []string{"attributes.title"}})
	wants(t, err, brant.ErrInvalid)
	of := must(db.Indexes.Create(ctx, brant.NewIndex{GraphType: "open", Of: "edges", Paths: []string{"attributes.a", "attributes.b"}}))(t)
	equal(t, of.Of, "edges")
	equal(t, of.NodeType == nil && of.EdgeType == nil, true)
}
