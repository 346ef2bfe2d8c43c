package main

import (
	"maps"

	"github.com/brant-db/brant-go"
)

func init() { maps.Copy(operations, auditOperations) }

// checkpoint is one that the members are of.
func (m *members) checkpoint() brant.Checkpoint {
	return brant.Checkpoint{
		File: m.given("file"), Seq: need[int64](m, "seq"), Hash: m.text("hash"), CreatedAt: may[brant.Timestamp](m, "created_at"),
		KeyVersion: may[int64](m, "key_version"), MAC: m.given("mac"),
	}
}

var auditOperations = map[string]operation{
	"audit.append": func(t target, m *members) func() (any, error) {
		row := brant.NewAuditRow{
			Action: m.text("action"), Resource: m.given("resource"), OrgID: m.given("org_id"), Detail: m.value("detail"), Subject: m.given("subject"),
		}
		row.Personal, _ = take[map[string]string](m, "personal")
		actor := m.actor()
		return func() (any, error) { return t.Audit.Append(ctx, row, actor...) }
	},
	"audit.get": func(t target, m *members) func() (any, error) {
		seq := m.id("seq")
		return func() (any, error) { return t.Audit.Get(ctx, seq) }
	},
	"audit.list": func(t target, m *members) func() (any, error) {
		o := &brant.AuditListOptions{
			After: may[int64](m, "after"), Before: may[int64](m, "before"), Since: m.moment("since"), Until: m.moment("until"), Limit: m.count("limit"),
		}
		order := m.given("order")
		o.Descending = order == "desc"
		m.inexpressive = m.inexpressive || (order != "" && order != "asc" && order != "desc")
		m.filter(func(f *members) {
			o.Action, o.ActorID, o.Resource, o.OrgID = f.given("action"), f.nullable("actor_id"), f.nullable("resource"), f.nullable("org_id")
		})
		return func() (any, error) { return t.Audit.List(ctx, o) }
	},
	"audit.verify": func(t target, m *members) func() (any, error) {
		o := &brant.VerifyOptions{From: may[int64](m, "from"), Limit: may[int64](m, "limit")}
		m.inner("checkpoint", func(inner *members) { o.Checkpoints = append(o.Checkpoints, inner.checkpoint()) })
		if _, given := m.left["checkpoints"]; given {
			m.each("checkpoints", func(inner *members) { o.Checkpoints = append(o.Checkpoints, inner.checkpoint()) })
		}
		return func() (any, error) { return t.Audit.Verify(ctx, o) }
	},
	"audit.checkpoint": func(t target, m *members) func() (any, error) {
		return func() (any, error) { return t.Audit.Checkpoint(ctx) }
	},
	"audit.keep": func(t target, m *members) func() (any, error) {
		checkpoint, options, actor := m.checkpoint(), &brant.KeepOptions{Replace: m.flag("replace")}, m.actor()
		return func() (any, error) {
			kept, err := t.Audit.Keep(ctx, checkpoint, options, actor...)
			return answer("kept", kept, err)
		}
	},
	"audit.checkpoints": func(t target, m *members) func() (any, error) {
		file := m.text("file")
		return func() (any, error) {
			items, err := t.Audit.Checkpoints(ctx, file)
			return answer("items", items, err)
		}
	},
	"audit.export": func(t target, m *members) func() (any, error) {
		after, limit := may[int64](m, "after"), m.count("limit")
		return func() (any, error) { return t.Audit.Export(ctx, after, limit) }
	},
	"audit.prune": func(t target, m *members) func() (any, error) {
		through, actor := m.id("through"), m.actor()
		var checkpoint brant.Checkpoint
		given := m.inner("checkpoint", func(inner *members) { checkpoint = inner.checkpoint() })
		m.inexpressive = m.inexpressive || !given
		return func() (any, error) { return t.Audit.Prune(ctx, through, checkpoint, actor...) }
	},
	"audit.prove": func(t target, m *members) func() (any, error) {
		seq, subject, name, text := m.id("seq"), m.text("subject"), m.text("name"), m.text("text")
		return func() (any, error) {
			proven, err := t.Audit.Prove(ctx, seq, subject, name, text)
			return answer("proven", proven, err)
		}
	},
	"audit.erase_subject": func(t target, m *members) func() (any, error) {
		subject, actor := m.text("subject"), m.actor()
		return func() (any, error) { return t.Audit.EraseSubject(ctx, subject, actor...) }
	},
}
