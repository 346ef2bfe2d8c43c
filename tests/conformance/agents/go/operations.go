package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/brant-db/brant-go"
)

// anyone are the methods that DB and Tx have in common.
type anyone interface {
	Erase(ctx context.Context, values []string, options *brant.EraseOptions) (brant.Erased, error)
	Graph(name string) brant.Graph
	Queue(name string) brant.Queue
	Stream(name string) brant.Stream
	RateLimit(name string, options brant.RateLimitOptions) brant.RateLimit
	KeyringInfo(ctx context.Context) (brant.KeyringInfo, error)
	AccessGraph(name string) brant.Access
	Authenticate(ctx context.Context, token string) (brant.Authenticated, error)
	Notify(ctx context.Context, channel string, payload any) (int64, error)
	Run(ctx context.Context, statement brant.Statement) (*brant.Rows, error)
	CallJSON(ctx context.Context, name string, input []byte) ([]byte, error)
}

// target is what DB and Tx have in common.
type target struct {
	anyone
	Graphs     brant.Graphs
	GraphTypes brant.GraphTypes
	Indexes    brant.Indexes
	Channels   brant.Channels
	Queues     brant.Queues
	Jobs       brant.Jobs
	Streams    brant.Streams
	Locks      brant.Locks
	RateLimits brant.RateLimits
	Schedules  brant.Schedules
	Calls      brant.Calls
	Secrets    brant.Secrets
	Envelopes  brant.Envelopes
	db         *brant.DB // nil in a transaction

	Accounts      brant.Accounts
	Organizations brant.Organizations
	Members       brant.Members
	Invitations   brant.Invitations
	APIKeys       brant.APIKeys
	Audit         brant.Audit
	Access        brant.Access
	Tenants       brant.Tenants
}

// members are the arguments of one operation. Each is taken once; what is missing, of another type, or such that Go's types do not tell it
// from one that was left out, cannot be said with the package's methods.
type members struct {
	left         map[string]json.RawMessage
	inexpressive bool
	missing      string // the last that must be there and is not
}

func readMembers(arguments json.RawMessage) *members {
	m := &members{left: map[string]json.RawMessage{}}
	if len(arguments) > 0 && json.Unmarshal(arguments, &m.left) != nil {
		m.inexpressive = true
	}
	return m
}

func strictly(text json.RawMessage, into any) bool {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into) == nil
}

func take[T any](m *members, name string) (value T, given bool) {
	text, given := m.left[name]
	delete(m.left, name)
	if given && !strictly(text, &value) {
		m.inexpressive = true
	}
	return value, given
}

// need is a member that must be there.
func need[T any](m *members, name string) T {
	value, given := take[T](m, name)
	if !given {
		m.inexpressive = true
		m.missing = name
	}
	return value
}

// may is a member whose zero value is that it was left out.
func may[T comparable](m *members, name string) T {
	value, given := take[T](m, name)
	var zero T
	if given && value == zero {
		m.inexpressive = true
	}
	return value
}

func (m *members) text(name string) string    { return need[string](m, name) }
func (m *members) given(name string) string   { return may[string](m, name) }
func (m *members) count(name string) int      { return may[int](m, name) }
func (m *members) texts(name string) []string { return need[[]string](m, name) }
func (m *members) types(name string) []string { value, _ := take[[]string](m, name); return value }
func (m *members) revision() *int64           { value, _ := take[*int64](m, "revision"); return value }

func (m *members) value(name string) any {
	text, given := m.left[name]
	delete(m.left, name)
	if !given {
		return nil
	}
	return text
}

func (m *members) items(each func(*members)) {
	for _, item := range need[[]json.RawMessage](m, "items") {
		inner := readMembers(item)
		each(inner)
		m.inexpressive = m.inexpressive || !inner.all()
	}
}

// all says whether every member was used, and could be said.
func (m *members) all() bool { return !m.inexpressive && len(m.left) == 0 }

// nullable is text, or null, which is a pointer to no text.
func (m *members) nullable(name string) *string {
	value, given := take[*string](m, name)
	if given && value == nil {
		value = new(string)
	}
	return value
}

func (m *members) node() brant.NewNode {
	return brant.NewNode{
		Key: m.text("key"), Type: m.given("type"), Attributes: m.value("attributes"), Metadata: m.value("metadata"),
		Revision: m.revision(),
	}
}

func (m *members) edge() brant.NewEdge {
	return brant.NewEdge{
		Source: m.text("source"), Target: m.text("target"), Type: m.given("type"), Key: m.given("key"),
		Undirected: m.boolean("undirected"), Attributes: m.value("attributes"), Metadata: m.value("metadata"), Revision: m.revision(),
	}
}

// params are those of SQL: numbers exact, blobs as bytes.
func (m *members) params() []any {
	text, given := m.left["params"]
	delete(m.left, "params")
	if !given {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		m.inexpressive = true
	}
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = m.param(v[i])
		}
		return v
	case map[string]any:
		named := brant.Params{}
		for name := range v {
			named[name] = m.param(v[name])
		}
		return []any{named}
	}
	m.inexpressive = true
	return nil
}

func (m *members) param(value any) any {
	switch v := value.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			integer, err := v.Int64()
			m.inexpressive = m.inexpressive || err != nil
			return integer
		}
		float, err := v.Float64()
		m.inexpressive = m.inexpressive || err != nil
		return float
	case map[string]any:
		if text, ok := v["$number"].(string); ok {
			number, err := strconv.ParseFloat(text, 64)
			m.inexpressive = m.inexpressive || err != nil
			return number
		}
		text, ok := v["$base64"].(string)
		blob, err := base64.StdEncoding.DecodeString(text)
		m.inexpressive = m.inexpressive || !ok || err != nil
		return blob
	case []any:
		m.inexpressive = true
	}
	return value
}

func (m *members) flag(name string) bool { return may[bool](m, name) }

// boolean tells a member that was left out from false.
func (m *members) boolean(name string) *bool { value, _ := take[*bool](m, name); return value }

func (m *members) number(name string) *float64 { value, _ := take[*float64](m, name); return value }
func (m *members) depth(name string) *int      { value, _ := take[*int](m, name); return value }

// batch are the options of what writes many. The default of "errors" said in words is the default.
func (m *members) batch() brant.BatchOptions {
	errors := m.given("errors")
	m.inexpressive = m.inexpressive || (errors != "" && errors != "refuse" && errors != "skip")
	return brant.BatchOptions{Skip: errors == "skip"}
}

// edgesToo is the member "edges" of what deletes nodes.
func (m *members) edgesToo() bool {
	edges := m.given("edges")
	m.inexpressive = m.inexpressive || (edges != "" && edges != "refuse" && edges != "delete")
	return edges == "delete"
}

func (m *members) patch() brant.Patch {
	return brant.Patch{Key: m.text("key"), Attributes: m.value("attributes"), Metadata: m.value("metadata"), Revision: m.revision()}
}

func (m *members) nodeList() *brant.NodeListOptions {
	return &brant.NodeListOptions{
		Type: m.given("type"), Prefix: m.given("prefix"), Filter: m.value("filter"), OrderBy: m.given("order_by"),
		Descending: m.flag("descending"), Limit: m.count("limit"), Cursor: m.given("cursor"),
	}
}

func (m *members) edgeList() *brant.EdgeListOptions {
	return &brant.EdgeListOptions{
		Type: m.given("type"), Source: m.given("source"), Target: m.given("target"), Filter: m.value("filter"), OrderBy: m.given("order_by"),
		Descending: m.flag("descending"), Limit: m.count("limit"), Cursor: m.given("cursor"),
	}
}

func (m *members) walk(order string) *brant.WalkOptions {
	m.inexpressive = m.inexpressive || (order != "" && order != "breadth" && order != "depth")
	return &brant.WalkOptions{
		Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"),
		NodeFilter: m.value("node_filter"), DepthFirst: order == "depth", MaxDepth: m.depth("max_depth"), Limit: m.count("limit"),
	}
}

func (m *members) search() *brant.SearchOptions {
	return &brant.SearchOptions{Type: m.given("type"), Filter: m.value("filter"), Limit: m.count("limit"), Cursor: m.given("cursor")}
}

// formats is the member of what judges by a module.
func (m *members) formats() brant.ValidatorOptions {
	formats := m.given("formats")
	m.inexpressive = m.inexpressive || (formats != "" && formats != "assert" && formats != "annotate")
	return brant.ValidatorOptions{AnnotateFormats: formats == "annotate"}
}

func (m *members) within() *brant.Within {
	return &brant.Within{EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), NodeFilter: m.value("node_filter")}
}

// lines says whether "items" is NDJSON; then it is the text.
func (m *members) lines() (string, bool) {
	if text := m.left["items"]; len(text) == 0 || text[0] != '"' {
		return "", false
	}
	return m.text("items"), true
}

func count(n int64, err error) (any, error) { return map[string]any{"count": n}, err }

// batched is what the registry answers: without the members that the operation does not have.
func batched(batch brant.Batch, err error, skip bool, names ...string) (any, error) {
	all := map[string]any{"created": batch.Created, "updated": batch.Updated, "unchanged": batch.Unchanged}
	answer := map[string]any{}
	for _, name := range names {
		answer[name] = all[name]
	}
	if skip {
		answer["failed"], answer["items"] = batch.Failed, batch.Items
	}
	return answer, err
}

func deletedMany(done brant.Deleted, err error, skip, nodes bool) (any, error) {
	answer := map[string]any{"deleted": done.Deleted}
	if nodes {
		answer["edges"] = done.Edges
	}
	if skip {
		answer["failed"], answer["items"] = done.Failed, done.Items
	}
	return answer, err
}

type operation func(t target, m *members) func() (any, error)

// operations: the first function takes the members, the second, when all could be said, calls the method.
var operations = map[string]operation{
	"db.info": func(t target, m *members) func() (any, error) {
		return func() (any, error) { return t.db.Info(ctx) }
	},
	"db.doctor": func(t target, m *members) func() (any, error) {
		return func() (any, error) { return t.db.Doctor(ctx) }
	},
	"db.maintain": func(t target, m *members) func() (any, error) {
		return func() (any, error) { return t.db.Maintain(ctx) }
	},
	"db.backup": func(t target, m *members) func() (any, error) {
		path := m.text("path")
		overwrite, _ := take[bool](m, "overwrite")
		return func() (any, error) { return t.db.Backup(ctx, path, &brant.BackupOptions{Overwrite: overwrite}) }
	},
	"db.restore": func(t target, m *members) func() (any, error) {
		path := m.text("path")
		return func() (any, error) { return t.db.Restore(ctx, path) }
	},
	"sql.execute": func(t target, m *members) func() (any, error) {
		cursor, _ := take[int64](m, "cursor")
		statement := brant.Statement{
			SQL: m.given("sql"), Params: m.params(), Types: m.flag("describe"), Script: m.flag("script"), Limit: m.count("limit"), Cursor: cursor, Close: m.flag("close"),
		}
		batch, _ := take[[]json.RawMessage](m, "batch")
		for _, values := range batch {
			m.left["params"] = values
			statement.Batch = append(statement.Batch, m.params())
		}
		return func() (any, error) { return t.Run(ctx, statement) }
	},
	"graph_types.define": func(t target, m *members) func() (any, error) {
		module := m.value("module")
		options := &brant.DefineOptions{
			Name: m.given("name"), Scope: brant.Scope(m.given("scope")), Version: may[int64](m, "version"), Metadata: m.value("metadata"),
		}
		return func() (any, error) { return t.GraphTypes.Define(ctx, module, options) }
	},
	"graph_types.get": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return t.GraphTypes.Get(ctx, name) }
	},
	"graph_types.list": func(t target, m *members) func() (any, error) {
		options := &brant.ListOptions{Limit: m.count("limit"), Cursor: m.given("cursor")}
		return func() (any, error) { return t.GraphTypes.List(ctx, options) }
	},
	"graph_types.delete": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return deleted, t.GraphTypes.Delete(ctx, name) }
	},
	"graph_types.validate_node": func(t target, m *members) func() (any, error) {
		graphType, nodeType, attributes := m.text("graph_type"), m.text("type"), m.value("attributes")
		return func() (any, error) { return t.GraphTypes.ValidateNode(ctx, graphType, nodeType, attributes) }
	},
	"graph_types.validate_edge": func(t target, m *members) func() (any, error) {
		graphType, edgeType, attributes := m.text("graph_type"), m.text("type"), m.value("attributes")
		ends := &brant.EdgeEnds{SourceType: m.given("source_type"), TargetType: m.given("target_type")}
		return func() (any, error) { return t.GraphTypes.ValidateEdge(ctx, graphType, edgeType, attributes, ends) }
	},
	"graphs.create": func(t target, m *members) func() (any, error) {
		graph := brant.NewGraph{Name: m.text("name"), GraphType: m.text("graph_type")}
		if owner := m.nullable("owner_id"); owner != nil {
			graph.OwnerID = *owner
		}
		if project := m.nullable("project_id"); project != nil {
			graph.ProjectID = *project
		}
		graph.Status, graph.Metadata = brant.Status(m.given("status")), m.value("metadata")
		graph.Changes = m.flag("changes")
		return func() (any, error) { return t.Graphs.Create(ctx, graph) }
	},
	"graphs.get": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return t.Graphs.Get(ctx, name) }
	},
	"graphs.list": func(t target, m *members) func() (any, error) {
		options := &brant.GraphListOptions{
			GraphType: m.given("graph_type"), Status: brant.Status(m.given("status")), Limit: m.count("limit"), Cursor: m.given("cursor"),
		}
		return func() (any, error) { return t.Graphs.List(ctx, options) }
	},
	"graphs.update": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		change := brant.GraphChange{
			OwnerID: m.nullable("owner_id"), ProjectID: m.nullable("project_id"), Status: brant.Status(m.given("status")),
			Metadata: m.value("metadata"), Changes: m.boolean("changes"),
		}
		return func() (any, error) { return t.Graphs.Update(ctx, name, change) }
	},
	"graphs.delete": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return t.Graphs.Delete(ctx, name) }
	},
	"nodes.put": func(t target, m *members) func() (any, error) {
		graph, node := m.text("graph"), m.node()
		return func() (any, error) { return t.Graph(graph).Nodes.Put(ctx, node) }
	},
	"nodes.put_many": func(t target, m *members) func() (any, error) {
		graph, options, items := m.text("graph"), m.batch(), []brant.NewNode{}
		if text, lines := m.lines(); lines {
			return func() (any, error) {
				batch, err := t.Graph(graph).Nodes.PutLines(ctx, text, options)
				return batched(batch, err, options.Skip, "created", "updated")
			}
		}
		m.items(func(item *members) { items = append(items, item.node()) })
		return func() (any, error) {
			batch, err := t.Graph(graph).Nodes.PutMany(ctx, items, options)
			return batched(batch, err, options.Skip, "created", "updated")
		}
	},
	"nodes.get": func(t target, m *members) func() (any, error) {
		graph, key := m.text("graph"), m.text("key")
		return func() (any, error) { return t.Graph(graph).Nodes.Get(ctx, key) }
	},
	"nodes.get_many": func(t target, m *members) func() (any, error) {
		graph, keys := m.text("graph"), m.texts("keys")
		return func() (any, error) {
			items, err := t.Graph(graph).Nodes.GetMany(ctx, keys)
			return map[string]any{"items": items}, err
		}
	},
	"nodes.exists": func(t target, m *members) func() (any, error) {
		graph, key := m.text("graph"), m.text("key")
		return func() (any, error) {
			exists, err := t.Graph(graph).Nodes.Exists(ctx, key)
			return map[string]any{"exists": exists}, err
		}
	},
	"nodes.count": func(t target, m *members) func() (any, error) {
		graph, itemType, filter := m.text("graph"), m.given("type"), m.value("filter")
		m.inexpressive = m.inexpressive || (itemType != "" && filter != nil)
		return func() (any, error) {
			if filter != nil {
				return count(t.Graph(graph).Nodes.CountWhere(ctx, filter))
			}
			return count(t.Graph(graph).Nodes.Count(ctx, itemType))
		}
	},
	"nodes.list": func(t target, m *members) func() (any, error) {
		graph, options := m.text("graph"), m.nodeList()
		return func() (any, error) { return t.Graph(graph).Nodes.List(ctx, options) }
	},
	"nodes.delete": func(t target, m *members) func() (any, error) {
		graph, key, edges := m.text("graph"), m.text("key"), m.given("edges")
		options := &brant.DeleteOptions{Edges: edges == "delete", Revision: m.revision()}
		m.inexpressive = m.inexpressive || (edges != "" && edges != "refuse" && edges != "delete")
		return func() (any, error) {
			count, err := t.Graph(graph).Nodes.Delete(ctx, key, options)
			return map[string]any{"deleted": true, "edges": count}, err
		}
	},
	"nodes.neighbors": func(t target, m *members) func() (any, error) {
		graph, key := m.text("graph"), m.text("key")
		options := &brant.NeighborOptions{
			Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), Limit: m.count("limit"),
			Cursor: m.given("cursor"),
		}
		return func() (any, error) { return t.Graph(graph).Nodes.Neighbors(ctx, key, options) }
	},
	"nodes.closure": func(t target, m *members) func() (any, error) {
		graph, keys, order := m.text("graph"), m.texts("keys"), m.given("order")
		options := m.walk(order)
		return func() (any, error) { return t.Graph(graph).Nodes.Closure(ctx, keys, options) }
	},
	"edges.put": func(t target, m *members) func() (any, error) {
		graph, edge := m.text("graph"), m.edge()
		return func() (any, error) { return t.Graph(graph).Edges.Put(ctx, edge) }
	},
	"edges.put_many": func(t target, m *members) func() (any, error) {
		graph, options, items := m.text("graph"), m.batch(), []brant.NewEdge{}
		if text, lines := m.lines(); lines {
			return func() (any, error) {
				batch, err := t.Graph(graph).Edges.PutLines(ctx, text, options)
				return batched(batch, err, options.Skip, "created", "updated")
			}
		}
		m.items(func(item *members) { items = append(items, item.edge()) })
		return func() (any, error) {
			batch, err := t.Graph(graph).Edges.PutMany(ctx, items, options)
			return batched(batch, err, options.Skip, "created", "updated")
		}
	},
	"edges.get": func(t target, m *members) func() (any, error) {
		graph, key := m.text("graph"), m.text("key")
		return func() (any, error) { return t.Graph(graph).Edges.Get(ctx, key) }
	},
	"edges.exists": func(t target, m *members) func() (any, error) {
		graph, key := m.text("graph"), m.text("key")
		return func() (any, error) {
			exists, err := t.Graph(graph).Edges.Exists(ctx, key)
			return map[string]any{"exists": exists}, err
		}
	},
	"edges.count": func(t target, m *members) func() (any, error) {
		graph, itemType, filter := m.text("graph"), m.given("type"), m.value("filter")
		m.inexpressive = m.inexpressive || (itemType != "" && filter != nil)
		return func() (any, error) {
			if filter != nil {
				return count(t.Graph(graph).Edges.CountWhere(ctx, filter))
			}
			return count(t.Graph(graph).Edges.Count(ctx, itemType))
		}
	},
	"edges.list": func(t target, m *members) func() (any, error) {
		graph, options := m.text("graph"), m.edgeList()
		return func() (any, error) { return t.Graph(graph).Edges.List(ctx, options) }
	},
	"edges.delete": func(t target, m *members) func() (any, error) {
		graph, key, revision := m.text("graph"), m.text("key"), m.revision()
		return func() (any, error) { return deleted, t.Graph(graph).Edges.Delete(ctx, key, revision) }
	},
	"nodes.explain": func(t target, m *members) func() (any, error) {
		graph, options := m.text("graph"), m.nodeList()
		return func() (any, error) { return t.Graph(graph).Nodes.Explain(ctx, options) }
	},
	"nodes.search": func(t target, m *members) func() (any, error) {
		graph, query, options := m.text("graph"), m.text("query"), m.search()
		return func() (any, error) { return t.Graph(graph).Nodes.Search(ctx, query, options) }
	},
	"nodes.insert": func(t target, m *members) func() (any, error) {
		graph, item := m.text("graph"), m.node()
		return func() (any, error) { return t.Graph(graph).Nodes.Insert(ctx, item) }
	},
	"nodes.patch": func(t target, m *members) func() (any, error) {
		graph, patch := m.text("graph"), m.patch()
		return func() (any, error) { return t.Graph(graph).Nodes.Patch(ctx, patch) }
	},
	"nodes.insert_many": func(t target, m *members) func() (any, error) {
		graph, options, items := m.text("graph"), m.batch(), []brant.NewNode{}
		if text, lines := m.lines(); lines {
			return func() (any, error) {
				batch, err := t.Graph(graph).Nodes.InsertLines(ctx, text, options)
				return batched(batch, err, options.Skip, "created")
			}
		}
		m.items(func(item *members) { items = append(items, item.node()) })
		return func() (any, error) {
			batch, err := t.Graph(graph).Nodes.InsertMany(ctx, items, options)
			return batched(batch, err, options.Skip, "created")
		}
	},
	"nodes.patch_many": func(t target, m *members) func() (any, error) {
		graph, options, items := m.text("graph"), m.batch(), []brant.Patch{}
		if text, lines := m.lines(); lines {
			return func() (any, error) {
				batch, err := t.Graph(graph).Nodes.PatchLines(ctx, text, options)
				return batched(batch, err, options.Skip, "updated", "unchanged")
			}
		}
		m.items(func(item *members) { items = append(items, item.patch()) })
		return func() (any, error) {
			batch, err := t.Graph(graph).Nodes.PatchMany(ctx, items, options)
			return batched(batch, err, options.Skip, "updated", "unchanged")
		}
	},
	"edges.explain": func(t target, m *members) func() (any, error) {
		graph, options := m.text("graph"), m.edgeList()
		return func() (any, error) { return t.Graph(graph).Edges.Explain(ctx, options) }
	},
	"edges.search": func(t target, m *members) func() (any, error) {
		graph, query, options := m.text("graph"), m.text("query"), m.search()
		return func() (any, error) { return t.Graph(graph).Edges.Search(ctx, query, options) }
	},
	"edges.insert": func(t target, m *members) func() (any, error) {
		graph, item := m.text("graph"), m.edge()
		return func() (any, error) { return t.Graph(graph).Edges.Insert(ctx, item) }
	},
	"edges.patch": func(t target, m *members) func() (any, error) {
		graph, patch := m.text("graph"), m.patch()
		return func() (any, error) { return t.Graph(graph).Edges.Patch(ctx, patch) }
	},
	"edges.insert_many": func(t target, m *members) func() (any, error) {
		graph, options, items := m.text("graph"), m.batch(), []brant.NewEdge{}
		if text, lines := m.lines(); lines {
			return func() (any, error) {
				batch, err := t.Graph(graph).Edges.InsertLines(ctx, text, options)
				return batched(batch, err, options.Skip, "created")
			}
		}
		m.items(func(item *members) { items = append(items, item.edge()) })
		return func() (any, error) {
			batch, err := t.Graph(graph).Edges.InsertMany(ctx, items, options)
			return batched(batch, err, options.Skip, "created")
		}
	},
	"edges.patch_many": func(t target, m *members) func() (any, error) {
		graph, options, items := m.text("graph"), m.batch(), []brant.Patch{}
		if text, lines := m.lines(); lines {
			return func() (any, error) {
				batch, err := t.Graph(graph).Edges.PatchLines(ctx, text, options)
				return batched(batch, err, options.Skip, "updated", "unchanged")
			}
		}
		m.items(func(item *members) { items = append(items, item.patch()) })
		return func() (any, error) {
			batch, err := t.Graph(graph).Edges.PatchMany(ctx, items, options)
			return batched(batch, err, options.Skip, "updated", "unchanged")
		}
	},
	"nodes.delete_many": func(t target, m *members) func() (any, error) {
		graph, edges, options, filter := m.text("graph"), m.edgesToo(), m.batch(), m.value("filter")
		if filter != nil {
			m.inexpressive = m.inexpressive || options.Skip
			return func() (any, error) {
				done, err := t.Graph(graph).Nodes.DeleteWhere(ctx, filter, edges)
				return deletedMany(done, err, false, true)
			}
		}
		keys := m.texts("keys")
		return func() (any, error) {
			done, err := t.Graph(graph).Nodes.DeleteMany(ctx, keys, edges, options)
			return deletedMany(done, err, options.Skip, true)
		}
	},
	"edges.delete_many": func(t target, m *members) func() (any, error) {
		graph, options, filter := m.text("graph"), m.batch(), m.value("filter")
		if filter != nil {
			m.inexpressive = m.inexpressive || options.Skip
			return func() (any, error) {
				done, err := t.Graph(graph).Edges.DeleteWhere(ctx, filter)
				return deletedMany(done, err, false, false)
			}
		}
		keys := m.texts("keys")
		return func() (any, error) {
			done, err := t.Graph(graph).Edges.DeleteMany(ctx, keys, options)
			return deletedMany(done, err, options.Skip, false)
		}
	},
	"graphs.shortest_path": func(t target, m *members) func() (any, error) {
		graph, source, target := m.text("graph"), m.text("source"), m.text("target")
		options := &brant.PathOptions{
			Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), NodeFilter: m.value("node_filter"),
			Weight: m.given("weight"), DefaultWeight: m.number("default_weight"), MaxDepth: m.depth("max_depth"),
		}
		return func() (any, error) { return t.Graph(graph).ShortestPath(ctx, source, target, options) }
	},
	"graphs.shortest_paths": func(t target, m *members) func() (any, error) {
		graph, source := m.text("graph"), m.text("source")
		options := &brant.DistanceOptions{
			Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), NodeFilter: m.value("node_filter"),
			Weight: m.given("weight"), DefaultWeight: m.number("default_weight"), MaxDepth: m.depth("max_depth"), MaxCost: m.number("max_cost"), Limit: m.count("limit"),
		}
		return func() (any, error) { return t.Graph(graph).ShortestPaths(ctx, source, options) }
	},
	"graphs.paths": func(t target, m *members) func() (any, error) {
		graph, source, target, maxDepth := m.text("graph"), m.text("source"), m.text("target"), need[int](m, "max_depth")
		options := &brant.PathsOptions{
			Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), NodeFilter: m.value("node_filter"),
			Limit: m.count("limit"),
		}
		return func() (any, error) { return t.Graph(graph).Paths(ctx, source, target, maxDepth, options) }
	},
	"graphs.count_walks": func(t target, m *members) func() (any, error) {
		graph, length := m.text("graph"), need[int](m, "length")
		options := &brant.WalkCountOptions{
			Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), NodeFilter: m.value("node_filter"),
			Sources: m.types("sources"), Targets: m.types("targets"), UpTo: m.flag("up_to"),
		}
		return func() (any, error) { return count(t.Graph(graph).CountWalks(ctx, length, options)) }
	},
	"graphs.topological_order": func(t target, m *members) func() (any, error) {
		graph, within := m.text("graph"), m.within()
		return func() (any, error) { return t.Graph(graph).TopologicalOrder(ctx, within) }
	},
	"graphs.find_cycle": func(t target, m *members) func() (any, error) {
		graph, within := m.text("graph"), m.within()
		return func() (any, error) { return t.Graph(graph).FindCycle(ctx, within) }
	},
	"graphs.components": func(t target, m *members) func() (any, error) {
		graph, connection, within := m.text("graph"), brant.Connection(m.given("connection")), m.within()
		return func() (any, error) { return t.Graph(graph).Components(ctx, connection, within) }
	},
	"graphs.subgraph": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		options := &brant.SubgraphOptions{
			Keys: m.types("keys"), Filter: m.value("filter"), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"),
			Limit: m.count("limit"),
		}
		return func() (any, error) { return t.Graph(graph).Subgraph(ctx, options) }
	},
	"graphs.degrees": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		descending := m.boolean("descending")
		options := &brant.DegreeOptions{
			Keys: m.types("keys"), Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"),
			Limit: m.count("limit"),
		}
		if descending != nil {
			options.Order = brant.LowestFirst
			if *descending {
				options.Order = brant.HighestFirst
			}
		}
		return func() (any, error) { return t.Graph(graph).Degrees(ctx, options) }
	},
	"graphs.pagerank": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		options := &brant.PageRankOptions{
			Damping: may[float64](m, "damping"), Tolerance: may[float64](m, "tolerance"), MaxIterations: m.count("max_iterations"), Weight: m.given("weight"),
			DefaultWeight: m.number("default_weight"), EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), Limit: m.count("limit"),
		}
		options.Personalization, _ = take[map[string]float64](m, "personalization")
		return func() (any, error) { return t.Graph(graph).PageRank(ctx, options) }
	},
	"graphs.arrays": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		options := &brant.ArrayOptions{
			EdgeTypes: m.types("edge_types"), EdgeFilter: m.value("edge_filter"), Attributes: m.flag("attributes"), Weight: m.given("weight"),
		}
		return func() (any, error) { return t.Graph(graph).Arrays(ctx, options) }
	},
	"graphs.export": func(t target, m *members) func() (any, error) {
		graph, format := m.text("graph"), brant.Format(m.text("format"))
		options := &brant.ExportOptions{
			Part: m.given("part"), EdgesName: m.given("edges"), Filter: m.value("filter"), EdgeFilter: m.value("edge_filter"),
		}
		return func() (any, error) { // the whole text; a page by itself is for the call by name
			var text strings.Builder
			err := t.Graph(graph).Export(ctx, &text, format, options)
			return map[string]any{"text": text.String(), "cursor": nil}, err
		}
	},
	"graphs.import": func(t target, m *members) func() (any, error) {
		graph, format, text, path := m.text("graph"), brant.Format(m.text("format")), m.given("text"), m.given("path")
		errors, mode := m.given("errors"), m.given("mode")
		m.inexpressive = m.inexpressive || (text == "") == (path == "")
		options := &brant.ImportOptions{
			Part: m.given("part"), Create: m.flag("create"), NodeType: m.given("node_type"), EdgeType: m.given("edge_type"), Insert: mode == "insert",
			Skip: errors == "skip", Batch: m.count("batch"), Resume: m.flag("resume"),
		}
		m.inexpressive = m.inexpressive || (mode != "" && mode != "insert" && mode != "put") || (errors != "" && errors != "skip" && errors != "refuse")
		return func() (any, error) {
			if path != "" {
				return t.Graph(graph).ImportFile(ctx, format, path, options)
			}
			return t.Graph(graph).Import(ctx, format, text, options)
		}
	},
	"graphs.purge": func(t target, m *members) func() (any, error) {
		name, limit := m.text("name"), m.count("limit")
		return func() (any, error) { return t.Graphs.Purge(ctx, name, limit) }
	},
	"indexes.create": func(t target, m *members) func() (any, error) {
		index := brant.NewIndex{
			GraphType: m.text("graph_type"), NodeType: m.given("node_type"), EdgeType: m.given("edge_type"), Of: m.given("of"),
			Kind: brant.IndexKind(m.given("kind")), Paths: m.texts("paths"), Name: m.given("name"),
		}
		return func() (any, error) { return t.Indexes.Create(ctx, index) }
	},
	"indexes.list": func(t target, m *members) func() (any, error) {
		graphType := m.given("graph_type")
		return func() (any, error) {
			items, err := t.Indexes.List(ctx, graphType)
			return map[string]any{"items": items}, err
		}
	},
	"indexes.delete": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return deleted, t.Indexes.Delete(ctx, name) }
	},
	"db.erase": func(t target, m *members) func() (any, error) {
		values, action := m.texts("values"), m.given("action")
		options := &brant.EraseOptions{Redact: action == "redact", Replacement: m.given("replacement"), DryRun: m.flag("dry_run")}
		m.inexpressive = m.inexpressive || (action != "" && action != "redact" && action != "delete")
		return func() (any, error) { return t.Erase(ctx, values, options) }
	},
	"graph_types.update": func(t target, m *members) func() (any, error) {
		name, module := m.text("name"), m.value("module")
		options := &brant.UpdateOptions{Version: may[int64](m, "version"), Metadata: m.value("metadata")}
		return func() (any, error) { return t.GraphTypes.Update(ctx, name, module, options) }
	},
	"graph_types.diff": func(t target, m *members) func() (any, error) {
		name, module := m.text("name"), m.value("module")
		return func() (any, error) { return t.GraphTypes.Diff(ctx, name, module) }
	},
	"graph_types.check": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		options := &brant.CheckOptions{Module: m.value("module"), Limit: m.count("limit"), Cursor: m.given("cursor")}
		return func() (any, error) { return t.GraphTypes.Check(ctx, name, options) }
	},
	"graph_types.migration": func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return t.GraphTypes.Migration(ctx, name) }
	},
	"graph_types.migrate": func(t target, m *members) func() (any, error) {
		name, failure := m.text("name"), m.given("on_failure")
		options := &brant.MigrateOptions{Batch: m.count("batch"), Skip: failure == "skip"}
		patches, _ := take[map[string]json.RawMessage](m, "patches")
		for name, patch := range patches {
			if options.Patches == nil {
				options.Patches = map[string]any{}
			}
			options.Patches[name] = patch
		}
		m.inexpressive = m.inexpressive || (failure != "" && failure != "skip" && failure != "stop")
		// The method runs batches until all is done; one batch alone is for the call by name.
		m.inexpressive = m.inexpressive || m.count("limit") < 1000
		return func() (any, error) { return t.GraphTypes.Migrate(ctx, name, options) }
	},
	"graph_types.set_retention": func(t target, m *members) func() (any, error) {
		name, rules := m.text("name"), m.value("rules")
		return func() (any, error) {
			stored, err := t.GraphTypes.SetRetention(ctx, name, rules)
			return map[string]any{"name": name, "rules": stored}, err
		}
	},
	"modules.types": func(t target, m *members) func() (any, error) {
		module := m.value("module")
		return func() (any, error) { return brant.Modules.Types(module) }
	},
	"modules.diff": func(t target, m *members) func() (any, error) {
		from, to := m.value("from"), m.value("to")
		return func() (any, error) { return brant.Modules.Diff(from, to) }
	},
	"modules.validate_node": func(t target, m *members) func() (any, error) {
		module, nodeType, attributes := m.value("module"), m.given("type"), m.value("attributes")
		options := m.formats()
		return func() (any, error) { return brant.Modules.ValidateNode(module, nodeType, attributes, options) }
	},
	"modules.validate_edge": func(t target, m *members) func() (any, error) {
		module, edgeType, attributes := m.value("module"), m.given("type"), m.value("attributes")
		ends := &brant.EdgeEnds{SourceType: m.given("source_type"), TargetType: m.given("target_type")}
		options := m.formats()
		return func() (any, error) { return brant.Modules.ValidateEdge(module, edgeType, attributes, ends, options) }
	},
	"modules.cast": func(t target, m *members) func() (any, error) {
		module, nodeType, edgeType, attributes := m.value("module"), m.given("node_type"), m.given("edge_type"), m.value("attributes")
		m.inexpressive = m.inexpressive || (nodeType == "") == (edgeType == "")
		return func() (any, error) {
			if nodeType != "" {
				return brant.Modules.CastNode(module, nodeType, attributes)
			}
			return brant.Modules.CastEdge(module, edgeType, attributes)
		}
	},
	"modules.patch": func(t target, m *members) func() (any, error) {
		document, patch := m.value("document"), m.value("patch")
		return func() (any, error) {
			patched, err := brant.Modules.Patch(document, patch)
			return map[string]any{"document": patched}, err
		}
	},
}

var deleted = map[string]any{"deleted": true}

// ofDatabase are not methods of a transaction: there, only the call by name can ask for them.
var ofDatabase = map[string]bool{
	"db.info": true, "db.doctor": true, "db.maintain": true, "db.backup": true, "db.restore": true,
	"db.metrics": true,
}

// call runs an operation by the package's method, or by name where Go's types cannot say it.
func call(t target, name string, arguments json.RawMessage) (any, error) {
	op, known := operations[name]
	if _, opens := subscriptions[name]; !known && !opens && !strings.HasPrefix(name, "types.") {
		return nil, faultf("UNKNOWN_OPERATION", "%s", name)
	}
	if known && (t.db != nil || !ofDatabase[name]) {
		m := readMembers(arguments)
		if method := op(t, m); m.all() {
			return method()
		}
	}
	answer, err := t.CallJSON(ctx, name, arguments)
	return json.RawMessage(answer), err
}
