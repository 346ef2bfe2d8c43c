package brant_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/brant-db/brant-go"
)

type employment struct {
	Since int `json:"since,omitempty"`
}

var errRollBack = errors.New("roll back")

// crm is a graph "crm" of the type of `module`.
func crm(t *testing.T) (*brant.DB, brant.Graph) {
	t.Helper()
	db := open(t, newPath(t), nil)
	must(db.GraphTypes.Define(ctx, json.RawMessage(module), nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "crm", GraphType: "crm"}))(t)
	return db, db.Graph("crm")
}

func TestNodesOf(t *testing.T) {
	db, g := crm(t)
	people := brant.NodesOf[person](g, "crm", "Person")
	inserted := must(people.Insert(ctx, "ada", person{"Ada", 36}, brant.PutOptions{Metadata: map[string]int{"m": 1}}))(t)
	equal(t, inserted, brant.Put{Key: "ada", Created: true, Revision: 1})
	_, err := people.Insert(ctx, "ada", person{"Ada", 36})
	wants(t, err, brant.ErrExists)
	put := must(people.Put(ctx, "ada", person{Name: "Ada L."}, brant.PutOptions{Revision: brant.Revision(1)}))(t)
	equal(t, put, brant.Put{Key: "ada", Revision: 2})
	_, err = people.Put(ctx, "ada", person{}, brant.PutOptions{Revision: brant.Revision(1)})
	wants(t, err, brant.ErrConflict)

	ada := must(people.Get(ctx, "ada"))(t)
	equal(t, ada.Attributes, person{Name: "Ada L."})
	equal(t, ada.Type, "Person")
	equal(t, ada.Revision, 2)
	sameJSON(t, ada.Metadata, `{"m":1}`)
	patched := must(people.Patch(ctx, brant.Patch{Key: "ada", Attributes: map[string]any{"age": 37}}))(t)
	equal(t, patched, brant.Patched{Key: "ada", Revision: 3, Changed: true})
	_, err = people.Patch(ctx, brant.Patch{Key: "ada", Attributes: map[string]any{"age": "old"}})
	wants(t, err, brant.ErrValidation)

	for _, name := range []string{"bob", "cid"} {
		must(people.Put(ctx, name, person{Name: name, Age: 20}))(t)
	}
	companies := brant.NodesOf[map[string]any](g, "crm", "Company")
	must(companies.Put(ctx, "acme", map[string]any{"title": "Acme"}))(t)
	equal(t, must(people.Count(ctx, nil))(t), 3)
	equal(t, must(people.Count(ctx, brant.Filter{"attributes.age": 20}))(t), 2)
	page := must(people.Find(ctx, &brant.NodeListOptions{OrderBy: "attributes.age", Descending: true, Limit: 2}))(t)
	equal(t, len(page.Items), 2)
	equal(t, page.Items[0].Attributes.Age, 37)
	page = must(people.Find(ctx, &brant.NodeListOptions{OrderBy: "attributes.age", Descending: true, Cursor: page.Cursor}))(t)
	equal(t, len(page.Items), 1)
	equal(t, page.Cursor, "")
	keys := []string{}
	for node, err := range people.All(ctx, &brant.NodeListOptions{Filter: brant.Filter{"attributes.age": 20}}) {
		check(t, err)
		keys = append(keys, node.Key)
	}
	if !slices.Equal(keys, []string{"bob", "cid"}) {
		t.Fatal(keys)
	}

	// A key of another type is not there.
	_, err = people.Get(ctx, "acme")
	wants(t, err, brant.ErrNotFound)
	_, err = people.Delete(ctx, "acme", nil)
	wants(t, err, brant.ErrNotFound)
	_, err = people.Patch(ctx, brant.Patch{Key: "acme", Attributes: map[string]any{}})
	wants(t, err, brant.ErrNotFound)
	_, err = brant.NodesOf[person](g, "crm", "Pirson").Get(ctx, "ada")
	wants(t, err, brant.ErrNotFound)
	_, err = brant.NodesOf[person](g, "none", "Person").Put(ctx, "x", person{})
	wants(t, err, brant.ErrNotFound)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	_, err = brant.NodesOf[person](db.Graph("g"), "crm", "Person").Get(ctx, "ada")
	wants(t, err, brant.ErrInvalid)
	_, err = brant.NodesOf[[]int](g, "crm", "Person").Get(ctx, "ada")
	wants(t, err, brant.ErrInvalid)

	equal(t, must(people.Delete(ctx, "ada", &brant.DeleteOptions{Edges: true, Revision: brant.Revision(3)}))(t), 0)
	equal(t, must(people.Count(ctx, nil))(t), 2)

	// In a transaction too.
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := brant.NodesOf[person](tx.Graph("crm"), "crm", "Person").Insert(ctx, "dan", person{Name: "Dan"})
		check(t, err)
		return errRollBack
	})
	equal(t, err, errRollBack)
	equal(t, must(people.Count(ctx, nil))(t), 2)
}

func TestEdgesOf(t *testing.T) {
	_, g := crm(t)
	for key, nodeType := range map[string]string{"ada": "Person", "bob": "Person", "acme": "Company"} {
		must(g.Nodes.Put(ctx, brant.NewNode{Key: key, Type: nodeType, Attributes: map[string]any{"name": key}}))(t)
	}
	jobs := brant.EdgesOf[employment](g, "crm", "WorksFor")
	put := must(jobs.Insert(ctx, "ada", "acme", employment{1990}))(t)
	equal(t, put.Created, true)
	_, err := jobs.Insert(ctx, "ada", "acme", employment{1990})
	wants(t, err, brant.ErrExists)
	_, err = jobs.Put(ctx, "acme", "ada", employment{})
	wants(t, err, brant.ErrConstraint)
	must(jobs.Put(ctx, "bob", "acme", employment{}, brant.EdgePutOptions{Key: "job", Metadata: map[string]int{"m": 1}, Revision: brant.Revision(0)}))(t)
	job := must(jobs.Get(ctx, "job"))(t)
	equal(t, job.Source, "bob")
	equal(t, job.Attributes, employment{})
	must(jobs.Patch(ctx, brant.Patch{Key: "job", Attributes: employment{2000}}))(t)
	equal(t, must(jobs.Get(ctx, "job"))(t).Attributes.Since, 2000)
	knows := brant.EdgesOf[json.RawMessage](g, "crm", "Knows")
	must(knows.Put(ctx, "ada", "bob", json.RawMessage(`{"well":true}`)))(t)
	equal(t, must(jobs.Count(ctx, nil))(t), 2)
	page := must(jobs.Find(ctx, &brant.EdgeListOptions{Filter: brant.Filter{"attributes.since": brant.Filter{"$gt": 1995}}}))(t)
	equal(t, len(page.Items), 1)
	equal(t, page.Items[0].Key, "job")
	years := 0
	for edge, err := range jobs.All(ctx, nil) {
		check(t, err)
		years += edge.Attributes.Since
	}
	equal(t, years, 3990)
	for edge, err := range knows.All(ctx, nil) {
		check(t, err)
		sameJSON(t, edge.Attributes, `{"well":true}`)
		_, err = jobs.Get(ctx, edge.Key)
		wants(t, err, brant.ErrNotFound)
	}
	wants(t, jobs.Delete(ctx, "job", brant.Revision(1)), brant.ErrConflict)
	check(t, jobs.Delete(ctx, "job", brant.Revision(2)))
	_, err = jobs.Get(ctx, "job")
	wants(t, err, brant.ErrNotFound)
	for _, err := range brant.EdgesOf[employment](g, "crm", "None").All(ctx, nil) {
		wants(t, err, brant.ErrNotFound)
	}
}

func TestTypedOperations(t *testing.T) {
	db, _ := crm(t)
	all := must(db.GraphTypes.Operations(ctx, "crm"))(t)
	equal(t, len(all), 4*7)
	for _, op := range all {
		if op.Name == "types.crm.Person.insert" {
			equal(t, op.Type, brant.Mutation)
			if !json.Valid(op.InputSchema) {
				t.Fatalf("%s", op.InputSchema)
			}
			schema := must(brant.CompileSchema([]byte(op.InputSchema), nil))(t)
			equal(t, must(schema.Accepts([]byte(`{"graph":"crm","key":"a","attributes":{"name":"A"}}`)))(t), true)
			equal(t, must(schema.Accepts([]byte(`{"graph":"crm","key":"a","attributes":{"name":1}}`)))(t), false)
		}
	}
	_, err := db.GraphTypes.Operations(ctx, "none")
	wants(t, err, brant.ErrNotFound)
	equal(t, len(must(db.GraphTypes.Operations(ctx, "open"))(t)), 0)

	// By name: writes on the writer, reads beside it.
	var put brant.Put
	input := map[string]any{"graph": "crm", "key": "ada", "attributes": person{Name: "Ada"}}
	check(t, db.Call(ctx, "types.crm.Person.insert", input, &put))
	equal(t, put.Created, true)
	var node brant.Node
	check(t, db.Call(ctx, "types.crm.Person.get", map[string]any{"graph": "crm", "key": "ada"}, &node))
	equal(t, node.Type, "Person")
	wants(t, db.Call(ctx, "types.crm.Person.none", input, nil), brant.ErrNotFound)
	wants(t, db.Call(ctx, "types.", input, nil), brant.ErrNotFound)
	e := wants(t, db.Call(ctx, "types.crm.Person.insert", map[string]any{"graph": "crm", "key": "b", "attributes": 1}, nil), brant.ErrInvalid)
	if len(e.Violations()) == 0 {
		t.Fatal(e)
	}
}

func TestTypedConcurrently(t *testing.T) {
	_, g := crm(t)
	people := brant.NodesOf[person](g, "crm", "Person")
	done := make(chan error)
	for worker := range 4 {
		go func() {
			for i := range 20 {
				key := string(rune('a'+worker)) + string(rune('a'+i))
				if _, err := people.Insert(ctx, key, person{Name: key}); err != nil {
					done <- err
					return
				}
				if node, err := people.Get(ctx, key); err != nil || node.Attributes.Name != key {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		check(t, <-done)
	}
	equal(t, must(people.Count(ctx, nil))(t), 80)
}
