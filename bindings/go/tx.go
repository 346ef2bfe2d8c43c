package brant

import (
	"context"
	"runtime"
	"sync"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Tx is a transaction: it has the operations of DB, which all see and make the same changes, and which all other users of the file see
// either all or not at all. A failing operation takes back its own changes only; the transaction goes on.
//
// A Tx may be used by several goroutines; their calls take turns. It is over when the function that got it returns, or with Commit or
// Rollback; a call after that, or on an outer transaction while an inner one is open, is ErrMisuse. A write that ends in the middle (its
// context was cancelled, the disk is full) may make SQLite take back the whole transaction: then later calls are ErrMisuse, and so is Commit.
//
// While a write transaction is open no other write of this DB proceeds: writing to the DB itself from within it waits until the busy
// timeout and fails with ErrBusy.
type Tx struct {
	operations
	whole      *transaction
	connection *connection // the transaction's, or a session over it
	depth      int         // of this one: 1 is the outermost
	lent       bool        // by As: another ends it
}

// transaction is one outermost transaction and the connection that it holds.
type transaction struct {
	db         *DB
	base       *connection // that is acquired
	connection *connection // of whose it is: the same, or a session over it
	readOnly   bool

	lock  sync.Mutex
	depth int // open levels; 0: over, and the connection is given back
}

// Tx runs fn in a write transaction and commits it when fn returns nil; else, or when fn panics, it is rolled back, and fn's error is
// returned as it is. The write lock is taken at once (ErrBusy after the busy timeout).
func (db *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	return tx.during(ctx, fn)
}

// View runs fn in a read transaction: all that it reads is of one moment. Keep it short, since the write-ahead log grows meanwhile.
// Writes inside are ErrReadOnly.
func (db *DB) View(ctx context.Context, fn func(tx *Tx) error) error {
	tx, err := db.BeginRead(ctx)
	if err != nil {
		return err
	}
	return tx.during(ctx, fn)
}

// snapshot is View for a method that is no transaction of its caller's: a session need not have the right to make one.
func (db *DB) snapshot(ctx context.Context, fn func(tx *Tx) error) error {
	e := db.engine
	if e.outer == nil {
		return db.View(ctx, fn)
	}
	tx, err := (&DB{engine: e.root()}).begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.abandon()
	as, err := tx.As(db)
	if err != nil {
		return err
	}
	return fn(as)
}

// Begin begins a write transaction that the caller ends with Commit or Rollback, on every path: until then no other write of this DB
// proceeds. Prefer DB.Tx.
func (db *DB) Begin(ctx context.Context) (*Tx, error) { return db.begin(ctx, false) }

// BeginRead begins a read transaction that the caller ends with Commit or Rollback, which are the same for it. Prefer DB.View.
func (db *DB) BeginRead(ctx context.Context) (*Tx, error) { return db.begin(ctx, true) }

func (db *DB) begin(ctx context.Context, readOnly bool) (tx *Tx, err error) {
	err = db.engine.step(ctx, transactionBegin, func(ctx context.Context) (err error) {
		tx, err = db.beginNow(ctx, readOnly)
		return err
	})
	return tx, err
}

func (db *DB) beginNow(ctx context.Context, readOnly bool) (*Tx, error) {
	e := db.engine
	if e.signals.isClosed() {
		return nil, e.closedError()
	}
	s := &transaction{db: db, readOnly: readOnly}
	if s.pooled() {
		reader, err := e.readers.acquire(ctx, e.signals)
		if err != nil {
			return nil, err
		}
		s.base = reader
	} else {
		if err := e.writer.acquire(ctx, e.signals); err != nil {
			return nil, err
		}
		s.base = e.writer.connection
	}
	face, err := e.face(s.base)
	if err == nil {
		s.connection = face
		s.depth, err = face.transaction(ctx, transactionBegin, s.mode())
	}
	if err != nil {
		s.depth = 0
		s.giveBack()
		return nil, err
	}
	if !e.guests.took(s) {
		s.abandon(1)
		return nil, e.closedError()
	}
	return newTx(s, face, s.depth), nil
}

// pooled says whether the transaction runs on a reader's connection. A write on a read-only database does: the core refuses it.
func (s *transaction) pooled() bool {
	return s.db.engine.readers != nil && (s.readOnly || s.db.engine.writer == nil)
}

func (s *transaction) mode() string {
	if s.readOnly {
		return readTransaction
	}
	return writeTransaction
}

func (s *transaction) giveBack() {
	s.db.engine.guests.left(s)
	if s.pooled() {
		s.db.engine.readers.release(s.base)
	} else {
		s.db.engine.writer.release()
	}
}

func newTx(s *transaction, face *connection, depth int) *Tx {
	tx := &Tx{whole: s, connection: face, depth: depth}
	tx.operations = newOperations(tx)
	return tx
}

// Tx runs fn in a transaction inside this one (a savepoint): when fn fails, its changes are taken back and this one goes on.
func (tx *Tx) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	return inner.during(ctx, fn)
}

// Begin begins a transaction inside this one, of the same kind. Prefer Tx.Tx.
func (tx *Tx) Begin(ctx context.Context) (*Tx, error) {
	s := tx.whole
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := tx.usable(); err != nil {
		return nil, err
	}
	depth, err := tx.connection.transaction(ctx, transactionBegin, s.mode())
	if err != nil {
		return nil, err
	}
	s.depth = depth
	return newTx(s, tx.connection, depth), nil
}

// As is this transaction as a session (DB.Session) of its database may use it: what runs in it is judged, and is of the one transaction, which that
// cannot end (ErrDenied). ErrMisuse: the session is not of this database, or there is none.
func (tx *Tx) As(session *DB) (*Tx, error) {
	s := tx.whole
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := tx.usable(); err != nil {
		return nil, err
	}
	e := session.engine
	if e.outer == nil || !e.within(s.db.engine) {
		return nil, failf(ErrMisuse, "it is no session of this database")
	}
	face, err := e.face(s.base)
	if err != nil {
		return nil, err
	}
	as := newTx(s, face, tx.depth)
	as.lent = true
	return as, nil
}

func (tx *Tx) during(ctx context.Context, fn func(*Tx) error) error {
	finished := false
	defer func() {
		if !finished { // fn panicked, or ended its goroutine
			tx.abandon()
		}
	}()
	err := fn(tx)
	finished = true
	if err == nil && ctx.Err() != nil {
		err = ended(ctx)
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	tx.abandon() // nothing is left after Commit
	return err
}

// abandon rolls back what is open from this transaction inwards, if it is.
func (tx *Tx) abandon() {
	if !tx.lent {
		tx.whole.abandon(tx.depth)
	}
}

func (s *transaction) abandon(depth int) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for s.depth >= depth {
		s.rollback()
	}
}

// usable is called with the transaction's lock.
func (tx *Tx) usable() error {
	s := tx.whole
	switch {
	case s.depth < tx.depth:
		return failf(ErrMisuse, "the transaction is over")
	case s.depth > tx.depth:
		return failf(ErrMisuse, "a transaction inside this one is open")
	}
	return nil
}

// Commit ends the transaction and keeps its changes; the outermost one makes them durable and wakes listeners. When it fails the
// transaction is rolled back.
func (tx *Tx) Commit(ctx context.Context) error {
	return tx.whole.db.engine.step(ctx, transactionCommit, tx.commit)
}

func (tx *Tx) commit(ctx context.Context) error {
	s := tx.whole
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	if tx.lent {
		_, err := tx.connection.transaction(ctx, transactionCommit, noInput)
		return err
	}
	if ctx.Err() != nil {
		s.rollback()
		return ended(ctx)
	}
	// Past this point it is done or it is not: a context would only leave that open.
	if _, err := tx.connection.transaction(context.Background(), transactionCommit, noInput); err != nil {
		s.rollback()
		return err
	}
	s.depth--
	if s.depth == 0 {
		committed := s.db.engine.writer != nil && s.db.engine.writer.committed != nil
		s.giveBack()
		if committed {
			s.db.engine.writer.committed()
		}
	}
	return nil
}

// Rollback ends the transaction and takes its changes back. After Commit or Rollback it does nothing: it may be deferred.
func (tx *Tx) Rollback() error {
	s := tx.whole
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.depth < tx.depth {
		return nil
	}
	if s.depth > tx.depth {
		return failf(ErrMisuse, "a transaction inside this one is open")
	}
	if tx.lent {
		_, err := tx.connection.transaction(context.Background(), transactionRollback, noInput)
		return err
	}
	s.rollback()
	return nil
}

// rollback takes the innermost level back. It is called with the lock. It fails only where there is nothing to take back: the handle is
// closed. A session may be over already, so it is not the session's handle that does it.
func (s *transaction) rollback() {
	_, _ = s.base.transaction(context.Background(), transactionRollback, noInput)
	s.depth--
	if s.depth == 0 {
		s.giveBack()
	}
}

// on runs a call on the transaction's connection.
func (tx *Tx) on(ctx context.Context, call func(*connection) error) error {
	s := tx.whole
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	err := call(tx.connection)
	runtime.KeepAlive(s.db)
	return err
}

// run runs an operation inside the transaction.
func (tx *Tx) run(ctx context.Context, op *operation, out *cbrant.Result, input string) error {
	return tx.whole.db.engine.traced(ctx, true, op, out, input, tx.perform)
}

func (tx *Tx) perform(ctx context.Context, op *operation, out *cbrant.Result, input string) error {
	s := tx.whole
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	err := tx.connection.call(ctx, op, out, input)
	runtime.KeepAlive(s.db)
	return err
}
