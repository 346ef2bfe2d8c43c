package brant

import "time"

// Mode says how a file is opened.
type Mode string

// The modes of Open.
const (
	ModeCreate    Mode = "create" // the default: open, or create
	ModeReadWrite Mode = "rw"     // the file must exist
	ModeReadOnly  Mode = "ro"     // the file must exist and is not written
)

// Durability says what survives a power cut. No crash of any process loses what was acknowledged.
type Durability string

// The durabilities of Open.
const (
	DurabilityNormal Durability = "normal" // the default: a power cut may lose the last commits, never consistency
	DurabilityFull   Durability = "full"   // what was acknowledged survives power cuts too
)

// Role says what a file is for.
type Role string

// The roles of a file.
const (
	RoleSingle Role = "single" // the default: everything in one file
	RoleSystem Role = "system" // a hub's own file
	RoleTenant Role = "tenant" // a tenant's file
)

// Permissions of what Open creates.
type Permissions string

// The permissions of Open.
const (
	PermissionsPrivate Permissions = "private" // the default: 0600
	PermissionsGroup   Permissions = "group"   // 0660
)

// Limits may be narrowed or widened; 0 keeps the default.
type Limits struct {
	Document int // bytes of one document: 1024..1000000000, default 64 MiB
	Depth    int // of nesting: 1..512, default 512
	Key      int // bytes of a key: 1..65536, default 1024
	Batch    int // items of one call: 1..1000000, default 100000
}

// Options of Open; the zero value, or nil, is the default.
type Options struct {
	Mode        Mode
	Durability  Durability
	Role        Role // given to a new file; for an existing one it must match
	Permissions Permissions
	// BusyTimeout is how long a writer waits for another, in this process or elsewhere, before it gets ErrBusy; in whole
	// milliseconds up to an hour. 0 is the default, 5 s; a negative one does not wait.
	BusyTimeout time.Duration
	Adopt       bool // add brant's tables to an SQLite database that is not brant's yet
	Network     bool // open on a network file system all the same
	System      bool // this handle may change graph types of scope "system"
	ForeignKeys bool // those of your own tables are enforced, and their actions run; else, as SQLite has it, not
	Limits      Limits
	Cache       int    // bytes of page cache of the connection that writes, default 64 MiB; those that read share as much
	Readers     int    // how many goroutines may read at the same time, each on a connection of its own; default 4
	Tracer      Tracer // is told of every call: NewLogTracer, or that of the module brant-go/otel
}

const (
	defaultBusyTimeout = 5 * time.Second
	defaultReaders     = 4
	defaultCache       = 64 << 20
	leastCache         = 2 << 20
)

func (o *Options) busyTimeout() time.Duration {
	switch {
	case o.BusyTimeout == 0:
		return defaultBusyTimeout
	case o.BusyTimeout < 0:
		return 0
	}
	return o.BusyTimeout
}

func (o *Options) readers() int {
	if o.Readers <= 0 {
		return defaultReaders
	}
	return o.Readers
}

// write is the options as the core takes them, for the connection that opens the file.
func (o *Options) write() *input {
	in := newInput()
	in.given("mode", string(o.Mode)).given("durability", string(o.Durability)).given("role", string(o.Role))
	in.given("permissions", string(o.Permissions))
	if o.BusyTimeout != 0 {
		in.integer("busy_timeout", o.busyTimeout().Milliseconds())
	}
	in.flag("adopt", o.Adopt).flag("network", o.Network).flag("system", o.System).flag("foreign_keys", o.ForeignKeys)
	if o.Limits != (Limits{}) {
		in.name("limits")
		in.buffer = append(in.buffer, '{')
		in.positive("document", o.Limits.Document).positive("depth", o.Limits.Depth)
		in.positive("key", o.Limits.Key).positive("batch", o.Limits.Batch)
		in.buffer = append(in.buffer, '}')
	}
	return in.positive("cache", o.Cache)
}

// first is the options of the connection that opens the file.
func (o *Options) first(path string) *input {
	if o.Mode == ModeReadOnly && path != memory {
		return o.more(ModeReadOnly) // a reader as the others
	}
	return o.write()
}

// more is the options of a further connection to the same file, which reads. A page that is not in its cache is in the system's, at a tenth more for a row: what halves
// the speed of a writer with a cache below its keys does not concern it.
func (o *Options) more(mode Mode) *input {
	further := *o
	further.Mode = mode
	further.Adopt = false
	further.Cache = o.readerCache()
	return further.write()
}

func (o *Options) readerCache() int {
	all := o.Cache
	if all < 0 {
		return all // the core refuses it
	}
	if all == 0 {
		all = defaultCache
	}
	return max(all/o.readers(), min(all, leastCache))
}
