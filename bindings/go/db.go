package brant

import (
	"context"
	"encoding/json"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// DB is an open database: one file, safe for concurrent use by any number of goroutines.
//
// Writes go through one connection, in the order in which they come; those that wait at the same time are committed together, each
// answered after the commit. Reads outside a transaction run beside them on a few connections of their own, and see everything that was
// acknowledged before they began. A database in memory (":memory:") has one connection for all.
//
// Every method that touches the file takes a context. When it is done before the call is, the call ends, nothing of it is written, and
// the error is ErrInterrupted or ErrTimeout as well as the context's own.
type DB struct {
	operations
	engine *engine
	keeps  any // what must not close itself while this is in use
}

// engine is the database without its public face, so that a DB that nobody reaches any more can be closed.
type engine struct {
	path    string
	options Options
	signals *signals
	writer  *writer  // nil: read-only
	readers *readers // nil: in memory
	events  events
	rings   rings
	closing sync.Once

	outer    *engine // of a session: what it is over, whose connections it shares
	identity string  // of a session
	gone     string  // what is said when it is closed; empty: as of any database
	guests   guests  // what is over it, and what it has open

	hub    *hubCore // that the handles are of, or nil
	system *hubCore // that this is the system file of, or nil
	apart  *readers // of a system file: connections for what takes long
}

const memory = ":memory:"

// Open opens a file, creating it by default, and brings it to this version's format. nil options are the defaults. The path ":memory:"
// is a private database in memory, without waking other processes.
//
// ErrInvalid: an unknown option or bad value; ErrNotFound: no file where it must exist, or no folder; ErrNotBrant: a folder, another
// program's database, not a database; ErrNewerFormat; ErrForeignSQLite; ErrNetworkFS; ErrReadOnly: no permission to write
// (ModeReadOnly may help); ErrConflict: the file has another role; ErrBusy: another process is bringing it to a newer format.
func Open(path string, options *Options) (*DB, error) {
	e := &engine{path: path, signals: newSignals()}
	if options != nil {
		e.options = *options
	}
	if path != "" && path != memory {
		// Connections that are opened later must find the same file.
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, &Error{Code: ErrIO, Message: err.Error(), Detail: noDetail, cause: err}
		}
		e.path = absolute
	}
	first, err := openConnection(e.path, e.options.first(path))
	if err != nil {
		return nil, err
	}
	e.events.engine = e
	wait := e.options.busyTimeout()
	if path != memory {
		e.readers = newReaders(e.options.readers(), wait, func() (*connection, error) {
			return openConnection(e.path, e.options.more(ModeReadOnly))
		}, e.rings.give)
	}
	if e.options.Mode == ModeReadOnly && path != memory {
		e.readers.idle = []*connection{first}
		e.readers.all = []*connection{first}
	} else {
		e.writer = &writer{connection: first, wait: wait}
		if path == memory {
			e.writer.committed = e.events.wakeAll
		}
	}
	db := &DB{engine: e}
	db.operations = newOperations(db)
	runtime.AddCleanup(db, (*engine).close, e)
	return db, nil
}

// Close ends all calls and waits (ErrClosed), rolls open transactions back and releases the file. It returns when that is done, and
// may be called at any time, any number of times; every later call is ErrClosed. A DB that is no longer reachable closes itself.
func (db *DB) Close() error {
	if db.engine.system != nil {
		return failf(ErrMisuse, "it is the hub's, and closes with it")
	}
	db.engine.close()
	runtime.KeepAlive(db)
	return nil
}

func (e *engine) close() {
	e.closing.Do(func() {
		close(e.signals.closed)
		if e.outer == nil {
			e.events.silence()
		}
		e.guests.close()
		if e.outer != nil {
			e.leave()
			return
		}
		if e.readers != nil {
			e.readers.close()
		}
		if e.apart != nil {
			e.apart.close()
		}
		e.events.close()
		if e.writer != nil {
			e.writer.connection.close() // the last: a connection that only reads cannot write the WAL back and remove it
		}
		e.rings.close()
		if e.hub != nil {
			e.hub.left(e)
		}
	})
}

// connections goes through those that operations run on: those that read come first.
func (e *engine) connections(do func(*connection)) {
	if e.readers != nil {
		e.readers.each(do)
	}
	if e.apart != nil {
		e.apart.each(do)
	}
	if e.writer != nil {
		do(e.writer.connection)
	}
}

// Interrupt ends what runs and waits now with ErrInterrupted; contexts do that for one call. Nothing happens when nothing runs.
func (db *DB) Interrupt() {
	db.engine.interrupt()
	runtime.KeepAlive(db)
}

// Check is nil while the database is open, ErrClosed after. The cheapest call there is.
func (db *DB) Check() error {
	e := db.engine
	if e.writer == nil || e.outer != nil {
		if e.signals.isClosed() {
			return e.closedError()
		}
		return nil
	}
	err := e.writer.connection.handle.Check()
	if err != nil {
		return fromC(err)
	}
	return nil
}

// run runs an operation outside transactions.
func (db *DB) run(ctx context.Context, op *operation, out *cbrant.Result, input string) error {
	return db.engine.traced(ctx, false, op, out, input, db.perform)
}

func (db *DB) perform(ctx context.Context, op *operation, out *cbrant.Result, input string) error {
	defer runtime.KeepAlive(db)
	e := db.engine
	if e.signals.isClosed() {
		return e.closedError()
	}
	if op.way == apart && e.apart != nil {
		c, err := e.apart.acquire(ctx, e.signals)
		if err == nil {
			defer e.apart.release(c)
			return e.call(ctx, c, op, out, input)
		}
		if codeOf(err) != ErrBusy { // all places of the hub are taken
			return err
		}
	}
	if e.readers == nil || (e.writer != nil && (op.way == write || op.way == alone)) {
		return e.writer.run(ctx, e, op, out, input)
	}
	reader, err := e.readers.acquire(ctx, e.signals)
	if err != nil {
		return err
	}
	err = e.call(ctx, reader, op, out, input)
	e.readers.release(reader)
	if op.way == readElse && e.writer != nil && (codeOf(err) == ErrReadOnly || codeOf(err) == ErrSQL) {
		return e.writer.run(ctx, e, op, out, input)
	}
	return err
}

// on runs a call on a connection that reads.
func (db *DB) on(ctx context.Context, call func(*connection) error) error {
	defer runtime.KeepAlive(db)
	e := db.engine
	if e.signals.isClosed() {
		return e.closedError()
	}
	var of *connection
	if e.readers == nil {
		if err := e.writer.acquire(ctx, e.signals); err != nil {
			return err
		}
		defer e.writer.release()
		of = e.writer.connection
	} else {
		reader, err := e.readers.acquire(ctx, e.signals)
		if err != nil {
			return err
		}
		defer e.readers.release(reader)
		of = reader
	}
	face, err := e.face(of)
	if err != nil {
		return err
	}
	return call(face)
}

// operations is what a DB and a Tx have in common.
type operations struct {
	// Graphs are the graphs of the file.
	Graphs Graphs
	// GraphTypes are the classes of graphs that the file knows.
	GraphTypes GraphTypes
	// Indexes are the indexes over attributes.
	Indexes Indexes
	// Channels are the channels of notifications.
	Channels Channels
	// Queues are the queues of jobs.
	Queues Queues
	// Jobs are the jobs of all queues, by id.
	Jobs Jobs
	// Streams are the streams of events.
	Streams Streams
	// Locks are the named leases.
	Locks Locks
	// RateLimits are the rate limits that were taken from.
	RateLimits RateLimits
	// Schedules are what enqueues jobs at times.
	Schedules Schedules
	// Calls is the call protocol.
	Calls Calls
	// Secrets are all values that graph types encrypt.
	Secrets Secrets
	// Envelopes seals and opens values by hand.
	Envelopes Envelopes
	// Accounts are somebody each, or a service.
	Accounts Accounts
	// Organizations are what accounts are members of.
	Organizations Organizations
	// Members are who belongs to which organization.
	Members Members
	// Invitations are those to organizations.
	Invitations Invitations
	// APIKeys are what accounts show who they are by.
	APIKeys APIKeys
	// Audit is the audit log.
	Audit Audit
	// Access is the graph "access": who may do what.
	Access Access
	// Tenants are the organizations' files, of a hub's system file.
	Tenants Tenants

	r runner
}

func newOperations(r runner) operations {
	return operations{
		Graphs: Graphs{r}, GraphTypes: GraphTypes{r}, Indexes: Indexes{r}, Channels: Channels{r}, Queues: Queues{r}, Jobs: Jobs{r},
		Streams: Streams{r}, Locks: Locks{r}, RateLimits: RateLimits{r}, Schedules: Schedules{r}, Calls: Calls{r},
		Secrets: Secrets{r}, Envelopes: Envelopes{r}, Accounts: Accounts{r}, Organizations: Organizations{r}, Members: Members{r},
		Invitations: Invitations{r}, APIKeys: APIKeys{r}, Audit: Audit{r}, Access: Access{r: r}, Tenants: Tenants{r}, r: r,
	}
}

// Graph is the graph of that name. Nothing is looked up before its methods are called.
func (o operations) Graph(name string) Graph {
	return Graph{Name: name, Nodes: Nodes{o.r, name}, Edges: Edges{o.r, name}}
}

// Notify writes a notification, with any value that encoding/json can write, JSON text as json.RawMessage, or Bytes. Listeners get it after
// the commit, and never when it is rolled back. Its id grows in commit order.
//
// Channels are names of 1 to 255 bytes. Each keeps its newest 10 000 notifications, for a day (Channels.SetRetention).
func (o operations) Notify(ctx context.Context, channel string, payload any) (id int64, err error) {
	answer, err := do[struct {
		ID int64 `json:"id"`
	}](ctx, o.r, eventsNotify, newInput().text("channel", channel).changedPayload(payload))
	return answer.ID, err
}

// Call runs a query or mutation by its name in the registry ("nodes.put"). input is anything that encoding/json writes as an object,
// JSON text as json.RawMessage, or nil; the answer is decoded into output unless that is nil. Operations of the types of a graph type
// ("types.task.Task.insert": GraphTypes.Operations) run by their names too; NodesOf and EdgesOf are made of them.
//
// ErrInvalid: the input does not match the operation's schema, with violations; ErrNotFound: no such operation; ErrMisuse: a
// subscription (Listen), or transaction.* (Tx, View, Begin).
func (o operations) Call(ctx context.Context, name string, input, output any) error {
	text := []byte(noInput)
	switch given := input.(type) {
	case nil:
	case json.RawMessage:
		text = given
	case []byte:
		text = given
	default:
		written, err := json.Marshal(input)
		if err != nil {
			return &Error{Code: ErrInvalid, Message: "the value cannot be written as JSON: " + err.Error(), Detail: noDetail, cause: err}
		}
		text = written
	}
	return o.call(ctx, name, text, func(answer []byte) error {
		if output == nil {
			return nil
		}
		if err := json.Unmarshal(answer, output); err != nil {
			return &Error{Code: ErrInvalid, Message: "the answer does not fit: " + err.Error(), Detail: noDetail, cause: err}
		}
		return nil
	})
}

// CallJSON is Call with the input and the answer as JSON text.
func (o operations) CallJSON(ctx context.Context, name string, input []byte) ([]byte, error) {
	var copied []byte
	err := o.call(ctx, name, input, func(answer []byte) error {
		copied = append([]byte(nil), answer...)
		return nil
	})
	return copied, err
}

func (o operations) call(ctx context.Context, name string, input []byte, take func([]byte) error) error {
	op, err := byName(name)
	if err != nil {
		return err
	}
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := o.r.run(ctx, op, out, borrow(input)); err != nil {
		return err
	}
	return take(out.Bytes())
}

// Info says what a file is and what is in it.
type Info struct {
	Path          string     `json:"path"`
	Role          Role       `json:"role"`
	Mode          Mode       `json:"mode"`
	Durability    Durability `json:"durability"`
	Format        int        `json:"format"`
	Version       string     `json:"version"`
	SQLiteVersion string     `json:"sqlite_version"`
	PageSize      int64      `json:"page_size"`
	Pages         int64      `json:"pages"`
	Size          int64      `json:"size"`
	WALSize       int64      `json:"wal_size"`
	Graphs        int64      `json:"graphs"`
	Nodes         int64      `json:"nodes"`
	Edges         int64      `json:"edges"`
	Queues        int64      `json:"queues"`
	Jobs          int64      `json:"jobs"`
	Streams       int64      `json:"streams"`
	Events        int64      `json:"events"` // of streams
	Locks         int64      `json:"locks"`
	Schedules     int64      `json:"schedules"`
	CreatedAt     Timestamp  `json:"created_at"`
}

// Info says what the file is and what is in it.
func (db *DB) Info(ctx context.Context) (Info, error) {
	info, err := do[Info](ctx, db, dbInfo, newInput())
	if err == nil && db.engine.writer != nil {
		// A reader answered, for whom the file is read-only.
		if info.Mode = db.engine.options.Mode; info.Mode == "" {
			info.Mode = ModeCreate
		}
	}
	return info, err
}

// Report is what Doctor found.
type Report struct {
	OK     bool `json:"ok"`
	Checks []struct {
		Name     string   `json:"name"`
		OK       bool     `json:"ok"`
		Problems []string `json:"problems"`
	} `json:"checks"`
}

// Doctor checks SQLite's own integrity, that every edge has its ends, that types and graphs fit, that stored counts are true and that
// every attribute is JSON. It only reads, and takes long on a large file.
func (db *DB) Doctor(ctx context.Context) (Report, error) {
	return do[Report](ctx, db, dbDoctor, newInput())
}

// Copied is what Backup and Restore copied.
type Copied struct {
	Path  string `json:"path"`
	Pages int64  `json:"pages"`
	Size  int64  `json:"size"`
}

// BackupOptions of Backup; nil is the default.
type BackupOptions struct {
	Overwrite bool // replace what is at the destination
}

// Backup copies the file, while it is in use, as of one moment, to a new file. It is written beside and renamed: the destination is
// whole or not there. ErrExists: there is something already; ErrConflict: it is to be overwritten, and somebody has it open.
func (db *DB) Backup(ctx context.Context, path string, options *BackupOptions) (Copied, error) {
	in := newInput().text("path", path)
	if options != nil {
		in.flag("overwrite", options.Overwrite)
	}
	return do[Copied](ctx, db, dbBackup, in)
}

// Restore replaces the whole content of the file by that of a backup, in one transaction: other processes see the old or the new.
// ErrNotFound, ErrNotBrant, ErrNewerFormat and ErrConflict (another role): nothing changed.
func (db *DB) Restore(ctx context.Context, path string) (Copied, error) {
	return do[Copied](ctx, db, dbRestore, newInput().text("path", path))
}

// Maintained is what Maintain did.
type Maintained struct {
	Pruned    int64 `json:"pruned"` // notifications
	WALPages  int64 `json:"wal_pages"`
	Retention struct {
		Archived int64 `json:"archived"` // graphs
		Deleted  int64 `json:"deleted"`
		Purged   int64 `json:"purged"`
		Nodes    int64 `json:"nodes"` // removed, those of purged graphs too
		Edges    int64 `json:"edges"`
	} `json:"retention"`
	Jobs   int64 `json:"jobs"` // that had ended
	Worked struct {
		Jobs   int64 `json:"jobs"` // of the library's own queues
		Failed int64 `json:"failed"`
		Steps  int64 `json:"steps"`
	} `json:"worked"`
	Locks      int64 `json:"locks"`       // that were free
	RateLimits int64 `json:"rate_limits"` // that were whole
	Streams    struct {
		Trimmed   int64 `json:"trimmed"`
		Compacted int64 `json:"compacted"`
	} `json:"streams"` // events
}

// Maintain applies the retention of notifications, streams, finished jobs and that of graphs, nodes and edges (GraphTypes.SetRetention), works
// on the library's own queues, writes the WAL back into the file and renews the planner's statistics: bounded work, to be done now and then. At most 100 000 rows are removed; the next call
// goes on.
func (db *DB) Maintain(ctx context.Context) (Maintained, error) {
	return do[Maintained](ctx, db, dbMaintain, newInput())
}

// Metrics is what there is to tell of queues, streams, locks, schedules, channels and the file, in Prometheus' text format 0.0.4.
func (db *DB) Metrics(ctx context.Context) (string, error) {
	answer, err := do[struct {
		Text string `json:"text"`
	}](ctx, db, dbMetrics, newInput())
	return answer.Text, err
}

// readsApart says whether reads are on connections that cannot write, beside one that can.
func (e *engine) readsApart() bool { return e.readers != nil && e.writer != nil }
