package brant

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Notification is what was written to a channel, or a gap where a listener was too slow.
type Notification struct {
	ID        int64 // grows in commit order
	Channel   string
	Payload   json.RawMessage
	CreatedAt Timestamp
	Gap       *Gap // not nil: these were removed before they were read, and nothing else is set but the channel
}

// Gap is a range of ids, inclusive.
type Gap struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Decode decodes the payload as json.Unmarshal does.
func (n *Notification) Decode(payload any) error { return json.Unmarshal(n.Payload, payload) }

type notificationJSON struct {
	ID        int64           `json:"id"`
	Channel   string          `json:"channel"`
	Payload   json.RawMessage `json:"payload"`
	CreatedAt Timestamp       `json:"created_at"`
}

// UnmarshalJSON reads it as the core writes it.
func (n *Notification) UnmarshalJSON(text []byte) error {
	var answer struct {
		notificationJSON
		Gap *Gap `json:"gap"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	*n = Notification{answer.ID, answer.Channel, answer.Payload, answer.CreatedAt, answer.Gap}
	return nil
}

// MarshalJSON writes it as the core does.
func (n Notification) MarshalJSON() ([]byte, error) {
	if n.Gap != nil {
		return json.Marshal(struct {
			Channel string `json:"channel"`
			Gap     *Gap   `json:"gap"`
		}{n.Channel, n.Gap})
	}
	return json.Marshal(notificationJSON{n.ID, n.Channel, n.Payload, n.CreatedAt})
}

// Listener receives the notifications of some channels: each that is committed after Listen returned, by any process, once, in commit
// order. It is for one goroutine at a time (ErrMisuse), but for Close. Waiting takes no thread and no processor time.
type Listener struct {
	db           *DB // kept open while somebody listens
	subscription *subscription
	turn         sync.Mutex
	rest         []Notification
}

// subscription is a listener without its public face.
type subscription struct {
	events  *events
	source  *source
	cursor  *cbrant.Cursor
	wake    chan struct{} // at most one: there may be something
	closed  chan struct{}
	closing sync.Once
}

// Listen subscribes to channels by patterns: * is any bytes, ? one character, [abc] [a-z] [^a] sets, \ the next character itself. Close
// the listener when it is no longer needed. ErrInvalid: no pattern, or a bad one.
func (db *DB) Listen(ctx context.Context, patterns ...string) (*Listener, error) {
	e := db.engine
	s, err := e.events.subscribe(ctx, patterns)
	if err != nil {
		return nil, err
	}
	l := &Listener{db: db, subscription: s}
	runtime.AddCleanup(l, (*subscription).close, s)
	return l, nil
}

// Next waits for a notification. ErrClosed: the listener or the database was closed; ErrInterrupted: ctx was cancelled, or
// DB.Interrupt was called; ErrTimeout: ctx's deadline passed. After the last two it can be called again, and nothing is lost.
func (l *Listener) Next(ctx context.Context) (Notification, error) {
	if !l.turn.TryLock() {
		return Notification{}, errTaken()
	}
	defer l.turn.Unlock()
	items, err := l.some(ctx)
	if err != nil {
		return Notification{}, err
	}
	l.rest = items[1:]
	return items[0], nil
}

// Batch waits until there is a notification and returns all that are there, up to some hundreds.
func (l *Listener) Batch(ctx context.Context) ([]Notification, error) {
	if !l.turn.TryLock() {
		return nil, errTaken()
	}
	defer l.turn.Unlock()
	items, err := l.some(ctx)
	l.rest = nil
	return items, err
}

// Pending is Batch without waiting: nothing, when there is none.
func (l *Listener) Pending(ctx context.Context) ([]Notification, error) {
	if !l.turn.TryLock() {
		return nil, errTaken()
	}
	defer l.turn.Unlock()
	items := l.rest
	l.rest = nil
	if len(items) > 0 {
		return items, nil
	}
	return l.subscription.fetch(ctx)
}

// All yields notifications until an error, which is the last thing that it yields: the end of ctx is one.
func (l *Listener) All(ctx context.Context) iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		for {
			n, err := l.Next(ctx)
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the listener, and the wait of whoever is in it (ErrClosed). At any time, any number of times.
func (l *Listener) Close() error {
	l.subscription.close()
	runtime.KeepAlive(l)
	return nil
}

var errTaken = func() *Error {
	return failf(ErrMisuse, "another goroutine is in the listener; open one for each")
}

// some is what is left of the last batch, or a new one, which has at least one item unless there is an error.
func (l *Listener) some(ctx context.Context) ([]Notification, error) {
	defer runtime.KeepAlive(l)
	s := l.subscription
	interrupted := s.events.engine.signals.interrupted()
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if len(l.rest) > 0 {
		return l.rest, nil
	}
	for {
		items, err := s.fetch(ctx)
		if err != nil || len(items) > 0 {
			return items, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ended(ctx)
		case <-s.closed:
			return nil, s.closedError()
		case <-interrupted:
			return nil, errInterrupted()
		}
	}
}

func (s *subscription) closedError() error {
	if s.events.engine.signals.isClosed() {
		return errClosed()
	}
	return failf(ErrClosed, "the listener is closed")
}

// fetch asks the core for what is there.
func (s *subscription) fetch(ctx context.Context) ([]Notification, error) {
	select {
	case <-s.closed:
		return nil, s.closedError()
	default:
	}
	release, err := s.source.acquire(ctx)
	if codeOf(err) == ErrBusy {
		return nil, nil // a long transaction in memory: its commit wakes
	}
	if err != nil {
		return nil, err
	}
	defer release()
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := s.source.connection.watched(ctx, func() error { return s.cursor.Next(out) }); err != nil {
		return nil, err
	}
	if len(out.Bytes()) <= len("[]") {
		return nil, nil
	}
	var items []Notification
	if err := json.Unmarshal(out.Bytes(), &items); err != nil {
		return nil, unreadable(err)
	}
	return items, nil
}

func (s *subscription) close() {
	s.closing.Do(func() {
		close(s.closed)
		s.events.forget(s)
		_ = s.cursor.Close()
	})
}

// events has the subscriptions of a database, and what wakes them.
type events struct {
	engine *engine

	lock          sync.Mutex
	source        *source // nil until somebody listens
	subscriptions map[*subscription]struct{}
}

// source is the connection that cursors are on: one of its own, so that no transaction stands in their way; in memory the only one.
type source struct {
	connection *connection
	writer     *writer  // in memory: whose connection it is
	socket     *os.File // a duplicate of the wake descriptor, in the runtime's poller; nil in memory
}

func (s *source) acquire(ctx context.Context) (release func(), err error) {
	if s.writer == nil {
		return func() {}, nil
	}
	if err := s.writer.acquire(ctx); err != nil {
		return nil, err
	}
	return s.writer.release, nil
}

func (e *events) subscribe(ctx context.Context, patterns []string) (*subscription, error) {
	source, err := e.open()
	if err != nil {
		return nil, err
	}
	release, err := source.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	in := newInput().texts("channels", patterns)
	defer in.free()
	s := &subscription{events: e, source: source, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	err = source.connection.watched(ctx, func() (err error) {
		s.cursor, err = source.connection.handle.Listen(in.done())
		return err
	})
	if err != nil {
		return nil, err
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.engine.signals.isClosed() {
		_ = s.cursor.Close()
		return nil, errClosed()
	}
	e.subscriptions[s] = struct{}{}
	return s, nil
}

// open opens the source for the first who listens.
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
	} else {
		mode := ModeReadWrite
		if e.engine.writer == nil {
			mode = ModeReadOnly
		}
		connection, err := openConnection(e.engine.path, e.engine.options.more(mode))
		if err != nil {
			return nil, err
		}
		s.connection = connection
		if s.socket, err = wakeSocket(connection.handle); err != nil {
			connection.close()
			return nil, err
		}
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

// tick is how often listeners look without being woken: for commits by programs without our code, and files that we can only read.
const tick = time.Second

// pump waits in the runtime's poller, without a thread, until the socket is readable or the tick, and wakes all subscriptions. It ends
// when the socket or the source's handle is closed.
func (e *events) pump(s *source) {
	raw, err := s.socket.SyscallConn()
	for err == nil {
		if err = s.socket.SetReadDeadline(time.Now().Add(tick)); err != nil {
			break
		}
		// The poller tells of changes, so the descriptor itself is asked first.
		err = raw.Read(cbrant.Readable)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		if err == nil {
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

// close ends all subscriptions. The engine is marked closed already.
func (e *events) close() {
	e.lock.Lock()
	source := e.source
	var all []*subscription
	for s := range e.subscriptions {
		all = append(all, s)
	}
	e.lock.Unlock()
	for _, s := range all {
		s.close()
	}
	if source != nil && source.writer == nil {
		source.connection.close()
		_ = source.socket.Close() // the pump ends
	}
}
