package brant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

// told notes what it is told of.
type told struct {
	lock  sync.Mutex
	calls []brant.Trace
	begun int
}

type tracedKey struct{}

func (n *told) TraceStart(ctx context.Context, _ brant.Trace) context.Context {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.begun++
	return context.WithValue(ctx, tracedKey{}, n)
}

func (n *told) TraceEnd(ctx context.Context, call brant.Trace) {
	n.lock.Lock()
	defer n.lock.Unlock()
	if ctx.Value(tracedKey{}) == nil || call.Duration <= 0 {
		panic("the context is another, or there is no duration")
	}
	n.calls = append(n.calls, call)
}

func TestTracer(t *testing.T) {
	n := new(told)
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path, &brant.Options{Tracer: brant.Tracers(n, n)})
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	failed := errors.New("no")
	err := db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "hunter2"}))(t)
		must(tx.Queue("q").Enqueue(ctx, "hunter2"))(t)
		return failed
	})
	if err != failed {
		t.Error(err)
	}
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Notify(ctx, "c", "hunter2")
		return err
	}))
	session := must(db.Session(brant.Identity{ID: "a", Scopes: []string{"nodes:write"}}))(t)
	defer session.Close()
	if _, err := session.Graph("g").Nodes.Get(ctx, "x"); !errors.Is(err, brant.ErrDenied) {
		t.Error(err)
	}
	var said []string
	for i := 0; i < len(n.calls); i += 2 {
		call := n.calls[i]
		said = append(said, strings.TrimSpace(call.Operation+" "+call.Collection)+" "+call.Status())
		if call.Path != path || (call.Operation == "nodes.put" && (!call.Transaction || call.InputBytes == 0 || call.OutputBytes == 0)) {
			t.Errorf("%+v", call)
		}
	}
	equal(t, strings.Join(said, ", "), "graphs.create OK, transaction.begin OK, nodes.put g OK, queues.enqueue q OK, transaction.begin OK, "+
		"events.notify c OK, transaction.commit OK, nodes.get g DENIED")
	equal(t, n.begun, len(n.calls))
}

func TestTracerOfHub(t *testing.T) {
	n := new(told)
	hub, ann, organizations := openedHub(t, &brant.HubOptions{Tracer: n}, 1)
	n.calls = nil
	tenant := must(hub.Tenant(ctx, organizations[0].ID))(t)
	must(tenant.Graphs.List(ctx, nil))(t)
	issued := must(hub.APIKeys.Create(ctx, brant.NewAPIKey{Name: "k", Scopes: []string{"graphs:read"}, OwnerID: ann.ID, OrgID: organizations[0].ID}))(t)
	caller := must(hub.Authenticate(ctx, issued.Token.Reveal()))(t)
	defer caller.Close()
	must(caller.DB.Graphs.List(ctx, nil))(t)
	var files []string
	for _, call := range n.calls {
		if info, err := os.Stat(call.Path); err != nil || info.Size() == 0 {
			t.Errorf("%s is of %q: %v", call.Operation, call.Path, err)
		}
		files = append(files, strings.TrimSuffix(filepath.Base(call.Path), ".db"))
	}
	own := "tenant-" + organizations[0].ID
	equal(t, strings.Join(files, " "), own+" system "+own)
}

func TestLogTracer(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	lines := func() (lines []map[string]any) {
		for line := range strings.Lines(text.String()) {
			entry := map[string]any{}
			check(t, json.Unmarshal([]byte(line), &entry))
			lines = append(lines, entry)
		}
		if strings.Contains(text.String(), "hunter2") {
			t.Error("what went in is logged: ", text.String())
		}
		text.Reset()
		return lines
	}
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path, &brant.Options{BusyTimeout: -1, Tracer: brant.NewLogTracer(logger, &brant.LogOptions{Level: slog.LevelDebug, Slow: time.Hour})})
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	must(db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "hunter2", Attributes: map[string]any{"password": "hunter2"}}))(t)
	_, _ = db.Graph("g").Nodes.Get(ctx, "hunter2, but another")
	got := lines()
	if len(got) != 3 || got[1]["operation"] != "nodes.put" || got[1]["collection"] != "g" || got[1]["status"] != "OK" || got[1]["level"] != "DEBUG" ||
		got[2]["status"] != "NOT_FOUND" || got[2]["level"] != "DEBUG" || got[1]["file"] != path {
		t.Error(got)
	}
	// What the database is at fault for is an error, whatever else is logged; and what is slow a warning.
	other := open(t, path, &brant.Options{BusyTimeout: -1, Tracer: brant.NewLogTracer(logger, &brant.LogOptions{OnlySlow: true, Slow: time.Hour})})
	check(t, db.Tx(ctx, func(*brant.Tx) error {
		_, err := other.Notify(ctx, "c", nil)
		if !errors.Is(err, brant.ErrBusy) {
			t.Error(err)
		}
		return nil
	}))
	must(other.Notify(ctx, "c", nil))(t)
	slow := open(t, path, &brant.Options{Tracer: brant.NewLogTracer(logger, &brant.LogOptions{OnlySlow: true, Slow: time.Nanosecond})})
	must(slow.Notify(ctx, "c", nil))(t)
	var levels []any
	for _, line := range lines() {
		if line["operation"] == "events.notify" {
			levels = append(levels, line["level"])
		}
	}
	if len(levels) != 2 || levels[0] != "ERROR" || levels[1] != "WARN" {
		t.Error(levels)
	}
}
