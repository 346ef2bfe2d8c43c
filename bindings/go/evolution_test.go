package brant_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
)

// tasks is a module whose node type has these properties and required ones.
func tasks(properties, required string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"$id":"tasks","$defs":{"TaskNode":{"type":"object","properties":{%s},"required":[%s],"additionalProperties":false},`+
		`"AfterEdge":{"type":"object"},"AfterEdgeConstraints":{"properties":{"source":{"const":"Task"},"max_out":{"const":2}}}}}`, properties, required))
}

var (
	tasks1 = tasks(`"title":{"type":"string"}`, `"title"`)
	tasks2 = tasks(`"title":{"type":"string"},"status":{"enum":["open","done"],"default":"open"}`, `"title","status"`)
	tasks3 = tasks(`"title":{"type":"string","maxLength":1}`, `"title"`)
)

func TestModules(t *testing.T) {
	types := must(brant.Modules.Types(tasks2))(t)
	equal(t, types.ID, "tasks")
	equal(t, types.Config.Directed, "directed")
	equal(t, len(types.NodeTypes) == 1 && types.NodeTypes[0].Name == "Task", true)
	after := types.EdgeTypes[0]
	equal(t, after.Name == "After" && after.Source[0] == "Task" && after.Target == nil && *after.MaxOut == 2 && after.MaxIn == nil, true)
	equal(t, len(types.Warnings), 0)
	types = must(brant.Modules.Types(map[string]any{"$defs": map[string]any{"Tasknode": true}}))(t)
	equal(t, types.ID == "" && len(types.Warnings) == 1 && types.Warnings[0].Pointer != "", true)
	text := must(json.Marshal(types))(t)
	if !strings.Contains(string(text), `"id":null`) {
		t.Fatalf("%s", text)
	}
	_, err := brant.Modules.Types(7)
	if err == nil {
		t.Fatal("7 is no module")
	}

	equal(t, must(brant.Modules.ValidateNode(tasks2, "Task", map[string]string{"title": "a", "status": "done"}))(t).Valid, true)
	invalid := must(brant.Modules.ValidateNode(tasks2, "Task", map[string]string{"title": "a"}))(t)
	equal(t, !invalid.Valid && len(invalid.Violations) == 1, true)
	_, err = brant.Modules.ValidateNode(tasks2, "Tusk", map[string]string{})
	wants(t, err, brant.ErrInvalid)
	mail := json.RawMessage(`{"$defs":{"MailNode":{"properties":{"to":{"format":"email"}}}}}`)
	equal(t, must(brant.Modules.ValidateNode(mail, "Mail", map[string]string{"to": "nobody"}))(t).Valid, false)
	equal(t, must(brant.Modules.ValidateNode(mail, "Mail", map[string]string{"to": "nobody"}, brant.ValidatorOptions{AnnotateFormats: true}))(t).Valid, true)
	equal(t, must(brant.Modules.ValidateEdge(tasks2, "After", map[string]any{}, &brant.EdgeEnds{SourceType: "Task", TargetType: "Task"}))(t).Valid, true)
	equal(t, must(brant.Modules.ValidateEdge(tasks2, "After", 7, nil))(t).Valid, false)
	untyped := json.RawMessage(`{"$defs":{}}`)
	equal(t, must(brant.Modules.ValidateNode(untyped, "", map[string]any{}))(t).Valid, true)

	for _, of := range []struct {
		from, to json.RawMessage
		class    brant.Class
	}{{tasks1, tasks1, brant.Identical}, {tasks3, tasks1, brant.Additive}, {tasks1, tasks2, brant.Upcast}, {tasks1, tasks3, brant.Breaking}} {
		difference := must(brant.Modules.Diff(of.from, of.to))(t)
		equal(t, difference.Class, of.class)
		equal(t, len(difference.Edits) == 0, of.class == brant.Identical)
		for _, edit := range difference.Edits {
			if edit.Op == "" || !strings.HasPrefix(edit.Pointer, "/$defs/TaskNode/") || *edit.Entry != "TaskNode" || edit.Reason == "" || edit.Class == "" {
				t.Fatalf("%+v", edit)
			}
		}
	}

	cast := must(brant.Modules.CastNode(tasks2, "Task", map[string]any{"title": "a", "more": 1}))(t)
	sameJSON(t, cast.Attributes, `{"title":"a","status":"open"}`)
	equal(t, cast.Changed && cast.Valid && len(cast.Violations) == 0 && len(cast.Edits) > 2, true)
	cast = must(brant.Modules.CastNode(tasks2, "Task", map[string]any{}))(t)
	equal(t, cast.Changed && !cast.Valid && len(cast.Violations) == 1, true)
	equal(t, must(brant.Modules.CastEdge(tasks2, "After", map[string]any{"x": 1}))(t).Changed, false)

	patch := []map[string]any{{"op": "add", "path": "/a~1b", "value": 1}, {"op": "remove", "path": "/c"}}
	sameJSON(t, must(brant.Modules.Patch(map[string]int{"c": 2}, patch))(t), `{"a/b":1}`)
	_, err = brant.Modules.Patch(map[string]int{}, patch)
	wants(t, err, brant.ErrInvalid)
	_, err = brant.Modules.Patch(1, json.RawMessage(`[{"op":"test","path":"","value":2}]`))
	wants(t, err, brant.ErrConflict)
	_, err = brant.Modules.Diff(make(chan int), 1)
	wants(t, err, brant.ErrInvalid)
}

func TestEvolution(t *testing.T) {
	db := open(t, newPath(t), nil)
	defined := must(db.GraphTypes.Define(ctx, tasks1, nil))(t)
	equal(t, defined.Warnings != nil && len(defined.Warnings) == 0, true)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "plan", GraphType: "tasks"}))(t)
	g := db.Graph("plan")
	nodes := []brant.NewNode{}
	for i := range 25 {
		nodes = append(nodes, brant.NewNode{Key: fmt.Sprintf("%02d", i), Attributes: map[string]string{"title": strings.Repeat("x", 1+i%5)}})
	}
	must(g.Nodes.PutMany(ctx, nodes))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "00", Target: "01"}))(t)
	_, err := db.GraphTypes.Migration(ctx, "tasks")
	wants(t, err, brant.ErrNotFound)

	equal(t, must(db.GraphTypes.Diff(ctx, "tasks", tasks2))(t).Class, brant.Upcast)
	report := must(db.GraphTypes.Check(ctx, "tasks", &brant.CheckOptions{Module: tasks2}))(t)
	equal(t, report.Class, brant.Upcast)
	equal(t, report.Nodes, brant.Checked{Checked: 25, Castable: 25})
	equal(t, report.Edges, brant.Checked{Checked: 1, Valid: 1})
	equal(t, report.Cursor, "")
	report = must(db.GraphTypes.Check(ctx, "tasks", &brant.CheckOptions{Module: tasks3, Limit: 10}))(t)
	equal(t, report.Nodes, brant.Checked{Checked: 10, Valid: 2, Failing: 8})
	equal(t, len(report.Failures) == 8 && report.Failures[0].Graph == "plan" && report.Failures[0].Key == "01" && report.Cursor != "", true)
	report = must(db.GraphTypes.Check(ctx, "tasks", &brant.CheckOptions{Module: tasks3, Cursor: report.Cursor}))(t)
	equal(t, report.Nodes.Checked, 15)
	equal(t, must(db.GraphTypes.Check(ctx, "tasks", nil))(t).Nodes.Valid, 25)

	_, err = db.GraphTypes.Update(ctx, "tasks", tasks2, nil)
	wants(t, err, brant.ErrConstraint)
	updated := must(db.GraphTypes.Update(ctx, "tasks", tasks2, &brant.UpdateOptions{Version: 2, Metadata: map[string]int{"m": 1}}))(t)
	equal(t, updated.Version, 2)
	equal(t, len(updated.Warnings), 0)
	migration := must(db.GraphTypes.Migration(ctx, "tasks"))(t)
	equal(t, migration.FromVersion == 1 && migration.ToVersion == 2 && !migration.Done && migration.Remaining > 0, true)
	sums := []int64{}
	migrated := must(db.GraphTypes.Migrate(ctx, "tasks", &brant.MigrateOptions{Batch: 10, Progress: func(m brant.Migrated) { sums = append(sums, m.Migrated+m.Unchanged) },
		Patches: map[string]any{"Task": []map[string]any{{"op": "add", "path": "/status", "value": "done"}}}}))(t)
	if !migrated.Done || migrated.Migrated != 25 || migrated.Unchanged != 1 || migrated.Failed != 0 || migrated.Remaining != 0 || len(migrated.Failures) != 0 {
		t.Fatalf("%+v", migrated)
	}
	equal(t, len(sums) >= 3 && sums[0] == 10 && sums[len(sums)-1] == 26, true)
	sameJSON(t, must(g.Nodes.Get(ctx, "03"))(t).Attributes, `{"title":"xxxx","status":"done"}`)
	equal(t, must(db.GraphTypes.Migration(ctx, "tasks"))(t).Done, true)
	equal(t, must(g.Nodes.CountWhere(ctx, brant.Filter{"type_version": 2}))(t), 25)
	equal(t, must(db.GraphTypes.Migrate(ctx, "tasks", nil))(t).Done, true)

	// Rows that cannot be brought over: five of 25 have a title short enough.
	must(db.GraphTypes.Update(ctx, "tasks", tasks3, &brant.UpdateOptions{Version: 3}))(t)
	stopped := must(db.GraphTypes.Migrate(ctx, "tasks", nil))(t)
	equal(t, !stopped.Done && stopped.Failed == 1 && stopped.Failures[0].Key == "01" && len(stopped.Failures[0].Violations) > 0, true)
	skipped := must(db.GraphTypes.Migrate(ctx, "tasks", &brant.MigrateOptions{Batch: 4, Skip: true}))(t)
	if !skipped.Done || skipped.Failed != 20 || len(skipped.Failures) != 20 || stopped.Migrated+skipped.Migrated != 5 {
		t.Fatalf("%+v %+v", stopped, skipped)
	}
	cut := map[string]any{"Task": []map[string]any{{"op": "replace", "path": "/title", "value": "y"}}}
	last := must(db.GraphTypes.Migrate(ctx, "tasks", &brant.MigrateOptions{Skip: true, Patches: cut}))(t)
	equal(t, last.Done && last.Migrated == 20 && last.Failed == 0, true)
	_, err = db.GraphTypes.Migrate(ctx, "none", nil)
	wants(t, err, brant.ErrNotFound)
	_, err = db.GraphTypes.Update(ctx, "open", tasks3, nil)
	wants(t, err, brant.ErrDenied)
	text := must(json.Marshal(report))(t)
	if !strings.Contains(string(text), `"cursor":null`) {
		t.Fatalf("%s", text)
	}
}

func TestMigrateLater(t *testing.T) {
	db := opened(t)
	must(db.GraphTypes.Define(ctx, json.RawMessage(`{"$id":"later","$defs":{"ANode":{"type":"object"}}}`), nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "later", GraphType: "later"}))(t)
	must(db.Graph("later").Nodes.Insert(ctx, brant.NewNode{Key: "a", Attributes: map[string]any{"n": 1}}))(t)
	next := json.RawMessage(`{"$id":"later","$defs":{"ANode":{"type":"object","properties":{"n":{"type":"integer"}}}}}`)
	must(db.GraphTypes.Update(ctx, "later", next, &brant.UpdateOptions{Version: 2}))(t)
	job := must(db.GraphTypes.MigrateLater(ctx, "later", nil))(t)
	equal(t, must(db.Jobs.Get(ctx, job))(t).Queue, "schema-migration")
	equal(t, must(db.Maintain(ctx))(t).Worked.Jobs, 1)
	equal(t, must(db.GraphTypes.Migration(ctx, "later"))(t).Done, true)
}
