package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/brant-db/brant-go"
)

// target is what DB and Tx have in common.
type target struct {
	Graphs     brant.Graphs
	GraphTypes brant.GraphTypes
	Graph      func(name string) brant.Graph
	Notify     func(ctx context.Context, channel string, payload any) (int64, error)
	Execute    func(ctx context.Context, sql string, params ...any) (*brant.Rows, error)
	CallJSON   func(ctx context.Context, name string, input []byte) ([]byte, error)
	db         *brant.DB // nil in a transaction
}

// members are the arguments of one operation. Each is taken once; what is missing, of another type, or such that Go's types do not tell it
// from one that was left out, cannot be said with the package's methods.
type members struct {
	left         map[string]json.RawMessage
	inexpressive bool
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
		Attributes: m.value("attributes"), Metadata: m.value("metadata"), Revision: m.revision(),
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
		text, ok := v["$base64"].(string)
		blob, err := base64.StdEncoding.DecodeString(text)
		m.inexpressive = m.inexpressive || !ok || err != nil
		return blob
	case []any:
		m.inexpressive = true
	}
	return value
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
		sql, params := m.text("sql"), m.params()
		return func() (any, error) { return t.Execute(ctx, sql, params...) }
	},
	"events.notify": func(t target, m *members) func() (any, error) {
		channel, payload := m.text("channel"), m.value("payload")
		return func() (any, error) {
			id, err := t.Notify(ctx, channel, payload)
			return map[string]any{"id": id}, err
		}
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
			Metadata: m.value("metadata"),
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
		graph, nodes := m.text("graph"), []brant.NewNode{}
		m.items(func(item *members) { nodes = append(nodes, item.node()) })
		return func() (any, error) { return t.Graph(graph).Nodes.PutMany(ctx, nodes) }
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
		graph, nodeType := m.text("graph"), m.given("type")
		return func() (any, error) {
			count, err := t.Graph(graph).Nodes.Count(ctx, nodeType)
			return map[string]any{"count": count}, err
		}
	},
	"nodes.list": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		options := &brant.NodeListOptions{
			Type: m.given("type"), Prefix: m.given("prefix"), Limit: m.count("limit"), Cursor: m.given("cursor"),
		}
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
		graph, keys := m.text("graph"), m.texts("keys")
		options := &brant.ClosureOptions{
			Direction: brant.Direction(m.given("direction")), EdgeTypes: m.types("edge_types"), Limit: m.count("limit"),
		}
		options.MaxDepth, _ = take[*int](m, "max_depth")
		return func() (any, error) { return t.Graph(graph).Nodes.Closure(ctx, keys, options) }
	},
	"edges.put": func(t target, m *members) func() (any, error) {
		graph, edge := m.text("graph"), m.edge()
		return func() (any, error) { return t.Graph(graph).Edges.Put(ctx, edge) }
	},
	"edges.put_many": func(t target, m *members) func() (any, error) {
		graph, edges := m.text("graph"), []brant.NewEdge{}
		m.items(func(item *members) { edges = append(edges, item.edge()) })
		return func() (any, error) { return t.Graph(graph).Edges.PutMany(ctx, edges) }
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
		graph, edgeType := m.text("graph"), m.given("type")
		return func() (any, error) {
			count, err := t.Graph(graph).Edges.Count(ctx, edgeType)
			return map[string]any{"count": count}, err
		}
	},
	"edges.list": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		options := &brant.EdgeListOptions{
			Type: m.given("type"), Source: m.given("source"), Target: m.given("target"), Limit: m.count("limit"),
			Cursor: m.given("cursor"),
		}
		return func() (any, error) { return t.Graph(graph).Edges.List(ctx, options) }
	},
	"edges.delete": func(t target, m *members) func() (any, error) {
		graph, key, revision := m.text("graph"), m.text("key"), m.revision()
		return func() (any, error) { return deleted, t.Graph(graph).Edges.Delete(ctx, key, revision) }
	},
}

var deleted = map[string]any{"deleted": true}

// ofDatabase are not methods of a transaction: there, only the call by name can ask for them.
var ofDatabase = map[string]bool{"db.info": true, "db.doctor": true, "db.maintain": true, "db.backup": true, "db.restore": true}

// call runs an operation by the package's method, or by name where Go's types cannot say it.
func call(t target, name string, arguments json.RawMessage) (any, error) {
	op, known := operations[name]
	if !known && name != "events.listen" {
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
