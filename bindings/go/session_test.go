package brant_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/tests/expect"
)

// allKeys has a key of each purpose.
func allKeys(t testing.TB) brant.Keys {
	t.Helper()
	return expect.Keys(t, brant.PurposeAttribute, brant.PurposePepper, brant.PurposeAudit)
}

// guarded is a database with a ring, an account and its organization.
func guarded(t testing.TB) (*brant.DB, brant.Account, brant.Organization) {
	t.Helper()
	db := opened(t)
	must(db.Keyring(allKeys(t)))(t)
	ann := must(db.Accounts.Create(ctx, brant.NewAccount{Email: "ann@example.com", Name: "Ann"}))(t)
	acme := must(db.Organizations.Create(ctx, brant.NewOrganization{Slug: "acme", Name: "Acme"}, brant.Actor{ID: ann.ID}))(t)
	return db, ann, acme
}

func session(t testing.TB, db *brant.DB, identity brant.Identity) *brant.DB {
	t.Helper()
	s := must(db.Session(identity))(t)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// everyDoor is each group of methods of a database.
func everyDoor(db *brant.DB) map[string]func() error {
	graph := db.Graph("g")
	return map[string]func() error{
		"nodes":         func() error { _, err := graph.Nodes.Put(ctx, brant.NewNode{Key: "a"}); return err },
		"nodes, read":   func() error { _, err := graph.Nodes.Get(ctx, "a"); return err },
		"nodes, many":   func() error { _, err := graph.Nodes.GetMany(ctx, []string{"a"}); return err },
		"edges":         func() error { _, err := graph.Edges.List(ctx, nil); return err },
		"graph types":   func() error { _, err := db.GraphTypes.List(ctx, nil); return err },
		"graphs":        func() error { _, err := db.Graphs.List(ctx, nil); return err },
		"all graphs":    func() error { return first(db.Graphs.All(ctx, nil)) },
		"all nodes":     func() error { return first(graph.Nodes.All(ctx, nil)) },
		"walk":          func() error { return first(graph.Nodes.Walk(ctx, []string{"a"}, nil)) },
		"typed":         func() error { _, err := brant.NodesOf[any](graph, "open", "T").Get(ctx, "a"); return err },
		"export":        func() error { return graph.Export(ctx, new(bytes.Buffer), brant.NDJSON, nil) },
		"changes":       func() error { _, err := graph.Changes(ctx, 0, 0); return err },
		"notify":        func() error { _, err := db.Notify(ctx, "x", 1); return err },
		"listen":        func() error { _, err := db.Listen(ctx, "*"); return err },
		"channels":      func() error { _, err := db.Channels.List(ctx, nil); return err },
		"enqueue":       func() error { _, err := db.Queue("q").Enqueue(ctx, 1); return err },
		"claim":         func() error { _, err := db.Queue("q").Claim(ctx, nil); return err },
		"work":          func() error { return db.Queue("q").Work(ctx, func(context.Context, *brant.Job) error { return nil }) },
		"jobs, loop":    func() error { return first(db.Queue("q").Jobs(ctx)) },
		"result":        func() error { _, err := db.Queue("q").Result(ctx, 1); return err },
		"publish":       func() error { _, err := db.Stream("s").Publish(ctx, 1); return err },
		"subscribe":     func() error { _, err := db.Stream("s").Subscribe(ctx, nil); return err },
		"locks":         func() error { _, err := db.Locks.List(ctx, nil); return err },
		"lock":          func() error { _, err := db.Lock(ctx, "l", nil); return err },
		"rate limits":   func() error { _, err := db.RateLimits.List(ctx, nil); return err },
		"schedules":     func() error { _, err := db.Schedules.List(ctx, nil); return err },
		"secrets":       func() error { _, err := db.Secrets.Status(ctx, ""); return err },
		"a secret":      func() error { _, err := graph.Nodes.OpenSecret(ctx, "a", "attributes.x"); return err },
		"envelopes":     func() error { _, err := db.Envelopes.Open(ctx, "{}", brant.EnvelopeContext{}); return err },
		"keyring":       func() error { _, err := db.Keyring(brant.Keys{}); return err },
		"keyring, JSON": func() error { _, err := db.KeyringJSON([]byte(`{"keys":[]}`)); return err },
		"keyring info":  func() error { _, err := db.KeyringInfo(ctx); return err },
		"backup":        func() error { _, err := db.Backup(ctx, "/tmp/never", nil); return err },
		"restore":       func() error { _, err := db.Restore(ctx, "/tmp/never"); return err },
		"doctor":        func() error { _, err := db.Doctor(ctx); return err },
		"maintain":      func() error { _, err := db.Maintain(ctx); return err },
		"metrics":       func() error { _, err := db.Metrics(ctx); return err },
		"info":          func() error { _, err := db.Info(ctx); return err },
		"erase":         func() error { _, err := db.Erase(ctx, []string{"x"}, nil); return err },
		"sql":           func() error { _, err := db.Execute(ctx, "SELECT 1"); return err },
		"sql, write":    func() error { _, err := db.Execute(ctx, "DELETE FROM t"); return err },
		"call":          func() error { return db.Call(ctx, "graphs.list", nil, nil) },
		"call, JSON":    func() error { _, err := db.CallJSON(ctx, "queues.list", []byte("{}")); return err },
		"transaction":   func() error { return db.Tx(ctx, func(*brant.Tx) error { return nil }) },
		"view":          func() error { return db.View(ctx, func(*brant.Tx) error { return nil }) },
		"accounts":      func() error { _, err := db.Accounts.List(ctx, nil); return err },
		"organizations": func() error { _, err := db.Organizations.List(ctx, nil); return err },
		"members":       func() error { _, err := db.Members.List(ctx, nil); return err },
		"invitations":   func() error { _, err := db.Invitations.List(ctx, nil); return err },
		"api keys":      func() error { _, err := db.APIKeys.List(ctx, nil); return err },
		"verify":        func() error { _, err := db.APIKeys.Verify(ctx, "x"); return err },
		"authenticate":  func() error { _, err := db.Authenticate(ctx, "x"); return err },
		"audit":         func() error { _, err := db.Audit.List(ctx, nil); return err },
		"access":        func() error { _, err := db.Access.Check(ctx, "a", "b:c", ""); return err },
		"a session":     func() error { _, err := db.Session(brant.Identity{ID: "ann", Scopes: []string{"*:*"}}); return err },
	}
}

// first is the first error of a loop.
func first[T any](loop func(func(T, error) bool)) (err error) {
	loop(func(_ T, problem error) bool {
		err = problem
		return false
	})
	return err
}

func TestSessionIsJudgedEverywhere(t *testing.T) {
	for name, path := range map[string]string{"file": newPath(t), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			db := open(t, path, nil)
			must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
			for door, enter := range everyDoor(session(t, db, brant.Identity{ID: "ann"})) {
				if err := enter(); !errors.Is(err, brant.ErrDenied) {
					t.Errorf("%s: %v", door, err)
				}
			}
		})
	}
}

func TestSessionMayWhatItsScopesSay(t *testing.T) {
	db := opened(t)
	s := session(t, db, brant.Identity{ID: "ann", Scopes: []string{"nodes:*"}, Denies: []string{"nodes:delete"}})
	must(s.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
	must(db.Graph("g").Nodes.Get(ctx, "a"))(t)
	must(s.Graph("g").Nodes.Get(ctx, "a"))(t)
	_, err := s.Graph("g").Edges.List(ctx, nil)
	wants(t, err, brant.ErrDenied)

	_, err = db.Session(brant.Identity{ID: "ann", Scopes: []string{"nodes"}})
	wants(t, err, brant.ErrInvalid)
	_, err = db.Session(brant.Identity{ID: "\xff"})
	wants(t, err, brant.ErrInvalidJSON)
	_, err = s.Session(brant.Identity{ID: "ann", Scopes: []string{"edges:read"}})
	wants(t, err, brant.ErrDenied)
	_, err = s.Session(brant.Identity{ID: "bob"})
	wants(t, err, brant.ErrDenied)

	inner := session(t, s, brant.Identity{ID: "ann", Scopes: []string{"nodes:read"}})
	must(inner.Graph("g").Nodes.Get(ctx, "a"))(t)
	_, err = inner.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "b"})
	wants(t, err, brant.ErrDenied)
	check(t, s.Close())
	_, err = inner.Graph("g").Nodes.Get(ctx, "a")
	wants(t, err, brant.ErrClosed)
	wants(t, s.Check(), brant.ErrClosed)
	must(db.Graph("g").Nodes.Get(ctx, "a"))(t)
}

func TestSessionsInTransactions(t *testing.T) {
	db := opened(t)
	s := session(t, db, brant.Identity{ID: "ann", Scopes: []string{"nodes:*", "transaction:use"}})
	other := session(t, opened(t), brant.Identity{ID: "ann"})
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		as := must(tx.As(s))(t)
		must(as.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
		_, err := as.Graphs.List(ctx, nil)
		wants(t, err, brant.ErrDenied)
		wants(t, as.Commit(ctx), brant.ErrDenied)
		wants(t, as.Rollback(), brant.ErrDenied)
		_, err = tx.As(other)
		wants(t, err, brant.ErrMisuse)
		_, err = tx.As(db)
		wants(t, err, brant.ErrMisuse)
		must(tx.Graph("g").Nodes.Get(ctx, "a"))(t)
		return as.Tx(ctx, func(inner *brant.Tx) error {
			_, err := inner.Graph("g").Nodes.Delete(ctx, "a", nil)
			return err
		})
	}))
	equal(t, must(db.Graph("g").Nodes.Exists(ctx, "a"))(t), false)

	// One that is closed leaves nothing behind, and nobody waiting.
	tx := must(s.Begin(ctx))(t)
	must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "b"}))(t)
	written := make(chan error, 1)
	go func() {
		_, err := db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "c"})
		written <- err
	}()
	check(t, s.Close())
	check(t, <-written)
	_, err := tx.Graph("g").Nodes.Get(ctx, "b")
	wants(t, err, brant.ErrMisuse)
	wants(t, tx.Commit(ctx), brant.ErrMisuse)
	check(t, tx.Rollback())
	equal(t, must(db.Graph("g").Nodes.Exists(ctx, "b"))(t), false)
	_, err = s.Begin(ctx)
	wants(t, err, brant.ErrClosed)
}

func TestSessionListens(t *testing.T) {
	for name, path := range map[string]string{"file": newPath(t), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			db := open(t, path, nil)
			s := session(t, db, brant.Identity{ID: "ann", Scopes: []string{"events:*"}})
			heard := must(s.Listen(ctx, "news"))(t)
			soon := within(t, 2*time.Minute)
			must(db.Notify(ctx, "news", 1))(t)
			equal(t, must(heard.Next(soon))(t).Channel, "news")
			ended := make(chan error, 1)
			go func() {
				_, err := heard.Next(soon)
				ended <- err
			}()
			time.Sleep(10 * time.Millisecond)
			check(t, s.Close())
			wants(t, <-ended, brant.ErrClosed)
			must(db.Notify(ctx, "news", 2))(t)
		})
	}
}

func TestSessionsOfManyGoroutines(t *testing.T) {
	db := opened(t)
	var all sync.WaitGroup
	for _, may := range []bool{true, false} {
		scopes := []string{"nodes:read"}
		if may {
			scopes = []string{"nodes:*"}
		}
		s := session(t, db, brant.Identity{ID: "ann", Scopes: scopes})
		for range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				for range 50 {
					_, err := s.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"})
					if may != (err == nil) || (!may && !errors.Is(err, brant.ErrDenied)) {
						t.Errorf("may %v: %v", may, err)
						return
					}
					if _, err := s.Graph("g").Nodes.List(ctx, nil); err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
	}
	all.Wait()
}

func TestSessionsEndWithTheirDatabase(t *testing.T) {
	db := open(t, newPath(t), nil)
	s := must(db.Session(brant.Identity{ID: "ann", Scopes: []string{"*:*"}}))(t)
	must(s.Graphs.List(ctx, nil))(t)
	check(t, db.Close())
	_, err := s.Graphs.List(ctx, nil)
	wants(t, err, brant.ErrClosed)
	_, err = db.Session(brant.Identity{ID: "ann"})
	wants(t, err, brant.ErrClosed)
	check(t, s.Close())

	// A session keeps its database; both close themselves when nobody has them.
	path := newPath(t)
	poller(t)
	before := descriptors(t)
	func() {
		s := must(must(brant.Open(path, nil))(t).Session(brant.Identity{ID: "ann", Scopes: []string{"*:*"}}))(t)
		runtime.GC()
		runtime.GC()
		must(s.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	}()
	eventuallyCollected(t, "they are closed", func() bool { return descriptors(t) <= before })
	must(open(t, path, nil).Graphs.Get(ctx, "g"))(t)
}
