package brant

import (
	"context"
	"encoding/json"
)

// UpdateOptions of GraphTypes.Update; nil is the default.
type UpdateOptions struct {
	Version  int64 // 0: as it is
	Metadata any
}

// Update replaces a graph type's module. What leaves stored data valid (Identical, Additive) is applied at once, and the version may stay;
// anything else needs a greater version (ErrConstraint) and then Migrate: new writes are judged by the new module at once, stored data are as
// they are until then. A greater version begins a migration in any case. ErrConstraint too: a type that has rows would go, or what kind of
// graph it is would change while there are rows. ErrDenied: it is built in, or of scope system. ErrValidation as for Define.
func (g GraphTypes) Update(ctx context.Context, name string, module any, options *UpdateOptions) (GraphType, error) {
	in := newInput().text("name", name).anyValue("module", module)
	if options != nil {
		in.positive("version", int(options.Version)).value("metadata", options.Metadata)
	}
	return do[GraphType](ctx, g.r, graphTypesUpdate, in)
}

// Diff says what becomes of stored data when the stored module is replaced by another. ErrNotFound, ErrValidation.
func (g GraphTypes) Diff(ctx context.Context, name string, module any) (Difference, error) {
	return do[Difference](ctx, g.r, graphTypesDiff, newInput().text("name", name).anyValue("module", module))
}

// Checked counts rows by what a module says of them.
type Checked struct {
	Checked  int64 `json:"checked"`
	Valid    int64 `json:"valid"`
	Castable int64 `json:"castable"`
	Failing  int64 `json:"failing"`
}

// FailedRow is a node or edge that does not fit.
type FailedRow struct {
	Graph      string      `json:"graph"`
	Key        string      `json:"key"`
	Violations []Violation `json:"violations"`
}

// CheckReport is what Check found.
type CheckReport struct {
	Class    Class       `json:"class"`
	Nodes    Checked     `json:"nodes"`
	Edges    Checked     `json:"edges"`
	Failures []FailedRow `json:"failures"` // at most 100
	Cursor   string      `json:"cursor"`   // where to go on; empty at the end
}

// MarshalJSON writes it as the core does: a cursor that is null at the end.
func (c CheckReport) MarshalJSON() ([]byte, error) {
	type plain CheckReport
	return json.Marshal(struct {
		plain
		Cursor *string `json:"cursor"`
	}{plain(c), nullable(c.Cursor)})
}

// CheckOptions of GraphTypes.Check; nil is the default.
type CheckOptions struct {
	Module any // nil: the stored one
	Limit  int // rows, default 10000
	Cursor string
}

// Check looks at the stored rows without changing them: which fit a module, which a cast would make fit, which neither.
func (g GraphTypes) Check(ctx context.Context, name string, options *CheckOptions) (CheckReport, error) {
	in := newInput().text("name", name)
	if options != nil {
		in.value("module", options.Module).positive("limit", options.Limit).given("cursor", options.Cursor)
	}
	return do[CheckReport](ctx, g.r, graphTypesCheck, in)
}

// MigrateOptions of GraphTypes.Migrate; nil is the default.
type MigrateOptions struct {
	Batch    int            // rows of one transaction, default 1000
	Patches  map[string]any // by type: RFC 6902 operations on the attributes before the cast
	Skip     bool           // go on after rows that cannot be brought over; else stop
	Progress func(Migrated) // after each batch, with the sums so far
}

// Migrated is what Migrate did.
type Migrated struct {
	Done      bool        `json:"done"`
	Migrated  int64       `json:"migrated"`
	Unchanged int64       `json:"unchanged"` // valid as they were
	Failed    int64       `json:"failed"`
	Remaining int64       `json:"remaining"` // of the migration: near while others write
	Failures  []FailedRow `json:"failures"`  // the first 100
}

const shownFailures = 100

// add adds what one batch did.
func (m *Migrated) add(batch Migrated) {
	m.Done, m.Remaining = batch.Done, batch.Remaining
	m.Migrated += batch.Migrated
	m.Unchanged += batch.Unchanged
	m.Failed += batch.Failed
	m.Failures = append(m.Failures, batch.Failures[:min(len(batch.Failures), shownFailures-len(m.Failures))]...)
}

// Migrate brings the stored rows to the graph type's module and version, batch by batch, each in a transaction of its own (in a Tx: in that
// one), so that other writes go on in between: the type's patch is applied, and what is not valid then is cast (Modules.CastNode). It goes on
// where it stopped, also after a crash. The answer is what this call did; Done is false where a row failed and Skip is not set. With Skip
// rows that fail keep their version, and are tried again by the next Migrate. Nothing to do is Done. ErrInvalid: Patches name no type.
func (g GraphTypes) Migrate(ctx context.Context, name string, options *MigrateOptions) (Migrated, error) {
	var o MigrateOptions
	if options != nil {
		o = *options
	}
	sum := Migrated{Failures: []FailedRow{}}
	for {
		in := newInput().text("name", name).positive("batch", o.Batch)
		if o.Patches != nil {
			in.value("patches", o.Patches)
		}
		if o.Skip {
			in.text("on_failure", "skip")
		}
		batch, err := do[Migrated](ctx, g.r, graphTypesMigrate, in)
		if err != nil {
			return sum, err
		}
		sum.add(batch)
		if o.Progress != nil {
			o.Progress(sum)
		}
		if sum.Done || (sum.Failed > 0 && !o.Skip) {
			return sum, nil
		}
	}
}

// MigrateLater leaves the migration to DB.Maintain, which does it in bounded steps, and returns the job: Jobs.Get has its progress. What
// MigrateOptions.Progress is told of is not.
func (g GraphTypes) MigrateLater(ctx context.Context, name string, options *MigrateOptions) (job int64, err error) {
	in := newInput().text("name", name).flag("background", true)
	if options != nil {
		in.positive("batch", options.Batch)
		if options.Patches != nil {
			in.value("patches", options.Patches)
		}
		if options.Skip {
			in.text("on_failure", "skip")
		}
	}
	answer, err := do[struct {
		Job int64 `json:"job"`
	}](ctx, g.r, graphTypesMigrate, in)
	return answer.Job, err
}

// Migration is the state of a graph type's last migration.
type Migration struct {
	FromVersion int64     `json:"from_version"`
	ToVersion   int64     `json:"to_version"`
	Migrated    int64     `json:"migrated"`
	Failed      int64     `json:"failed"`
	Remaining   int64     `json:"remaining"`
	Done        bool      `json:"done"`
	StartedAt   Timestamp `json:"started_at"`
	UpdatedAt   Timestamp `json:"updated_at"`
}

// Migration is the state of the last migration. ErrNotFound: there was none, or no such graph type.
func (g GraphTypes) Migration(ctx context.Context, name string) (Migration, error) {
	return do[Migration](ctx, g.r, graphTypesMigration, newInput().text("name", name))
}

// Retention is the rules by which DB.Maintain archives, deletes and purges graphs of a type, and removes old nodes and edges. Times are in
// milliseconds; nil: never. A graph's count from its last change.
type Retention struct {
	ArchiveAfter *int64   `json:"archive_after,omitempty"` // draft and active graphs are archived
	DeleteAfter  *int64   `json:"delete_after,omitempty"`  // graphs are marked deleted
	PurgeAfter   *int64   `json:"purge_after,omitempty"`   // those that are marked are removed
	Nodes        []Expiry `json:"nodes,omitempty"`         // they go with their edges
	Edges        []Expiry `json:"edges,omitempty"`
}

// Expiry is a rule on nodes or edges.
type Expiry struct {
	Type      string `json:"type,omitempty"`
	Filter    any    `json:"filter,omitempty"`
	OlderThan int64  `json:"older_than"`   // milliseconds
	By        string `json:"by,omitempty"` // "updated_at" (default), "created_at" or "attributes.<path>", a time in milliseconds
}

// SetRetention replaces the rules by a Retention, or anything that encoding/json writes as one; nil: none. It returns what is stored.
// ErrInvalid: a rule, with its pointer; ErrDenied: it is built in, or of scope system.
func (g GraphTypes) SetRetention(ctx context.Context, name string, rules any) (json.RawMessage, error) {
	answer, err := do[struct {
		Rules json.RawMessage `json:"rules"`
	}](ctx, g.r, graphTypesSetRetention, newInput().text("name", name).anyValue("rules", rules))
	return answer.Rules, err
}
