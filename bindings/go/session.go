package brant

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Identity is who a session is of, and what it may: DB.Session. Authenticate answers one for whoever has an API key.
type Identity struct {
	ID        string    `json:"id"`
	ActorType ActorType `json:"actor_type,omitempty"` // default ActorAccount; not ActorSystem
	// Scopes are what it may, together with what the access graph gives its principal.
	Scopes []string `json:"scopes,omitzero"`
	// Within is what it may at the most; nil: anything, and empty: nothing.
	Within []string `json:"within,omitzero"`
	// Denies are what it may not; a scope is enough that overlaps it.
	Denies []string `json:"denies,omitzero"`
	// Resources are actions by "<type>:<id>": {"graph:notes": {"read"}}.
	Resources    map[string][]string `json:"resources,omitzero"`
	Principal    string              `json:"principal,omitempty"`    // the key of its node in the access graph
	Organization string              `json:"organization,omitempty"` // the only one in which it acts
	Level        Level               `json:"level,omitempty"`        // there, at the most
	Key          string              `json:"key,omitempty"`          // id of the API key
	Reason       string              `json:"reason,omitempty"`       // for the audit log; at most 1000 bytes
	// Files are what it may do to paths on this machine: "read", "write". No scope says that.
	Files []string `json:"files,omitzero"`
}

func (i *Identity) text() *input {
	in := newInput().text("id", i.ID).given("actor_type", string(i.ActorType))
	for _, scopes := range []struct {
		name   string
		values []string
	}{{"scopes", i.Scopes}, {"within", i.Within}, {"denies", i.Denies}, {"files", i.Files}} {
		if scopes.values != nil {
			in.texts(scopes.name, scopes.values)
		}
	}
	if i.Resources != nil {
		in.name("resources")
		in.object(func() {
			for _, name := range slices.Sorted(maps.Keys(i.Resources)) {
				in.key(name)
				in.list(i.Resources[name])
			}
		})
	}
	in.given("principal", i.Principal).given("organization", i.Organization).given("level", string(i.Level))
	return in.given("key", i.Key).given("reason", i.Reason)
}

// Session is the database as somebody may use it: everything that is done with it is judged by the identity, on every goroutine and by whatever
// method, and what the identity may not is ErrDenied. It shares this DB's connections and takes its turn with the others: its writes are committed together
// with theirs. Nothing of it leads to this DB. Close ends it, what runs and waits in it and its open transactions, and nothing else; so does closing
// this DB, which stays open as long as the session can be reached.
//
// Beyond the scopes of each operation, a session sees graphs of a type of ScopeUser only where they are its own or it was let in; others' are ErrNotFound. It
// has no key rings, and restores nothing; Execute takes SELECT, INSERT, UPDATE and DELETE on the user's own tables. Begin, View and Tx take the scope
// transaction:use. A session of a session may do what both may. The identity is fixed; what the access graph gives its principal is asked at each call.
//
// ErrInvalid: no such identity, with the JSON pointer of what is wrong; ErrDenied: a session's session that would be somebody else, or have scopes that it has not;
// ErrLimit: more than 1 MiB, or 16 sessions in each other.
func (db *DB) Session(identity Identity) (*DB, error) {
	in := identity.text()
	defer in.free()
	if in.err != nil {
		return nil, in.err
	}
	return db.session(strings.Clone(in.done()))
}

// SessionJSON is Session with the identity as JSON text, an object with the members that the fields of Identity name.
func (db *DB) SessionJSON(identity []byte) (*DB, error) { return db.session(string(identity)) }

func (db *DB) session(identity string) (*DB, error) {
	outer := db.engine
	e := &engine{
		path: outer.path, options: outer.options, signals: newSignals(), writer: outer.writer, readers: outer.readers, apart: outer.apart,
		outer: outer,
		gone:  "the session is closed", identity: identity,
	}
	if !outer.guests.came(e) {
		return nil, outer.closedError()
	}
	if _, err := e.face(e.anyConnection()); err != nil { // judges the identity
		e.close()
		return nil, err
	}
	session := &DB{engine: e, keeps: db}
	session.operations = newOperations(session)
	runtime.AddCleanup(session, (*engine).close, e)
	return session, nil
}

// anyConnection is one that is always there.
func (e *engine) anyConnection() *connection {
	if e.writer != nil {
		return e.writer.connection
	}
	return e.readers.first()
}

// root is the database that a session is of.
func (e *engine) root() *engine {
	for e.outer != nil {
		e = e.outer
	}
	return e
}

// within says whether it is another, or a session over it.
func (e *engine) within(other *engine) bool {
	for ; e != nil; e = e.outer {
		if e == other {
			return true
		}
	}
	return false
}

func (e *engine) closedError() error {
	if e.gone == "" {
		return errClosed()
	}
	return failf(ErrClosed, "%s", e.gone)
}

// face is a connection of the database as the engine may use it: the connection itself, or its session over it. Who asks need not have the connection's turn.
func (e *engine) face(c *connection) (*connection, error) {
	if e.outer == nil {
		return c, nil
	}
	c.lock.Lock()
	own := c.faces[e]
	c.lock.Unlock()
	if own != nil {
		return own, nil
	}
	over, err := e.outer.face(c)
	if err != nil {
		return nil, err
	}
	handle, err := over.handle.OpenSession(e.identity)
	if err != nil {
		return nil, fromC(err)
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	switch own = c.faces[e]; {
	case own != nil: // another was faster
		_ = handle.Close()
		return own, nil
	case e.signals.isClosed(): // leave has looked already
		_ = handle.Close()
		return nil, e.closedError()
	}
	own = &connection{handle: handle, inside: c.inside, base: c}
	if c.faces == nil {
		c.faces = map[*engine]*connection{}
	}
	c.faces[e] = own
	return own, nil
}

// call runs an operation on a connection of the database that the caller has the turn of.
func (e *engine) call(ctx context.Context, c *connection, op *operation, out *cbrant.Result, input string) error {
	face, err := e.face(c)
	if err != nil {
		return err
	}
	return face.call(ctx, op, out, input)
}

// refusal is what a session is told that wants a key ring.
func (e *engine) refusal(ring string) error {
	face, err := e.face(e.anyConnection())
	if err != nil {
		return err
	}
	face.inside.Lock()
	defer face.inside.Unlock()
	if err := face.handle.LoadKeyring(ring); err != nil {
		return fromC(err)
	}
	return failf(ErrDenied, "a session has no key ring of its own")
}

// ownFaces takes the engine's sessions out of all connections, or goes through them.
func (e *engine) ownFaces(take bool) (own []*connection) {
	root := e.root()
	look := func(c *connection) {
		c.lock.Lock()
		defer c.lock.Unlock()
		if face := c.faces[e]; face != nil {
			own = append(own, face)
			if take {
				delete(c.faces, e)
			}
		}
	}
	root.connections(look)
	root.events.lock.Lock()
	source := root.events.source
	root.events.lock.Unlock()
	if source != nil && source.writer == nil {
		look(source.connection)
	}
	return own
}

// leave ends a session, which is marked closed already, and so are those over it.
func (e *engine) leave() {
	for _, face := range e.ownFaces(true) {
		face.close()
	}
	e.root().events.end(e)
	for _, t := range e.guests.open() {
		t.abandon(1)
	}
	e.outer.guests.gone(e)
}

func (e *engine) interrupt() {
	e.signals.interruptAll()
	for _, guest := range e.guests.all() {
		guest.interrupt()
	}
	if e.outer == nil {
		e.connections(func(c *connection) { _ = c.handle.Interrupt() })
		return
	}
	for _, face := range e.ownFaces(false) {
		_ = face.handle.Interrupt()
	}
}

// guests are the sessions over a database or a session, and the transactions that a session has open.
type guests struct {
	lock         sync.Mutex
	over         bool
	sessions     map[*engine]struct{}
	transactions map[*transaction]struct{}
}

// came is false when it is over already.
func (g *guests) came(e *engine) bool {
	g.lock.Lock()
	defer g.lock.Unlock()
	if g.over {
		return false
	}
	if g.sessions == nil {
		g.sessions = map[*engine]struct{}{}
	}
	g.sessions[e] = struct{}{}
	return true
}

func (g *guests) gone(e *engine) {
	g.lock.Lock()
	defer g.lock.Unlock()
	delete(g.sessions, e)
}

func (g *guests) all() []*engine {
	g.lock.Lock()
	defer g.lock.Unlock()
	return slices.Collect(maps.Keys(g.sessions))
}

func (g *guests) close() {
	g.lock.Lock()
	g.over = true
	g.lock.Unlock()
	for _, guest := range g.all() {
		guest.close()
	}
}

// took notes a transaction; false: it is over already.
func (g *guests) took(t *transaction) bool {
	if t.db.engine.outer == nil {
		return true // its handles are closed, and it with them
	}
	g.lock.Lock()
	defer g.lock.Unlock()
	if g.over {
		return false
	}
	if g.transactions == nil {
		g.transactions = map[*transaction]struct{}{}
	}
	g.transactions[t] = struct{}{}
	return true
}

func (g *guests) left(t *transaction) {
	g.lock.Lock()
	defer g.lock.Unlock()
	delete(g.transactions, t)
}

func (g *guests) open() []*transaction {
	g.lock.Lock()
	defer g.lock.Unlock()
	return slices.Collect(maps.Keys(g.transactions))
}
