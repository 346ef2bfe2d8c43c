package brant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/internal/cbrant"
)

func TestCodes(t *testing.T) {
	for code := brant.ErrInvalid; ; code++ {
		name := cbrant.Brant_status_name(int(code))
		equal(t, code.String(), name)
		if name == "UNKNOWN" {
			equal(t, code, brant.ErrInternal+1)
			break
		}
		equal(t, code.Error(), cbrant.Brant_status_text(int(code)))
	}
	equal(t, brant.Code(-1).String(), "UNKNOWN")
	for code, name := range map[brant.Code]string{
		brant.ErrInvalid: "INVALID", brant.ErrInvalidJSON: "INVALID_JSON", brant.ErrValidation: "VALIDATION", brant.ErrNotFound: "NOT_FOUND",
		brant.ErrExists: "EXISTS", brant.ErrConflict: "CONFLICT", brant.ErrConstraint: "CONSTRAINT", brant.ErrBusy: "BUSY",
		brant.ErrTimeout: "TIMEOUT", brant.ErrInterrupted: "INTERRUPTED", brant.ErrClosed: "CLOSED", brant.ErrMisuse: "MISUSE",
		brant.ErrReadOnly: "READ_ONLY", brant.ErrDenied: "DENIED", brant.ErrLimit: "LIMIT", brant.ErrNotBrant: "NOT_BRANT",
		brant.ErrNewerFormat: "NEWER_FORMAT", brant.ErrForeignSQLite: "FOREIGN_SQLITE", brant.ErrNetworkFS: "NETWORK_FS",
		brant.ErrCorrupt: "CORRUPT", brant.ErrFull: "FULL", brant.ErrIO: "IO", brant.ErrNoMemory: "NO_MEMORY", brant.ErrSQL: "SQL",
		brant.ErrStale: "STALE", brant.ErrAuth: "AUTH", brant.ErrUnsupported: "UNSUPPORTED", brant.ErrForked: "FORKED",
		brant.ErrInternal: "INTERNAL",
	} {
		equal(t, code.String(), name)
	}
}

func TestErrorText(t *testing.T) {
	db := opened(t)
	_, err := db.Graph("g").Nodes.Get(ctx, "libc7")
	equal(t, err.Error(), `brant: NOT_FOUND: no node "libc7" in graph "g"`)
	if errors.Is(err, brant.ErrExists) || errors.Is(err, context.Canceled) || errors.Unwrap(err) != nil {
		t.Fatal(err)
	}
	if wrapped := fmt.Errorf("reading: %w", err); !errors.Is(wrapped, brant.ErrNotFound) {
		t.Fatal(wrapped)
	}
	e := wants(t, err, brant.ErrNotFound)
	if len(e.Violations()) != 0 || len(e.Items()) != 0 {
		t.Fatalf("%s", e.Detail)
	}
}

func TestBrokenJSON(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	for _, text := range []string{
		`{"a": `, `{`, `}`, `{"a": 1}}`, `{} {}`, `{}, "revision": 5`, `{"a": 1}, "key": "other"`, `"a`, `"a\`, `nonsense`, `{"a": 1, "a": 2}`,
		"{\"a\": \"\xff\"}", `{"a": 1e999}`, `{"a": 123456789012345678901234567890}`, `{"a": "\ud800"}`, ``, ` `, `[}`, `{"a" 1}`, `1:2`,
	} {
		_, err := nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: json.RawMessage(text)})
		wants(t, err, brant.ErrInvalidJSON)
		_, err = nodes.PutMany(ctx, []brant.NewNode{{Key: "a", Metadata: []byte(text)}})
		wants(t, err, brant.ErrInvalidJSON)
		_, err = db.Notify(ctx, "c", json.RawMessage(text))
		wants(t, err, brant.ErrInvalidJSON)
		if _, err = brant.CompactJSON([]byte(text)); err == nil {
			t.Fatalf("%q is JSON", text)
		}
		_, err = db.CallJSON(ctx, "nodes.put", []byte(`{"graph": "g", "key": "a", "attributes": `+text+`}`))
		if err == nil {
			t.Fatalf("%q went in", text)
		}
	}
	_, err := db.CallJSON(ctx, "nodes.put", []byte(`{"graph": "g" "key"`))
	var detail struct{ Offset *int }
	if e := wants(t, err, brant.ErrInvalidJSON); json.Unmarshal(e.Detail, &detail) != nil || detail.Offset == nil {
		t.Fatalf("%s", e.Detail)
	}
	equal(t, must(nodes.Count(ctx, ""))(t), 0)
	for _, value := range []any{math.NaN(), func() {}, make(chan int), 5, "text", []int{1}, true, json.RawMessage("null")} {
		_, err := nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: value})
		wants(t, err, brant.ErrInvalid)
	}
	_, err = nodes.Put(ctx, brant.NewNode{Key: "\xff\xfe"})
	wants(t, err, brant.ErrInvalidJSON)
	for _, key := range []string{"", "a\x00b"} {
		_, err = nodes.Put(ctx, brant.NewNode{Key: key})
		wants(t, err, brant.ErrInvalid)
	}
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	_, err = nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: json.RawMessage(`{"a":` + deep + `}`)})
	wants(t, err, brant.ErrLimit)
	// Texts that only look dangerous.
	for i, text := range []string{`{"a": "}, \"b\": {"}`, "\t{ }\n", `{"a": "\\"}`, `{"<": "&\u2028"}`, `{"a": [1, {"b": "]"}]}`} {
		key := fmt.Sprintf("\"k\\\n\x01%d/日本", i)
		must(nodes.Put(ctx, brant.NewNode{Key: key, Attributes: json.RawMessage(text)}))(t)
		equal(t, must(nodes.Get(ctx, key))(t).Key, key)
	}
	must(nodes.Put(ctx, brant.NewNode{Key: "n", Attributes: json.RawMessage(`{"i":9007199254740993}`)}))(t)
	sameJSON(t, must(nodes.Get(ctx, "n"))(t).Attributes, `{"i":9007199254740993}`)
	equal(t, string(must(brant.CompactJSON([]byte(` { "a" : 1.50 } `)))(t)), `{"a":1.5}`)
}

func TestHugeDocument(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	huge := strings.Repeat("x", 100<<20)
	_, err := nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: map[string]string{"x": huge}})
	wants(t, err, brant.ErrLimit)
	_, err = nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: json.RawMessage(`{"x":"` + huge + `"}`)})
	wants(t, err, brant.ErrLimit)
	must(nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: map[string]string{"x": huge[:16<<20]}}))(t)
	var got struct{ X string }
	node := must(nodes.Get(ctx, "a"))(t)
	check(t, node.Decode(&got))
	equal(t, len(got.X), 16<<20)
}

func TestClosed(t *testing.T) {
	db := opened(t)
	g := db.Graph("g")
	listener := must(db.Listen(ctx, "*"))(t)
	tx := must(db.Begin(ctx))(t)
	check(t, db.Close()) // at once, and not when the transaction's lock was waited for in vain
	check(t, db.Close())
	wants(t, db.Check(), brant.ErrClosed)
	_, err := g.Nodes.Get(ctx, "a")
	wants(t, err, brant.ErrClosed)
	_, err = g.Nodes.Put(ctx, brant.NewNode{Key: "a"})
	wants(t, err, brant.ErrClosed)
	_, err = tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"})
	wants(t, err, brant.ErrClosed)
	wants(t, tx.Commit(ctx), brant.ErrClosed)
	check(t, tx.Rollback())
	_, err = db.Listen(ctx, "a")
	wants(t, err, brant.ErrClosed)
	_, err = listener.Next(ctx)
	wants(t, err, brant.ErrClosed)
	_, err = listener.Pending(ctx)
	wants(t, err, brant.ErrClosed)
	check(t, listener.Close())
	wants(t, db.Tx(ctx, func(*brant.Tx) error { return nil }), brant.ErrClosed)
	wants(t, db.View(ctx, func(*brant.Tx) error { return nil }), brant.ErrClosed)
	_, err = db.Info(ctx)
	wants(t, err, brant.ErrClosed)
	db.Interrupt()
}

// python runs what another program does with the file.
func python(t *testing.T, script string, arguments ...string) {
	t.Helper()
	output, err := exec.Command("python3", append([]string{"-c", script}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

const patch = `import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("PRAGMA user_version = 99")
c.execute("UPDATE brant_meta SET value = 99 WHERE name IN ('min_reader', 'min_writer')")`

func TestPathsThatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	try := func(path string, options *brant.Options, code brant.Code) {
		t.Helper()
		db, err := brant.Open(path, options)
		if db != nil {
			db.Close()
		}
		wants(t, err, code)
	}
	try("", nil, brant.ErrInvalid)
	try("a\x00b", nil, brant.ErrInvalid)
	try(filepath.Join(folder, "\xff.db"), nil, brant.ErrInvalid)
	try(folder, nil, brant.ErrNotBrant)
	try(filepath.Join(folder, "none", "a.db"), nil, brant.ErrNotFound)
	try(filepath.Join(folder, "none.db"), &brant.Options{Mode: brant.ModeReadOnly}, brant.ErrNotFound)
	try(filepath.Join(folder, "none.db"), &brant.Options{Mode: brant.ModeReadWrite}, brant.ErrNotFound)
	try(filepath.Join(folder, "x.db"), &brant.Options{Mode: "sideways"}, brant.ErrInvalid)
	try(filepath.Join(folder, "x.db"), &brant.Options{Limits: brant.Limits{Depth: 1000}}, brant.ErrInvalid)

	garbage := filepath.Join(folder, "garbage.db")
	check(t, os.WriteFile(garbage, []byte(strings.Repeat("not a database. ", 100)), 0o600))
	try(garbage, nil, brant.ErrNotBrant)

	mine := filepath.Join(folder, "mine.db")
	python(t, "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE mine (x)')", mine)
	try(mine, nil, brant.ErrNotBrant)
	adopted := must(brant.Open(mine, &brant.Options{Adopt: true}))(t)
	must(adopted.Execute(ctx, "SELECT * FROM mine"))(t)
	check(t, adopted.Close())
	try(mine, &brant.Options{Role: brant.RoleSystem}, brant.ErrConflict)

	newer := filepath.Join(folder, "newer.db")
	check(t, must(brant.Open(newer, nil))(t).Close())
	python(t, patch, newer)
	try(newer, nil, brant.ErrNewerFormat)
	try(newer, &brant.Options{Mode: brant.ModeReadOnly}, brant.ErrNewerFormat)
	fine := filepath.Join(folder, "fine.db")
	db := open(t, fine, nil)
	_, err := db.Restore(ctx, newer)
	wants(t, err, brant.ErrNewerFormat)
	_, err = db.Restore(ctx, garbage)
	wants(t, err, brant.ErrNotBrant)
}

func TestReadOnly(t *testing.T) {
	db := opened(t)
	must(db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
	info := must(db.Info(ctx))(t)
	read := open(t, info.Path, &brant.Options{Mode: brant.ModeReadOnly})
	equal(t, must(read.Graph("g").Nodes.Exists(ctx, "a"))(t), true)
	equal(t, must(read.Info(ctx))(t).Mode, brant.ModeReadOnly)
	_, err := read.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "b"})
	wants(t, err, brant.ErrReadOnly)
	_, err = read.Execute(ctx, "CREATE TABLE t (x)")
	wants(t, err, brant.ErrReadOnly)
	wants(t, read.Tx(ctx, func(*brant.Tx) error { return nil }), brant.ErrReadOnly)
	check(t, read.View(ctx, func(tx *brant.Tx) error {
		_, err := tx.Graph("g").Nodes.Get(ctx, "a")
		return err
	}))
	check(t, read.Check())
	listener := must(read.Listen(ctx, "*"))(t) // by looking each second
	must(db.Notify(ctx, "c", "x"))(t)
	var text string
	n := must(listener.Next(ctx))(t)
	check(t, n.Decode(&text))
	equal(t, text, "x")
	check(t, read.Close())
	wants(t, read.Check(), brant.ErrClosed)
}

func TestReadOnlyFolder(t *testing.T) {
	folder := openFolder(t)
	path := filepath.Join(folder, "a.db")
	check(t, os.Chmod(folder, 0o555))
	output, err := asNobody(t, "open", path).Output()
	if err == nil || strings.TrimSpace(string(output)) != "READ_ONLY" {
		t.Fatalf("%v: %s", err, output)
	}
}

func TestRoundTripOfStructs(t *testing.T) {
	n := brant.Notification{Channel: "c", Gap: &brant.Gap{From: 1, To: 2}}
	text := must(json.Marshal(n))(t)
	equal(t, string(text), `{"channel":"c","gap":{"from":1,"to":2}}`)
	var back brant.Notification
	check(t, json.Unmarshal(text, &back))
	equal(t, *back.Gap, *n.Gap)
	if json.Unmarshal([]byte("[]"), &back) == nil || json.Unmarshal([]byte("[]"), &brant.Rows{}) == nil {
		t.Fatal("an array is no such thing")
	}
	equal(t, brant.Timestamp(1).String(), "1970-01-01T00:00:00.001Z")
}
