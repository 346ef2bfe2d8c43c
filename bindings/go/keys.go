package brant

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// KeyPurpose says what a key is for; it is not used for anything else.
type KeyPurpose string

// The purposes of keys.
const (
	PurposeAttribute KeyPurpose = "attribute" // the default: attributes that their type encrypts, and envelopes
	PurposePepper    KeyPurpose = "pepper"
	PurposeAudit     KeyPurpose = "audit"
)

// KeyState says what a key of a ring may do.
type KeyState string

// The states of keys. Unknown and plain are no states of a key in a ring: KeyCount has them.
const (
	KeyActive      KeyState = "active"       // the default: it seals and opens; one of each purpose
	KeyDecryptOnly KeyState = "decrypt_only" // it opens
	KeyDisabled    KeyState = "disabled"     // it does neither
	KeyDestroyed   KeyState = "destroyed"    // nor does it, and the ring has no key for it
	KeyUnknown     KeyState = "unknown"      // the ring has no such key
	KeyPlain       KeyState = "plain"        // values that are not encrypted
)

// KDF says how a key comes from a password, by Argon2id. Members that are left out are made: a random salt, 3 passes, 256 MiB.
type KDF struct {
	Algorithm string `json:"alg,omitempty"` // "argon2id13"
	Salt      string `json:"s,omitempty"`   // 16 bytes, in base64url without padding
	Passes    int64  `json:"t,omitempty"`
	Memory    int64  `json:"m,omitempty"` // bytes
}

// Key is a key for a ring: NewKey, PasswordKey, GenerateKey, DeriveKey; or Key{Version: 1, State: KeyDestroyed}, which has none. Its members can
// be read and set, and count when a ring is attached; the ring's rules are checked then.
//
// The key itself is shown by Reveal and by nothing else: fmt, log/slog, encoding/json and what asks for text get "[key attribute 1 active]",
// also where the Key is part of something else; encoding/gob gets an error. Copies share the key: Wipe is for all of them. It is
// overwritten, too, when no copy can be reached any more.
type Key struct {
	Purpose   KeyPurpose // default PurposeAttribute
	Version   int64      // 1 to 1<<53 - 1, each once in a purpose; it grows with each new key
	State     KeyState   // default KeyActive
	Algorithm string     // what the purpose has anyway: "xc20p-b2" of attribute keys, "b2" of the others
	KDF       *KDF       // of a password, or of a key that came from one; nil: none, or as KDF says

	password bool
	secret   *concealed // the bytes of the key, or the password; nil: none
}

// NewKey is a key of 32 bytes, which are copied: the caller may overwrite its own.
func NewKey(version int64, key []byte) Key {
	return Key{Version: version, secret: conceal(append([]byte(nil), key...))}
}

// PasswordKey is a key that comes from a password, 1 to 1024 bytes of UTF-8, which are copied. It is derived when it is first needed, by each
// connection for itself, which takes about a second and KDF.Memory; to spare that, DeriveKey. Without a KDF the salt is random each time a
// ring is attached, which does for attributes: envelopes say how their key is derived. Pepper and audit need one.
func PasswordKey(version int64, password []byte) Key {
	return Key{Version: version, password: true, secret: conceal(append([]byte(nil), password...))}
}

// Reveal is the entry of a ring with the key in plain, JSON text for the place where the application keeps its keys. The caller may overwrite it
// with clear. ErrMisuse: the key was wiped.
func (k Key) Reveal() (json.RawMessage, error) {
	in := newSecretInput(k.size())
	defer in.free()
	in.buffer = in.buffer[:0]
	in.object(func() { k.members(in) })
	if in.err != nil {
		return nil, in.err
	}
	return append(json.RawMessage(nil), in.buffer...), nil
}

// Wipe overwrites the key, in all copies of this Key. Rings that have it keep it.
func (k Key) Wipe() { k.secret.wipe() }

// entryRoom is more than an entry of a ring takes without the key.
const entryRoom = 512

// size is a bound of the entry's: a byte of a password may need six.
func (k Key) size() (size int) {
	if k.secret != nil {
		_ = k.secret.use(func(bytes []byte) error {
			size = 6 * len(bytes)
			return nil
		})
	}
	if k.KDF != nil {
		size += len(k.KDF.Algorithm) + len(k.KDF.Salt)
	}
	return size + entryRoom + len(k.Purpose) + len(k.State) + len(k.Algorithm)
}

// newSecretInput is one whose buffer does not move while so many bytes are appended, which would leave a copy behind.
func newSecretInput(size int) *input {
	in := newInput()
	if cap(in.buffer) < size {
		in.buffer = append(make([]byte, 0, size), in.buffer...)
	}
	return in
}

// members are those of the key's entry in a ring.
func (k Key) members(in *input) {
	in.given("purpose", string(k.Purpose)).integer("version", k.Version).given("state", string(k.State)).given("algorithm", k.Algorithm)
	k.KDF.member(in)
	k.secretMember(in)
}

func (k Key) secretMember(in *input) {
	if k.secret == nil {
		return
	}
	err := k.secret.use(func(bytes []byte) error {
		if k.password {
			in.text("password", borrow(bytes))
			return nil
		}
		in.name("key")
		in.buffer = append(in.buffer, '"')
		in.buffer = base64.RawURLEncoding.AppendEncode(in.buffer, bytes)
		in.buffer = append(in.buffer, '"')
		return nil
	})
	if err != nil {
		in.fail(failf(ErrMisuse, "the key was wiped"))
	}
}

func (f *KDF) member(in *input) {
	if f == nil {
		return
	}
	in.name("kdf")
	in.object(func() {
		in.given("alg", f.Algorithm).given("s", f.Salt)
		in.cost(f.Passes, f.Memory)
	})
}

// cost is what a derivation costs, without what is 0.
func (in *input) cost(passes, memory int64) {
	if passes != 0 {
		in.integer("t", passes)
	}
	if memory != 0 {
		in.integer("m", memory)
	}
}

// String is what the key is, without the key.
func (k Key) String() string {
	purpose, state := k.Purpose, k.State
	if purpose == "" {
		purpose = PurposeAttribute
	}
	if state == "" {
		state = KeyActive
	}
	return fmt.Sprintf("[key %s %d %s]", purpose, k.Version, state)
}

// GoString is String.
func (k Key) GoString() string { return k.String() }

// Format writes String for every verb.
func (k Key) Format(state fmt.State, _ rune) { showAs(state, k.String()) }

// LogValue is String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalJSON is String, from which no key can be read again: what a key is kept as is Reveal.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// UnmarshalJSON is ErrMisuse: a ring is attached as text (DB.KeyringJSON).
func (k *Key) UnmarshalJSON([]byte) error {
	return failf(ErrMisuse, "a key is not read from JSON; KeyringJSON takes a ring")
}

// GobEncode is ErrMisuse.
func (k Key) GobEncode() ([]byte, error) { return nil, notEncoded("a key") }

// GobDecode is ErrMisuse.
func (k *Key) GobDecode([]byte) error { return notEncoded("a key") }

// KeyOptions of GenerateKey.
type KeyOptions struct {
	Purpose KeyPurpose // default PurposeAttribute
	Version int64      // default 1
}

// GenerateKey is a new key of 32 random bytes of the system. ErrIO: there are none; ErrInvalid: another purpose, or a bad version.
func GenerateKey(options ...KeyOptions) (Key, error) {
	in := newInput()
	for _, o := range options {
		in.keyOptions(o.Purpose, o.Version)
	}
	made, err := pure[keyEntry](cbrant.Brant_keyring_generate, in)
	return made.key(), err
}

func (in *input) keyOptions(purpose KeyPurpose, version int64) {
	in.given("purpose", string(purpose))
	if version != 0 {
		in.integer("version", version)
	}
}

// DeriveOptions of DeriveKey; nil is the default.
type DeriveOptions struct {
	Purpose KeyPurpose // default PurposeAttribute
	Version int64      // default 1
	KDF     *KDF       // default: a random salt, 3 passes and 256 MiB
}

// DeriveKey is the key of a password, 1 to 1024 bytes of UTF-8, for a ring that is not to hold the password. It takes about a second, on
// a thread of its own, and KDF.Memory; at the end of ctx it returns at once and the result is thrown away. Keep what Reveal gives, or the KDF,
// with which the password gives the same key again.
//
// ErrInvalid: the password's length, a bad option; ErrInvalidJSON: it is not UTF-8; ErrLimit: the KDF is too weak or too costly (2 to 16
// passes, 19 MiB to 1 GiB); ErrNoMemory.
func DeriveKey(ctx context.Context, password []byte, options *DeriveOptions) (Key, error) {
	if ctx.Err() != nil {
		return Key{}, ended(ctx)
	}
	in := newSecretInput(6*len(password) + entryRoom)
	in.text("password", borrow(password))
	if options != nil {
		in.keyOptions(options.Purpose, options.Version)
		options.KDF.member(in)
	}
	type derived struct {
		key Key
		err error
	}
	derive := func() derived {
		made, err := pure[keyEntry](cbrant.Brant_keyring_derive, in)
		return derived{made.key(), err}
	}
	if ctx.Done() == nil {
		d := derive()
		return d.key, d.err
	}
	answer := make(chan derived, 1)
	go func() { answer <- derive() }()
	select {
	case d := <-answer:
		if ctx.Err() != nil {
			d.key.Wipe()
			return Key{}, ended(ctx)
		}
		return d.key, d.err
	case <-ctx.Done():
		go func() {
			d := <-answer
			d.key.Wipe()
		}()
		return Key{}, ended(ctx)
	}
}

// keyEntry is the core's entry of a new key.
type keyEntry struct {
	Purpose   KeyPurpose   `json:"purpose"`
	Version   int64        `json:"version"`
	State     KeyState     `json:"state"`
	Algorithm string       `json:"algorithm"`
	Key       concealedKey `json:"key"`
	KDF       *KDF         `json:"kdf"`
}

func (e *keyEntry) key() Key {
	if e.Key.bytes == nil {
		return Key{}
	}
	return Key{Purpose: e.Purpose, Version: e.Version, State: e.State, Algorithm: e.Algorithm, KDF: e.KDF, secret: conceal(e.Key.bytes)}
}

// concealedKey reads base64url without a copy in between.
type concealedKey struct{ bytes []byte }

func (c *concealedKey) UnmarshalJSON(text []byte) error {
	if len(text) < 2 {
		return errUnexpected
	}
	text = text[1 : len(text)-1]
	bytes := make([]byte, base64.RawURLEncoding.DecodedLen(len(text)))
	if _, err := base64.RawURLEncoding.Decode(bytes, text); err != nil {
		return errUnexpected
	}
	c.bytes = bytes
	return nil
}
