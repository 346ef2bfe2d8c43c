package brant

import (
	"context"
	"sync"
	"sync/atomic"
)

// Keys is a key ring: what DB.Keyring attaches.
type Keys struct {
	Keys    []Key
	Padding int         // what is sealed fills up to a multiple of this, which hides how long it is: 0 (none), or 2 to 4096
	Least   KDFCost     // what envelopes and keys must ask for at least: by default 2 passes and 19 MiB
	Most    KDFCost     // and may at most: by default 16 passes and 1 GiB
	Legacy  *LegacyKeys // nil: older envelopes are not opened
}

// KDFCost is what a derivation costs; what is 0 is the default.
type KDFCost struct {
	Passes int64
	Memory int64 // bytes
}

// LegacyKeys are for envelopes of an older form, {"keyVersion", "salt", "iv", "data"}, as WebCrypto makes them (PBKDF2-HMAC-SHA256, AES-256-GCM). They are
// opened, never written.
type LegacyKeys struct {
	Iterations int   // 1000 to 10 000 000
	Text       bool  // they hold any text, which becomes a JSON string; else JSON
	Keys       []Key // PasswordKey; nothing but the version and the password counts
}

func (c KDFCost) member(in *input, name string) {
	if c == (KDFCost{}) {
		return
	}
	in.name(name)
	in.object(func() { in.cost(c.Passes, c.Memory) })
}

// text is the ring as JSON. The input is to be freed.
func (k *Keys) text() *input {
	size := entryRoom
	for _, key := range k.Keys {
		size += key.size()
	}
	if k.Legacy != nil {
		for _, key := range k.Legacy.Keys {
			size += key.size()
		}
	}
	in := newSecretInput(size)
	in.array("keys", len(k.Keys), func(i int) { in.object(func() { k.Keys[i].members(in) }) })
	if k.Padding != 0 {
		in.integer("padding", int64(k.Padding))
	}
	if k.Least != (KDFCost{}) || k.Most != (KDFCost{}) {
		in.name("kdf")
		in.object(func() {
			k.Least.member(in, "least")
			k.Most.member(in, "most")
		})
	}
	if l := k.Legacy; l != nil {
		in.name("legacy")
		in.object(func() {
			in.integer("iterations", int64(l.Iterations))
			if l.Text {
				in.text("plaintext", "text")
			}
			in.array("keys", len(l.Keys), func(i int) {
				in.object(func() {
					in.integer("version", l.Keys[i].Version)
					l.Keys[i].secretMember(in)
				})
			})
		})
	}
	return in
}

// Keyring is the key ring that DB.Keyring attached. It has no copy of the keys: those are in guarded memory of the library.
type Keyring struct {
	engine *engine
	source *connection // a database in memory, for the sake of its ring

	hub    *hubCore // whose it is instead of a database's
	system *connection
}

// Keyring attaches a key ring: attributes that a graph type encrypts are sealed and opened with it by every method of the DB and its
// transactions, those that are open included, on every goroutine, until Keyring.Close, DB.Close, or another ring. A DB has one ring, with all the versions
// of its keys; another one replaces it as a whole: it does not come back, and its Close does nothing then. When the method returns, every connection of
// the DB has the ring, and those that it opens later get it; it waits for calls that run, not for transactions. Other handles and processes need a
// ring of their own. On failure the old ring stays.
//
// The keys are copied into guarded memory of the library. What passed through Go is overwritten; the Keys are the caller's, to be kept or wiped.
//
// ErrInvalid: with the JSON pointer of what is wrong ("/keys/1/version"), never the key; ErrInvalidJSON: a password that is not UTF-8; ErrLimit: a KDF
// beyond the bounds, more than 64 KiB in all; ErrUnsupported: another algorithm; ErrMisuse: a key was wiped; ErrNoMemory.
func (db *DB) Keyring(keys Keys) (*Keyring, error) {
	in := keys.text()
	defer in.free()
	if in.err != nil {
		return nil, in.err
	}
	return db.engine.attach(in.done())
}

// KeyringJSON is Keyring with the ring as JSON text, as the application keeps it:
//
//	{"keys": [{"purpose"?, "version", "state"?, "algorithm"?, "key" | "password", "kdf"?}..], "padding"?, "kdf"?: {"least"?, "most"?}, "legacy"?}
//
// whose entries are what Key.Reveal gives. The text is not kept; the caller may overwrite it with clear.
func (db *DB) KeyringJSON(text []byte) (*Keyring, error) {
	return db.engine.attach(borrow(text))
}

// Close takes the ring away from all connections of its DB and overwrites it. It waits for calls that run, not for transactions, whose next
// call has no ring. Nothing happens when another ring has replaced it, or the DB is closed. It may be called any number of times.
func (k *Keyring) Close() error {
	if k.hub != nil {
		k.hub.detach(k)
		return nil
	}
	k.engine.rings.detach(k)
	return nil
}

// Attached says whether it is the DB's ring still.
func (k *Keyring) Attached() bool {
	if k.hub != nil {
		return k.hub.has(k)
	}
	return k.engine.rings.current.Load() == k
}

// rings is what an engine does with its key ring. The keys are in a database in memory that does nothing else, from where connections copy them: Go
// never has them once they are loaded.
type rings struct {
	changing sync.Mutex // held by who attaches or detaches
	current  atomic.Pointer[Keyring]
}

// attach loads a ring and gives it to all connections.
func (e *engine) attach(text string) (*Keyring, error) {
	e.rings.changing.Lock()
	defer e.rings.changing.Unlock()
	if e.signals.isClosed() {
		return nil, e.closedError()
	}
	if e.outer != nil {
		return nil, e.refusal(text)
	}
	if e.system != nil {
		return e.system.attach(e.writer.connection, text)
	}
	source, err := openConnection(memory, newInput())
	if err != nil {
		return nil, err
	}
	if err := fromC(source.handle.LoadKeyring(text)); err != nil {
		source.close()
		return nil, err
	}
	next := &Keyring{engine: e, source: source}
	former := e.rings.current.Swap(next)
	if err := e.spread(); err != nil {
		e.rings.current.Store(former)
		_ = e.spread()
		source.close()
		return nil, err
	}
	if former != nil {
		former.source.close()
	}
	return next, nil
}

// spread gives the current ring, or none, to every connection there is. It goes through all of them; the first error counts. A connection that cannot
// have the ring has none. The readers come first, so that they can open what the writer seals with a new key.
func (e *engine) spread() (first error) {
	e.connections(func(c *connection) {
		if err := e.rings.give(c); err != nil && first == nil {
			first = err
		}
	})
	return first
}

// give brings a connection to the current ring. Between two rings it makes no difference who comes first: whoever has the connection last reads what is
// current then.
func (r *rings) give(c *connection) error {
	c.inside.Lock()
	defer c.inside.Unlock()
	ring := r.current.Load()
	if ring == nil {
		return fromC(c.handle.UnloadKeyring())
	}
	ring.source.inside.Lock()
	err := fromC(c.handle.CopyKeyring(ring.source.handle))
	ring.source.inside.Unlock()
	if err != nil {
		_ = c.handle.UnloadKeyring()
	}
	return err
}

func (r *rings) detach(k *Keyring) {
	r.changing.Lock()
	defer r.changing.Unlock()
	if !r.current.CompareAndSwap(k, nil) {
		return
	}
	_ = k.engine.spread() // it fails for closed connections only, which have none
	k.source.close()
}

// close comes after all connections are closed.
func (r *rings) close() {
	r.changing.Lock()
	defer r.changing.Unlock()
	if k := r.current.Swap(nil); k != nil {
		k.source.close()
	}
}

// KeyInfo is what a ring has of a key: all but the key.
type KeyInfo struct {
	Purpose   KeyPurpose `json:"purpose"`
	Version   int64      `json:"version"`
	State     KeyState   `json:"state"`
	Algorithm string     `json:"algorithm"`
	KDF       *KDF       `json:"kdf"` // nil: it does not come from a password
}

// KeyringInfo is what a key ring is made of.
type KeyringInfo struct {
	Keys    []KeyInfo `json:"keys"`
	Padding int       `json:"padding"`
	Legacy  bool      `json:"legacy"` // older envelopes are opened
}

// KeyringInfo is what the key ring is made of, in its order. No ring: no keys.
func (o operations) KeyringInfo(ctx context.Context) (KeyringInfo, error) {
	return do[KeyringInfo](ctx, o.r, keyringInfo, newInput())
}
