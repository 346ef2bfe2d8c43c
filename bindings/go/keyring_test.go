package brant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

// keyOf is the key of a version, the same each time.
func keyOf(version int64) brant.Key {
	return brant.NewKey(version, bytes.Repeat([]byte{byte(version), 0x5a}, 16))
}

func retired(key brant.Key) brant.Key {
	key.State = brant.KeyDecryptOnly
	return key
}

func attach(t testing.TB, db *brant.DB, keys ...brant.Key) *brant.Keyring {
	t.Helper()
	return must(db.Keyring(brant.Keys{Keys: keys}))(t)
}

// vault is a new graph "vault" of the type "secret" in a database.
func vault(t testing.TB, db *brant.DB) brant.Graph {
	t.Helper()
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "vault", GraphType: "secret"}))(t)
	return db.Graph("vault")
}

func keep(ctx context.Context, graph brant.Graph, key string, value any) error {
	_, err := graph.Nodes.Put(ctx, brant.NewNode{Key: key, Type: "Secret", Attributes: map[string]any{"value": value}})
	return err
}

func opens(t testing.TB, graph brant.Graph, key string, want any) {
	t.Helper()
	secret := must(graph.Nodes.OpenSecret(ctx, key, "attributes.value"))(t)
	if fmt.Sprint(secret.Reveal()) != fmt.Sprint(want) {
		t.Fatalf("%s opens to something else", key)
	}
}

// onAllReaders runs a function in as many read transactions as there are readers, all at the same time.
func onAllReaders(t testing.TB, db *brant.DB, count int, during func(), fn func(*brant.Tx) error) {
	t.Helper()
	var open, done sync.WaitGroup
	open.Add(count)
	proceed := make(chan struct{})
	failures := make(chan error, count)
	for range count {
		done.Add(1)
		go func() {
			defer done.Done()
			failures <- db.View(ctx, func(tx *brant.Tx) error {
				open.Done()
				<-proceed
				return fn(tx)
			})
		}()
	}
	open.Wait()
	if during != nil {
		during()
	}
	close(proceed)
	done.Wait()
	for range count {
		check(t, <-failures)
	}
}

func refuses(code brant.Code) func(*brant.Tx) error {
	return func(tx *brant.Tx) error {
		if _, err := tx.Graph("vault").Nodes.OpenSecret(ctx, "a", "attributes.value"); !errors.Is(err, code) {
			return fmt.Errorf("wanted %v, got %v", code, err)
		}
		return nil
	}
}

func accepts(tx *brant.Tx) error {
	secret, err := tx.Graph("vault").Nodes.OpenSecret(ctx, "a", "attributes.value")
	if err == nil && secret.Reveal() != "alpha" {
		err = errors.New("it opens to something else")
	}
	return err
}

func TestKeyringIsOnEveryConnection(t *testing.T) {
	db := open(t, newPath(t), &brant.Options{Readers: 3})
	graph := vault(t, db)
	wants(t, keep(ctx, graph, "a", "alpha"), brant.ErrNotFound)
	ring := attach(t, db, keyOf(1))
	check(t, keep(ctx, graph, "a", "alpha"))
	onAllReaders(t, db, 3, nil, accepts) // two of them are opened only now

	// Replaced while they are open, between two of their calls: they have the new one, and the writer too.
	var other *brant.Keyring
	onAllReaders(t, db, 3, func() { other = attach(t, db, keyOf(2)) }, refuses(brant.ErrNotFound))
	equal(t, ring.Attached(), false)
	check(t, ring.Close()) // does nothing
	equal(t, other.Attached(), true)
	check(t, db.Tx(ctx, refuses(brant.ErrNotFound)))
	equal(t, must(db.KeyringInfo(ctx))(t).Keys[0].Version, 2)

	both := attach(t, db, retired(keyOf(1)), keyOf(2))
	onAllReaders(t, db, 3, nil, accepts)
	check(t, db.Tx(ctx, accepts))
	onAllReaders(t, db, 3, func() { check(t, both.Close()) }, refuses(brant.ErrNotFound))
	check(t, db.Tx(ctx, refuses(brant.ErrNotFound)))
	equal(t, len(must(db.KeyringInfo(ctx))(t).Keys), 0)
	check(t, both.Close())

	// A ring that is refused leaves the old one.
	attach(t, db, keyOf(1))
	_, err := db.Keyring(brant.Keys{Keys: []brant.Key{keyOf(1), keyOf(1)}})
	if e := wants(t, err, brant.ErrInvalid); !strings.Contains(e.Message, "/keys/1") {
		t.Fatal(e)
	}
	onAllReaders(t, db, 3, nil, accepts)
}

func TestKeyringOfOneConnection(t *testing.T) {
	path := newPath(t)
	for _, db := range []*brant.DB{open(t, ":memory:", nil), open(t, path, nil)} {
		ring := attach(t, db, keyOf(1))
		graph := vault(t, db)
		check(t, keep(ctx, graph, "a", "alpha"))
		opens(t, graph, "a", "alpha")
		check(t, ring.Close())
		check(t, db.View(ctx, refuses(brant.ErrNotFound)))
		check(t, db.Close())
		check(t, ring.Close())
		_, err := db.Keyring(brant.Keys{Keys: []brant.Key{keyOf(1)}})
		wants(t, err, brant.ErrClosed)
	}
	db := open(t, path, &brant.Options{Mode: brant.ModeReadOnly, Readers: 2})
	ring := attach(t, db, keyOf(1))
	onAllReaders(t, db, 2, nil, accepts)
	check(t, db.Close())
	equal(t, ring.Attached(), false)
}

func TestKeyringDuringTransactions(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		wants(t, keep(ctx, tx.Graph("vault"), "a", "alpha"), brant.ErrNotFound)
		ring := attach(t, db, keyOf(1)) // does not wait for the transaction
		check(t, keep(ctx, tx.Graph("vault"), "a", "alpha"))
		check(t, accepts(tx))
		check(t, ring.Close())
		wants(t, keep(ctx, tx.Graph("vault"), "b", "beta"), brant.ErrNotFound)
		attach(t, db, retired(keyOf(1)), keyOf(2))
		return keep(ctx, tx.Graph("vault"), "c", "gamma")
	}))
	opens(t, graph, "a", "alpha")
	opens(t, graph, "c", "gamma")
	equal(t, must(graph.Nodes.OpenSecret(ctx, "c", "attributes.value"))(t).KeyVersion, 2)
}

// Rings come and go while many write, grouped, and read: what is written opens, and nothing fails but for a ring that lacks a key.
func TestKeyringsAreReplacedWhileOthersWork(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	attach(t, db, keyOf(1))
	check(t, keep(ctx, graph, "a", "alpha"))
	const hands, each = 6, 25
	var work sync.WaitGroup
	failures := make(chan error, hands)
	for hand := range hands {
		work.Add(1)
		go func() {
			defer work.Done()
			for i := range each {
				key := fmt.Sprintf("%d/%d", hand, i)
				err := keep(ctx, graph, key, key)
				if err == nil {
					var secret brant.Secret
					if secret, err = graph.Nodes.OpenSecret(ctx, key, "attributes.value"); err == nil && secret.Reveal() != key {
						err = errors.New("another value")
					}
				}
				if err != nil {
					failures <- fmt.Errorf("%s: %w", key, err)
					return
				}
			}
		}()
	}
	over := make(chan struct{})
	go func() {
		work.Wait()
		close(over)
	}()
	for i := 0; ; i++ {
		select {
		case <-over:
			close(failures)
			for err := range failures {
				t.Error(err)
			}
			status := must(db.Secrets.Status(ctx, ""))(t)
			equal(t, status.Total, hands*each+1)
			return
		default:
		}
		if i%2 == 0 {
			attach(t, db, retired(keyOf(1)), keyOf(2))
		} else {
			attach(t, db, keyOf(1), retired(keyOf(2)))
		}
	}
}

// When Close returns nobody opens anything any more, whoever was about to.
func TestKeyringCloseReachesAll(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	attach(t, db, keyOf(1))
	check(t, keep(ctx, graph, "a", "alpha"))
	for range 20 {
		ring := attach(t, db, keyOf(1))
		var closed, stop atomic.Bool
		var work sync.WaitGroup
		var late atomic.Int32
		for hand := range 6 {
			work.Add(1)
			go func() {
				defer work.Done()
				for !stop.Load() {
					after := closed.Load()
					var err error
					if hand == 0 {
						err = keep(ctx, graph, "b", "beta")
					} else {
						_, err = graph.Nodes.OpenSecret(ctx, "a", "attributes.value")
					}
					if after && !errors.Is(err, brant.ErrNotFound) {
						late.Add(1)
					}
				}
			}()
		}
		time.Sleep(time.Millisecond)
		check(t, ring.Close())
		closed.Store(true)
		time.Sleep(time.Millisecond)
		stop.Store(true)
		work.Wait()
		equal(t, late.Load(), 0)
	}
}

// A ring that is attached while the database closes is gone when both have returned.
func TestKeyringAndCloseAtOnce(t *testing.T) {
	path := newPath(t)
	for range 20 {
		db := open(t, path, nil)
		var work sync.WaitGroup
		var ring *brant.Keyring
		var err error
		work.Add(1)
		go func() {
			defer work.Done()
			ring, err = db.Keyring(brant.Keys{Keys: []brant.Key{keyOf(1)}})
		}()
		check(t, db.Close())
		work.Wait()
		if err != nil {
			wants(t, err, brant.ErrClosed)
		} else {
			equal(t, ring.Attached(), false)
		}
	}
}

func TestKeyringMembers(t *testing.T) {
	db := open(t, newPath(t), nil)
	audit := keyOf(7)
	audit.Purpose = brant.PurposeAudit
	derived := brant.PasswordKey(2, []byte("correct \"horse\\\x01é"))
	derived.State = brant.KeyDecryptOnly
	derived.KDF = &brant.KDF{Algorithm: "argon2id13", Salt: "AAECAwQFBgcICQoLDA0ODw", Passes: 2, Memory: 19922944}
	must(db.Keyring(brant.Keys{
		Keys:    []brant.Key{keyOf(1), audit, derived, {Version: 3, State: brant.KeyDestroyed}},
		Padding: 64,
		Most:    brant.KDFCost{Passes: 4},
		Legacy:  &brant.LegacyKeys{Iterations: 1000, Text: true, Keys: []brant.Key{brant.PasswordKey(1, []byte("old"))}},
	}))(t)
	text, err := json.Marshal(must(db.KeyringInfo(ctx))(t))
	check(t, err)
	sameJSON(t, text, `{"keys":[{"purpose":"attribute","version":1,"state":"active","algorithm":"xc20p-b2","kdf":null},`+
		`{"purpose":"audit","version":7,"state":"active","algorithm":"b2","kdf":null},`+
		`{"purpose":"attribute","version":2,"state":"decrypt_only","algorithm":"xc20p-b2","kdf":{"alg":"argon2id13","s":"AAECAwQFBgcICQoLDA0ODw","t":2,"m":19922944}},`+
		`{"purpose":"attribute","version":3,"state":"destroyed","algorithm":"xc20p-b2","kdf":null}],"padding":64,"legacy":true}`)

	// What a key reveals is an entry of a ring.
	entries := must(derived.Reveal())(t)
	must(db.KeyringJSON([]byte(`{"keys":[` + string(entries) + `]}`)))(t)
	equal(t, must(db.KeyringInfo(ctx))(t).Keys[0].KDF.Passes, 2)

	for text, code := range map[string]brant.Code{
		``: brant.ErrInvalidJSON, `{"keys":[{"version":1}]}`: brant.ErrInvalid, `{"keys":[],"key":1}`: brant.ErrInvalid,
		`{"keys":[{"version":1,"password":"x","kdf":{"alg":"argon2id13","s":"AAECAwQFBgcICQoLDA0ODw","t":1,"m":19922944}}]}`: brant.ErrLimit,
	} {
		_, err := db.KeyringJSON([]byte(text))
		wants(t, err, code)
	}
	_, err = db.Keyring(brant.Keys{Keys: []brant.Key{brant.PasswordKey(1, []byte("\xff\xfe"))}})
	wants(t, err, brant.ErrInvalidJSON)
	_, err = db.Keyring(brant.Keys{Keys: []brant.Key{brant.NewKey(1, make([]byte, 31))}})
	wants(t, err, brant.ErrInvalid)
	wiped := keyOf(1)
	wiped.Wipe()
	_, err = db.Keyring(brant.Keys{Keys: []brant.Key{wiped}})
	wants(t, err, brant.ErrMisuse)
	_, err = wiped.Reveal()
	wants(t, err, brant.ErrMisuse)
	equal(t, len(must(db.KeyringInfo(ctx))(t).Keys), 1)
}

func TestGenerateAndDeriveKeys(t *testing.T) {
	db := open(t, newPath(t), nil)
	graph := vault(t, db)
	one, other := must(brant.GenerateKey())(t), must(brant.GenerateKey(brant.KeyOptions{Purpose: brant.PurposePepper, Version: 4}))(t)
	equal(t, one.String(), "[key attribute 1 active]")
	equal(t, other.String(), "[key pepper 4 active]")
	if bytes.Equal(must(one.Reveal())(t), must(must(brant.GenerateKey())(t).Reveal())(t)) {
		t.Fatal("two keys are the same")
	}
	_, err := brant.GenerateKey(brant.KeyOptions{Version: -1})
	wants(t, err, brant.ErrInvalid)

	cost := &brant.KDF{Salt: "AAECAwQFBgcICQoLDA0ODw", Passes: 2, Memory: 19922944}
	password := []byte("correct horse")
	derived := must(brant.DeriveKey(ctx, password, &brant.DeriveOptions{Version: 2, KDF: cost}))(t)
	if !bytes.Contains(must(derived.Reveal())(t), []byte(`"key":"0AuQxA-RjPiJeA19Op7DwrFxnfh9xeTU2T6mFj2wThc"`)) {
		t.Fatal("the password gives another key")
	}
	attach(t, db, derived)
	check(t, keep(ctx, graph, "a", "alpha"))
	byPassword := brant.PasswordKey(2, password)
	byPassword.KDF = derived.KDF
	attach(t, db, byPassword)
	onAllReaders(t, db, 2, nil, accepts)

	_, err = brant.DeriveKey(ctx, nil, &brant.DeriveOptions{KDF: cost})
	wants(t, err, brant.ErrInvalid)
	_, err = brant.DeriveKey(ctx, []byte("\xff"), &brant.DeriveOptions{KDF: cost})
	wants(t, err, brant.ErrInvalidJSON)
	_, err = brant.DeriveKey(ctx, password, &brant.DeriveOptions{KDF: &brant.KDF{Passes: 1}})
	wants(t, err, brant.ErrLimit)

	// The end of a context does not wait for the work.
	soon, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	_, err = brant.DeriveKey(soon, password, &brant.DeriveOptions{KDF: &brant.KDF{Passes: 8}})
	wants(t, err, brant.ErrTimeout)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = brant.DeriveKey(cancelled, password, nil)
	wants(t, err, brant.ErrInterrupted)
}
