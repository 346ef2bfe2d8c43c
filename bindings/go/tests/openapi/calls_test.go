package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/branthttp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

type object = map[string]any

// world is a hub in which there is one of everything, as of an account that may do everything on the system file.
type world struct {
	folder string
	ring   brant.Keys
	token  string
	values object            // of members: by operation and name, by namespace and name, or by name
	more   map[string]object // members that operations need besides, or with other values
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

const crm = `{"$id": "crm", "$defs": {"PersonNode": {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
	"KnowsEdge": {"type": "object", "properties": {"since": {"type": "integer"}}}}}`

func newWorld(t *testing.T) *world {
	w := &world{folder: filepath.Join(t.TempDir(), "hub")}
	for _, purpose := range []brant.KeyPurpose{brant.PurposeAudit, brant.PurposePepper, brant.PurposeAttribute} {
		w.ring.Keys = append(w.ring.Keys, must(brant.GenerateKey(brant.KeyOptions{Purpose: purpose}))(t))
	}
	hub := must(brant.OpenHub(w.folder, nil))(t)
	defer hub.Close()
	must(hub.Keyring(w.ring))(t)
	call := func(name, input string) object {
		t.Helper()
		answer, err := hub.System().CallJSON(t.Context(), name, []byte(input))
		if err != nil {
			t.Fatal(name, " ", input, ": ", err)
		}
		var decoded object
		if err := json.Unmarshal(answer, &decoded); err != nil {
			t.Fatal(err)
		}
		return decoded
	}
	ann := call("accounts.create", `{"email": "ann@example.com", "access_level": "admin"}`)["id"]
	bob := call("accounts.create", `{"email": "bob@example.com"}`)["id"]
	eve := call("accounts.create", `{"email": "eve@example.com"}`)["id"]
	org := call("organizations.create", fmt.Sprintf(`{"slug": "one", "name": "One", "owner_id": %q}`, ann))["id"]
	_ = call("members.add", fmt.Sprintf(`{"org_id": %q, "account_id": %q}`, org, bob))
	key := must(hub.APIKeys.Create(t.Context(), brant.NewAPIKey{Name: "all", Scopes: []string{"*:*"}, OwnerID: ann.(string)}))(t)
	w.token = key.Token.Reveal()
	spare := must(hub.APIKeys.Create(t.Context(), brant.NewAPIKey{Name: "spare", Scopes: []string{"nodes:read"}, OwnerID: ann.(string)}))(t)
	invited := call("invitations.create", fmt.Sprintf(`{"org_id": %q, "email": "ann@example.com"}`, call("organizations.create", fmt.Sprintf(`{"slug": "two", "name": "Two", "owner_id": %q}`, eve))["id"]))
	asked := call("invitations.create", fmt.Sprintf(`{"org_id": %q, "email": "zoe@example.com"}`, org))
	tenant := must(hub.Tenant(t.Context(), org.(string)))(t)
	must(tenant.Graphs.List(t.Context(), nil))(t)
	_ = tenant.Close()
	_ = call("graphs.create", `{"name": "g", "graph_type": "open"}`)
	_ = call("graph_types.define", `{"module": `+crm+`}`)
	_ = call("nodes.put_many", `{"graph": "g", "items": [{"key": "a", "attributes": {"n": 1}}, {"key": "b", "attributes": {}}]}`)
	_ = call("edges.put", `{"graph": "g", "key": "e", "source": "a", "target": "b"}`)
	_ = call("graphs.create", `{"name": "vault", "graph_type": "secret"}`)
	_ = call("nodes.put", `{"graph": "vault", "key": "s", "type": "Secret", "attributes": {"value": "hunter2"}}`)
	_ = call("queues.enqueue", `{"queue": "q", "payload": 1}`)
	job := call("queues.claim", `{"queue": "q", "worker": "w", "lease": 3600000}`)["items"].([]any)[0].(object)
	_ = call("streams.publish", `{"stream": "s", "key": "k", "payload": 1}`)
	_ = call("locks.acquire", `{"name": "l", "owner": "o", "ttl": 3600000}`)
	_ = call("schedules.set", `{"name": "daily", "spec": "0 0 * * *", "queue": "later"}`)
	_ = call("events.notify", `{"channel": "c", "payload": 1}`)
	context := object{"graph_id": "g", "kind": "node", "key": "k", "path": "/value"}
	sealed := call("envelopes.seal", `{"value": "x", "context": {"graph_id": "g", "kind": "node", "key": "k", "path": "/value"}}`)
	_ = call("queues.enqueue", `{"queue": "waiting", "payload": 1}`) // job 2
	_ = call("queues.enqueue", `{"queue": "dead", "payload": 1}`)
	_ = call("jobs.cancel", `{"id": 3}`)
	_ = call("nodes.put", `{"graph": "g", "key": "alone"}`)
	_ = call("graphs.create", `{"name": "people", "graph_type": "crm", "changes": true}`)
	_ = call("nodes.put", `{"graph": "people", "key": "p", "type": "Person", "attributes": {"name": "Ann"}}`)
	_ = call("edges.put", `{"graph": "people", "key": "k", "type": "Knows", "source": "p", "target": "p"}`)
	_ = call("indexes.create", `{"graph_type": "crm", "node_type": "Person", "kind": "text", "paths": ["attributes.name"], "name": "names"}`)
	_ = call("indexes.create", `{"graph_type": "crm", "edge_type": "Knows", "kind": "text", "paths": ["attributes.since"]}`)
	_ = call("graph_types.define", `{"module": {"$id": "locked", "$defs": {"DoorNode": {"type": "object"}, "LockEdge": {"type": "object", "properties": {"code": {"type": "string", "x-encrypted": true}}}}}}`)
	_ = call("graphs.create", `{"name": "doors", "graph_type": "locked"}`)
	_ = call("nodes.put", `{"graph": "doors", "key": "d", "type": "Door"}`)
	_ = call("edges.put", `{"graph": "doors", "key": "lock", "type": "Lock", "source": "d", "target": "d", "attributes": {"code": "1234"}}`)
	_ = call("graph_types.define", `{"module": {"$id": "unused", "$defs": {"ANode": {"type": "object"}}}}`)
	_ = call("graphs.create", `{"name": "calls", "graph_type": "call"}`)
	_ = call("access.seed", `{}`)
	for _, key := range []string{"account:one", "account:two"} {
		_ = call("access.put", `{"key": "`+key+`", "type": "Principal", "attributes": {"kind": "account"}}`)
	}
	_ = call("access.put", `{"key": "group:team", "type": "Group"}`)
	_ = call("access.grant", `{"subject": "account:one", "scopes": ["nodes:read"]}`)
	_ = call("consumers.commit", `{"stream": "s", "consumer": "one", "offset": 1}`)
	claimed := call("consumers.claim", `{"stream": "s", "group": "team", "member": "m", "lease": 3600000}`)["items"].([]any)[0].(object)
	_ = call("audit.append", `{"action": "notes.read", "subject": "ann", "personal": {"name": "Ann"}}`)
	checkpoint := call("audit.checkpoint", `{}`)
	var module any
	if err := json.Unmarshal([]byte(crm), &module); err != nil {
		t.Fatal(err)
	}
	w.values = object{
		"graph": "g", "key": "a", "source": "a", "target": "b", "keys": []any{"a", "b"}, "stream": "s", "queue": "q", "org_id": org, "account_id": bob,
		"nodes.path": "attributes.value", "edges.key": "e", "graphs.name": "g", "graph_types.name": "crm", "module": module, "graph_types.graph_type": "crm",
		"locks.name": "l", "schedules.name": "daily", "jobs.id": job["id"], "jobs.token": job["token"], "accounts.id": bob, "accounts.find.email": "bob@example.com",
		"organizations.id": org, "organizations.to": bob, "api_keys.id": spare.Key.ID, "invitations.id": asked["invitation"].(object)["id"], "invitations.token": invited["token"],
		"api_keys.token": w.token, "auth.token": w.token, "envelopes.context": context, "envelope": sealed, "subject": "account:one", "scope": "nodes:read", "scopes": []any{"nodes:read"},
		"schedules.spec": "0 0 * * *", "consumers.group": "team", "consumers.consumer": "one", "consumers.items": []any{object{"offset": claimed["offset"], "token": claimed["token"]}},
		"email": "new@example.com", "audit.seq": 1,
	}
	hash := strings.Repeat("A", 43)
	w.more = map[string]object{
		"access.assign": {"group": "group:team"}, "access.delegate": {"from": "account:one", "to": "agent:x"}, "access.put": {"key": "account:x", "attributes": object{"kind": "account"}},
		"access.remove": {"key": "account:two"}, "access.set_parent": {"resource": "graph:g", "parent": "graph:h"}, "accounts.find": {"email": "bob@example.com"},
		"api_keys.import": {"hash": strings.Repeat("0f", 32)}, "audit.append": {"action": "notes.read"}, "audit.keep": {"hash": hash}, "audit.prune": {"through": 1, "checkpoint": checkpoint},
		"audit.prove": {"seq": 1, "subject": "ann", "name": "name", "text": "Ann"}, "calls.project": {"graph": "calls"}, "calls.publish": {"operation_id": "nodes.get"},
		"edges.delete_many": {"keys": []any{"e"}}, "edges.insert": {"source": "b", "target": "a"}, "edges.insert_many": {"items": []any{object{"source": "b", "target": "a"}}},
		"edges.open_secret": {"graph": "doors", "key": "lock", "path": "attributes.code"}, "edges.search": {"graph": "people", "query": "1"}, "graph_types.delete": {"name": "unused"}, "graph_types.validate_edge": {"type": "Knows"}, "graph_types.validate_node": {"type": "Person"},
		"graphs.changes": {"graph": "people"}, "graphs.create": {"name": "new", "graph_type": "open"}, "graphs.diff": {"graph": "people", "from": 0}, "graphs.replay": {"graph": "people", "to": 1},
		"graph_types.define": {"module": object{"$id": "new", "$defs": object{"ANode": object{"type": "object"}}}}, "indexes.create": {"graph_type": "crm", "node_type": "Person", "paths": []any{"attributes.age"}},
		"indexes.delete": {"name": "names"}, "jobs.delete": {"id": 3}, "jobs.requeue": {"id": 3}, "jobs.update": {"id": 2}, "members.add": {"account_id": eve},
		"modules.cast": {"node_type": "Person"}, "modules.patch": {"document": object{}, "patch": []any{object{"op": "add", "path": "/a", "value": 1}}},
		"modules.validate_edge": {"type": "Knows"}, "modules.validate_node": {"type": "Person"}, "nodes.delete": {"key": "alone"}, "nodes.delete_many": {"keys": []any{"alone"}},
		"nodes.insert": {"key": "new"}, "nodes.insert_many": {"items": []any{object{"key": "new"}}}, "nodes.open_secret": {"graph": "vault", "key": "s"},
		"nodes.search": {"graph": "people", "query": "ann"}, "organizations.get": {"slug": "one"}, "queues.delete": {"queue": "waiting"}, "sql.execute": {"sql": "SELECT 1 AS one"},
		"streams.delete": {"force": true}, "streams.latest": {"key": "k"}, "streams.trim": {"max_count": 1},
	}
	return w
}

// open copies the world, so that no call sees what another has done, and serves it.
func (w *world) open(t *testing.T) (*httptest.Server, func()) {
	t.Helper()
	folder, err := os.MkdirTemp("", "brant-openapi")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(folder, os.DirFS(w.folder)); err != nil {
		t.Fatal(err)
	}
	hub := must(brant.OpenHub(folder, nil))(t)
	must(hub.Keyring(w.ring))(t)
	handler := must(branthttp.New(branthttp.Hub(hub), nil))(t)
	server := httptest.NewServer(handler)
	return server, func() {
		handler.Close()
		server.Close()
		_ = hub.Close()
		_ = os.RemoveAll(folder)
	}
}

func (w *world) ask(t *testing.T, server *httptest.Server, method, path string, input any) (int, any) {
	t.Helper()
	text := must(json.Marshal(input))(t)
	r := must(http.NewRequestWithContext(t.Context(), method, server.URL+path, bytes.NewReader(text)))(t)
	r.Header.Set("Authorization", "Bearer "+w.token)
	response := must(server.Client().Do(r))(t)
	defer response.Body.Close()
	answer, err := jsonschema.UnmarshalJSON(response.Body)
	if err != nil {
		t.Fatal(path, response.Status, err)
	}
	return response.StatusCode, answer
}

// contract is what the document says of one operation.
type contract struct {
	name          string
	input, output *jsonschema.Schema
	schema        object // of the input
	errors        []any
}

func contracts(t *testing.T, document any) (all []contract, streams map[string]object) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("mem:///openapi.json", document); err != nil {
		t.Fatal(err)
	}
	streams = map[string]object{}
	paths := document.(object)["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if said, ok := paths[path].(object)["get"].(object); ok {
			streams[path] = said
			continue
		}
		said := paths[path].(object)["post"].(object)
		at := "mem:///openapi.json#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/post/"
		input := must(compiler.Compile(at + "requestBody/content/application~1json/schema"))(t)
		output := must(compiler.Compile(at + "responses/200/content/application~1json/schema"))(t)
		schema := said["requestBody"].(object)["content"].(object)["application/json"].(object)["schema"].(object)
		all = append(all, contract{said["operationId"].(string), input, output, schema, said["x-brant-errors"].([]any)})
	}
	return all, streams
}

// generator makes inputs of a schema: the least that it allows, or with members by chance.
type generator struct {
	w         *world
	document  object
	operation string
	chance    *rand.Rand // nil: the least
}

func (g *generator) given(name string) (any, bool) {
	namespace, _, _ := strings.Cut(g.operation, ".")
	for _, path := range []string{g.operation + "." + name, namespace + "." + name, name} {
		if value, ok := g.w.values[path]; ok {
			return value, true
		}
	}
	return nil, false
}

func (g *generator) of(schema any, depth int) any {
	s, ok := schema.(object)
	if !ok || len(s) == 0 {
		return object{}
	}
	if reference, ok := s["$ref"].(string); ok {
		at := any(g.document)
		for _, name := range strings.Split(strings.TrimPrefix(reference, "#/"), "/") {
			at = at.(object)[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		}
		return g.of(at, depth)
	}
	if value, ok := s["const"]; ok {
		return value
	}
	if values, ok := s["enum"].([]any); ok {
		return g.oneOf(values)
	}
	for _, kind := range []string{"anyOf", "oneOf"} {
		if schemas, ok := s[kind].([]any); ok && s["properties"] == nil {
			return g.of(g.oneOf(schemas), depth)
		}
	}
	kind := s["type"]
	if kinds, ok := kind.([]any); ok {
		kind = g.oneOf(kinds)
	}
	switch kind {
	case "object":
		return g.object(s, depth)
	case "array":
		least := max(number(s["minItems"], 0), 1)
		items := []any{}
		for range least {
			items = append(items, g.of(s["items"], depth+1))
		}
		return items
	case "integer", "number":
		return max(number(s["minimum"], 1), 1)
	case "boolean":
		return g.chance == nil || g.chance.IntN(2) == 0
	case "null":
		return nil
	case "string", nil:
		return strings.Repeat("x", max(int(number(s["minLength"], 0)), 1))
	}
	return object{}
}

func (g *generator) object(s object, depth int) object {
	made := object{}
	properties, _ := s["properties"].(object)
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		wanted := slices.Contains(required, any(name))
		if !wanted && (g.chance == nil || g.chance.IntN(3) > 0 || depth > 3) {
			continue
		}
		if value, ok := g.given(name); ok && (depth == 0 || wanted) {
			made[name] = value
		} else {
			made[name] = g.of(properties[name], depth+1)
		}
	}
	return made
}

func (g *generator) oneOf(values []any) any {
	if g.chance == nil {
		return values[0]
	}
	return values[g.chance.IntN(len(values))]
}

func number(value any, otherwise int) int {
	if n, ok := value.(json.Number); ok {
		whole, err := n.Int64()
		if err == nil {
			return int(whole)
		}
	}
	return otherwise
}

// What any operation may say besides: of whoever calls, and of where it is called.
var general = []any{"AUTH", "DENIED", "LIMIT", "BUSY", "MISUSE", "INVALID", "TIMEOUT", "CLOSED", "INTERRUPTED"}

func code(answer any) any {
	said, _ := answer.(object)
	return said["code"]
}

func TestEveryOperation(t *testing.T) {
	w := newWorld(t)
	server, end := w.open(t)
	status, document := w.ask(t, server, "GET", "/openapi.json", nil)
	end()
	if status != 200 {
		t.Fatal(status, document)
	}
	all, streams := contracts(t, document)
	if len(all) < 200 || len(streams) < 4 {
		t.Fatal(len(all), len(streams))
	}
	succeeded := 0
	for _, c := range all {
		server, end := w.open(t)
		least := generator{w: w, document: document.(object), operation: c.name}
		input := least.object(c.schema, 0)
		maps.Copy(input, w.more[c.name])
		if err := c.input.Validate(normal(t, input)); err != nil {
			t.Errorf("%s: the input that was made of its schema does not fit: %v", c.name, err)
		}
		status, answer := w.ask(t, server, "POST", "/call/"+c.name, input)
		if status == 200 {
			succeeded++
		}
		if wanted := refused[c.name]; (status != 200 || wanted != "") && code(answer) != any(wanted) {
			t.Errorf("%s %s: %d %v", c.name, must(json.Marshal(input))(t), status, answer)
		}
		c.judge(t, input, status, answer)

		// By chance, one after the other: they may fail, as the document says.
		for seed := range uint64(3) {
			some := least
			some.chance = rand.New(rand.NewPCG(seed, 7))
			input := some.object(c.schema, 0)
			if c.input.Validate(normal(t, input)) != nil {
				continue // what stands between members is not generated
			}
			status, answer := w.ask(t, server, "POST", "/call/"+c.name, input)
			c.judge(t, input, status, answer)
		}
		for _, input := range c.wrong(input) {
			fits := c.input.Validate(normal(t, input)) == nil
			status, answer := w.ask(t, server, "POST", "/call/"+c.name, input)
			if !fits && status != 400 {
				t.Errorf("%s %s: %d %v", c.name, must(json.Marshal(input))(t), status, answer)
			}
			c.judge(t, input, status, answer)
		}
		end()
	}
	t.Logf("%d operations, %d of them with success; %d subscriptions", len(all), succeeded, len(streams))

	server, end = w.open(t)
	defer end()
	for path, said := range streams {
		query := url.Values{}
		least := generator{w: w, document: document.(object), operation: said["operationId"].(string)}
		for _, name := range inputs[path] {
			value, ok := least.given(name)
			if !ok {
				value = "c"
			}
			if list, ok := value.([]any); ok {
				value = list[0]
			}
			query.Set(name, fmt.Sprint(value))
		}
		ctx, leave := context.WithCancel(t.Context())
		r := must(http.NewRequestWithContext(ctx, "GET", server.URL+path+"?"+query.Encode(), nil))(t)
		r.Header.Set("Authorization", "Bearer "+w.token)
		response := must(server.Client().Do(r))(t)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
			text, _ := io.ReadAll(response.Body)
			t.Errorf("%s?%s: %s %s", path, query.Encode(), response.Status, text)
		}
		leave()
		_ = response.Body.Close()
		if status, answer := w.ask(t, server, "GET", path+"?nothing=1", nil); status != 400 || code(answer) != "INVALID" {
			t.Error(path, status, answer)
		}
	}
}

// inputs are the members that subscriptions need, which OpenAPI's parameters show as all others.
var inputs = map[string][]string{
	"/subscribe/events.listen": {"channels"}, "/subscribe/jobs.watch": {"id"}, "/subscribe/nodes.walk": {"graph", "keys"}, "/subscribe/streams.subscribe": {"stream"},
}

// judge holds an answer against the document.
func (c *contract) judge(t *testing.T, input any, status int, answer any) {
	t.Helper()
	text, _ := json.Marshal(input)
	if status == 200 {
		if err := c.output.Validate(answer); err != nil {
			t.Errorf("%s %.300s: the answer does not fit: %v", c.name, text, err)
		}
		return
	}
	said := code(answer)
	if !slices.Contains(c.errors, said) && !slices.Contains(general, said) {
		t.Errorf("%s %.300s: %d %v, which is not among its errors: %v", c.name, text, status, answer, c.errors)
	}
}

// wrong are inputs with one fault each.
func (c *contract) wrong(input object) (all []any) {
	all = append(all, []any{}, "x", nil)
	required, _ := c.schema["required"].([]any)
	for _, name := range required {
		without := maps.Clone(input)
		delete(without, name.(string))
		all = append(all, without)
	}
	for name := range input {
		for _, value := range []any{object{"x": []any{1.5}}, []any{object{}}, 1.5, true, "\x00", nil, -1} {
			other := maps.Clone(input)
			other[name] = value
			all = append(all, other)
		}
	}
	more := maps.Clone(input)
	more["no such member"] = 1
	return append(all, more)
}

// normal is a value as the validator reads it.
func normal(t *testing.T, value any) any {
	t.Helper()
	return must(jsonschema.UnmarshalJSON(bytes.NewReader(must(json.Marshal(value))(t))))(t)
}

// refused are the operations that have no success in this world, and what they say.
var refused = map[string]string{
	"access.delegate":           "DENIED",     // nobody has more than they were given
	"graph_types.migration":     "NOT_FOUND",  // none has run
	"members.leave":             "CONSTRAINT", // who has an organization cannot leave it
	"tenants.delegate":          "INVALID",    // between one organization and itself
	"tenants.revoke_delegation": "NOT_FOUND",
}
