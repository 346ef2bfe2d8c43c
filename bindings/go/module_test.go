package brant_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

type worker struct {
	Name    string  `json:"name" jsonschema:"minLength=1"`
	Manager *worker `json:"manager,omitempty"`
}

type common struct {
	Note string `json:"note,omitempty"`
}

type task struct {
	common
	Title    string           `json:"title" jsonschema:"minLength=1,description=what is to be done"`
	Status   string           `json:"status" jsonschema:"enum=open,enum=done,default=open,optional"`
	Effort   int              `json:"effort,omitempty" jsonschema:"minimum=0"`
	Due      *time.Time       `json:"due"`
	Assignee worker           `json:"assignee"`
	Labels   []string         `json:"labels,omitempty" jsonschema:"maxItems=3,uniqueItems"`
	Extra    map[string]any   `json:"extra,omitempty"`
	Counts   map[string]uint8 `json:"counts,omitempty"`
	Raw      json.RawMessage  `json:"raw,omitempty"`
	Hidden   chan int         `json:"-"`
	private  int              //nolint:unused // not a member
}

type dependsOn struct {
	Reason string `json:"reason,omitempty"`
}

func TestModuleOfStructs(t *testing.T) {
	module, err := brant.NewModule(brant.ModuleSpec{
		ID:     "tasks-of-structs",
		Config: brant.ConfigSpec{Acyclic: true, NoSelfLoops: true},
		Nodes:  []any{task{}, &worker{}},
		Edges: []brant.EdgeSpec{
			{Type: dependsOn{}, Source: []any{task{}}, Target: []any{"Task"}, MaxOut: 2},
			{Name: "Knows"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	db := opened(t)
	defined, err := db.GraphTypes.Define(ctx, module, nil)
	if err != nil {
		t.Fatalf("%v %s", err, module)
	}
	if !defined.Config.Acyclic || defined.Config.AllowSelfLoops || len(defined.NodeTypes) != 2 || len(defined.EdgeTypes) != 2 {
		t.Errorf("%+v", defined)
	}
	for _, edge := range defined.EdgeTypes {
		if edge.Name == "DependsOn" && (len(edge.Source) != 1 || edge.Source[0] != "Task") {
			t.Errorf("%+v", edge)
		}
	}
	if _, err := db.Graphs.Create(ctx, brant.NewGraph{Name: "tasks", GraphType: "tasks-of-structs"}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	nodes := db.Graph("tasks").Nodes
	boss := worker{Name: "Ann"}
	given := task{Title: "write", Status: "open", Due: &now, Assignee: worker{Name: "Bob", Manager: &boss}, Labels: []string{"a"}, Counts: map[string]uint8{"x": 1}}
	if _, err := nodes.Put(ctx, brant.NewNode{Key: "a", Type: "Task", Attributes: given}); err != nil {
		t.Fatal(err)
	}
	stored, err := nodes.Get(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	var back task
	if err := stored.Decode(&back); err != nil || back.Assignee.Manager.Name != "Ann" || !back.Due.Equal(now) {
		t.Errorf("%+v %v", back, err)
	}
	for _, wrong := range []string{
		`{"title":"","assignee":{"name":"B"}}`, `{"title":"x","assignee":{"name":""}}`, `{"title":"x","status":"no","assignee":{"name":"B"}}`,
		`{"title":"x","assignee":{"name":"B"},"effort":-1}`, `{"title":"x","assignee":{"name":"B"},"labels":["a","a"]}`,
		`{"title":"x","assignee":{"name":"B"},"other":1}`, `{"title":"x"}`, `{"title":"x","assignee":{"name":"B"},"due":"soon"}`,
	} {
		if _, err := nodes.Put(ctx, brant.NewNode{Key: "b", Type: "Task", Attributes: json.RawMessage(wrong)}); !errors.Is(err, brant.ErrValidation) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

type named struct {
	Title int    `json:"title"` // hidden
	By    string `json:"by"`
}

type dated struct {
	On string `json:"on"`
}

type note struct {
	named
	*dated
	Title string `json:"title"`
}

func TestModuleOfEmbeddedStructs(t *testing.T) {
	module := must(brant.NewModule(brant.ModuleSpec{ID: "notes", Nodes: []any{note{}}}))(t)
	for attributes, want := range map[string]bool{
		`{"title":"a","by":"b"}`: true, `{"title":"a","by":"b","on":"c"}`: true, `{"title":1,"by":"b"}`: false, `{"title":"a"}`: false,
		`{"title":"a","by":"b","on":1}`: false,
	} {
		valid := must(brant.Modules.ValidateNode(module, "Note", json.RawMessage(attributes)))(t)
		if valid.Valid != want {
			t.Errorf("%s: %+v", attributes, valid)
		}
	}
}

type badTag struct {
	N int `json:"n" jsonschema:"minimum=low"`
}
type unknownTag struct {
	N int `json:"n" jsonschema:"minimal=1"`
}
type channel struct {
	C chan int `json:"c"`
}

func TestModuleOfStructsFaults(t *testing.T) {
	for _, nodes := range [][]any{{badTag{}}, {unknownTag{}}, {channel{}}, {7}, {task{}, task{}}, {struct{ A int }{}}, {nil}} {
		if _, err := brant.NewModule(brant.ModuleSpec{ID: "m", Nodes: nodes}); !errors.Is(err, brant.ErrInvalid) {
			t.Errorf("%v: %v", nodes, err)
		}
	}
	if _, err := brant.NewModule(brant.ModuleSpec{ID: "m", Edges: []brant.EdgeSpec{{}}}); !errors.Is(err, brant.ErrInvalid) {
		t.Error(err)
	}
}
