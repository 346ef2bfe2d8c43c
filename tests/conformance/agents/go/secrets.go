package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"

	"github.com/brant-db/brant-go"
)

func init() { maps.Copy(operations, secretOperations) }

var secretOperations = map[string]operation{
	"keyring.info": func(t target, m *members) func() (any, error) {
		return func() (any, error) { return t.KeyringInfo(ctx) }
	},
	"keyring.generate": func(t target, m *members) func() (any, error) {
		options := brant.KeyOptions{Purpose: brant.KeyPurpose(m.given("purpose")), Version: may[int64](m, "version")}
		return func() (any, error) { return revealed(brant.GenerateKey(options)) }
	},
	"keyring.derive": func(t target, m *members) func() (any, error) {
		password := []byte(m.text("password"))
		options := &brant.DeriveOptions{Purpose: brant.KeyPurpose(m.given("purpose")), Version: may[int64](m, "version"), KDF: m.kdf()}
		return func() (any, error) { return revealed(brant.DeriveKey(ctx, password, options)) }
	},
	"envelopes.seal": func(t target, m *members) func() (any, error) {
		value, context := need[json.RawMessage](m, "value"), m.context("context")
		return func() (any, error) { return t.Envelopes.Seal(ctx, value, context) }
	},
	"envelopes.open": func(t target, m *members) func() (any, error) {
		envelope, context := need[json.RawMessage](m, "envelope"), m.context("context")
		return func() (any, error) { return opened(t.Envelopes.Open(ctx, envelope, context)) }
	},
	"envelopes.rewrap": func(t target, m *members) func() (any, error) {
		envelope, context := need[json.RawMessage](m, "envelope"), m.context("context")
		var to *brant.EnvelopeContext
		if _, given := m.left["to"]; given {
			other := m.context("to")
			to = &other
		}
		return func() (any, error) { return t.Envelopes.Rewrap(ctx, envelope, context, to) }
	},
	"nodes.open_secret": func(t target, m *members) func() (any, error) {
		graph, key, path := m.text("graph"), m.text("key"), m.text("path")
		return func() (any, error) { return opened(t.Graph(graph).Nodes.OpenSecret(ctx, key, path)) }
	},
	"edges.open_secret": func(t target, m *members) func() (any, error) {
		graph, key, path := m.text("graph"), m.text("key"), m.text("path")
		return func() (any, error) { return opened(t.Graph(graph).Edges.OpenSecret(ctx, key, path)) }
	},
	"secrets.rotate": func(t target, m *members) func() (any, error) {
		options := &brant.RotateOptions{Graph: m.given("graph"), Batch: m.count("batch"), Limit: m.count("limit")}
		if m.flag("background") {
			m.inexpressive = m.inexpressive || options.Limit != 0
			return func() (any, error) {
				job, err := t.Secrets.RotateLater(ctx, options)
				return map[string]any{"job": job}, err
			}
		}
		if options.Limit == 0 {
			options.Limit = 1 // what the operation has when nothing is said; the method goes to the end
		}
		return func() (any, error) { return t.Secrets.Rotate(ctx, options) }
	},
	"secrets.status": func(t target, m *members) func() (any, error) {
		graph := m.given("graph")
		return func() (any, error) { return t.Secrets.Status(ctx, graph) }
	},
}

func opened(secret brant.Secret, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return map[string]any{"value": secret.JSON(), "key_version": secret.KeyVersion}, nil
}

func revealed(key brant.Key, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return key.Reveal()
}

func (m *members) context(name string) (context brant.EnvelopeContext) {
	given := false
	m.inner(name, func(inner *members) {
		given = true
		context = brant.EnvelopeContext{
			TenantID: inner.given("tenant_id"), GraphID: inner.text("graph_id"), Kind: inner.text("kind"), Key: inner.text("key"), Path: inner.text("path"),
		}
	})
	m.inexpressive = m.inexpressive || !given
	return context
}

func (m *members) kdf() (kdf *brant.KDF) {
	m.inner("kdf", func(inner *members) {
		kdf = &brant.KDF{Algorithm: inner.given("alg"), Salt: inner.given("s"), Passes: may[int64](inner, "t"), Memory: may[int64](inner, "m")}
	})
	return kdf
}

// keysOf is a ring as Go's Keys, or that these cannot say it.
func keysOf(ring json.RawMessage) (brant.Keys, bool) {
	m := readMembers(ring)
	keys := brant.Keys{Keys: m.keys("keys"), Padding: m.count("padding")}
	m.inner("kdf", func(inner *members) {
		keys.Least, keys.Most = inner.bound("least"), inner.bound("most")
	})
	m.inner("legacy", func(inner *members) {
		iterations, plaintext := need[int](inner, "iterations"), inner.given("plaintext")
		inner.inexpressive = inner.inexpressive || (plaintext != "" && plaintext != "text" && plaintext != "json")
		keys.Legacy = &brant.LegacyKeys{Iterations: iterations, Text: plaintext == "text", Keys: inner.keys("keys")}
	})
	return keys, m.all()
}

func (m *members) bound(name string) (cost brant.KDFCost) {
	m.inner(name, func(inner *members) {
		cost = brant.KDFCost{Passes: may[int64](inner, "t"), Memory: may[int64](inner, "m")}
	})
	return cost
}

func (m *members) keys(name string) (keys []brant.Key) {
	for _, item := range need[[]json.RawMessage](m, name) {
		inner := readMembers(item)
		keys = append(keys, inner.key())
		m.inexpressive = m.inexpressive || !inner.all()
	}
	return keys
}

func (m *members) key() brant.Key {
	key := brant.Key{Version: need[int64](m, "version")}
	text, raw := take[string](m, "key")
	password, derived := take[string](m, "password")
	m.inexpressive = m.inexpressive || (raw && derived)
	if raw {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
		m.inexpressive = m.inexpressive || err != nil
		key = brant.NewKey(key.Version, decoded)
	} else if derived {
		key = brant.PasswordKey(key.Version, []byte(password))
	}
	key.Purpose, key.State = brant.KeyPurpose(m.given("purpose")), brant.KeyState(m.given("state"))
	key.Algorithm, key.KDF = m.given("algorithm"), m.kdf()
	return key
}
