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

// Update replaces a graph type's module. What leaves stored data valid is applied at once; anything else needs a greater version
// (ErrConstraint) and then Migrate. ErrConstraint too: a type that has rows would go.
func (g GraphTypes) Update(ctx context.Context, name string, module any, options *UpdateOptions) (GraphType, error) {
	in := newInput().text("name", name).anyValue("module", module)
	if options != nil {
		in.positive("version", int(options.Version)).value("metadata", options.Metadata)
	}
	return do[GraphType](ctx, g.r, graphTypesUpdate, in)
}

// Diff compares the stored module with another.
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

// CheckOptions of GraphTypes.Check; nil is the default.
type CheckOptions struct {
	Module any // nil: the stored one
	Limit  int // rows
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
	Progress func(Migrated) // after each batch
}

// Migrated is how far a migration got.
type Migrated struct {
	Done      bool        `json:"done"`
	Migrated  int64       `json:"migrated"`
	Unchanged int64       `json:"unchanged"`
	Failed    int64       `json:"failed"`
	Remaining int64       `json:"remaining"`
	Failures  []FailedRow `json:"failures"`
}

// Migrate brings the stored rows to the graph type's module and version, batch by batch, each in a transaction of its own: it goes on
// where it stopped, also after a crash. The answer is that of the last batch.
func (g GraphTypes) Migrate(ctx context.Context, name string, options *MigrateOptions) (Migrated, error) {
	var o MigrateOptions
	if options != nil {
		o = *options
	}
	for {
		in := newInput().text("name", name).positive("batch", o.Batch)
		if o.Patches != nil {
			in.value("patches", o.Patches)
		}
		if o.Skip {
			in.text("on_failure", "skip")
		}
		answer, err := do[Migrated](ctx, g.r, graphTypesMigrate, in)
		if err != nil {
			return answer, err
		}
		if o.Progress != nil {
			o.Progress(answer)
		}
		if answer.Done || (answer.Failed > 0 && !o.Skip) {
			return answer, nil
		}
	}
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

// Migration is the state of the last migration. ErrNotFound: there was none.
func (g GraphTypes) Migration(ctx context.Context, name string) (Migration, error) {
	return do[Migration](ctx, g.r, graphTypesMigration, newInput().text("name", name))
}

// SetRetention sets the rules by which DB.Maintain archives, deletes and purges graphs and old nodes and edges; nil: none.
func (g GraphTypes) SetRetention(ctx context.Context, name string, rules any) (json.RawMessage, error) {
	answer, err := do[struct {
		Rules json.RawMessage `json:"rules"`
	}](ctx, g.r, graphTypesSetRetention, newInput().text("name", name).anyValue("rules", rules))
	return answer.Rules, err
}
