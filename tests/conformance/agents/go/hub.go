package main

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/brant-db/brant-go"
)

func init() { maps.Copy(operations, tenantOperations) }

func openHub(arguments json.RawMessage) (*brant.Hub, error) {
	var given struct {
		Path    string `json:"path"`
		Options struct {
			Mode        brant.Mode        `json:"mode"`
			Durability  brant.Durability  `json:"durability"`
			Permissions brant.Permissions `json:"permissions"`
			BusyTimeout *int64            `json:"busy_timeout"`
			Network     bool              `json:"network"`
			Cache       int               `json:"cache"`
			MaxOpen     int               `json:"max_open"`
		} `json:"options"`
	}
	if !strictly(arguments, &given) {
		return nil, faultf("INVALID", "Go's HubOptions have no such thing")
	}
	o := given.Options
	options := &brant.HubOptions{
		Mode: o.Mode, Durability: o.Durability, Permissions: o.Permissions, Network: o.Network, Cache: o.Cache, MaxOpen: o.MaxOpen,
	}
	if o.BusyTimeout != nil {
		options.BusyTimeout = time.Duration(*o.BusyTimeout) * time.Millisecond
		if *o.BusyTimeout == 0 {
			options.BusyTimeout = -1
		}
	}
	return brant.OpenHub(given.Path, options)
}

func (a *agent) runHub(h *handle, r request) (any, error) {
	m := readMembers(r.Arguments)
	switch {
	case r.Name == "hub.release" && h.lent:
		return nil, h.db.Close()
	case r.Name == "hub.acquire" && h.hub != nil:
		db, err := h.hub.Tenant(ctx, m.text("org_id"))
		if err == nil {
			a.set(r.As, &handle{db: db, lent: true})
		}
		return nil, err
	case r.Name == "hub.authenticate" && h.hub != nil:
		caller, err := h.hub.Authenticate(ctx, m.text("token"))
		if err != nil {
			return nil, err
		}
		a.set(r.As, &handle{db: caller.DB, lent: true})
		return caller.Authenticated, nil
	}
	return nil, faultf("UNKNOWN_OPERATION", "%s", r.Name)
}

func (m *members) pages() *brant.PageOptions {
	limit, cursor := m.page()
	return &brant.PageOptions{Limit: limit, Cursor: cursor}
}

// walked is the answer of what walks over all tenants, with the members that the operation has.
func walked(done brant.TenantsDone, err error, names ...string) (any, error) {
	answer := map[string]any{"items": append([]brant.TenantDone{}, done.Items...), "cursor": nil}
	if done.Cursor != "" {
		answer["cursor"] = done.Cursor
	}
	for _, name := range names {
		answer[name] = done.Finished
	}
	return answer, err
}

var tenantOperations = map[string]operation{
	"tenants.list": func(t target, m *members) func() (any, error) {
		var o brant.TenantListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) { o.Status = brant.OrganizationStatus(f.given("status")) })
		return func() (any, error) { return t.Tenants.List(ctx, &o) }
	},
	"tenants.get": func(t target, m *members) func() (any, error) {
		org := m.text("org_id")
		return func() (any, error) { return t.Tenants.Get(ctx, org) }
	},
	"tenants.stats": func(t target, m *members) func() (any, error) {
		return func() (any, error) { return t.Tenants.Stats(ctx) }
	},
	"tenants.migrate": func(t target, m *members) func() (any, error) {
		options := m.pages()
		return func() (any, error) {
			done, err := t.Tenants.Migrate(ctx, options)
			return walked(done, err)
		}
	},
	"tenants.maintain": func(t target, m *members) func() (any, error) {
		options := m.pages()
		return func() (any, error) {
			done, err := t.Tenants.Maintain(ctx, options)
			return walked(done, err, "finished")
		}
	},
	"tenants.apply": func(t target, m *members) func() (any, error) {
		operation, input, options := m.text("operation"), need[json.RawMessage](m, "input"), m.pages()
		return func() (any, error) {
			done, err := t.Tenants.Apply(ctx, operation, input, options)
			return walked(done, err)
		}
	},
	"tenants.backup": func(t target, m *members) func() (any, error) {
		org, path := m.text("org_id"), m.text("path")
		options := &brant.BackupOptions{Overwrite: m.flag("overwrite")}
		return func() (any, error) { return t.Tenants.Backup(ctx, org, path, options) }
	},
	"tenants.restore": func(t target, m *members) func() (any, error) {
		org, path := m.text("org_id"), m.text("path")
		return func() (any, error) { return t.Tenants.Restore(ctx, org, path) }
	},
	"tenants.delegate": func(t target, m *members) func() (any, error) {
		from, to, actor := m.text("from_org"), m.text("to_org"), m.actor()
		delegation := m.delegation()
		return func() (any, error) { return t.Tenants.Delegate(ctx, from, to, delegation, actor...) }
	},
	"tenants.revoke_delegation": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Tenants.RevokeDelegation(ctx, id, actor...)
	}),
	"tenants.delegations": func(t target, m *members) func() (any, error) {
		var o brant.DelegationListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) {
			o.FromOrg, o.ToOrg, o.State = f.given("from_org"), f.given("to_org"), brant.DelegationState(f.given("state"))
		})
		return func() (any, error) { return t.Tenants.Delegations(ctx, &o) }
	},
}
