package branthttp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/branthttp"
	"github.com/brant-db/brant-go/tests/expect"
)

var (
	check      = expect.OK
	eventually = expect.Eventually
)

// must is the value of a call that must not fail.
func must[T any](value T, err error) func(testing.TB) T { return expect.Value(value, err) }

func keys(t testing.TB) brant.Keys {
	t.Helper()
	return expect.Keys(t, brant.PurposeAudit, brant.PurposePepper)
}

// fixture is a server over a hub of two organizations.
type fixture struct {
	*httptest.Server
	hub           *brant.Hub
	address       string // of the server
	tokens        map[string]string
	ids           map[string]string // of keys
	organizations map[string]string
	open          atomic.Int32 // requests that are being answered
}

func serve(t *testing.T, options *branthttp.Options) *fixture {
	t.Helper()
	f := &fixture{
		hub:    must(brant.OpenHub(filepath.Join(t.TempDir(), "hub"), &brant.HubOptions{BusyTimeout: 10 * time.Minute}))(t),
		tokens: map[string]string{"wrong": "brant_key_x"}, ids: map[string]string{}, organizations: map[string]string{},
	}
	t.Cleanup(func() { check(t, f.hub.Close()) })
	must(f.hub.Keyring(keys(t)))(t)
	for _, slug := range []string{"acme", "other"} {
		owner := must(f.hub.Accounts.Create(t.Context(), brant.NewAccount{Email: slug + "@example.com"}))(t)
		org := must(f.hub.Organizations.Create(t.Context(), brant.NewOrganization{Slug: slug, Name: slug, OwnerID: owner.ID}))(t)
		f.organizations[slug] = org.ID
		for suffix, scopes := range map[string][]string{"": {"*:*"}, "/reads": {"nodes:read", "streams:read"}} {
			issued := must(f.hub.APIKeys.Create(t.Context(), brant.NewAPIKey{Name: slug + suffix, Scopes: scopes, OwnerID: owner.ID, OrgID: org.ID}))(t)
			f.tokens[slug+suffix], f.ids[slug+suffix] = issued.Token.Reveal(), issued.Key.ID
		}
	}
	handler := must(branthttp.New(branthttp.Hub(f.hub), options))(t)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.open.Add(1)
		defer f.open.Add(-1)
		handler.ServeHTTP(w, r)
	}))
	f.address = f.Listener.Addr().String()
	t.Cleanup(func() {
		handler.Close()
		f.Server.Close()
	})
	return f
}

func (f *fixture) request(t *testing.T, who, method, path, body string) *http.Response {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), method, f.URL+path, strings.NewReader(body)))(t)
	if token := f.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response := must(f.Client().Do(r))(t)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// wants asks, and returns the body of an answer that must have that status and code.
func (f *fixture) wants(t *testing.T, who, method, path, body string, status int, code string) (answer map[string]any) {
	t.Helper()
	response := f.request(t, who, method, path, body)
	text := must(io.ReadAll(response.Body))(t)
	if len(text) > 0 {
		check(t, json.Unmarshal(text, &answer))
	}
	got, _ := answer["code"].(string)
	if response.StatusCode != status || got != code {
		t.Errorf("%s, %s: %d %q, not %d %q: %.300s", who, path, response.StatusCode, got, status, code, text)
	}
	if status >= 400 && (response.Header.Get("Content-Type") != "application/problem+json" || answer["status"] != float64(status) || answer["title"] == "") {
		t.Errorf("%s: no problem: %s", path, text)
	}
	if (status == 401) != (response.Header.Get("WWW-Authenticate") != "") {
		t.Errorf("%s: WWW-Authenticate is %q", path, response.Header.Get("WWW-Authenticate"))
	}
	return answer
}

func (f *fixture) call(t *testing.T, who, operation, body string, status int, code string) map[string]any {
	t.Helper()
	return f.wants(t, who, "POST", "/call/"+operation, body, status, code)
}

func TestCalls(t *testing.T) {
	f := serve(t, &branthttp.Options{MaxBody: 4096})
	f.call(t, "acme", "graphs.create", `{"name": "g", "graph_type": "open"}`, 200, "")
	f.call(t, "acme", "graphs.create", `{"name": "g", "graph_type": "open"}`, 409, "EXISTS")
	var all sync.WaitGroup
	for i := range 32 {
		all.Add(1)
		go func() {
			defer all.Done()
			f.call(t, "acme", "nodes.put", fmt.Sprintf(`{"graph": "g", "key": "n%d", "attributes": {"n": %d}}`, i, i), 200, "")
			f.call(t, "acme/reads", "nodes.get", fmt.Sprintf(`{"graph": "g", "key": "n%d"}`, i), 200, "")
		}()
	}
	all.Wait()
	if answer := f.call(t, "acme/reads", "nodes.count", `{"graph": "g"}`, 200, ""); answer["count"] != 32.0 {
		t.Error(answer)
	}
	f.call(t, "wrong", "nodes.count", `{"graph": "g"}`, 401, "AUTH")
	f.call(t, "", "nodes.count", `{"graph": "g"}`, 401, "AUTH")
	for who, told := range map[string]bool{"wrong": true, "": false} {
		if challenge := f.request(t, who, "GET", "/operations", "").Header.Get("WWW-Authenticate"); strings.Contains(challenge, "invalid_token") != told {
			t.Error(who, challenge)
		}
	}
	f.call(t, "acme/reads", "nodes.put", `{"graph": "g", "key": "a"}`, 403, "DENIED")
	f.call(t, "other", "nodes.get", `{"graph": "g", "key": "n1"}`, 404, "NOT_FOUND") // another's file
	f.call(t, "acme", "nodes.get", `{"graph": "g", "key": "none"}`, 404, "NOT_FOUND")
	f.call(t, "acme", "nodes.get", `{"graph": "g", `, 400, "INVALID_JSON")
	if answer := f.call(t, "acme", "nodes.get", `{"graph": 1}`, 400, "INVALID"); answer["errors"].(map[string]any)["violations"] == nil {
		t.Error(answer)
	}
	for _, operation := range []string{"db.backup", "db.restore", "graphs.nothing", "transaction.begin", "events.listen", "x", "queues.watch"} {
		f.call(t, "acme", operation, `{}`, 404, "NOT_FOUND")
	}
	f.call(t, "acme", "nodes.put", `{"graph": "g", "key": "`+strings.Repeat("x", 5000)+`"}`, 413, "LIMIT")
	f.wants(t, "acme", "GET", "/nowhere", "", 404, "NOT_FOUND")
	f.wants(t, "", "GET", "//nowhere/", "", 404, "NOT_FOUND")
	for path, method := range map[string]string{"/call/nodes.get": "GET", "/operations": "POST", "/health": "DELETE"} {
		f.wants(t, "acme", method, path, "", 405, "NOT_FOUND")
		if allow := f.request(t, "acme", method, path, "").Header.Get("Allow"); allow == "" {
			t.Error(path, "tells no method")
		}
	}
	if response := f.request(t, "", "GET", "/health", ""); response.StatusCode != 204 {
		t.Error(response.Status)
	}
	must(f.hub.APIKeys.Revoke(t.Context(), f.ids["acme/reads"]))(t)
	f.call(t, "acme/reads", "nodes.count", `{"graph": "g"}`, 401, "AUTH")
}

func TestOperations(t *testing.T) {
	f := serve(t, nil)
	names := func(who string) string {
		answer := f.wants(t, who, "GET", "/operations", "", 200, "")
		var names []string
		for _, item := range answer["items"].([]any) {
			operation := item.(map[string]any)
			if operation["input_schema"] == nil {
				t.Error(operation)
			}
			names = append(names, operation["name"].(string))
		}
		return " " + strings.Join(names, " ") + " "
	}
	all, few := names("acme"), names("acme/reads")
	for _, refused := range []string{" db.backup ", " transaction.begin ", " queues.watch "} {
		if strings.Contains(all, refused) {
			t.Error(refused)
		}
	}
	if !strings.Contains(all, " nodes.put ") || strings.Contains(few, " nodes.put ") || !strings.Contains(few, " nodes.get ") || !strings.Contains(few, " streams.subscribe ") {
		t.Error(few)
	}
	f.wants(t, "wrong", "GET", "/operations", "", 401, "AUTH")
	document := f.wants(t, "acme/reads", "GET", "/openapi.json", "", 200, "")
	paths := document["paths"].(map[string]any)
	walk := f.wants(t, "acme", "GET", "/openapi.json", "", 200, "")["paths"].(map[string]any)["/subscribe/nodes.walk"].(map[string]any)["get"].(map[string]any)["parameters"].([]any)
	said := map[string]any{}
	for _, parameter := range walk {
		said[parameter.(map[string]any)["name"].(string)] = parameter
	}
	for name, kind := range map[string]string{"graph": "string", "keys": "array", "max_depth": "integer"} {
		parameter, _ := said[name].(map[string]any)
		if parameter == nil || parameter["required"] != (name != "max_depth") || parameter["schema"].(map[string]any)["type"] != kind {
			t.Error(name, parameter)
		}
	}
	if paths["/call/nodes.get"] == nil || paths["/call/nodes.put"] != nil || paths["/subscribe/streams.subscribe"] == nil {
		t.Error(paths)
	}
}

// events reads server-sent events: {event, id, data}.
func events(response *http.Response) func(t *testing.T) (event, id, data string) {
	lines := bufio.NewScanner(response.Body)
	return func(t *testing.T) (event, id, data string) {
		t.Helper()
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				event = value
			case "id":
				id = value
			case "data":
				data = value
			case "":
				if data != "" {
					return event, id, data
				}
			}
		}
		return "closed", "", ""
	}
}

func TestSubscriptions(t *testing.T) {
	f := serve(t, &branthttp.Options{Recheck: 30 * time.Millisecond, Beat: 20 * time.Millisecond})
	f.call(t, "acme", "streams.publish", `{"stream": "s", "payload": "one"}`, 200, "")
	f.call(t, "acme", "streams.publish", `{"stream": "s", "payload": "two"}`, 200, "")

	response := f.request(t, "acme/reads", "GET", "/subscribe/streams.subscribe?stream=s&from=start", "")
	next := events(response)
	if response.Header.Get("Content-Type") != "text/event-stream" {
		t.Error(response.Header)
	}
	var last string
	for _, wanted := range []string{"one", "two", "three"} {
		if wanted == "three" {
			time.Sleep(60 * time.Millisecond) // beats and rechecks pass
			f.call(t, "acme", "streams.publish", `{"stream": "s", "payload": "three"}`, 200, "")
		}
		_, id, data := next(t)
		if !strings.Contains(data, `"payload":"`+wanted+`"`) || id == "" {
			t.Error(id, data)
		}
		if wanted == "two" {
			last = id
		}
	}
	// Who was cut off goes on behind what it had.
	again := must(http.NewRequestWithContext(t.Context(), "GET", f.URL+"/subscribe/streams.subscribe?stream=s", nil))(t)
	again.Header.Set("Authorization", "Bearer "+f.tokens["acme"])
	again.Header.Set("Last-Event-ID", last)
	resumed := must(f.Client().Do(again))(t)
	defer resumed.Body.Close()
	if _, _, data := events(resumed)(t); !strings.Contains(data, "three") {
		t.Error(data)
	}
	// Another tenant's notifications are not heard.
	listening := events(f.request(t, "acme", "GET", "/subscribe/events.listen?channels=a&channels=b*", ""))
	f.call(t, "other", "events.notify", `{"channel": "a", "payload": "theirs"}`, 200, "")
	f.call(t, "acme", "events.notify", `{"channel": "bell", "payload": "ours"}`, 200, "")
	if _, _, data := listening(t); !strings.Contains(data, "ours") {
		t.Error(data)
	}
	// A walk has an end.
	f.call(t, "acme", "graphs.create", `{"name": "g", "graph_type": "open"}`, 200, "")
	f.call(t, "acme", "nodes.put", `{"graph": "g", "key": "a"}`, 200, "")
	walk := events(f.request(t, "acme", "GET", "/subscribe/nodes.walk?graph=g&keys=a", ""))
	if _, _, data := walk(t); !strings.Contains(data, `"keys":["a"]`) {
		t.Error(data)
	}
	if event, _, _ := walk(t); event != "end" {
		t.Error(event)
	}
	f.wants(t, "acme/reads", "GET", "/subscribe/events.listen?channels=a", "", 403, "DENIED")
	if head := f.request(t, "acme", "HEAD", "/subscribe/events.listen?channels=a", ""); head.StatusCode != 200 { // and it ends
		t.Error(head.Status)
	}
	f.wants(t, "acme", "GET", "/subscribe/events.listen?nothing=a", "", 400, "INVALID")
	f.wants(t, "acme", "GET", "/subscribe/queues.watch?queue=a", "", 404, "NOT_FOUND")
	f.wants(t, "acme", "GET", "/subscribe/nodes.get", "", 404, "NOT_FOUND")
	f.wants(t, "wrong", "GET", "/subscribe/streams.subscribe?stream=s", "", 401, "AUTH")

	// A key that is revoked ends its streams, and no others.
	must(f.hub.APIKeys.Revoke(t.Context(), f.ids["acme/reads"]))(t)
	if event, _, data := next(t); event != "error" || !strings.Contains(data, "AUTH") {
		t.Error(event, data)
	}
	if event, _, _ := next(t); event != "closed" {
		t.Error(event)
	}
	f.call(t, "acme", "events.notify", `{"channel": "a", "payload": "still"}`, 200, "")
	if _, _, data := listening(t); !strings.Contains(data, "still") {
		t.Error(data)
	}
}

func TestRateLimit(t *testing.T) {
	f := serve(t, &branthttp.Options{Limit: 3, Period: time.Hour})
	for range 3 {
		f.wants(t, "acme", "GET", "/operations", "", 200, "")
	}
	f.wants(t, "acme", "GET", "/operations", "", 429, "LIMIT")
	if response := f.request(t, "acme", "GET", "/operations", ""); response.Header.Get("Retry-After") == "" {
		t.Error(response.Header)
	}
	f.wants(t, "other", "GET", "/operations", "", 200, "")
}

// TestDatabase is over one file that has its keys itself, with a call that takes too long, a client that is slow, and a graceful end.
func TestDatabase(t *testing.T) {
	db := must(brant.Open(filepath.Join(t.TempDir(), "app.db"), &brant.Options{BusyTimeout: 10 * time.Minute}))(t)
	defer db.Close()
	must(db.Keyring(keys(t)))(t)
	ann := must(db.Accounts.Create(t.Context(), brant.NewAccount{Email: "ann@example.com", AccessLevel: brant.AccessAdmin}))(t)
	issued := must(db.APIKeys.Create(t.Context(), brant.NewAPIKey{Name: "k", Scopes: []string{"*:*"}, OwnerID: ann.ID}))(t)
	refused := errors.New("no")
	hurried := must(branthttp.New(branthttp.DB(db), &branthttp.Options{Timeout: 200 * time.Millisecond}))(t)
	endless := httptest.NewRequest("POST", "/call/sql.execute", strings.NewReader(`{"sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"}`))
	endless.Header.Set("Authorization", "Bearer "+issued.Token.Reveal())
	late := httptest.NewRecorder()
	hurried.ServeHTTP(late, endless)
	if late.Code != 503 || !strings.Contains(late.Body.String(), `"TIMEOUT"`) {
		t.Error(late.Code, late.Body)
	}
	handler := must(branthttp.New(branthttp.DB(db), &branthttp.Options{
		Offer: func(operation brant.Operation) bool {
			return operation.Namespace != "audit" && operation.Name != "types.crm.Person.count"
		},
		Before: func(_ context.Context, caller *branthttp.Caller, operation string) error {
			if caller.Account != ann.ID || caller.Key != issued.Key.ID {
				t.Error(caller)
			}
			if operation == "locks.list" {
				return refused
			}
			return nil
		},
	}))(t)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- branthttp.Serve(ctx, listener, handler, 10*time.Minute) }()
	address, key := "http://"+listener.Addr().String(), issued.Token.Reveal()
	ask := func(operation, body string) (int, string) {
		r := must(http.NewRequest("POST", address+"/call/"+operation, strings.NewReader(body)))(t)
		r.Header.Set("Authorization", "bearer "+key)
		response := must(http.DefaultClient.Do(r))(t)
		defer response.Body.Close()
		return response.StatusCode, string(must(io.ReadAll(response.Body))(t))
	}
	for _, c := range []struct {
		operation, body string
		status          int
	}{
		{"graphs.list", "", 200}, {"audit.list", "{}", 404}, {"locks.list", "{}", 500},
		{"graphs.create", `{"name": "g", "graph_type": "open"}`, 200}, {"nodes.count", `{"graph": "g"}`, 200},
		{"graph_types.define", `{"module": {"$id": "crm", "$defs": {"PersonNode": {"type": "object"}}}}`, 200}, {"graphs.create", `{"name": "people", "graph_type": "crm"}`, 200},
		{"types.crm.Person.count", `{"graph": "people"}`, 404}, {"types.crm.Person.put", `{"graph": "people", "key": "ann", "attributes": {}}`, 200},
	} {
		if status, text := ask(c.operation, c.body); status != c.status || strings.Contains(text, "no\"") {
			t.Error(c.operation, status, text)
		}
	}
	// A client that says less than it promised holds nobody up.
	slow := must(net.Dial("tcp", listener.Addr().String()))(t)
	fmt.Fprintf(slow, "POST /call/nodes.count HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", key)
	if status, text := ask("nodes.count", `{"graph": "g"}`); status != 200 {
		t.Error(status, text)
	}
	check(t, slow.Close())

	r := must(http.NewRequest("GET", address+"/subscribe/events.listen?channels=*", nil))(t)
	r.Header.Set("Authorization", "Bearer "+key)
	open := must(http.DefaultClient.Do(r))(t)
	defer open.Body.Close()
	next := events(open)
	stop()
	if event, _, _ := next(t); event != "end" {
		t.Error(event)
	}
	check(t, <-ended)
}
