package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/brant-db/brant-go"
)

type answer struct {
	Code  string `json:"code"`
	Key   string `json:"key"`
	Count int    `json:"count"`
}

// TestServer asks a server as its clients do: at once, with wrong keys, keys of others, and keys that are too narrow or were revoked.
func TestServer(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "hub")
	hub, err := openHub(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	if info, err := os.Stat(folder + ".keys"); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	tokens := map[string]string{"nobody's": "brant_key_x", "none": ""}
	for _, slug := range []string{"acme", "other"} {
		token, err := found(t.Context(), hub, slug, slug+"@example.com")
		if err != nil {
			t.Fatal(err)
		}
		tokens[slug] = token.Reveal()
	}
	acme, err := hub.Organizations.Find(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := hub.APIKeys.Create(t.Context(), brant.NewAPIKey{
		Name: "narrow", Scopes: []string{"nodes:read"}, OwnerID: acme.OwnerID, OrgID: acme.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens["narrow"] = narrow.Token.Reveal()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, hub, listener) }()
	post := func(who, operation, input string) (int, answer) {
		request, err := http.NewRequest(http.MethodPost, "http://"+listener.Addr().String()+"/call/"+operation, bytes.NewBufferString(input))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+tokens[who])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return 0, answer{}
		}
		defer response.Body.Close()
		var a answer
		if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
			t.Error(err)
		}
		return response.StatusCode, a
	}
	wants := func(who, operation, input string, status int, code string) answer {
		t.Helper()
		got, a := post(who, operation, input)
		if got != status || a.Code != code {
			t.Errorf("%s, %s: %d %q, not %d %q", who, operation, got, a.Code, status, code)
		}
		return a
	}

	wants("acme", "graphs.create", `{"name": "notes", "graph_type": "open"}`, 200, "")
	wants("acme", "graphs.create", `{"name": "notes", "graph_type": "open"}`, 409, "EXISTS")
	var all sync.WaitGroup
	for i := range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			if status, _ := post("acme", "nodes.put", fmt.Sprintf(`{"graph": "notes", "key": "n%d"}`, i)); status != 200 {
				t.Error(status)
			}
		}()
	}
	all.Wait()
	if a := wants("narrow", "nodes.count", `{"graph": "notes"}`, 200, ""); a.Count != 16 {
		t.Error(a)
	}
	wants("narrow", "nodes.put", `{"graph": "notes", "key": "a"}`, 403, "DENIED")
	wants("other", "nodes.get", `{"graph": "notes", "key": "n1"}`, 404, "NOT_FOUND")
	wants("acme", "nodes.get", `{"graph": "notes", "key": "no"}`, 404, "NOT_FOUND")
	wants("acme", "nodes.get", `{"graph": `, 400, "INVALID_JSON")
	wants("acme", "events.listen", `{"channels": ["*"]}`, 404, "NOT_FOUND")
	wants("acme", "transaction.begin", `{}`, 404, "NOT_FOUND")
	wants("acme", "accounts.list", `{}`, 400, "MISUSE")
	wants("acme", "nodes.put", `{"graph": "notes", "key": "`+string(bytes.Repeat([]byte("x"), maxBody))+`"}`, 413, "LIMIT")
	wants("nobody's", "nodes.count", `{"graph": "notes"}`, 401, "AUTH")
	wants("none", "nodes.count", `{"graph": "notes"}`, 401, "AUTH")
	if _, err := hub.APIKeys.Revoke(t.Context(), narrow.Key.ID); err != nil {
		t.Fatal(err)
	}
	wants("narrow", "nodes.count", `{"graph": "notes"}`, 401, "AUTH")

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	tenant, err := hub.Tenant(t.Context(), acme.ID)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for row, err := range tenant.Audit.All(t.Context(), &brant.AuditListOptions{Action: "server.called"}) {
		if err != nil || row.ActorID != acme.OwnerID {
			t.Error(row, err)
		}
		calls++
	}
	if report, err := tenant.Audit.Verify(t.Context(), nil); err != nil || !report.OK || calls != 23 {
		t.Errorf("%d calls; %+v %v", calls, report, err)
	}
}
