package brant_test

import (
	"errors"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func keyed(keys ...string) (nodes []brant.NewNode) {
	for _, key := range keys {
		nodes = append(nodes, brant.NewNode{Key: key})
	}
	return nodes
}

var skip = brant.BatchOptions{Skip: true}

func TestInsertAndPatch(t *testing.T) {
	g := opened(t).Graph("g")
	equal(t, must(g.Nodes.Insert(ctx, brant.NewNode{Key: "a", Attributes: map[string]any{"x": 1, "y": map[string]int{"z": 1}}}))(t),
		brant.Put{Key: "a", Created: true, Revision: 1})
	_, err := g.Nodes.Insert(ctx, brant.NewNode{Key: "a"})
	wants(t, err, brant.ErrExists)
	equal(t, must(g.Nodes.Patch(ctx, brant.Patch{Key: "a", Attributes: map[string]any{"x": nil, "y": map[string]int{"w": 2}}, Metadata: map[string]int{"m": 1}}))(t),
		brant.Patched{Key: "a", Revision: 2, Changed: true})
	node := must(g.Nodes.Get(ctx, "a"))(t)
	sameJSON(t, node.Attributes, `{"y":{"z":1,"w":2}}`)
	sameJSON(t, node.Metadata, `{"m":1}`)
	equal(t, must(g.Nodes.Patch(ctx, brant.Patch{Key: "a", Attributes: map[string]any{}, Revision: brant.Revision(2)}))(t), brant.Patched{Key: "a", Revision: 2})
	_, err = g.Nodes.Patch(ctx, brant.Patch{Key: "a", Attributes: map[string]any{}, Revision: brant.Revision(1)})
	wants(t, err, brant.ErrConflict)
	_, err = g.Nodes.Patch(ctx, brant.Patch{Key: "b", Attributes: map[string]any{}})
	wants(t, err, brant.ErrNotFound)

	put := must(g.Edges.Insert(ctx, brant.NewEdge{Source: "a", Target: "a", Attributes: map[string]int{"x": 1}}))(t)
	equal(t, put.Created, true)
	_, err = g.Edges.Insert(ctx, brant.NewEdge{Source: "a", Target: "a"})
	wants(t, err, brant.ErrExists)
	equal(t, must(g.Edges.Patch(ctx, brant.Patch{Key: put.Key, Attributes: map[string]int{"y": 2}}))(t).Revision, 2)
	sameJSON(t, must(g.Edges.Get(ctx, put.Key))(t).Attributes, `{"x":1,"y":2}`)
}

func TestWriteMany(t *testing.T) {
	g := opened(t).Graph("g")
	equal(t, must(g.Nodes.InsertMany(ctx, keyed("a", "b")))(t).Created, 2)
	_, err := g.Nodes.InsertMany(ctx, keyed("c", "b"))
	e := wants(t, err, brant.ErrExists)
	equal(t, len(e.Items()) == 1 && e.Items()[0].Index == 1 && e.Items()[0].Key == "b", true)
	batch := must(g.Nodes.InsertMany(ctx, keyed("c", "b"), skip))(t)
	equal(t, batch.Created == 1 && batch.Failed == 1 && batch.Items[0].Code == "EXISTS", true)
	sameBatch(t, must(g.Nodes.PatchMany(ctx, []brant.Patch{{Key: "a", Attributes: map[string]int{"x": 1}}, {Key: "b", Attributes: map[string]int{}}}))(t),
		brant.Batch{Updated: 1, Unchanged: 1})
	sameBatch(t, must(g.Nodes.PutLines(ctx, "{\"key\":\"a\"}\n\n{\"key\":\"d\"}\n"))(t), brant.Batch{Created: 1, Updated: 1})
	batch = must(g.Nodes.InsertLines(ctx, "{\"key\":\"e\"}\nno JSON\n", skip))(t)
	equal(t, batch.Created == 1 && batch.Failed == 1 && *batch.Items[0].Offset == 12, true)
	equal(t, must(g.Nodes.PatchLines(ctx, `{"key":"e","attributes":{"x":1}}`))(t).Updated, 1)
	_, err = g.Nodes.PatchLines(ctx, `{"key":"none","attributes":{}}`)
	wants(t, err, brant.ErrNotFound)

	edges := []brant.NewEdge{{Source: "a", Target: "b", Key: "ab"}, {Source: "b", Target: "c", Key: "bc"}, {Source: "c", Target: "x"}}
	_, err = g.Edges.InsertMany(ctx, edges)
	wants(t, err, brant.ErrNotFound)
	equal(t, must(g.Edges.Count(ctx, ""))(t), 0)
	batch = must(g.Edges.InsertMany(ctx, edges, skip))(t)
	equal(t, batch.Created == 2 && batch.Failed == 1, true)
	equal(t, must(g.Edges.PatchMany(ctx, []brant.Patch{{Key: "ab", Attributes: map[string]int{"x": 1}}}))(t).Updated, 1)
	equal(t, must(g.Edges.PutLines(ctx, `{"source":"a","target":"b"}`))(t).Updated, 1)
	equal(t, must(g.Edges.InsertLines(ctx, `{"source":"c","target":"d"}`))(t).Created, 1)
	equal(t, must(g.Edges.PatchLines(ctx, `{"key":"bc","attributes":{"x":1}}`))(t).Updated, 1)

	_, err = g.Nodes.DeleteMany(ctx, []string{"e", "a"}, false)
	wants(t, err, brant.ErrConstraint)
	deleted := must(g.Nodes.DeleteMany(ctx, []string{"e", "a", "none"}, false, skip))(t)
	equal(t, deleted.Deleted == 1 && deleted.Failed == 2, true)
	deleted = must(g.Nodes.DeleteMany(ctx, []string{"a"}, true))(t)
	equal(t, deleted.Deleted == 1 && deleted.Edges == 1, true)
	equal(t, must(g.Edges.DeleteWhere(ctx, brant.Filter{"attributes.x": 1}))(t).Deleted, 1)
	_, err = g.Edges.DeleteMany(ctx, []string{"bc"})
	wants(t, err, brant.ErrNotFound)
	equal(t, must(g.Edges.DeleteMany(ctx, []string{"bc"}, skip))(t).Failed, 1)
	_, err = g.Nodes.DeleteWhere(ctx, brant.Filter{}, false)
	wants(t, err, brant.ErrConstraint)
	_, err = g.Nodes.DeleteWhere(ctx, nil, true)
	wants(t, err, brant.ErrInvalid)
	equal(t, must(g.Nodes.DeleteWhere(ctx, brant.Filter{"key": "none"}, true))(t).Deleted, 0)
	deleted = must(g.Nodes.DeleteWhere(ctx, brant.Filter{}, true))(t)
	equal(t, deleted.Deleted == 3 && deleted.Edges == 1, true)
}

func TestDeleteAndPurge(t *testing.T) {
	db := opened(t)
	g := db.Graph("g")
	must(g.Nodes.PutMany(ctx, keyed("a", "b", "c")))(t)
	equal(t, must(db.Graphs.Delete(ctx, "g"))(t), brant.Purged{Deleted: true, Nodes: 3})
	_, err := g.Nodes.Get(ctx, "a")
	wants(t, err, brant.ErrNotFound)
	equal(t, must(db.Graphs.Get(ctx, "g"))(t).Status, brant.StatusDeleted)
	equal(t, len(must(db.Graphs.List(ctx, nil))(t).Items), 0)
	equal(t, len(must(db.Graphs.List(ctx, &brant.GraphListOptions{Status: brant.StatusDeleted}))(t).Items), 1)
	must(db.Graphs.Update(ctx, "g", brant.GraphChange{Status: brant.StatusActive}))(t)
	must(g.Nodes.Get(ctx, "a"))(t)
	equal(t, must(db.Graphs.Purge(ctx, "g", 2))(t), brant.PurgedPart{Nodes: 2})
	equal(t, must(db.Graphs.Purge(ctx, "g", 2))(t), brant.PurgedPart{Purged: true, Nodes: 1})
	_, err = db.Graphs.Purge(ctx, "g", 0)
	wants(t, err, brant.ErrNotFound)
}

func TestRetention(t *testing.T) {
	db, g := crm(t)
	zero, later := int64(0), int64(1e12)
	rules := brant.Retention{DeleteAfter: &later, Nodes: []brant.Expiry{{Type: "Person", Filter: brant.Filter{"attributes.age": 1}, OlderThan: 0, By: "created_at"}}}
	stored := must(db.GraphTypes.SetRetention(ctx, "crm", rules))(t)
	if len(stored) < 10 {
		t.Fatalf("%s", stored)
	}
	got := must(db.GraphTypes.Get(ctx, "crm"))(t)
	sameJSON(t, got.Retention, string(stored))
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "old", Type: "Person", Attributes: person{"Old", 1}}))(t)
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "new", Type: "Person", Attributes: person{"New", 2}}))(t)
	time.Sleep(5 * time.Millisecond)
	equal(t, must(db.Maintain(ctx))(t).Retention.Nodes, 1)
	equal(t, must(g.Nodes.Exists(ctx, "old"))(t), false)
	equal(t, must(g.Nodes.Exists(ctx, "new"))(t), true)
	sameJSON(t, must(db.GraphTypes.SetRetention(ctx, "crm", brant.Retention{PurgeAfter: &zero}))(t), `{"purge_after":0}`)
	must(db.Graphs.Delete(ctx, "crm"))(t)
	time.Sleep(5 * time.Millisecond)
	equal(t, must(db.Maintain(ctx))(t).Retention.Purged, 1)
	sameJSON(t, must(db.GraphTypes.SetRetention(ctx, "crm", nil))(t), `null`)
	_, err := db.GraphTypes.SetRetention(ctx, "crm", brant.Retention{Nodes: []brant.Expiry{{By: "name"}}})
	wants(t, err, brant.ErrInvalid)
	_, err = db.GraphTypes.SetRetention(ctx, "open", rules)
	wants(t, err, brant.ErrDenied)
}

func TestErase(t *testing.T) {
	db := opened(t)
	g := db.Graph("g")
	must(g.Nodes.PutMany(ctx, []brant.NewNode{
		{Key: "ann@x"}, {Key: "b", Attributes: map[string]any{"mail": []string{"ann@x"}}}, {Key: "c"},
	}))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "b", Target: "c"}))(t)
	must(db.Notify(ctx, "news", "ann@x"))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "ann@x", GraphType: "open", OwnerID: "ann@x"}))(t)
	dry := must(db.Erase(ctx, []string{"ann@x"}, &brant.EraseOptions{DryRun: true, Redact: true}))(t)
	if dry.Counts.Nodes != 2 || len(dry.Nodes) != 2 || dry.Nodes[1] != (brant.ErasedItem{Graph: "g", Key: "b", Action: "redact"}) || dry.Scrubbed {
		t.Fatalf("%+v", dry)
	}
	redacted := must(db.Erase(ctx, []string{"ann@x"}, &brant.EraseOptions{Redact: true, Replacement: "somebody"}))(t)
	if !redacted.Scrubbed || redacted.Counts.Notifications < 1 || redacted.Counts.Graphs != 1 || len(redacted.Refused) != 1 || redacted.Refused[0].Key != nil {
		t.Fatalf("%+v", redacted)
	}
	sameJSON(t, must(g.Nodes.Get(ctx, "b"))(t).Attributes, `{"mail":["somebody"]}`)
	equal(t, must(db.Graphs.Get(ctx, "ann@x"))(t).OwnerID, "somebody")
	erased := must(db.Erase(ctx, []string{"somebody"}, nil))(t)
	if erased.Counts.Nodes != 1 || erased.Counts.Edges != 1 || erased.Nodes[0].Action != "delete" {
		t.Fatalf("%+v", erased)
	}
	_, err := db.Erase(ctx, []string{""}, nil)
	wants(t, err, brant.ErrInvalid)
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		equal(t, must(tx.Erase(ctx, []string{"c"}, nil))(t).Scrubbed, false)
		return errRollBack
	})
	equal(t, errors.Is(err, errRollBack), true)
	equal(t, must(g.Nodes.Exists(ctx, "c"))(t), true)
}
