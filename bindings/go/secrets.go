package brant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret is an opened value: Nodes.OpenSecret, Edges.OpenSecret, Envelopes.Open.
//
// It is shown by Reveal, Decode and JSON and by nothing else: fmt, log/slog, encoding/json and what asks for text get "[secret]", also where the Secret
// is part of something else; encoding/gob gets an error. Copies share the value: Wipe is for all of them. It is overwritten, too, when no copy can
// be reached any more; what was revealed is an ordinary value.
type Secret struct {
	KeyVersion int64 // of the key that it was sealed with
	value      *concealed
}

// Reveal is the value as encoding/json has it in an any, with numbers as json.Number, which keeps them exact. nil: it was wiped.
func (s Secret) Reveal() (value any) {
	_ = s.use(func(text []byte) error {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		return decoder.Decode(&value)
	})
	return value
}

// Decode decodes the value as json.Unmarshal does. ErrInvalid: it does not fit, with an error that has nothing of it; ErrMisuse: it was wiped.
func (s Secret) Decode(value any) error {
	return s.use(func(text []byte) error {
		if json.Unmarshal(text, value) != nil {
			return failf(ErrInvalid, "the secret does not fit a %T", value)
		}
		return nil
	})
}

// JSON is the value's text, a copy that the caller may overwrite with clear. nil: it was wiped.
func (s Secret) JSON() (text json.RawMessage) {
	_ = s.use(func(value []byte) error {
		text = append(text, value...)
		return nil
	})
	return text
}

// Wipe overwrites the value, in all copies of this Secret.
func (s Secret) Wipe() { s.value.wipe() }

func (s Secret) use(function func([]byte) error) error {
	if s.value == nil {
		return failf(ErrMisuse, "the secret holds nothing")
	}
	return s.value.use(function)
}

const shownSecret = "[secret]"

// String is "[secret]".
func (s Secret) String() string { return shownSecret }

// GoString is "[secret]".
func (s Secret) GoString() string { return shownSecret }

// Format writes "[secret]" for every verb.
func (s Secret) Format(state fmt.State, _ rune) { showAs(state, shownSecret) }

// LogValue is "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(shownSecret) }

// MarshalText is "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(shownSecret), nil }

// MarshalJSON is "[secret]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + shownSecret + `"`), nil }

// GobEncode is ErrMisuse.
func (s Secret) GobEncode() ([]byte, error) { return nil, notEncoded("a secret") }

// GobDecode is ErrMisuse.
func (s *Secret) GobDecode([]byte) error { return notEncoded("a secret") }

// openSecret runs an operation that answers a secret.
func openSecret(ctx context.Context, r runner, op *operation, in *input) (Secret, error) {
	answer, err := do[struct {
		Value      json.RawMessage `json:"value"`
		KeyVersion int64           `json:"key_version"`
	}](ctx, r, op, in)
	if err != nil {
		return Secret{}, err
	}
	return Secret{answer.KeyVersion, conceal(answer.Value)}, nil
}

// OpenSecret opens an attribute that the node's type encrypts, with the key ring (DB.Keyring). path is as in filters: "attributes.value", or
// "attributes/value" where names have dots. Only for the place where it was sealed: a value from elsewhere is ErrAuth.
//
// ErrNotFound: no such node, nothing at the path, no key ring, or no such key in it that may open; ErrInvalid: the type does not encrypt the path; ErrAuth: it
// does not open, whatever the reason: tampered with, moved, stored plain; ErrUnsupported: another algorithm; ErrLimit: its KDF is out of the ring's bounds.
func (n Nodes) OpenSecret(ctx context.Context, key, path string) (Secret, error) {
	return openSecret(ctx, n.r, nodesOpenSecret, n.input().text("key", key).text("path", path))
}

// OpenSecret opens an attribute that the edge's type encrypts, as Nodes.OpenSecret does.
func (e Edges) OpenSecret(ctx context.Context, key, path string) (Secret, error) {
	return openSecret(ctx, e.r, edgesOpenSecret, e.input().text("key", key).text("path", path))
}

// Secrets are all values that graph types encrypt: DB.Secrets, Tx.Secrets.
type Secrets struct{ r runner }

// RotateOptions of Secrets.Rotate; nil is the default.
type RotateOptions struct {
	Graph    string        // only this one
	Batch    int           // rows of one transaction, 1 to 100 000, default 1000
	Limit    int           // batches of this call; 0: to the end
	Progress func(Rotated) // after each batch, with the sums so far
}

func (o *RotateOptions) input() *input {
	in := newInput()
	if o == nil {
		return in
	}
	return in.given("graph", o.Graph).positive("batch", o.Batch)
}

// Rotated is what a rotation did.
type Rotated struct {
	Done       bool            `json:"done"`
	KeyVersion int64           `json:"key_version"`
	Rewrapped  int64           `json:"rewrapped"`     // values that had another key
	Sealed     int64           `json:"sealed"`        // values that were plain
	Failed     int64           `json:"failed"`        // values that do not open, and were left as they are
	Failures   []RotateFailure `json:"failures"`      // the first 100
	Remaining  int64           `json:"remaining"`     // rows: near while others write
	Keys       []KeyCount      `json:"keys,omitzero"` // all values by key, when it is done
	Scrubbed   bool            `json:"scrubbed"`      // when it is done: nothing is left in the file of what was plain. Else rotate again
}

// RotateFailure is a value that did not open.
type RotateFailure struct {
	Graph   string `json:"graph"`
	Kind    string `json:"kind"` // "node" or "edge"
	Key     string `json:"key"`
	Path    string `json:"path"` // JSON pointer within the attributes
	Code    string `json:"code"` // as Code.String has it
	Message string `json:"message"`
}

// KeyCount says how many values are under a key version.
type KeyCount struct {
	Version int64    `json:"version"`         // 0: plain
	State   KeyState `json:"state,omitempty"` // only from Status: what the DB's ring says of it, KeyUnknown, or KeyPlain
	Count   int64    `json:"count"`
}

// add adds what one batch did.
func (r *Rotated) add(batch Rotated) {
	rewrapped, sealed, failed, failures := r.Rewrapped, r.Sealed, r.Failed, r.Failures
	*r = batch
	r.Rewrapped += rewrapped
	r.Sealed += sealed
	r.Failed += failed
	r.Failures = append(failures, batch.Failures[:min(len(batch.Failures), shownFailures-len(failures))]...)
}

// Rotate brings every value that graph types encrypt under the ring's active key, and seals what is plain because its type encrypts only since
// then. To change keys: attach a ring whose active key is new and that still has the old ones, in every process that writes; Rotate; then attach one
// without the old ones.
//
// Each batch is one transaction (in a Tx: part of that one), so that other writes go on in between. It goes on where it stopped, after an error, the
// end of ctx or a crash: nothing is lost, and what is done stays done. Any number of processes may rotate at once. Values, revisions and times of
// rows stay as they are. The answer is what this call did, also with an error. ErrNotFound: no active key, no such graph; ErrConflict: a rotation to a
// newer key was begun.
func (s Secrets) Rotate(ctx context.Context, options *RotateOptions) (Rotated, error) {
	var o RotateOptions
	if options != nil {
		o = *options
	}
	sum := Rotated{Failures: []RotateFailure{}}
	if o.Limit < 0 {
		return sum, failf(ErrInvalid, "Limit is negative")
	}
	for batches := 1; ; batches++ {
		batch, err := do[Rotated](ctx, s.r, secretsRotate, o.input())
		if err != nil {
			return sum, err
		}
		sum.add(batch)
		if o.Progress != nil {
			o.Progress(sum)
		}
		if sum.Done || batches == o.Limit {
			return sum, nil
		}
	}
}

// RotateLater leaves the rotation to DB.Maintain, which does it in bounded steps where there is a ring with the active key, and returns the job: Jobs.Get has
// its progress. Limit and Progress do not count.
func (s Secrets) RotateLater(ctx context.Context, options *RotateOptions) (job int64, err error) {
	answer, err := do[struct {
		Job int64 `json:"job"`
	}](ctx, s.r, secretsRotate, options.input().flag("background", true))
	return answer.Job, err
}

// SecretsStatus is under which keys all values are.
type SecretsStatus struct {
	Keys     []KeyCount `json:"keys"` // by version
	Total    int64      `json:"total"`
	Rotation *Rotation  `json:"rotation"` // nil: there was none
}

// Rotation is where the rotation to the newest key is, with its counts since it began.
type Rotation struct {
	KeyVersion int64     `json:"key_version"`
	Done       bool      `json:"done"`
	Rewrapped  int64     `json:"rewrapped"`
	Sealed     int64     `json:"sealed"`
	Failed     int64     `json:"failed"`
	Remaining  int64     `json:"remaining"` // rows
	StartedAt  Timestamp `json:"started_at"`
	UpdatedAt  Timestamp `json:"updated_at"`
}

// Status counts the values under each key version, of one graph or, when it is empty, of all, and says where the newest rotation is. It needs no ring
// and opens nothing. ErrNotFound: no such graph.
func (s Secrets) Status(ctx context.Context, graph string) (SecretsStatus, error) {
	return do[SecretsStatus](ctx, s.r, secretsStatus, newInput().given("graph", graph))
}
