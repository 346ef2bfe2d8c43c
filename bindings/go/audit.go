package brant

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"
)

// Audit is the audit log of the file: who did what, in a chain of keyed hashes that shows whether somebody changed it. DB.Audit, Tx.Audit. It needs a key ring with an active
// key of PurposeAudit (ErrNotFound).
//
// What identity and access change is recorded by itself, in the same transaction; Append records what the program does. A row is never changed. Who can
// write the file but has not the key can hide nothing from Verify; with a Checkpoint that is kept elsewhere, not even that the end was cut off or
// the file replaced by an older copy.
type Audit struct{ r runner }

// AuditRow is a row of the log.
type AuditRow struct {
	Seq        int64           `json:"seq"` // counts from 1, without gaps
	ID         string          `json:"id"`
	OrgID      string          `json:"org_id"` // empty: none
	ActorType  ActorType       `json:"actor_type"`
	ActorID    string          `json:"actor_id"` // empty: none
	Action     string          `json:"action"`
	Resource   string          `json:"resource"` // empty: none
	Detail     json.RawMessage `json:"detail"`   // with the actor's reason
	Metadata   json.RawMessage `json:"metadata"`
	CreatedAt  Timestamp       `json:"created_at"`
	KeyVersion int64           `json:"key_version"`
	Hash       string          `json:"hash"` // of it and the row before, in base64url
}

// MarshalJSON writes it as the core does, with null for what there is not.
func (a AuditRow) MarshalJSON() ([]byte, error) {
	type plain AuditRow
	return json.Marshal(struct {
		plain
		OrgID    *string `json:"org_id"`
		ActorID  *string `json:"actor_id"`
		Resource *string `json:"resource"`
	}{plain(a), nullable(a.OrgID), nullable(a.ActorID), nullable(a.Resource)})
}

// NewAuditRow is a row to be added.
type NewAuditRow struct {
	Action   string // not of the library's own namespaces, as "accounts"
	Resource string // "<kind>:<id>"
	OrgID    string
	Detail   any               // an object of at most 64 KiB
	Personal map[string]string // texts about a Subject: they are stored as hashes with a salt of the subject's own; see Prove and EraseSubject
	Subject  string            // goes with Personal, and is not in the row
}

// Appended is a row that was added.
type Appended struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Append adds a row. ErrInvalid: an action of the library's, "reason" or "personal" in the detail; ErrConflict, ErrCorrupt: the log is not what it was; ErrLimit.
func (a Audit) Append(ctx context.Context, row NewAuditRow, actor ...Actor) (Appended, error) {
	in := newInput().text("action", row.Action).given("resource", row.Resource).given("org_id", row.OrgID).value("detail", row.Detail)
	if row.Personal != nil {
		in.name("personal")
		in.object(func() {
			for _, name := range slices.Sorted(maps.Keys(row.Personal)) {
				in.key(name)
				in.buffer = appendText(in.buffer, row.Personal[name])
			}
		})
	}
	return do[Appended](ctx, a.r, auditAppend, in.given("subject", row.Subject).actor(actor))
}

// Get is a row. ErrNotFound; ErrCorrupt: what stands there is none any more.
func (a Audit) Get(ctx context.Context, seq int64) (AuditRow, error) {
	return do[AuditRow](ctx, a.r, auditGet, newInput().integer("seq", seq))
}

// AuditListOptions of Audit.List; nil is the default. A pointer to an empty text is for rows that have none.
type AuditListOptions struct {
	Action     string // only these; empty: all
	ActorID    *string
	Resource   *string
	OrgID      *string
	After      int64     // only rows behind this one; 0: all
	Before     int64     // only rows before this one; 0: all
	Since      time.Time // only rows from then on
	Until      time.Time // only rows before then
	Descending bool      // the newest first
	Limit      int       // 1..10000, default 100
}

// AuditRows is a part of the log.
type AuditRows struct {
	Items []AuditRow `json:"items"`
	Next  int64      `json:"next,omitzero"` // the After to go on with, or Before where it is descending; 0: there are no more
}

// List is a part of the log, by seq, at most 16 MiB. ErrCorrupt: what stands there is no row any more.
func (a Audit) List(ctx context.Context, options *AuditListOptions) (AuditRows, error) {
	var o AuditListOptions
	if options != nil {
		o = *options
	}
	in := filtered(o.Limit, "", func(in *input) {
		in.given("action", o.Action).textOrNull("actor_id", o.ActorID).textOrNull("resource", o.Resource).textOrNull("org_id", o.OrgID)
	})
	if o.After != 0 {
		in.integer("after", o.After)
	}
	if o.Before != 0 {
		in.integer("before", o.Before)
	}
	if o.Descending {
		in.text("order", "desc")
	}
	return do[AuditRows](ctx, a.r, auditList, in.moment("since", o.Since).moment("until", o.Until))
}

// All goes through the log, part by part. An error is the last thing it yields.
func (a Audit) All(ctx context.Context, options *AuditListOptions) iter.Seq2[AuditRow, error] {
	return func(yield func(AuditRow, error) bool) {
		var o AuditListOptions
		if options != nil {
			o = *options
		}
		o.Limit = pageOfAll
		for {
			part, err := a.List(ctx, &o)
			if err != nil {
				yield(AuditRow{}, err)
				return
			}
			for _, row := range part.Items {
				if !yield(row, nil) {
					return
				}
			}
			switch {
			case part.Next == 0:
				return
			case o.Descending:
				o.Before = part.Next
			default:
				o.After = part.Next
			}
		}
	}
}

// Checkpoint says where a log ended. Keep it where nobody who can write the file can.
type Checkpoint struct {
	File       string    `json:"file,omitempty"` // the file's id
	Seq        int64     `json:"seq"`
	Hash       string    `json:"hash"`
	CreatedAt  Timestamp `json:"created_at,omitempty"`
	KeyVersion int64     `json:"key_version,omitempty"`
	MAC        string    `json:"mac,omitempty"`
}

func (c *Checkpoint) members(in *input) *input {
	in.given("file", c.File).integer("seq", c.Seq).text("hash", c.Hash)
	if c.CreatedAt != 0 {
		in.integer("created_at", int64(c.CreatedAt))
	}
	if c.KeyVersion != 0 {
		in.integer("key_version", c.KeyVersion)
	}
	return in.given("mac", c.MAC)
}

// VerifyOptions of Audit.Verify; nil is the default.
type VerifyOptions struct {
	Checkpoints []Checkpoint // the log must have their rows
	From        int64        // the first row to be read; 0: the first there is
	Limit       int64        // rows; 0: all
}

// AuditProblem is what is wrong with the log, and at which row.
type AuditProblem struct {
	Seq     int64  `json:"seq"`
	Problem string `json:"problem"`
}

// AuditReport is what Verify found.
type AuditReport struct {
	OK        bool           `json:"ok"` // no problem
	Rows      int64          `json:"rows"`
	First     int64          `json:"first"` // 0: no row was read
	Last      int64          `json:"last"`
	Hash      string         `json:"hash"`      // of the last
	Problems  []AuditProblem `json:"problems"`  // the first 100
	Truncated bool           `json:"truncated"` // there are more
	Next      int64          `json:"next,omitzero"`
}

// MarshalJSON writes it as the core does, with null where no row was read.
func (a AuditReport) MarshalJSON() ([]byte, error) {
	type plain AuditReport
	row := func(seq int64) *int64 {
		if seq == 0 {
			return nil
		}
		return &seq
	}
	return json.Marshal(struct {
		plain
		First *int64  `json:"first"`
		Last  *int64  `json:"last"`
		Hash  *string `json:"hash"`
	}{plain(a), row(a.First), row(a.Last), nullable(a.Hash)})
}

// Verify reads the rows and tells whether the log is what was written. A problem is no error. Where a limit ended it, Next is the From to go on with. ErrNotFound: the
// ring lacks keys, and nothing else is wrong; ErrInvalid: a hash that is none.
func (a Audit) Verify(ctx context.Context, options *VerifyOptions) (AuditReport, error) {
	in := newInput()
	if options != nil {
		if options.Checkpoints != nil {
			in.array("checkpoints", len(options.Checkpoints), func(i int) { in.object(func() { options.Checkpoints[i].members(in) }) })
		}
		if options.From != 0 {
			in.integer("from", options.From)
		}
		if options.Limit != 0 {
			in.integer("limit", options.Limit)
		}
	}
	return do[AuditReport](ctx, a.r, auditVerify, in)
}

// Checkpoint says where the log ends now. ErrConflict, ErrCorrupt: the log is not what it was.
func (a Audit) Checkpoint(ctx context.Context) (Checkpoint, error) {
	return do[Checkpoint](ctx, a.r, auditCheckpoint, newInput())
}

// KeepOptions of Audit.Keep; nil is the default.
type KeepOptions struct {
	Replace bool // forget what was kept of that file: it was restored
}

// Keep remembers the checkpoint of another file in this one, the newest 16 of each. kept false: it was known. ErrConflict: a later one is kept, or another row: that
// file was rolled back, restored, or is a copy.
func (a Audit) Keep(ctx context.Context, checkpoint Checkpoint, options *KeepOptions, actor ...Actor) (kept bool, err error) {
	in := checkpoint.members(newInput())
	if options != nil {
		in.flag("replace", options.Replace)
	}
	answer, err := do[struct {
		Kept bool `json:"kept"`
	}](ctx, a.r, auditKeep, in.actor(actor))
	return answer.Kept, err
}

// Checkpoints are those that are kept of a file, by seq.
func (a Audit) Checkpoints(ctx context.Context, file string) ([]Checkpoint, error) {
	answer, err := do[struct {
		Items []Checkpoint `json:"items"`
	}](ctx, a.r, auditCheckpoints, newInput().text("file", file))
	return answer.Items, err
}

// AuditExport is a part of the log as lines of JSON.
type AuditExport struct {
	File string `json:"file"` // the file's id, which is in the hashes
	Text string `json:"text"`
	Rows int64  `json:"rows"`
	Next int64  `json:"next,omitzero"` // the row to go on behind; 0: there are no more
}

// Export is up to limit rows (0: 1000) behind one (0: from the first) as lines of JSON, at most 16 MiB.
func (a Audit) Export(ctx context.Context, after int64, limit int) (AuditExport, error) {
	in := newInput().positive("limit", limit)
	if after != 0 {
		in.integer("after", after)
	}
	return do[AuditExport](ctx, a.r, auditExport, in)
}

// AuditPruned is what one Prune removed.
type AuditPruned struct {
	Pruned  int64 `json:"pruned"` // rows
	Through int64 `json:"through"`
	Done    bool  `json:"done"` // false: call again
}

// Prune removes the rows up to one, at most 100 000 a call: call it again until it is done. The checkpoint, of that row or a later one, proves that they are those of which there is a copy elsewhere (Export).
// ErrInvalid: it is from before; ErrConflict: the log has not its row; ErrCorrupt: a row is not what was written, and nothing goes; ErrNotFound: the ring lacks its key.
func (a Audit) Prune(ctx context.Context, through int64, checkpoint Checkpoint, actor ...Actor) (AuditPruned, error) {
	in := newInput().integer("through", through)
	in.name("checkpoint")
	in.object(func() { checkpoint.members(in) })
	return do[AuditPruned](ctx, a.r, auditPrune, in.actor(actor))
}

// Prove says whether this is the text whose hash is under a name in a row's personal data. ErrNotFound: no such row, or the subject was erased.
func (a Audit) Prove(ctx context.Context, seq int64, subject, name, text string) (proven bool, err error) {
	answer, err := do[struct {
		Proven bool `json:"proven"`
	}](ctx, a.r, auditProve, newInput().integer("seq", seq).text("subject", subject).text("name", name).text("text", text))
	return answer.Proven, err
}

// SubjectErased is what EraseSubject did.
type SubjectErased struct {
	Erased   bool `json:"erased"`   // there was a salt
	Scrubbed bool `json:"scrubbed"` // no byte of it is left in the file; if not, call again
}

// EraseSubject forgets a subject's salt: what stands about it in the log means nothing then, and the log still verifies.
func (a Audit) EraseSubject(ctx context.Context, subject string, actor ...Actor) (SubjectErased, error) {
	return do[SubjectErased](ctx, a.r, auditEraseSubject, newInput().text("subject", subject).actor(actor))
}
