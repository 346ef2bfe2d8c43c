package brant

import (
	"context"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// subscription is a cursor of the core and what wakes it. One goroutine at a time looks; close is for all.
type subscription struct {
	engine     *engine // whose it is: the database's, or a session's
	events     *events // of the database
	source     *source
	connection *connection // the source's, or a session over it
	cursor     *cbrant.Cursor
	wake       chan struct{} // at most one: there may be something
	closed     chan struct{}
	closing    sync.Once
}

// opener is a function of the core that opens a cursor.
type opener = func(cursor *uintptr, db uintptr, json string) error

// errEnd: nothing will ever come.
var errEnd = io.EOF

// subscriptionOf opens a cursor for what is on a database: inside a transaction what is committed after could not be told. It frees the input.
func subscriptionOf(ctx context.Context, r runner, open opener, in *input) (*subscription, error) {
	defer in.free()
	db, ok := r.(*DB)
	if !ok {
		return nil, failf(ErrMisuse, "who waits does so outside of transactions")
	}
	if in.err != nil {
		return nil, in.err
	}
	defer runtime.KeepAlive(db)
	return db.engine.root().events.subscribe(ctx, db.engine, open, in.done())
}

func (s *subscription) closedError() error {
	if s.engine.signals.isClosed() {
		return s.engine.closedError()
	}
	return failf(ErrClosed, "the subscription is closed")
}

func (s *subscription) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// look asks the core for what is there, a JSON array of at least one item that take may use until it returns.
func (s *subscription) look(ctx context.Context, take func(items []byte) error) (some bool, err error) {
	if s.isClosed() {
		return false, s.closedError()
	}
	release, err := s.source.acquire(ctx, s.engine.signals)
	if codeOf(err) == ErrBusy {
		return false, nil // a long transaction in memory: its commit wakes
	}
	if err != nil {
		return false, err
	}
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	err = s.connection.watched(ctx, func() error { return s.cursor.Next(out) })
	release()
	if err != nil {
		return false, err
	}
	items := out.Bytes()
	if len(items) <= len("[]") {
		return false, nil
	}
	return true, take(items)
}

// rest says, after a look that found nothing, for how long nothing needs to be looked at unless the subscription is woken. errEnd: for ever.
func (s *subscription) rest() (time.Duration, error) {
	s.source.ending.RLock() // somebody in the handle, whom Close waits for
	ms, err := s.cursor.Wait()
	s.source.ending.RUnlock()
	if err != nil {
		if s.isClosed() {
			return 0, s.closedError()
		}
		return 0, fromC(err)
	}
	if ms < 0 {
		return 0, errEnd
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// await waits until there is something, which take gets, or until idle has something (nil: never).
func (s *subscription) await(ctx context.Context, idle <-chan time.Time, take func(items []byte) error) (some bool, err error) {
	interrupted := s.engine.signals.interrupted()
	var timer *time.Timer
	for {
		if ctx.Err() != nil {
			return false, ended(ctx)
		}
		some, err := s.look(ctx, take)
		if some || err != nil {
			return some, err
		}
		pause, err := s.rest()
		if err != nil {
			return false, err
		}
		if timer == nil {
			timer = time.NewTimer(pause)
			defer timer.Stop()
		} else {
			timer.Reset(pause)
		}
		select {
		case <-s.wake:
		case <-timer.C:
		case <-idle:
			return false, nil
		case <-ctx.Done():
			return false, ended(ctx)
		case <-s.closed:
			return false, s.closedError()
		case <-interrupted:
			return false, errInterrupted()
		}
	}
}

func (s *subscription) close() {
	s.closing.Do(func() {
		close(s.closed)
		s.events.forget(s)
		s.source.end(s.cursor)
	})
}

// events has the subscriptions of a database, and what wakes them.
type events struct {
	engine *engine

	lock          sync.Mutex
	source        *source // nil until somebody subscribes
	subscriptions map[*subscription]struct{}
}

// source is the connection that cursors are on: one of its own, so that no transaction stands in their way; where there is only one, that one.
type source struct {
	connection *connection
	writer     *writer       // where there is only one: whose connection it is
	socket     *os.File      // a duplicate of the wake descriptor, in the runtime's poller; nil in memory
	pumped     chan struct{} // closed when the pump has ended
	ending     sync.RWMutex  // read by who closes a cursor, who may be the last in the connection, and closes that too
}

func (s *source) end(cursor *cbrant.Cursor) {
	s.ending.RLock()
	defer s.ending.RUnlock()
	_ = cursor.Close()
}

func (s *source) acquire(ctx context.Context, signals *signals) (release func(), err error) {
	if s.writer == nil {
		return func() {}, nil
	}
	if err := s.writer.acquire(ctx, signals); err != nil {
		return nil, err
	}
	return s.writer.release, nil
}

func (e *events) subscribe(ctx context.Context, by *engine, open opener, json string) (*subscription, error) {
	source, err := e.open()
	if err != nil {
		return nil, err
	}
	release, err := source.acquire(ctx, by.signals)
	if err != nil {
		return nil, err
	}
	defer release()
	face, err := by.face(source.connection)
	if err != nil {
		return nil, err
	}
	s := &subscription{
		engine: by, events: e, source: source, connection: face, wake: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	err = face.watched(ctx, func() (err error) {
		s.cursor, err = face.handle.OpenCursor(open, json)
		return err
	})
	if err != nil {
		return nil, err
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	if by.signals.isClosed() {
		source.end(s.cursor)
		return nil, by.closedError()
	}
	e.subscriptions[s] = struct{}{}
	return s, nil
}

// open opens the source for the first who subscribes.
func (e *events) open() (*source, error) {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.engine.signals.isClosed() {
		return nil, errClosed()
	}
	if e.source != nil {
		return e.source, nil
	}
	s := new(source)
	if e.engine.readers == nil {
		s.writer = e.engine.writer
		s.connection = s.writer.connection
	}
	if s.writer == nil {
		mode := ModeReadWrite
		if e.engine.writer == nil {
			mode = ModeReadOnly
		}
		connection, err := openConnection(e.engine.path, e.engine.options.more(mode))
		if err != nil {
			return nil, err
		}
		s.connection = connection
	}
	if e.engine.readers != nil || e.engine.hub != nil {
		var err error
		if s.socket, err = wakeSocket(s.connection.handle); err != nil {
			if s.writer == nil {
				s.connection.close()
			}
			return nil, err
		}
		s.pumped = make(chan struct{})
		go e.pump(s)
	}
	e.source = s
	e.subscriptions = map[*subscription]struct{}{}
	return s, nil
}

// wakeSocket duplicates the wake descriptor, so that the runtime may own it.
func wakeSocket(handle *cbrant.Handle) (*os.File, error) {
	fd, err := handle.WakeFD()
	if err != nil {
		return nil, fromC(err)
	}
	syscall.ForkLock.RLock()
	own, problem := syscall.Dup(fd)
	if problem == nil {
		syscall.CloseOnExec(own)
	}
	syscall.ForkLock.RUnlock()
	if problem != nil {
		return nil, &Error{Code: ErrIO, Message: "duplicating the wake descriptor: " + problem.Error(), Detail: noDetail, cause: problem}
	}
	return os.NewFile(uintptr(own), "brant wake"), nil
}

// pump waits in the runtime's poller, without a thread, until the socket is readable, and wakes all subscriptions. It ends when the
// socket or the source's handle is closed.
func (e *events) pump(s *source) {
	defer close(s.pumped)
	raw, err := s.socket.SyscallConn()
	for err == nil {
		// The poller tells of changes, so the descriptor itself is asked first.
		if err = raw.Read(cbrant.Readable); err == nil {
			err = s.connection.handle.WakeAcknowledge()
		}
		e.wakeAll()
	}
}

func (e *events) wakeAll() {
	e.lock.Lock()
	defer e.lock.Unlock()
	for s := range e.subscriptions {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

func (e *events) forget(s *subscription) {
	e.lock.Lock()
	defer e.lock.Unlock()
	delete(e.subscriptions, s)
}

// end ends the subscriptions of one who is marked closed already.
func (e *events) end(whose *engine) {
	e.lock.Lock()
	var all []*subscription
	for s := range e.subscriptions {
		if s.engine == whose {
			all = append(all, s)
		}
	}
	e.lock.Unlock()
	for _, s := range all {
		s.close()
	}
}

// silence ends the handle that cursors are on. A cursor of an open one takes back its registration when it is closed, and would wait for whoever writes.
func (e *events) silence() {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.source != nil && e.source.writer == nil {
		e.source.connection.end()
	}
}

// close ends all subscriptions; those of sessions have ended.
func (e *events) close() {
	e.end(e.engine)
	e.lock.Lock()
	source := e.source
	e.lock.Unlock()
	if source == nil {
		return
	}
	if source.socket != nil {
		_ = source.socket.Close()
		<-source.pumped // it may be in the connection
	}
	if source.writer == nil {
		source.connection.close()
	}
	source.ending.Lock()   // the collector may be closing one that nobody has any more, or somebody asks for how long to rest
	source.ending.Unlock() //nolint:staticcheck // waiting is the point
}
