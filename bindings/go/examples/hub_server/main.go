// Command hub_server offers organizations' graphs over HTTP, to API keys as the bearer token: POST /call/<operation> with JSON, GET /subscribe/<operation>,
// GET /operations, GET /openapi.json.
//
//	hub_server FOLDER new SLUG EMAIL    make an organization and print a key of its owner, once
//	hub_server FOLDER [PORT]            serve on 127.0.0.1, which a proxy with TLS stands before; 0, the default: any port
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/branthttp"
)

const (
	maxBody  = 1 << 20          // bytes
	patience = 10 * time.Second // for all at the end
)

// record writes down what is asked, and only then is it done: nobody does what is not in the log. Callers need no right to write it.
func record(hub *brant.Hub) func(ctx context.Context, caller *branthttp.Caller, operation string) error {
	return func(ctx context.Context, caller *branthttp.Caller, operation string) error {
		if caller.Organization == "" {
			return &brant.Error{Code: brant.ErrNotFound, Message: "no such operation here"}
		}
		tenant, err := hub.Tenant(ctx, caller.Organization)
		if err != nil {
			return err
		}
		_, err = tenant.Audit.Append(ctx, brant.NewAuditRow{
			Action: "server.called", Resource: "operation:" + operation, Detail: map[string]string{"key": caller.Key},
		}, brant.Actor{Type: brant.ActorAPIKey, ID: caller.Account})
		return errors.Join(err, tenant.Close())
	}
}

// serve answers until ctx ends, and then lets what runs end.
func serve(ctx context.Context, hub *brant.Hub, listener net.Listener) error {
	handler, err := branthttp.New(branthttp.Hub(hub), &branthttp.Options{MaxBody: maxBody, Before: record(hub)})
	if err != nil {
		return err
	}
	return branthttp.Serve(ctx, listener, handler, patience)
}

// ring is the server's own keys, in a file beside the folder: of the audit logs, and the pepper of API keys.
func ring(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return os.ReadFile(path)
	} else if err != nil {
		return nil, err
	}
	var keys struct {
		Keys []json.RawMessage `json:"keys"`
	}
	for _, purpose := range []brant.KeyPurpose{brant.PurposeAudit, brant.PurposePepper} {
		key, err := brant.GenerateKey(brant.KeyOptions{Purpose: purpose})
		if err != nil {
			return nil, err
		}
		entry, err := key.Reveal()
		if err != nil {
			return nil, err
		}
		keys.Keys = append(keys.Keys, entry)
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	_, err = file.Write(text)
	return text, errors.Join(err, file.Sync(), file.Close())
}

func openHub(folder string) (*brant.Hub, error) {
	hub, err := brant.OpenHub(folder, nil)
	if err != nil {
		return nil, err
	}
	text, err := ring(folder + ".keys")
	if err == nil {
		_, err = hub.KeyringJSON(text)
	}
	clear(text)
	if err != nil {
		_ = hub.Close()
		return nil, err
	}
	return hub, nil
}

// found makes an organization, and a key of its owner.
func found(ctx context.Context, hub *brant.Hub, slug, email string) (brant.Token, error) {
	owner, err := hub.Accounts.Create(ctx, brant.NewAccount{Email: email})
	if err != nil {
		return brant.Token{}, err
	}
	organization, err := hub.Organizations.Create(ctx, brant.NewOrganization{Slug: slug, Name: slug, OwnerID: owner.ID})
	if err != nil {
		return brant.Token{}, err
	}
	issued, err := hub.APIKeys.Create(ctx, brant.NewAPIKey{Name: "first", Scopes: []string{"*:*"}, OwnerID: owner.ID, OrgID: organization.ID})
	return issued.Token, err
}

func run(folder string, arguments []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hub, err := openHub(folder)
	if err != nil {
		return err
	}
	defer hub.Close()
	if len(arguments) == 3 && arguments[0] == "new" {
		token, err := found(ctx, hub, arguments[1], arguments[2])
		if err == nil {
			fmt.Println(token.Reveal())
		}
		return err
	}
	port := "0"
	if len(arguments) > 0 {
		port = arguments[0]
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	return serve(ctx, hub, listener)
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("hub_server FOLDER [new SLUG EMAIL | PORT]")
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}
