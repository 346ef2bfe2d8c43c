package brant_test

import (
	"context"
	"errors"
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

func ExampleDB_Keyring() {
	ctx := context.Background()
	db, err := brant.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	key, err := brant.GenerateKey()
	if err != nil {
		log.Fatal(err)
	}
	ring, err := db.Keyring(brant.Keys{Keys: []brant.Key{key}})
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()
	key.Wipe() // the ring has it

	if _, err := db.Graphs.Create(ctx, brant.NewGraph{Name: "secrets", GraphType: "secret"}); err != nil {
		log.Fatal(err)
	}
	secrets := db.Graph("secrets").Nodes
	value := map[string]string{"user": "ann", "password": "hunter2"}
	if _, err := secrets.Put(ctx, brant.NewNode{Key: "smtp", Type: "Secret", Attributes: map[string]any{"value": value}}); err != nil {
		log.Fatal(err)
	}
	secret, err := secrets.OpenSecret(ctx, "smtp", "attributes.value")
	if err != nil {
		log.Fatal(err)
	}
	var login struct{ User, Password string }
	if err := secret.Decode(&login); err != nil {
		log.Fatal(err)
	}
	fmt.Println(key, secret, login.User)
	// Output: [key attribute 1 active] [secret] ann
}

func ExampleSecrets_Rotate() {
	ctx := context.Background()
	db, err := brant.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	attach := func(keys ...brant.Key) {
		if _, err := db.Keyring(brant.Keys{Keys: keys}); err != nil {
			log.Fatal(err)
		}
	}
	former, err := brant.GenerateKey()
	if err != nil {
		log.Fatal(err)
	}
	attach(former)
	if _, err := db.Graphs.Create(ctx, brant.NewGraph{Name: "secrets", GraphType: "secret"}); err != nil {
		log.Fatal(err)
	}
	secrets := db.Graph("secrets").Nodes
	for _, name := range []string{"smtp", "ldap"} {
		if _, err := secrets.Put(ctx, brant.NewNode{Key: name, Type: "Secret", Attributes: map[string]any{"value": "of " + name}}); err != nil {
			log.Fatal(err)
		}
	}

	next, err := brant.GenerateKey(brant.KeyOptions{Version: 2})
	if err != nil {
		log.Fatal(err)
	}
	former.State = brant.KeyDecryptOnly
	attach(former, next)
	rotated, err := db.Secrets.Rotate(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	attach(next) // nothing needs the former any more
	secret, err := secrets.OpenSecret(ctx, "smtp", "attributes.value")
	fmt.Println(rotated.Rewrapped, rotated.Failed, secret.KeyVersion, err)
	// Output: 2 0 2 <nil>
}

func ExampleEnvelopes_Seal() {
	ctx := context.Background()
	db, err := brant.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	key, err := brant.DeriveKey(ctx, []byte("correct horse"), &brant.DeriveOptions{KDF: &brant.KDF{Passes: 2, Memory: 19 << 20}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Keyring(brant.Keys{Keys: []brant.Key{key}, Padding: 32}); err != nil {
		log.Fatal(err)
	}
	place := brant.EnvelopeContext{GraphID: "0192f0c1", Kind: "node", Key: "smtp", Path: "/value"}
	envelope, err := db.Envelopes.Seal(ctx, "hunter2", place)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := db.Envelopes.Open(ctx, envelope, place)
	if err != nil {
		log.Fatal(err)
	}
	place.Key = "ldap"
	_, err = db.Envelopes.Open(ctx, envelope, place)
	fmt.Println(secret.Reveal(), errors.Is(err, brant.ErrAuth))
	// Output: hunter2 true
}
