package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/brant-db/brant-go"
)

func run(ctx context.Context, folder, ring string) error {
	keys, err := os.ReadFile(ring)
	if err != nil {
		return err
	}
	hub, err := brant.OpenHub(folder, nil)
	if err != nil {
		return err
	}
	defer hub.Close()
	if _, err := hub.KeyringJSON(keys); err != nil {
		return err
	}
	if _, err := hub.Organizations.Find(ctx, "acme"); err != nil {
		ann, err := hub.Accounts.Create(ctx, brant.NewAccount{Email: "ann@example.org"})
		if err != nil {
			return err
		}
		if _, err = hub.Organizations.Create(ctx, brant.NewOrganization{Slug: "acme", Name: "Acme", OwnerID: ann.ID}); err != nil {
			return err
		}
	}
	acme, err := hub.Organizations.Find(ctx, "acme")
	if err != nil {
		return err
	}
	reader := brant.NewAPIKey{Name: "reader", Scopes: []string{"graphs:*", "nodes:read"}, OwnerID: acme.OwnerID, OrgID: acme.ID}
	key, err := hub.APIKeys.Create(ctx, reader)
	if err != nil {
		return err
	}

	caller, err := hub.Authenticate(ctx, key.Token.Reveal()) // a request came with the token
	if err != nil {
		return err
	}
	defer caller.Close()
	if _, err := caller.DB.Graphs.Get(ctx, "notes"); err != nil {
		if _, err := caller.DB.Graphs.Create(ctx, brant.NewGraph{Name: "notes", GraphType: "open"}); err != nil {
			return err
		}
	}
	_, err = caller.DB.Graph("notes").Nodes.Put(ctx, brant.NewNode{Key: "hello"})
	fmt.Println("refused:", err)

	db, err := hub.Tenant(ctx, acme.ID) // the program itself may do everything
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Graph("notes").Nodes.Put(ctx, brant.NewNode{Key: "hello"}); err != nil {
		return err
	}
	report, err := hub.Audit.Verify(ctx, nil)
	fmt.Println("audit:", report.OK)
	return err
}

func main() {
	folder, ring := "hub", "ring.json"
	if len(os.Args) > 2 {
		folder, ring = os.Args[1], os.Args[2]
	}
	if err := run(context.Background(), folder, ring); err != nil {
		log.Fatal(err)
	}
}
