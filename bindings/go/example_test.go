package brant_test

import (
	"context"
	"fmt"
	"log"

	"github.com/brant-db/brant-go"
)

type Task struct {
	Title  string `json:"title" jsonschema:"minLength=1"`
	Status string `json:"status" jsonschema:"enum=open,enum=done"`
}

func ExampleNodesOf() {
	ctx := context.Background()
	db, err := brant.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	module, err := brant.NewModule(brant.ModuleSpec{
		ID:     "tasks",
		Config: brant.ConfigSpec{Acyclic: true},
		Nodes:  []any{Task{}},
		Edges:  []brant.EdgeSpec{{Name: "After", Source: []any{Task{}}, Target: []any{Task{}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.GraphTypes.Define(ctx, module, nil); err != nil {
		log.Fatal(err)
	}
	if _, err := db.Graphs.Create(ctx, brant.NewGraph{Name: "plan", GraphType: "tasks"}); err != nil {
		log.Fatal(err)
	}

	tasks := brant.NodesOf[Task](db.Graph("plan"), "tasks", "Task")
	if _, err := tasks.Insert(ctx, "paint", Task{Title: "paint the wall", Status: "open"}); err != nil {
		log.Fatal(err)
	}
	found, err := tasks.Find(ctx, &brant.NodeListOptions{Filter: brant.Filter{"attributes.status": "open"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Items[0].Key, found.Items[0].Attributes.Title)
	// Output: paint paint the wall
}

func ExampleNodes_Walk() {
	ctx := context.Background()
	db, err := brant.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	graph := db.Graph("chain")
	text := `{"graph":{"graph_type":"open"}}
{"node":{"key":"a"}}
{"node":{"key":"b"}}
{"edge":{"source":"a","target":"b"}}
`
	if _, err := graph.Import(ctx, brant.NDJSON, text, &brant.ImportOptions{Create: true}); err != nil {
		log.Fatal(err)
	}
	for batch, err := range graph.Nodes.Walk(ctx, []string{"a"}, nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.Keys, batch.Depths, batch.Parents)
	}
	// Output: [a b] [0 1] [-1 0]
}
