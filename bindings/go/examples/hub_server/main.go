// Command hub_server offers organizations' graphs over HTTP: POST /call/<operation> with JSON, and an API key as the bearer token.
//
//	hub_server FOLDER new SLUG EMAIL    make an organization and print a key of its owner, once
//	hub_server FOLDER [PORT]            serve on 127.0.0.1, which a proxy with TLS stands before; 0, the default: any port
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/brant-db/brant-go"
)

const (
	maxBody  = 1 << 20 // bytes
	idle     = 60 * time.Second
	patience = 10 * time.Second // for all at the end
)

var statuses = map[brant.Code]int{
	brant.ErrAuth: 401, brant.ErrDenied: 403, brant.ErrNotFound: 404, brant.ErrExists: 409, brant.ErrConflict: 409, brant.ErrConstraint: 409,
	brant.ErrStale: 409, brant.ErrLimit: 413, brant.ErrInvalid: 400, brant.ErrInvalidJSON: 400, brant.ErrMisuse: 400, brant.ErrValidation: 422,
	brant.ErrBusy: 503, brant.ErrClosed: 503, brant.ErrTimeout: 503, brant.ErrInterrupted: 503,
}

type server struct {
	hub     *brant.Hub
	offered map[string]bool // operations that can be called
}

func newServer(hub *brant.Hub) (*server, error) {
	operations, err := brant.Operations()
	s := &server{hub, map[string]bool{}}
	for _, operation := range operations {
		s.offered[operation.Name] = operation.Type != brant.Subscription && operation.Namespace != "transaction"
	}
	return s, err
}

// call runs an operation for whoever has the key, on the file of their organization.
func (s *server) call(ctx context.Context, token, operation string, input []byte) ([]byte, error) {
	caller, err := s.hub.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	defer caller.Close() // its session judges each call by the key, the membership and the access graph
	if !s.offered[operation] || caller.Organization == nil {
		return nil, &brant.Error{Code: brant.ErrNotFound, Message: "no such operation here"}
	}
	// First what is asked, and only then is it done: nobody does what is not in the log. Callers need no right to write it.
	tenant, err := s.hub.Tenant(ctx, caller.Organization.ID)
	if err != nil {
		return nil, err
	}
	_, err = tenant.Audit.Append(ctx, brant.NewAuditRow{
		Action: "server.called", Resource: "operation:" + operation, Detail: map[string]string{"key": caller.Key.ID},
	}, brant.Actor{Type: brant.ActorAPIKey, ID: caller.Account.ID})
	if err := errors.Join(err, tenant.Close()); err != nil {
		return nil, err
	}
	return caller.DB.CallJSON(ctx, operation, input)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer []byte
	input, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		err = &brant.Error{Code: brant.ErrLimit, Message: fmt.Sprintf("the body could not be read, or has more than %d bytes", maxBody)}
	} else {
		if len(input) == 0 {
			input = []byte("{}")
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") {
			token = ""
		}
		answer, err = s.call(r.Context(), strings.TrimSpace(token), r.PathValue("operation"), input)
	}
	status := http.StatusOK
	if err != nil {
		status, answer = refusal(r, err)
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// refusal is what the caller is told; what is ours to know goes to the log instead.
func refusal(r *http.Request, err error) (status int, answer []byte) {
	var e *brant.Error
	if !errors.As(err, &e) || statuses[e.Code] == 0 {
		log.Printf("%s: %v", r.URL.Path, err)
		return http.StatusInternalServerError, []byte(`{"code":"INTERNAL","message":"the server failed"}`)
	}
	answer, err = json.Marshal(map[string]any{"code": e.Code.String(), "message": e.Message, "detail": e.Detail})
	if err != nil {
		return http.StatusInternalServerError, nil
	}
	return statuses[e.Code], answer
}

// serve answers until ctx ends, and then lets what runs end.
func serve(ctx context.Context, hub *brant.Hub, listener net.Listener) error {
	s, err := newServer(hub)
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.Handle("POST /call/{operation}", s)
	web := &http.Server{Handler: routes, ReadTimeout: idle, IdleTimeout: idle, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ended <- web.Shutdown(last)
	})
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
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
