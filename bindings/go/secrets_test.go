package brant_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func TestOpenSecret(t *testing.T) {
	db := opened(t)
	graph := vault(t, db)
	attach(t, db, keyOf(3))
	check(t, keep(ctx, graph, "smtp", json.RawMessage(`{"user":"ann","port":9007199254740993}`)))
	must(graph.Nodes.Put(ctx, brant.NewNode{Key: "ann", Type: "Principal"}))(t)

	secret := must(graph.Nodes.OpenSecret(ctx, "smtp", "attributes.value"))(t)
	equal(t, secret.KeyVersion, 3)
	members := secret.Reveal().(map[string]any)
	equal(t, members["user"], any("ann"))
	equal(t, members["port"], any(json.Number("9007199254740993")))
	var decoded struct {
		User string
		Port int64
	}
	check(t, secret.Decode(&decoded))
	equal(t, decoded.Port, 9007199254740993)
	equal(t, string(secret.JSON()), `{"user":"ann","port":9007199254740993}`)
	copied := secret
	copied.Wipe()
	equal(t, secret.Reveal(), nil)
	wants(t, secret.Decode(&decoded), brant.ErrMisuse)
	wants(t, brant.Secret{}.Decode(&decoded), brant.ErrMisuse)
	brant.Secret{}.Wipe()

	opens(t, graph, "smtp", map[string]any{"user": "ann", "port": json.Number("9007199254740993")})
	for path, code := range map[string]brant.Code{"attributes.kind": brant.ErrInvalid, "attributes": brant.ErrInvalid, "value": brant.ErrInvalid} {
		_, err := graph.Nodes.OpenSecret(ctx, "smtp", path)
		wants(t, err, code)
	}
	_, err := graph.Nodes.OpenSecret(ctx, "nobody", "attributes.value")
	wants(t, err, brant.ErrNotFound)

	// What is stored is the envelope, and it opens in its place only.
	var stored struct {
		Value json.RawMessage `json:"value"`
	}
	node := must(graph.Nodes.Get(ctx, "smtp"))(t)
	check(t, node.Decode(&stored))
	wants(t, keep(ctx, graph, "moved", stored.Value), brant.ErrInvalid)
	must(graph.Nodes.Put(ctx, brant.NewNode{Key: "smtp", Type: "Secret", Attributes: node.Attributes}))(t) // what was read can be written
	place := brant.EnvelopeContext{GraphID: must(db.Graphs.Get(ctx, "vault"))(t).ID, Kind: "node", Key: "smtp", Path: "/value"}
	equal(t, must(db.Envelopes.Open(ctx, stored.Value, place))(t).KeyVersion, 3)
	place.Key = "moved"
	_, err = db.Envelopes.Open(ctx, stored.Value, place)
	wants(t, err, brant.ErrAuth)
}

func TestOpenSecretOfEdges(t *testing.T) {
	db := open(t, newPath(t), nil)
	attach(t, db, keyOf(1))
	must(db.GraphTypes.Define(ctx, json.RawMessage(`{"$id":"links","$defs":{"NNode":{"type":"object"},
		"UsesEdge":{"type":"object","properties":{"token":{"x-encrypted":true}}}}}`), nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "links"}))(t)
	graph := db.Graph("g")
	must(graph.Nodes.PutMany(ctx, []brant.NewNode{{Key: "a"}, {Key: "b"}}))(t)
	put := must(graph.Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "b", Attributes: map[string]any{"token": []int{1, 2}}}))(t)
	equal(t, string(must(graph.Edges.OpenSecret(ctx, put.Key, "attributes.token"))(t).JSON()), "[1,2]")
	types := must(brant.Modules.Types(must(db.GraphTypes.Get(ctx, "links"))(t).Module))(t)
	equal(t, strings.Join(types.EdgeTypes[0].Encrypted, " "), "/token")
}

func TestEncryptedMembersOfStructs(t *testing.T) {
	type Login struct {
		User     string `json:"user"`
		Password any    `json:"password" jsonschema:"x-encrypted,minLength=3"`
	}
	db := open(t, newPath(t), nil)
	attach(t, db, keyOf(1))
	module := must(brant.NewModule(brant.ModuleSpec{ID: "logins", Nodes: []any{Login{}}}))(t)
	types := must(brant.Modules.Types(module))(t)
	equal(t, strings.Join(types.NodeTypes[0].Encrypted, " "), "/password")
	must(db.GraphTypes.Define(ctx, module, nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "logins"}))(t)
	logins := brant.NodesOf[Login](db.Graph("g"), "logins", "Login")
	must(logins.Put(ctx, "ann", Login{"ann", "hunter2"}))(t)
	read := must(logins.Get(ctx, "ann"))(t)
	equal(t, read.Attributes.Password.(map[string]any)["$enc"], any(2.0))
	read.Attributes.User = "Ann"
	must(logins.Put(ctx, "ann", read.Attributes))(t) // the envelope as it was read
	equal(t, must(db.Graph("g").Nodes.OpenSecret(ctx, "ann", "attributes.password"))(t).Reveal(), any("hunter2"))
	_, err := logins.Put(ctx, "bob", Login{"bob", "pw"})
	wants(t, err, brant.ErrInvalid)
}

func TestEnvelopes(t *testing.T) {
	db := open(t, newPath(t), nil)
	place := brant.EnvelopeContext{TenantID: "here", GraphID: "g", Kind: "node", Key: "k", Path: "/value"}
	_, err := db.Envelopes.Seal(ctx, "x", place)
	wants(t, err, brant.ErrNotFound)
	attach(t, db, keyOf(1))
	envelope := must(db.Envelopes.Seal(ctx, map[string]int{"n": 1}, place))(t)
	equal(t, string(must(db.Envelopes.Open(ctx, envelope, place))(t).JSON()), `{"n":1}`)
	same := must(db.Envelopes.Rewrap(ctx, envelope, place, nil))(t)
	equal(t, same.Changed, false)
	equal(t, string(same.Envelope), string(envelope))

	attach(t, db, retired(keyOf(1)), keyOf(2))
	there := place
	there.Key = "other"
	moved := must(db.Envelopes.Rewrap(ctx, envelope, place, &there))(t)
	equal(t, moved.Changed, true)
	secret := must(db.Envelopes.Open(ctx, moved.Envelope, there))(t)
	equal(t, secret.KeyVersion, 2)
	_, err = db.Envelopes.Open(ctx, moved.Envelope, place)
	wants(t, err, brant.ErrAuth)
	_, err = db.Envelopes.Seal(ctx, "x", brant.EnvelopeContext{Kind: "graph"})
	wants(t, err, brant.ErrInvalid)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Envelopes.Seal(ctx, nil, place)
		return err
	}))

	// One of an older form (PBKDF2-HMAC-SHA256, AES-256-GCM).
	_, err = db.Envelopes.Open(ctx, map[string]any{"keyVersion": 1, "salt": "AA==", "iv": "AAAAAAAAAAAAAAAA", "data": "AAAAAAAAAAAAAAAAAAAAAAA="}, place)
	wants(t, err, brant.ErrAuth)
}

// keepMany writes so many secrets, s0 to s<count-1>, each its own number.
func keepMany(t testing.TB, graph brant.Graph, count int) {
	t.Helper()
	nodes := make([]brant.NewNode, count)
	for i := range nodes {
		nodes[i] = brant.NewNode{Key: fmt.Sprintf("s%d", i), Type: "Secret", Attributes: map[string]any{"value": i}}
	}
	must(graph.Nodes.PutMany(ctx, nodes))(t)
}

func TestRotate(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	attach(t, db, keyOf(1))
	keepMany(t, graph, 50)
	status := must(db.Secrets.Status(ctx, ""))(t)
	if status.Rotation != nil || len(status.Keys) != 1 || status.Keys[0] != (brant.KeyCount{Version: 1, State: brant.KeyActive, Count: 50}) {
		t.Fatalf("%+v", status)
	}

	attach(t, db, retired(keyOf(1)), keyOf(2))
	begun := must(db.Secrets.Rotate(ctx, &brant.RotateOptions{Batch: 10, Limit: 2}))(t)
	if begun.Done || begun.Rewrapped != 20 || begun.Remaining != 30 || begun.Keys != nil {
		t.Fatalf("%+v", begun)
	}
	var seen []int64
	done := must(db.Secrets.Rotate(ctx, &brant.RotateOptions{Graph: "vault", Batch: 10, Progress: func(sum brant.Rotated) { seen = append(seen, sum.Rewrapped) }}))(t)
	if !done.Done || done.Rewrapped != 30 || done.Failed != 0 || len(done.Keys) != 1 || done.Keys[0].Version != 2 || done.Keys[0].Count != 50 || !done.Scrubbed {
		t.Fatalf("%+v", done)
	}
	if len(seen) < 3 || seen[0] != 10 || seen[len(seen)-1] != 30 {
		t.Fatal(seen)
	}
	rotation := must(db.Secrets.Status(ctx, "vault"))(t).Rotation
	if rotation == nil || !rotation.Done || rotation.KeyVersion != 2 || rotation.Rewrapped != 50 || rotation.StartedAt == 0 {
		t.Fatalf("%+v", rotation)
	}

	// What does not open is told and left.
	attach(t, db, keyOf(3))
	failed := must(db.Secrets.Rotate(ctx, &brant.RotateOptions{Batch: 7}))(t)
	if !failed.Done || failed.Failed != 50 || len(failed.Failures) != 50 || failed.Failures[0].Code != brant.ErrNotFound.String() || failed.Failures[0].Path != "/value" {
		t.Fatalf("%+v", failed)
	}
	attach(t, db, retired(keyOf(2)), keyOf(3))
	equal(t, must(db.Secrets.Rotate(ctx, nil))(t).Rewrapped, 50)
	attach(t, db, keyOf(2), retired(keyOf(3)))
	_, err := db.Secrets.Rotate(ctx, nil)
	wants(t, err, brant.ErrConflict)
	_, err = db.Secrets.Rotate(ctx, &brant.RotateOptions{Graph: "nowhere"})
	wants(t, err, brant.ErrNotFound)
	_, err = db.Secrets.Rotate(ctx, &brant.RotateOptions{Limit: -1})
	wants(t, err, brant.ErrInvalid)
	_, err = db.Secrets.Status(ctx, "nowhere")
	wants(t, err, brant.ErrNotFound)

	// As a job, and in a transaction.
	attach(t, db, retired(keyOf(3)), keyOf(4))
	job := must(db.Secrets.RotateLater(ctx, &brant.RotateOptions{Batch: 20}))(t)
	for range 10 {
		must(db.Maintain(ctx))(t)
	}
	equal(t, must(db.Jobs.Get(ctx, job))(t).State, brant.JobDone)
	equal(t, must(db.Secrets.Status(ctx, ""))(t).Rotation.Done, true)
	attach(t, db, retired(keyOf(4)), keyOf(5))
	stop := errors.New("stop")
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		equal(t, must(tx.Secrets.Rotate(ctx, nil))(t).Rewrapped, 50)
		return stop
	})
	equal(t, err, stop)
	equal(t, must(db.Secrets.Status(ctx, ""))(t).Keys[0].Version, 4)
}

// A rotation whose context ends again and again, in the middle of anything, comes to its end, and nothing is lost.
func TestRotateIsCancelled(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	attach(t, db, keyOf(1))
	const count = 3000
	keepMany(t, graph, count)
	attach(t, db, retired(keyOf(1)), keyOf(2))
	var rewrapped int64
	cancelled := 0
	for {
		span := time.Duration(500+rand.IntN(6000)) * time.Microsecond
		span += span * time.Duration(cancelled) / 50 // a machine that is too slow for a batch gets more of it
		some, cancel := context.WithTimeout(ctx, span)
		sum, err := db.Secrets.Rotate(some, &brant.RotateOptions{Batch: 100})
		cancel()
		rewrapped += sum.Rewrapped
		if err == nil {
			equal(t, sum.Done, true)
			break
		}
		wants(t, err, brant.ErrTimeout)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if cancelled++; cancelled > 2000 {
			t.Fatal("it does not get on")
		}
		// The connection works on as ever.
		check(t, keep(ctx, graph, "between", cancelled))
	}
	if cancelled == 0 {
		t.Log("nothing was cancelled")
	}
	status := must(db.Secrets.Status(ctx, ""))(t)
	total := int64(count)
	if cancelled > 0 {
		total++
	}
	if status.Total != total || len(status.Keys) != 1 || status.Keys[0].Version != 2 || rewrapped > count {
		t.Fatalf("%+v %d", status, rewrapped)
	}
	for i := 0; i < count; i += 37 {
		opens(t, graph, fmt.Sprintf("s%d", i), i)
	}
	equal(t, must(db.Doctor(ctx))(t).OK, true)
}

func TestSecretContexts(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	attach(t, db, keyOf(1))
	check(t, keep(ctx, graph, "a", "alpha"))
	over, cancel := context.WithCancel(ctx)
	cancel()
	place := brant.EnvelopeContext{GraphID: "g", Kind: "node", Key: "k", Path: "/value"}
	for _, call := range []func() error{
		func() error { _, err := graph.Nodes.OpenSecret(over, "a", "attributes.value"); return err },
		func() error { _, err := graph.Edges.OpenSecret(over, "a", "attributes.value"); return err },
		func() error { _, err := db.Secrets.Rotate(over, nil); return err },
		func() error { _, err := db.Secrets.RotateLater(over, nil); return err },
		func() error { _, err := db.Secrets.Status(over, ""); return err },
		func() error { _, err := db.KeyringInfo(over); return err },
		func() error { _, err := db.Envelopes.Seal(over, 1, place); return err },
		func() error { _, err := db.Envelopes.Open(over, json.RawMessage("{}"), place); return err },
		func() error { _, err := db.Envelopes.Rewrap(over, json.RawMessage("{}"), place, nil); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// A restored file has another content, and may be another file: what is in it opens on every connection.
func TestSecretsAfterRestore(t *testing.T) {
	folder := t.TempDir()
	first := open(t, filepath.Join(folder, "first.db"), nil)
	graph := vault(t, first)
	attach(t, first, keyOf(1))
	check(t, keep(ctx, graph, "a", "alpha"))
	must(first.Backup(ctx, filepath.Join(folder, "copy.db"), nil))(t)

	second := open(t, filepath.Join(folder, "second.db"), &brant.Options{Readers: 2})
	attach(t, second, keyOf(1))
	check(t, keep(ctx, vault(t, second), "a", "alpha"))
	onAllReaders(t, second, 2, nil, accepts)
	must(second.Restore(ctx, filepath.Join(folder, "copy.db")))(t)
	onAllReaders(t, second, 2, nil, accepts)
	check(t, second.Tx(ctx, accepts))
}

// ---- what is shown -------------------------------------------------------------------------------------------------------

const (
	canary       = "canary-5f1d2c7b9e"
	canaryNumber = "735192468"
)

// canaryKey is 32 bytes.
var canaryKey = []byte("key-" + canary + "-0123456789")[:32]

// shows complains of a text with a canary in any form.
func shows(t testing.TB, where, text string) {
	t.Helper()
	form := func(format string, value any) string { return strings.Trim(fmt.Sprintf(format, value), "[]\"") }
	for _, secret := range [][]byte{[]byte(canary), canaryKey, []byte(canaryNumber)} {
		encoded, _ := json.Marshal(secret)
		entry, _ := brant.NewKey(1, secret).Reveal()
		from := bytes.Index(entry, []byte(`"key":"`)) + len(`"key":"`)
		for _, bad := range []string{
			string(secret), form("%v", secret), form("%x", secret), form("%X", secret), form("% x", secret), form("%o", secret),
			strings.Trim(string(encoded), `="`), string(entry[from : from+12]), form("%#v", secret[:8]),
		} {
			if strings.Contains(text, bad) {
				t.Errorf("%s shows %q: %.300q", where, bad, text)
				return
			}
		}
	}
}

type holder struct {
	hidden any
	secret brant.Secret
	key    brant.Key
	keys   brant.Keys
	Secret brant.Secret
	Key    brant.Key
	Keys   brant.Keys
	Many   []brant.Secret
	Named  map[string]brant.Key
	Inner  *holder
}

func canaries(t testing.TB) (brant.Secret, brant.Key, brant.Keys) {
	db := open(t, ":memory:", nil)
	graph := vault(t, db)
	key := brant.NewKey(1, canaryKey)
	keys := brant.Keys{
		Keys:   []brant.Key{key, {Version: 9, State: brant.KeyDestroyed}},
		Legacy: &brant.LegacyKeys{Iterations: 1000, Keys: []brant.Key{brant.PasswordKey(1, []byte(canary))}},
	}
	must(db.Keyring(keys))(t)
	check(t, keep(ctx, graph, "a", map[string]any{canary: json.Number(canaryNumber)}))
	return must(graph.Nodes.OpenSecret(ctx, "a", "attributes.value"))(t), key, keys
}

func TestSecretsAreNotShown(t *testing.T) {
	secret, key, keys := canaries(t)
	password := brant.PasswordKey(2, []byte(canary))
	one := holder{
		hidden: secret, secret: secret, key: password, keys: keys, Secret: secret, Key: key, Keys: keys, Many: []brant.Secret{secret},
		Named: map[string]brant.Key{"k": password},
	}
	whole := one
	whole.Inner = &one
	whole.hidden = &one
	values := map[string]any{
		"secret": secret, "*secret": &secret, "key": key, "*key": &key, "password": password, "keys": keys, "*keys": &keys, "holder": whole, "*holder": &whole,
		"[]secret": []brant.Secret{secret}, "[]*secret": []*brant.Secret{&secret}, "[]key": []brant.Key{key, password}, "[1]key": [1]brant.Key{key}, "[]any": []any{secret, key},
		"map": map[string]any{"s": secret, "k": &key}, "map by": map[any]int{"x": 1}, "unexported": struct{ s any }{secret}, "unexported key": struct{ k brant.Key }{password},
		"unexported *key": struct{ k *brant.Key }{&key}, "pointer to pointer": func() any { p := &secret; return &p }(), "legacy": *keys.Legacy,
		"function": secret.Reveal,
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%g", "%p", "%T", "%20.5v", "%-30s|", "%!"} {
			shows(t, name+" "+verb, fmt.Sprintf(verb, value))
		}
		shows(t, name+" Sprint", fmt.Sprint(value)+fmt.Sprintln(value)+fmt.Sprint("x", value, 1))
		shows(t, name+" Errorf", fmt.Errorf("%v %w", value, fmt.Errorf("inner: %v", value)).Error())
		if text, err := json.Marshal(value); err == nil {
			shows(t, name+" json", string(text))
		} else {
			shows(t, name+" json", err.Error())
		}
		if text, err := json.MarshalIndent(value, " ", " "); err == nil {
			shows(t, name+" json", string(text))
		}
		var text bytes.Buffer
		err := gob.NewEncoder(&text).Encode(value)
		shows(t, name+" gob", fmt.Sprint(err)+text.String())
		text.Reset()
		err = xml.NewEncoder(&text).Encode(value)
		shows(t, name+" xml", fmt.Sprint(err)+text.String())
		for _, handler := range []func(io.Writer) slog.Handler{
			func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			text.Reset()
			logger := slog.New(handler(&text)).With("with", value)
			logger.Info("said", "value", value, slog.Group("group", "inner", value), "pointer", &value)
			if text.Len() == 0 {
				t.Error("nothing was logged")
			}
			shows(t, name+" slog", text.String())
		}
		shows(t, name+" panic", recovered(value))
	}
	equal(t, fmt.Sprintf("%v %+v %#v %s %q %x %d", secret, secret, secret, secret, secret, secret, secret), strings.TrimSpace(strings.Repeat("[secret] ", 7)))
	equal(t, fmt.Sprintf("%v %x", &password, password), "[key attribute 2 active] [key attribute 2 active]")
	equal(t, string(must(json.Marshal(map[string]any{"s": secret, "k": key}))(t)), `{"k":"[key attribute 1 active]","s":"[secret]"}`)
	for _, value := range []any{secret, key, &secret, &key} {
		wants(t, gob.NewEncoder(io.Discard).Encode(value), brant.ErrMisuse)
	}
	var into brant.Key
	wants(t, json.Unmarshal([]byte(`"[key attribute 1 active]"`), &into), brant.ErrMisuse)
	ring := must(open(t, ":memory:", nil).Keyring(keys))(t)
	shows(t, "keyring", fmt.Sprintf("%v %+v %#v", ring, *ring, ring))
}

func recovered(value any) (text string) {
	defer func() { text = fmt.Sprintf("%v %+v %#v", recover(), value, value) }()
	panic(value)
}

// whole is all that can be had of an error.
func whole(err error) string {
	text := ""
	for ; err != nil; err = errors.Unwrap(err) {
		text += fmt.Sprintf("%v|%+v|%#v|%s|%q|", err, err, err, err, err)
		var e *brant.Error
		if errors.As(err, &e) {
			text += string(e.Detail) + fmt.Sprintf("%+v %+v", e.Violations(), e.Items())
		}
		shown, _ := json.Marshal(err)
		text += string(shown)
	}
	return text
}

func TestErrorsShowNoSecrets(t *testing.T) {
	db := open(t, newPath(t), nil)
	secret, key, _ := canaries(t)
	must(db.GraphTypes.Define(ctx, json.RawMessage(`{"$id":"v","$defs":{"SNode":{"type":"object","properties":{
		"pin":{"x-encrypted":true,"type":"integer","minimum":1000,"maximum":2000},"word":{"x-encrypted":true,"type":"string","enum":["a","b"]}}}}}`), nil))(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "v"}))(t)
	graph := db.Graph("g")
	node := func(attributes any) brant.NewNode { return brant.NewNode{Key: "a", Attributes: attributes} }
	number, word := map[string]any{"pin": json.Number(canaryNumber)}, map[string]any{"word": canary}
	small := struct{ Pin int8 }{}
	put := func(attributes any) error { _, err := graph.Nodes.Put(ctx, node(attributes)); return err }
	ring := func(text string) error { _, err := db.KeyringJSON([]byte(text)); return err }
	keyring := func(keys brant.Keys) error { _, err := db.Keyring(keys); return err }
	place := brant.EnvelopeContext{GraphID: "g", Kind: "no kind", Key: "k", Path: "/value"}
	failures := map[string]func() error{
		"misfit":             func() error { return secret.Decode(&small.Pin) },
		"misfit of a member": func() error { return secret.Decode(&map[string]int8{}) },
		"misfit of text":     func() error { return secret.Decode(&[]string{}) },
		"no ring":            func() error { return put(map[string]any{"pin": 1500, "word": "a", "other": canary}) },
		"refused number":     func() error { return put(number) },
		"refused word":       func() error { return put(word) },
		"refused kind":       func() error { return put(map[string]any{"pin": canary}) },
		"refused inner":      func() error { return put(map[string]any{"pin": map[string]any{canary: canaryNumber}}) },
		"looks alike":        func() error { return put(map[string]any{"word": map[string]any{"$enc": 2, "ct": canary}}) },
		"many": func() error {
			_, err := graph.Nodes.PutMany(ctx, []brant.NewNode{node(number), node(word)})
			return err
		},
		"insert": func() error { _, err := graph.Nodes.Insert(ctx, node(word)); return err },
		"import": func() error {
			_, err := graph.Import(ctx, brant.NDJSON, `{"node":{"key":"a","attributes":{"word":"`+canary+`"}}}`, nil)
			return err
		},
		"no JSON":  func() error { return put(json.RawMessage(`{"pin":"` + canary + `"`)) },
		"no value": func() error { return put(json.RawMessage(`{"word":` + canary + `}`)) },
		"seal":     func() error { _, err := db.Envelopes.Seal(ctx, canary, place); return err },
		"open": func() error {
			_, err := db.Envelopes.Open(ctx, map[string]any{"$enc": 2, "ct": canary}, brant.EnvelopeContext{GraphID: "g", Kind: "node", Key: "k", Path: "/v"})
			return err
		},
		"typed": func() error {
			_, err := brant.NodesOf[map[string]any](graph, "v", "S").Put(ctx, "a", word)
			return err
		},
		"validate": func() error {
			v, err := db.GraphTypes.ValidateNode(ctx, "v", "S", word)
			return errors.Join(err, fmt.Errorf("%+v", v))
		},
		"cast": func() error {
			v, err := brant.Modules.CastNode(json.RawMessage(`{"$defs":{"SNode":{"type":"object","properties":{"w":{"x-encrypted":true,"type":"integer"}}}}}`), "S", map[string]any{"w": true})
			return errors.Join(err, fmt.Errorf("%+v", v))
		},
		"long key": func() error {
			return keyring(brant.Keys{Keys: []brant.Key{brant.NewKey(1, append([]byte(canary), canaryKey...))}})
		},
		"twice":      func() error { return keyring(brant.Keys{Keys: []brant.Key{key, key}}) },
		"same bytes": func() error { return keyring(brant.Keys{Keys: []brant.Key{key, retired(brant.NewKey(2, canaryKey))}}) },
		"state":      func() error { k := key; k.State = "x"; return keyring(brant.Keys{Keys: []brant.Key{k}}) },
		"long password": func() error {
			return keyring(brant.Keys{Keys: []brant.Key{brant.PasswordKey(1, bytes.Repeat([]byte(canary), 100))}})
		},
		"no UTF-8": func() error {
			return keyring(brant.Keys{Keys: []brant.Key{brant.PasswordKey(1, []byte(canary+"\xff"+canary))}})
		},
		"ring text": func() error { return ring(`{"keys":[{"version":1,"key":"` + canary + `"}]}`) },
		"ring member": func() error {
			return ring(`{"keys":[{"version":1,"password":"` + canary + `","key":"` + canary + `"}]}`)
		},
		"ring cut":        func() error { return ring(`{"keys":[{"version":1,"password":"` + canary) },
		"derive":          func() error { _, err := brant.DeriveKey(ctx, bytes.Repeat([]byte(canary), 100), nil); return err },
		"derive no UTF-8": func() error { _, err := brant.DeriveKey(ctx, []byte(canary+"\xff"), nil); return err },
		"call": func() error {
			return db.Call(ctx, "nodes.put", map[string]any{"graph": "g", "key": "a", "attributes": word, "wrong": true}, nil)
		},
		"call ring": func() error {
			return db.Call(ctx, "keyring.derive", map[string]any{"password": canary, "kdf": map[string]any{"t": 1}}, nil)
		},
	}
	for _, ringed := range []bool{false, true} {
		if ringed {
			attach(t, db, key)
		}
		for name, fail := range failures {
			err := fail()
			if err == nil && (!ringed || name != "no ring") {
				t.Errorf("%s does not fail", name)
				continue
			}
			shows(t, name, whole(err))
			shows(t, name+" wrapped", whole(fmt.Errorf("while: %w", err)))
		}
	}
}
