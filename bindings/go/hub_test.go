package brant_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

// openedHub has a ring, an account, and so many organizations of it.
func openedHub(t testing.TB, options *brant.HubOptions, count int) (*brant.Hub, brant.Account, []brant.Organization) {
	t.Helper()
	if options == nil {
		options = new(brant.HubOptions)
	}
	if options.BusyTimeout == 0 {
		options.BusyTimeout = patience
	}
	hub := must(brant.OpenHub(filepath.Join(t.TempDir(), "hub"), options))(t)
	t.Cleanup(func() { _ = hub.Close() })
	must(hub.Keyring(allKeys(t)))(t)
	ann := must(hub.Accounts.Create(ctx, brant.NewAccount{Email: "ann@example.com"}))(t)
	var organizations []brant.Organization
	for i := range count {
		organizations = append(organizations, must(hub.Organizations.Create(ctx, brant.NewOrganization{
			Slug: "o" + strconv.Itoa(i), Name: "O", OwnerID: ann.ID,
		}))(t))
	}
	return hub, ann, organizations
}

func TestHubTenants(t *testing.T) {
	hub, _, organizations := openedHub(t, nil, 2)
	one := must(hub.Tenant(ctx, organizations[0].ID))(t)
	must(one.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	other := must(hub.Tenant(ctx, organizations[1].ID))(t)
	_, err := other.Graphs.Get(ctx, "g")
	wants(t, err, brant.ErrNotFound)
	equal(t, must(one.Info(ctx))(t).Role, brant.RoleTenant)
	_, err = one.Accounts.List(ctx, nil)
	wants(t, err, brant.ErrMisuse)
	equal(t, must(hub.Tenants.Stats(ctx))(t).Pinned, 2)

	check(t, one.Close())
	_, err = one.Graphs.Get(ctx, "g")
	if e := wants(t, err, brant.ErrClosed); !strings.Contains(e.Message, "released") {
		t.Fatal(e)
	}
	check(t, one.Close())
	stats := must(hub.Tenants.Stats(ctx))(t)
	equal(t, stats.Pinned, 1)
	equal(t, stats.Idle, 1)
	one = must(hub.Tenant(ctx, organizations[0].ID))(t)
	must(one.Graphs.Get(ctx, "g"))(t)
	check(t, one.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"})
		return err
	}))

	for _, id := range []string{"", "../x", "A"} {
		_, err = hub.Tenant(ctx, id)
		wants(t, err, brant.ErrInvalid)
	}
	must(hub.Organizations.Suspend(ctx, organizations[1].ID))(t)
	_, err = other.Graphs.List(ctx, nil)
	wants(t, err, brant.ErrDenied)
	_, err = hub.Tenant(ctx, organizations[1].ID)
	wants(t, err, brant.ErrDenied)
	must(hub.Organizations.Delete(ctx, organizations[1].ID))(t)
	_, err = other.Graphs.List(ctx, nil)
	wants(t, err, brant.ErrClosed)

	must(one.Audit.Append(ctx, brant.NewAuditRow{Action: "notes.put"}))(t)
	done := must(hub.Tenants.Maintain(ctx, nil))(t)
	equal(t, len(done.Items), 1)
	check(t, done.Items[0].Err())
	file := must(hub.Tenants.Get(ctx, organizations[0].ID))(t).File
	equal(t, must(hub.Audit.Checkpoints(ctx, file))(t)[0].File, file)

	wants(t, hub.System().Close(), brant.ErrMisuse)
	check(t, hub.Close())
	for _, db := range []*brant.DB{one, hub.System()} {
		_, err = db.Graphs.List(ctx, nil)
		wants(t, err, brant.ErrClosed)
	}
	_, err = hub.Tenant(ctx, organizations[0].ID)
	wants(t, err, brant.ErrClosed)
	check(t, hub.Close())
}

func TestHubAuthenticates(t *testing.T) {
	hub, ann, organizations := openedHub(t, nil, 2)
	issued := must(hub.APIKeys.Create(ctx, brant.NewAPIKey{
		Name: "k", Scopes: []string{"nodes:*", "graphs:*", "events:*", "audit:write"}, OwnerID: ann.ID, OrgID: organizations[0].ID,
	}))(t)
	caller := must(hub.Authenticate(ctx, issued.Token.Reveal()))(t)
	defer caller.Close()
	equal(t, caller.Account.ID, ann.ID)
	equal(t, caller.Organization.ID, organizations[0].ID)
	equal(t, caller.Level, brant.LevelOwner)
	equal(t, caller.Identity.Key, issued.Key.ID)
	must(caller.DB.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	must(caller.DB.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
	must(caller.DB.Audit.Append(ctx, brant.NewAuditRow{Action: "notes.put"}))(t)
	for door, enter := range everyDoor(session(t, caller.DB, brant.Identity{ID: ann.ID})) {
		if err := enter(); !errors.Is(err, brant.ErrDenied) {
			t.Errorf("%s: %v", door, err)
		}
	}
	for _, door := range []string{"edges", "sql", "keyring", "keyring, JSON", "restore", "backup", "transaction", "view", "accounts"} {
		if err := everyDoor(caller.DB)[door](); !errors.Is(err, brant.ErrDenied) && !errors.Is(err, brant.ErrMisuse) {
			t.Errorf("%s: %v", door, err)
		}
	}
	heard := must(caller.DB.Listen(ctx, "news"))(t)
	soon := within(t, 2*time.Minute)
	tenant := must(hub.Tenant(ctx, organizations[0].ID))(t)
	go tenant.Notify(ctx, "news", 1)
	equal(t, must(heard.Next(soon))(t).Channel, "news")
	rows := must(tenant.Audit.List(ctx, &brant.AuditListOptions{Action: "notes.put"}))(t)
	equal(t, rows.Items[0].ActorID, ann.ID)
	equal(t, rows.Items[0].ActorType, brant.ActorAPIKey)
	equal(t, must(tenant.Audit.Verify(ctx, nil))(t).OK, true)

	// Many at once, whose writes are one after the other.
	var all sync.WaitGroup
	for range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			if _, err := caller.DB.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "b"}); err != nil {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	must(hub.APIKeys.Revoke(ctx, issued.Key.ID))(t)
	_, err := hub.Authenticate(ctx, issued.Token.Reveal())
	wants(t, err, brant.ErrAuth)
	_, err = hub.Authenticate(ctx, "x")
	wants(t, err, brant.ErrAuth)
	check(t, caller.Close())
	_, err = caller.DB.Graph("g").Nodes.Get(ctx, "a")
	wants(t, err, brant.ErrClosed)
}

func TestHubHasPlaces(t *testing.T) {
	hub, _, organizations := openedHub(t, &brant.HubOptions{MaxOpen: 4, BusyTimeout: 100 * time.Millisecond}, 8)
	for range 3 {
		for _, organization := range organizations {
			tenant := must(hub.Tenant(ctx, organization.ID))(t)
			must(tenant.Notify(ctx, "x", 1))(t)
			check(t, tenant.Close())
		}
	}
	stats := must(hub.Tenants.Stats(ctx))(t)
	if stats.Open > 4 || stats.Evicted == 0 || stats.Pinned != 0 {
		t.Fatalf("%+v", stats)
	}
	func() {
		var held []*brant.DB
		for i := range 4 {
			held = append(held, must(hub.Tenant(ctx, organizations[i].ID))(t))
			must(held[i].Notify(ctx, "x", 1))(t)
		}
		_, err := hub.Tenant(ctx, organizations[5].ID)
		wants(t, err, brant.ErrBusy)
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_, err = hub.Tenant(short, organizations[5].ID)
		wants(t, err, brant.ErrTimeout)
		runtime.KeepAlive(held)
	}()
	// What nobody has any more gives its place back.
	eventuallyCollected(t, "a place", func() bool {
		tenant, err := hub.Tenant(ctx, organizations[5].ID)
		if err == nil {
			err = tenant.Close()
		}
		return err == nil
	})
}

func TestHubOfManyGoroutines(t *testing.T) {
	hub, ann, organizations := openedHub(t, &brant.HubOptions{MaxOpen: 6}, 6)
	var tokens []brant.Token
	for _, organization := range organizations {
		tokens = append(tokens, must(hub.APIKeys.Create(ctx, brant.NewAPIKey{
			Name: "k", Scopes: []string{"events:*"}, OwnerID: ann.ID, OrgID: organization.ID,
		}))(t).Token)
	}
	var all sync.WaitGroup
	for i := range 12 {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := range 20 {
				caller, err := hub.Authenticate(ctx, tokens[(i+j)%len(tokens)].Reveal())
				if err == nil {
					_, err = caller.DB.Notify(ctx, "x", 1)
				}
				if err == nil {
					_, err = hub.Accounts.Get(ctx, ann.ID)
				}
				if err != nil {
					t.Error(err)
					return
				}
				if err := caller.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	equal(t, must(hub.Tenants.Stats(ctx))(t).Pinned, 0)
	equal(t, must(hub.Audit.Verify(ctx, nil))(t).OK, true)
}

func TestHubKeyring(t *testing.T) {
	hub, ann, organizations := openedHub(t, nil, 1)
	ring := must(hub.Keyring(allKeys(t)))(t) // another one: what it does not know is not valid
	equal(t, ring.Attached(), true)
	_, err := hub.Keyring(brant.Keys{Padding: -1})
	wants(t, err, brant.ErrInvalid)
	equal(t, ring.Attached(), true)
	key := brant.NewAPIKey{Name: "k", Scopes: []string{"nodes:read"}, OwnerID: ann.ID, OrgID: organizations[0].ID}
	check(t, ring.Close())
	equal(t, ring.Attached(), false)
	_, err = hub.APIKeys.Create(ctx, key)
	wants(t, err, brant.ErrNotFound)
	check(t, ring.Close())
	_, err = hub.Accounts.Create(ctx, brant.NewAccount{Email: "bob@example.com"})
	wants(t, err, brant.ErrNotFound)
}

func TestHubClosesItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub")
	poller(t)
	before := descriptors(t)
	func() {
		hub := must(brant.OpenHub(path, nil))(t)
		must(hub.Keyring(allKeys(t)))(t)
		must(hub.System().Notify(ctx, "x", 1))(t)
	}()
	eventuallyCollected(t, "it is closed", func() bool { return descriptors(t) <= before })
	check(t, must(brant.OpenHub(path, &brant.HubOptions{Mode: brant.ModeReadWrite}))(t).Close())
	_, err := brant.OpenHub(filepath.Join(path, "no", "no"), nil)
	wants(t, err, brant.ErrNotFound)
}
