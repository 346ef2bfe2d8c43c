package brant

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Hub is a folder of files: the system's, which has accounts, organizations and keys, and one of each organization: a tenant. It is safe for concurrent use by any number of
// goroutines; many hubs, of many processes, may have one folder open.
//
// A tenant's file is made at its first use and goes with its organization. While an organization is suspended every call on its file is ErrDenied, and when it is being deleted ErrClosed,
// whoever did that, in any process.
type Hub struct {
	// Accounts are those of the system file; so are the others.
	Accounts      Accounts
	Organizations Organizations
	Members       Members
	Invitations   Invitations
	APIKeys       APIKeys
	Audit         Audit
	// Tenants are the organizations' files.
	Tenants Tenants

	core   *hubCore
	system *DB
}

// hubCore is the hub without its public face.
type hubCore struct {
	handle  *cbrant.Hub
	closing sync.Once
	readers int
	tracer  Tracer
	wait    time.Duration

	lock    sync.Mutex
	closed  bool
	engines map[*engine]struct{} // that are open
	ring    *Keyring
}

// HubOptions of OpenHub; the zero value, or nil, is the default.
type HubOptions struct {
	Mode        Mode // ModeCreate, in a folder that is there; or ModeReadWrite
	Durability  Durability
	Permissions Permissions
	BusyTimeout time.Duration // as of Options; also how long Tenant waits for a place
	Network     bool
	ForeignKeys bool // as of Options, of all files
	Limits      Limits
	Cache       int    // bytes of page cache of each file, default 2 MiB
	Tracer      Tracer // as of Options, of all files
	MaxOpen     int    // files that are open at once, in use and idle; default: a fifth of the process's descriptors, at least 4, at most 1000
}

// OpenHub opens a folder, making it and its system file by default, and brings the system file to this version's format. What a crash left half done is finished. Errors are
// those of Open, of the system file. ErrNotFound: no place for the folder, or ModeReadWrite and no hub; ErrNotBrant: the path is no folder.
func OpenHub(path string, options *HubOptions) (*Hub, error) {
	var o HubOptions
	if options != nil {
		o = *options
	}
	absolute := path
	if path != "" {
		var err error
		if absolute, err = filepath.Abs(path); err != nil {
			return nil, &Error{Code: ErrIO, Message: err.Error(), Detail: noDetail, cause: err}
		}
	}
	file := Options{
		Mode: o.Mode, Durability: o.Durability, Permissions: o.Permissions, BusyTimeout: o.BusyTimeout, Network: o.Network, ForeignKeys: o.ForeignKeys, Limits: o.Limits,
		Cache: o.Cache, Tracer: o.Tracer,
	}
	in := file.write().positive("max_open", o.MaxOpen)
	defer in.free()
	handle, err := cbrant.OpenHub(absolute, in.done())
	if err != nil {
		return nil, fromC(err)
	}
	core := &hubCore{handle: handle, tracer: o.Tracer, readers: file.readers(), wait: file.busyTimeout(), engines: map[*engine]struct{}{}}
	system := newConnection(handle.System())
	system.borrowed = true
	h := &Hub{core: core}
	h.system = core.database(system, "the hub is closed", h)
	e := h.system.engine
	e.path, e.options, e.system = filepath.Join(absolute, "system.db"), file, core
	e.apart = newReaders(core.readers, core.wait, func() (*connection, error) {
		handle, err := core.handle.Acquire("")
		if err != nil {
			return nil, fromC(err)
		}
		return newConnection(handle), nil
	}, func(*connection) error { return nil })
	e.apart.transient = true
	h.Accounts, h.Organizations, h.Members = h.system.Accounts, h.system.Organizations, h.system.Members
	h.Invitations, h.APIKeys, h.Audit, h.Tenants = h.system.Invitations, h.system.APIKeys, h.system.Audit, h.system.Tenants
	runtime.AddCleanup(h, (*hubCore).close, core)
	return h, nil
}

// database is a DB on a handle that the hub gave, which keeps what keeps it open.
func (h *hubCore) database(c *connection, gone string, keeps *Hub) *DB {
	e := &engine{signals: newSignals(), hub: h, gone: gone}
	e.events.engine = e
	e.writer = &writer{connection: c, wait: h.wait, committed: e.events.wakeAll}
	e.options.BusyTimeout, e.options.Tracer = h.wait, h.tracer
	db := &DB{engine: e, keeps: keeps}
	db.operations = newOperations(db)
	h.lock.Lock()
	h.engines[e] = struct{}{}
	late := h.closed
	h.lock.Unlock()
	if late {
		e.close()
	}
	return db
}

// Close ends all that runs and waits in the hub (ErrClosed) and releases its files, those of tenants that are in use as well. At any time, any number of times. A hub that can no longer
// be reached, nor a database of it, closes itself.
func (h *Hub) Close() error {
	h.core.close()
	runtime.KeepAlive(h)
	return nil
}

func (h *hubCore) close() {
	h.closing.Do(func() {
		h.lock.Lock()
		h.closed = true
		engines := make([]*engine, 0, len(h.engines))
		for e := range h.engines {
			engines = append(engines, e)
		}
		h.ring = nil
		h.lock.Unlock()
		_ = h.handle.Close()
		for _, e := range engines {
			e.close()
		}
	})
}

func (h *hubCore) left(e *engine) {
	h.lock.Lock()
	defer h.lock.Unlock()
	delete(h.engines, e)
}

// System is the database of the system file, for as long as the hub is open: it is not closed by itself (ErrMisuse). It has one connection for all; what takes long, as what walks
// over all tenants, runs beside.
func (h *Hub) System() *DB { return h.system }

// Tenant is the database of an organization, for whoever asks: Close gives the file back, and it stays open for the next who asks. It has one connection, on which calls take turns; asking
// again gives another. It is trusted: DB.Session makes one of it for others, as Authenticate does.
//
// ErrInvalid: no id; ErrNotFound: no such organization, or it is being deleted; ErrDenied: it is suspended; ErrBusy: HubOptions.MaxOpen databases were in use for the busy timeout;
// ErrCorrupt: the file is missing although it was made, or is another's; ErrClosed; and those of Open.
func (h *Hub) Tenant(ctx context.Context, orgID string) (*DB, error) {
	if orgID == "" {
		return nil, failf(ErrInvalid, "the id of the organization is empty")
	}
	handle, err := patient(ctx, func() (*cbrant.Handle, error) {
		handle, err := h.core.handle.Acquire(orgID)
		return handle, fromC(err)
	})
	if err != nil {
		return nil, err
	}
	return h.lend(handle, orgID, "the tenant was released", false), nil
}

// lend is a DB on a handle that is given back when it is closed, or cannot be reached any more; of no organization: on the system file.
func (h *Hub) lend(handle *cbrant.Handle, orgID, gone string, single bool) *DB {
	db := h.core.database(newConnection(handle), gone, h)
	db.engine.path = h.system.engine.path
	if orgID != "" {
		db.engine.path = filepath.Join(filepath.Dir(db.engine.path), "tenant-"+orgID+".db")
	}
	db.engine.writer.single = single
	runtime.AddCleanup(db, (*engine).close, db.engine)
	return db
}

// patient runs what may wait in the core. Where ctx ends before, what comes of it is given back.
func patient(ctx context.Context, open func() (*cbrant.Handle, error)) (*cbrant.Handle, error) {
	if ctx.Done() == nil {
		return open()
	}
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	type opened struct {
		handle *cbrant.Handle
		err    error
	}
	done := make(chan opened, 1)
	go func() {
		handle, err := open()
		done <- opened{handle, err}
	}()
	select {
	case o := <-done:
		if codeOf(o.err) == ErrBusy && ctx.Err() != nil {
			return nil, ended(ctx)
		}
		return o.handle, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.handle != nil {
				_ = o.handle.Close()
			}
		}()
		return nil, ended(ctx)
	}
}

// Caller is who has an API key, and a session on the database of its organization; on the system file, of a key without one.
type Caller struct {
	Authenticated
	DB *DB
}

// Close ends the session and gives the file back.
func (c *Caller) Close() error { return c.DB.Close() }

// Authenticate is who has a token, and what they may do: everything on Caller.DB is judged. Close the caller when its request is done. ErrAuth, with one message, for
// whatever is wrong with the token; and the errors of Tenant.
func (h *Hub) Authenticate(ctx context.Context, token string) (*Caller, error) {
	c := new(Caller)
	handle, err := patient(ctx, func() (*cbrant.Handle, error) {
		out := results.Get().(*cbrant.Result)
		defer freeResult(out)
		handle, err := h.core.handle.Authenticate(out, token)
		if err != nil {
			return nil, fromC(err)
		}
		if err := decode(out.Bytes(), &c.Authenticated); err != nil {
			_ = handle.Close()
			return nil, unreadable(err)
		}
		return handle, nil
	})
	if err != nil {
		return nil, err
	}
	orgID := ""
	if c.Organization != nil {
		orgID = c.Organization.ID
	}
	c.DB = h.lend(handle, orgID, "the caller's session was released", true)
	return c, nil
}

// Keyring gives all files of the hub a key ring, until Keyring.Close, Hub.Close, or another ring. Tenants that are in use keep what they have until they are released. Otherwise
// as DB.Keyring.
func (h *Hub) Keyring(keys Keys) (*Keyring, error) { return h.system.Keyring(keys) }

// KeyringJSON is Keyring with the ring as JSON text: DB.KeyringJSON.
func (h *Hub) KeyringJSON(text []byte) (*Keyring, error) { return h.system.KeyringJSON(text) }

// attach loads a ring. Nobody else may be inside the system handle.
func (h *hubCore) attach(system *connection, text string) (*Keyring, error) {
	system.inside.Lock()
	defer system.inside.Unlock()
	if err := h.handle.LoadKeyring(text); err != nil {
		return nil, fromC(err)
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	h.ring = &Keyring{hub: h, system: system}
	return h.ring, nil
}

func (h *hubCore) detach(k *Keyring) {
	k.system.inside.Lock()
	defer k.system.inside.Unlock()
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.ring == k {
		h.ring = nil
		_ = h.handle.UnloadKeyring()
	}
}

func (h *hubCore) has(k *Keyring) bool {
	h.lock.Lock()
	defer h.lock.Unlock()
	return h.ring == k
}
