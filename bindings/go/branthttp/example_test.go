package branthttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/branthttp"
)

// A file is offered to whoever has one of its keys.
func Example() {
	ctx := context.Background()
	db, err := brant.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var ring brant.Keys
	for _, purpose := range []brant.KeyPurpose{brant.PurposeAudit, brant.PurposePepper} {
		key, err := brant.GenerateKey(brant.KeyOptions{Purpose: purpose})
		if err != nil {
			log.Fatal(err)
		}
		ring.Keys = append(ring.Keys, key)
	}
	if _, err := db.Keyring(ring); err != nil {
		log.Fatal(err)
	}
	ann, err := db.Accounts.Create(ctx, brant.NewAccount{Email: "ann@example.com", AccessLevel: brant.AccessAdmin})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := db.APIKeys.Create(ctx, brant.NewAPIKey{Name: "phone", Scopes: []string{"events:write"}, OwnerID: ann.ID})
	if err != nil {
		log.Fatal(err)
	}

	handler, err := branthttp.New(branthttp.DB(db), nil)
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	for _, operation := range []string{"events.notify", "events.channels"} {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/call/"+operation, strings.NewReader(`{"channel": "door", "payload": "open"}`))
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+issued.Token.Reveal())
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = response.Body.Close()
		fmt.Println(response.StatusCode, operation, len(text) > 0)
	}
	// Output:
	// 200 events.notify true
	// 403 events.channels true
}
