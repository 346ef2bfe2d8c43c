package main

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/brant-db/brant-go"
)

// actor is the member "actor", if it is there.
func (m *members) actor() (actors []brant.Actor) {
	m.inner("actor", func(inner *members) {
		actors = append(actors, brant.Actor{Type: brant.ActorType(inner.given("type")), ID: inner.given("id"), Reason: inner.given("reason")})
	})
	return actors
}

// name is a text that can be told from one that was left out.
func (m *members) change(name string) *string {
	value, given := take[*string](m, name)
	m.inexpressive = m.inexpressive || (given && value == nil)
	return value
}

// filter are the members of the filter, if there is one.
func (m *members) filter(each func(*members)) {
	if m.inner("filter", each) {
		return
	}
	each(readMembers(nil))
}

func (m *members) page() (limit int, cursor string) { return m.count("limit"), m.given("cursor") }

// ofRow is what takes an id and an actor.
func ofRow[T any](method func(t target, id string, actor []brant.Actor) (T, error)) operation {
	return func(t target, m *members) func() (any, error) {
		id, actor := m.text("id"), m.actor()
		return func() (any, error) { return method(t, id, actor) }
	}
}

func got[T any](method func(t target, id string) (T, error)) operation {
	return func(t target, m *members) func() (any, error) {
		id := m.text("id")
		return func() (any, error) { return method(t, id) }
	}
}

func ofMember[T any](method func(t target, org, account string, actor []brant.Actor) (T, error)) operation {
	return func(t target, m *members) func() (any, error) {
		org, account, actor := m.text("org_id"), m.text("account_id"), m.actor()
		return func() (any, error) { return method(t, org, account, actor) }
	}
}

func ofToken(method func(t target, token string) (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		token := m.text("token")
		return func() (any, error) { return method(t, token) }
	}
}

var removed = map[string]any{"removed": true}

func issued(key brant.IssuedKey, err error) (any, error) {
	answer := map[string]any{"key": key.Key, "token": key.Token.Reveal()}
	if key.Previous != nil {
		answer["previous"] = key.Previous
	}
	return answer, err
}

func (m *members) apiKey() brant.NewAPIKey {
	return brant.NewAPIKey{
		Name: m.text("name"), Scopes: m.texts("scopes"), OwnerID: m.given("owner_id"), OrgID: m.given("org_id"), Type: m.given("type"),
		ExpiresAt: m.moment("expires_at"), Metadata: m.value("metadata"),
	}
}

func init() { maps.Copy(operations, identityOperations) }

var identityOperations = map[string]operation{
	"identity.schemas": func(t target, m *members) func() (any, error) {
		return func() (any, error) {
			tables, err := brant.IdentitySchemas()
			return map[string]any{"tables": tables}, err
		}
	},

	"accounts.create": func(t target, m *members) func() (any, error) {
		account := brant.NewAccount{
			Email: m.text("email"), Name: m.given("name"), AccessLevel: brant.AccessLevel(m.given("access_level")), ID: m.given("id"),
			Metadata: m.value("metadata"),
		}
		actor := m.actor()
		return func() (any, error) { return t.Accounts.Create(ctx, account, actor...) }
	},
	"accounts.get": got(func(t target, id string) (any, error) { return t.Accounts.Get(ctx, id) }),
	"accounts.find": func(t target, m *members) func() (any, error) {
		email := m.text("email")
		return func() (any, error) { return t.Accounts.Find(ctx, email) }
	},
	"accounts.list": func(t target, m *members) func() (any, error) {
		var o brant.AccountListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) {
			o.Status, o.AccessLevel = brant.AccountStatus(f.given("status")), brant.AccessLevel(f.given("access_level"))
		})
		return func() (any, error) { return t.Accounts.List(ctx, &o) }
	},
	"accounts.update": func(t target, m *members) func() (any, error) {
		id, actor := m.text("id"), m.actor()
		change := brant.AccountChange{
			Email: m.change("email"), Name: m.nullable("name"), AccessLevel: brant.AccessLevel(m.given("access_level")), Metadata: m.value("metadata"),
		}
		return func() (any, error) { return t.Accounts.Update(ctx, id, change, actor...) }
	},
	"accounts.deactivate": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Accounts.Deactivate(ctx, id, actor...)
	}),
	"accounts.reactivate": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Accounts.Reactivate(ctx, id, actor...)
	}),
	"accounts.delete": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Accounts.Delete(ctx, id, actor...)
	}),

	"organizations.create": func(t target, m *members) func() (any, error) {
		organization := brant.NewOrganization{
			Slug: m.text("slug"), Name: m.text("name"), OwnerID: m.given("owner_id"), ID: m.given("id"), Metadata: m.value("metadata"),
		}
		actor := m.actor()
		return func() (any, error) { return t.Organizations.Create(ctx, organization, actor...) }
	},
	"organizations.get": func(t target, m *members) func() (any, error) {
		id, slug := m.given("id"), m.given("slug")
		m.inexpressive = m.inexpressive || (id == "") == (slug == "")
		return func() (any, error) {
			if slug != "" {
				return t.Organizations.Find(ctx, slug)
			}
			return t.Organizations.Get(ctx, id)
		}
	},
	"organizations.list": func(t target, m *members) func() (any, error) {
		var o brant.OrganizationListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) {
			o.Status, o.OwnerID = brant.OrganizationStatus(f.given("status")), f.given("owner_id")
		})
		return func() (any, error) { return t.Organizations.List(ctx, &o) }
	},
	"organizations.update": func(t target, m *members) func() (any, error) {
		id, actor := m.text("id"), m.actor()
		change := brant.OrganizationChange{Slug: m.change("slug"), Name: m.change("name"), Metadata: m.value("metadata")}
		return func() (any, error) { return t.Organizations.Update(ctx, id, change, actor...) }
	},
	"organizations.transfer": func(t target, m *members) func() (any, error) {
		id, to, actor := m.text("id"), m.text("to"), m.actor()
		return func() (any, error) { return t.Organizations.Transfer(ctx, id, to, actor...) }
	},
	"organizations.suspend": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Organizations.Suspend(ctx, id, actor...)
	}),
	"organizations.resume": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Organizations.Resume(ctx, id, actor...)
	}),
	"organizations.delete": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Organizations.Delete(ctx, id, actor...)
	}),

	"members.add": func(t target, m *members) func() (any, error) {
		org, account, level, actor := m.text("org_id"), m.text("account_id"), brant.Level(m.given("level")), m.actor()
		return func() (any, error) { return t.Members.Add(ctx, org, account, level, actor...) }
	},
	"members.get": func(t target, m *members) func() (any, error) {
		org, account := m.text("org_id"), m.text("account_id")
		return func() (any, error) { return t.Members.Get(ctx, org, account) }
	},
	"members.list": func(t target, m *members) func() (any, error) {
		var o brant.MemberListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) {
			o.OrgID, o.AccountID = f.given("org_id"), f.given("account_id")
			o.Level, o.Status = brant.Level(f.given("level")), brant.MemberStatus(f.given("status"))
		})
		return func() (any, error) { return t.Members.List(ctx, &o) }
	},
	"members.set_level": func(t target, m *members) func() (any, error) {
		org, account, level, actor := m.text("org_id"), m.text("account_id"), brant.Level(m.text("level")), m.actor()
		return func() (any, error) { return t.Members.SetLevel(ctx, org, account, level, actor...) }
	},
	"members.suspend": ofMember(func(t target, org, account string, actor []brant.Actor) (any, error) {
		return t.Members.Suspend(ctx, org, account, actor...)
	}),
	"members.resume": ofMember(func(t target, org, account string, actor []brant.Actor) (any, error) {
		return t.Members.Resume(ctx, org, account, actor...)
	}),
	"members.remove": ofMember(func(t target, org, account string, actor []brant.Actor) (any, error) {
		return removed, t.Members.Remove(ctx, org, account, actor...)
	}),
	"members.leave": func(t target, m *members) func() (any, error) {
		org, account, actor := m.text("org_id"), m.given("account_id"), m.actor()
		return func() (any, error) { return removed, t.Members.Leave(ctx, org, account, actor...) }
	},

	"invitations.create": func(t target, m *members) func() (any, error) {
		invitation := brant.NewInvitation{
			OrgID: m.text("org_id"), Email: m.text("email"), Level: brant.Level(m.given("level")), ExpiresAt: m.moment("expires_at"),
			TTL: m.span("ttl"), Metadata: m.value("metadata"),
		}
		actor := m.actor()
		return func() (any, error) {
			invited, err := t.Invitations.Create(ctx, invitation, actor...)
			return map[string]any{"invitation": invited.Invitation, "token": invited.Token.Reveal()}, err
		}
	},
	"invitations.get": got(func(t target, id string) (any, error) { return t.Invitations.Get(ctx, id) }),
	"invitations.list": func(t target, m *members) func() (any, error) {
		var o brant.InvitationListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) {
			o.OrgID, o.Email, o.Status = f.given("org_id"), f.given("email"), brant.InvitationStatus(f.given("status"))
		})
		return func() (any, error) { return t.Invitations.List(ctx, &o) }
	},
	"invitations.accept": func(t target, m *members) func() (any, error) {
		token, account, actor := m.text("token"), m.given("account_id"), m.actor()
		return func() (any, error) { return t.Invitations.Accept(ctx, token, account, actor...) }
	},
	"invitations.reject": func(t target, m *members) func() (any, error) {
		token, actor := m.text("token"), m.actor()
		return func() (any, error) { return t.Invitations.Reject(ctx, token, actor...) }
	},
	"invitations.cancel": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.Invitations.Cancel(ctx, id, actor...)
	}),

	"api_keys.create": func(t target, m *members) func() (any, error) {
		key, actor := m.apiKey(), m.actor()
		return func() (any, error) { return issued(t.APIKeys.Create(ctx, key, actor...)) }
	},
	"api_keys.get": got(func(t target, id string) (any, error) { return t.APIKeys.Get(ctx, id) }),
	"api_keys.list": func(t target, m *members) func() (any, error) {
		var o brant.APIKeyListOptions
		o.Limit, o.Cursor = m.page()
		m.filter(func(f *members) {
			o.OwnerID, o.OrgID, o.Type = f.given("owner_id"), f.nullable("org_id"), f.given("type")
			o.Scheme, o.Active = brant.APIKeyScheme(f.given("scheme")), f.boolean("active")
		})
		return func() (any, error) { return t.APIKeys.List(ctx, &o) }
	},
	"api_keys.verify": ofToken(func(t target, token string) (any, error) {
		found, err := t.APIKeys.Verify(ctx, token)
		return verified{true, found}, err
	}),
	"api_keys.rotate": func(t target, m *members) func() (any, error) {
		id, actor := m.text("id"), m.actor()
		overlap, given := take[int64](m, "overlap")
		options := &brant.RotateKeyOptions{Overlap: time.Duration(overlap) * time.Millisecond}
		if m.inexpressive = m.inexpressive || overlap < 0; given && overlap == 0 {
			options.Overlap = -1
		}
		return func() (any, error) { return issued(t.APIKeys.Rotate(ctx, id, options, actor...)) }
	},
	"api_keys.revoke": ofRow(func(t target, id string, actor []brant.Actor) (any, error) {
		return t.APIKeys.Revoke(ctx, id, actor...)
	}),
	"api_keys.import": func(t target, m *members) func() (any, error) {
		key, hash, actor := m.apiKey(), m.text("hash"), m.actor()
		return func() (any, error) { return t.APIKeys.Import(ctx, key, hash, actor...) }
	},
	"auth.authenticate": ofToken(func(t target, token string) (any, error) { return t.Authenticate(ctx, token) }),
}

// verified is the answer with the member that the method's error tells.
type verified struct {
	valid bool
	found brant.Verified
}

func (v verified) MarshalJSON() ([]byte, error) {
	members := map[string]any{"valid": v.valid}
	text, err := json.Marshal(v.found)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(members)
}
