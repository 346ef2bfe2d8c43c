package main

import (
	"maps"

	"github.com/brant-db/brant-go"
)

func init() { maps.Copy(operations, accessOperations) }

// access is the graph that the operation is on.
func (m *members) access(t target) brant.Access {
	if name := m.given("graph"); name != "" {
		return t.AccessGraph(name)
	}
	return t.Access
}

func (m *members) atLeast() (revisions []brant.AtLeast) {
	if revision, given := take[int64](m, "at_least"); given {
		revisions = append(revisions, brant.AtLeast(revision))
	}
	return revisions
}

func (m *members) question() brant.Question {
	return brant.Question{Subject: m.text("subject"), Scope: m.text("scope"), Resource: m.given("resource")}
}

func (m *members) accessList() *brant.AccessListOptions {
	return &brant.AccessListOptions{
		Kind: m.given("kind"), Limit: m.count("limit"), Cursor: m.given("cursor"), AtLeast: may[int64](m, "at_least"),
	}
}

func (m *members) grant() brant.Grant {
	return brant.Grant{Subject: m.text("subject"), Scopes: m.texts("scopes"), Resource: m.given("resource"), ExpiresAt: m.moment("expires_at")}
}

func (m *members) delegation() brant.Delegation {
	return brant.Delegation{
		From: m.text("from"), To: m.text("to"), Scopes: m.texts("scopes"), ExpiresAt: m.moment("expires_at"), MaxDepth: m.count("max_depth"),
		MayRedelegate: m.flag("may_redelegate"),
	}
}

var accessOperations = map[string]operation{
	"access.check": func(t target, m *members) func() (any, error) {
		a, q, atLeast := m.access(t), m.question(), m.atLeast()
		return func() (any, error) { return a.Check(ctx, q.Subject, q.Scope, q.Resource, atLeast...) }
	},
	"access.check_many": func(t target, m *members) func() (any, error) {
		a, atLeast := m.access(t), m.atLeast()
		var questions []brant.Question
		m.items(func(item *members) { questions = append(questions, item.question()) })
		return func() (any, error) { return a.CheckMany(ctx, questions, atLeast...) }
	},
	"access.explain": func(t target, m *members) func() (any, error) {
		a, q, atLeast := m.access(t), m.question(), m.atLeast()
		return func() (any, error) { return a.Explain(ctx, q.Subject, q.Scope, q.Resource, atLeast...) }
	},
	"access.list_objects": func(t target, m *members) func() (any, error) {
		a, subject, scope, options := m.access(t), m.text("subject"), m.text("scope"), m.accessList()
		return func() (any, error) { return a.ListObjects(ctx, subject, scope, options) }
	},
	"access.list_subjects": func(t target, m *members) func() (any, error) {
		a, scope, resource, options := m.access(t), m.text("scope"), m.given("resource"), m.accessList()
		return func() (any, error) { return a.ListSubjects(ctx, scope, resource, options) }
	},
	"access.expand": func(t target, m *members) func() (any, error) {
		a, scope, resource := m.access(t), m.text("scope"), m.given("resource")
		options := &brant.ExpandOptions{Limit: m.count("limit"), AtLeast: may[int64](m, "at_least")}
		return func() (any, error) { return a.Expand(ctx, scope, resource, options) }
	},
	"access.put": func(t target, m *members) func() (any, error) {
		a, key, kind, attributes, actor := m.access(t), m.text("key"), brant.AccessNodeType(m.text("type")), m.value("attributes"), m.actor()
		return func() (any, error) { return a.Put(ctx, key, kind, attributes, actor...) }
	},
	"access.remove": func(t target, m *members) func() (any, error) {
		a, key, actor := m.access(t), m.text("key"), m.actor()
		return func() (any, error) { return a.Remove(ctx, key, actor...) }
	},
	"access.set_parent": func(t target, m *members) func() (any, error) {
		a, resource, parent, actor := m.access(t), m.text("resource"), m.nullable("parent"), m.actor()
		m.inexpressive = m.inexpressive || parent == nil
		return func() (any, error) { return a.SetParent(ctx, resource, *parent, actor...) }
	},
	"access.grant": func(t target, m *members) func() (any, error) {
		a, grant, actor := m.access(t), m.grant(), m.actor()
		return func() (any, error) { return a.Grant(ctx, grant, actor...) }
	},
	"access.deny": func(t target, m *members) func() (any, error) {
		a, denial, actor := m.access(t), m.grant(), m.actor()
		return func() (any, error) { return a.Deny(ctx, denial, actor...) }
	},
	"access.assign": func(t target, m *members) func() (any, error) {
		a, actor := m.access(t), m.actor()
		assignment := brant.Assignment{
			Subject: m.text("subject"), Role: m.given("role"), Group: m.given("group"), ExpiresAt: m.moment("expires_at"),
		}
		return func() (any, error) { return a.Assign(ctx, assignment, actor...) }
	},
	"access.revoke": func(t target, m *members) func() (any, error) {
		a, actor := m.access(t), m.actor()
		revocation := brant.Revocation{
			Kind: brant.RevokeKind(m.text("kind")), Subject: m.text("subject"), Target: m.given("target"), Scopes: m.types("scopes"),
		}
		return func() (any, error) { return a.Revoke(ctx, revocation, actor...) }
	},
	"access.delegate": func(t target, m *members) func() (any, error) {
		a, delegation, actor := m.access(t), m.delegation(), m.actor()
		return func() (any, error) { return a.Delegate(ctx, delegation, actor...) }
	},
	"access.seed": func(t target, m *members) func() (any, error) {
		a, actor := m.access(t), m.actor()
		return func() (any, error) { return a.Seed(ctx, actor...) }
	},
	"access.sync": func(t target, m *members) func() (any, error) {
		a, org, actor := m.access(t), m.given("org_id"), m.actor()
		var list []brant.SyncMember
		if _, given := m.left["members"]; given {
			list = []brant.SyncMember{}
			m.each("members", func(one *members) {
				list = append(list, brant.SyncMember{
					AccountID: one.text("account_id"), Level: brant.Level(one.text("level")), Status: brant.MemberStatus(one.given("status")),
				})
			})
		}
		return func() (any, error) { return a.Sync(ctx, org, list, actor...) }
	},
}
