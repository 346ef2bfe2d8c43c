package brant

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// writer owns the connection that writes. One goroutine holds it at a time, first come, first served. Writes that wait together are
// committed together (group commit): the first of them, the leader, runs all of them in one transaction, each as a savepoint of its
// own, and answers after the commit. So a write that waits costs no commit of its own, and no goroutine is there when nobody writes.
type writer struct {
	connection *connection
	wait       time.Duration // the busy timeout: a writer in this process is as good a reason to wait as one elsewhere
	single     bool          // it may not begin transactions of its own accord
	committed  func()        // after each commit; nil: nobody asks

	lock  sync.Mutex
	held  bool
	queue []*request // empty unless held
}

// request is one goroutine that waits for the connection: with an operation, or for the connection itself.
type request struct {
	ctx         context.Context
	signals     *signals
	interrupted <-chan struct{} // by an Interrupt since it is queued
	by          *engine         // whose it is: the database's, or a session's
	op          *operation      // nil: the connection itself is wanted
	input       string
	out         *cbrant.Result
	err         error
	state       atomic.Int32
	batch       []*request    // set before the turn of a leader: itself, and those that it works for
	turn        chan struct{} // one is sent when it leads, or when it is served
}

// A request is queued; then abandoned by its own goroutine, or taken by the one that serves it (its own, for a leader).
const (
	queued int32 = iota
	abandoned
	leading
	served
)

const (
	maxBatch      = 256       // requests of one transaction
	maxBatchInput = 64 * 1024 // bytes; what is larger, and so longer, commits alone
)

// acquire makes the caller the holder, until release.
func (w *writer) acquire(ctx context.Context, signals *signals) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	w.lock.Lock()
	if !w.held {
		w.held = true
		w.lock.Unlock()
		return nil
	}
	r := w.enqueue(&request{ctx: ctx, signals: signals})
	w.lock.Unlock()
	if leads, err := w.await(r); err != nil {
		if leads {
			w.release()
		}
		return err
	}
	return nil
}

// run runs one write, alone or with others.
func (w *writer) run(ctx context.Context, by *engine, op *operation, out *cbrant.Result, input string) error {
	if op.way != write || len(input) > maxBatchInput {
		if err := w.acquire(ctx, by.signals); err != nil {
			return err
		}
		defer w.release()
		return w.runOne(ctx, by, op, out, input)
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	w.lock.Lock()
	if !w.held {
		w.held = true
		w.lock.Unlock()
		defer w.release()
		return w.runOne(ctx, by, op, out, input)
	}
	r := w.enqueue(&request{ctx: ctx, signals: by.signals, by: by, op: op, input: input, out: out})
	w.lock.Unlock()
	leads, err := w.await(r)
	if err != nil {
		if leads {
			w.putBack(r.batch[1:])
		}
		return err
	}
	if leads {
		w.lead(r)
	}
	return r.err
}

func (w *writer) runOne(ctx context.Context, by *engine, op *operation, out *cbrant.Result, input string) error {
	err := by.call(ctx, w.connection, op, out, input)
	if err == nil && w.committed != nil {
		w.committed()
	}
	return err
}

// enqueue is called with the lock.
func (w *writer) enqueue(r *request) *request {
	r.interrupted, r.turn = r.signals.interrupted(), make(chan struct{}, 1)
	w.queue = append(w.queue, r)
	return r
}

// await waits until the request leads or is served, or gives up with an error. leads with an error: its turn to lead came while it gave
// up, and it holds the connection.
func (w *writer) await(r *request) (leads bool, err error) {
	timer := time.NewTimer(w.wait)
	defer timer.Stop()
	select {
	case <-r.turn:
		if r.state.Load() != leading {
			return false, nil
		}
		select { // it may have been interrupted before, while this goroutine did not run
		case <-r.interrupted:
			return true, errInterrupted()
		default:
			return true, nil
		}
	case <-r.ctx.Done():
		err = ended(r.ctx)
	case <-timer.C:
		err = tooLong(r.ctx, "another goroutine held the database for longer than %d ms", w.wait.Milliseconds())
	case <-r.signals.closed:
		err = errClosed()
	case <-r.interrupted:
		err = errInterrupted()
	}
	if r.state.CompareAndSwap(queued, abandoned) {
		w.forget(r)
		return false, err
	}
	<-r.turn
	if r.state.Load() == leading {
		return true, err
	}
	return false, nil // served after all
}

func (w *writer) forget(r *request) {
	w.lock.Lock()
	defer w.lock.Unlock()
	for i := range w.queue {
		if w.queue[i] == r {
			w.queue = slices.Delete(w.queue, i, i+1)
			return
		}
	}
}

// release hands the connection to whoever waits longest, with those behind it that can share its transaction.
func (w *writer) release() {
	w.lock.Lock()
	defer w.lock.Unlock()
	for len(w.queue) > 0 {
		first := w.queue[0]
		count := 1
		if first.op != nil && !w.single {
			for count < len(w.queue) && count < maxBatch && w.queue[count].op != nil {
				count++
			}
		}
		batch := append([]*request(nil), w.queue[:count]...)
		if !first.state.CompareAndSwap(queued, leading) {
			w.queue = slices.Delete(w.queue, 0, 1)
			continue
		}
		w.queue = slices.Delete(w.queue, 0, count)
		first.batch = batch
		first.turn <- struct{}{}
		return
	}
	w.held = false
}

// putBack returns requests to the head of the queue, and releases.
func (w *writer) putBack(batch []*request) {
	w.lock.Lock()
	w.queue = append(append([]*request(nil), batch...), w.queue...)
	w.lock.Unlock()
	w.release()
}

// lead serves a batch, whose first request is the caller's own, and releases.
func (w *writer) lead(self *request) {
	batch := self.batch
	if len(batch) == 1 {
		defer w.release()
		self.err = w.runOne(self.ctx, self.by, self.op, self.out, self.input)
		return
	}
	_, err := w.connection.transaction(self.ctx, transactionBegin, writeTransaction)
	if err != nil && self.ctx.Err() != nil {
		// The leader's own context ended while it waited for the file: the others go on.
		self.err = err
		w.putBack(batch[1:])
		return
	}
	defer w.release()
	var taken []*request
	if err != nil {
		for _, r := range batch {
			if w.take(self, r) {
				r.err = err
				taken = append(taken, r)
			}
		}
		serve(self, taken)
		return
	}
	whole := true
	for _, r := range batch {
		if !w.take(self, r) {
			continue
		}
		taken = append(taken, r)
		if whole {
			r.err = r.by.call(context.Background(), w.connection, r.op, r.out, r.input)
			whole = !breaksTransaction(r.err)
		}
	}
	if whole {
		w.commit(taken)
	} else {
		w.runApart(taken)
	}
	if w.committed != nil {
		w.committed()
	}
	serve(self, taken)
}

func (w *writer) take(self, r *request) bool {
	return r == self || r.state.CompareAndSwap(queued, served)
}

// serve tells the others that their answers are there.
func serve(self *request, taken []*request) {
	for _, r := range taken {
		if r != self {
			r.turn <- struct{}{}
		}
	}
}

// commit ends the batch's transaction; when that fails, none of it was written.
func (w *writer) commit(taken []*request) {
	_, err := w.connection.transaction(context.Background(), transactionCommit, noInput)
	if err == nil {
		return
	}
	_, _ = w.connection.transaction(context.Background(), transactionRollback, noInput)
	for _, r := range taken {
		if r.err == nil {
			r.out.Reset()
			r.err = err
		}
	}
}

// runApart gives up the batch's transaction, which may be gone already, and runs each request in one of its own; but not again the one
// that was interrupted.
func (w *writer) runApart(taken []*request) {
	_, _ = w.connection.transaction(context.Background(), transactionRollback, noInput)
	for _, r := range taken {
		if codeOf(r.err) == ErrInterrupted {
			continue
		}
		r.out.Reset()
		r.err = r.by.call(r.ctx, w.connection, r.op, r.out, r.input)
	}
}

// breaksTransaction says whether a failed write may have ended the transaction that it was in, since SQLite rolls all of it back.
func breaksTransaction(err error) bool {
	switch codeOf(err) {
	case 0, ErrInvalid, ErrInvalidJSON, ErrValidation, ErrNotFound, ErrExists, ErrConflict, ErrConstraint, ErrReadOnly, ErrDenied, ErrLimit, ErrStale,
		ErrAuth, ErrUnsupported:
		return false
	}
	return true
}

// signals reach every goroutine of a database that waits.
type signals struct {
	closed    chan struct{} // closed by DB.Close
	interrupt atomic.Pointer[chan struct{}]
}

func newSignals() *signals {
	s := &signals{closed: make(chan struct{})}
	first := make(chan struct{})
	s.interrupt.Store(&first)
	return s
}

// interrupted is closed by the next DB.Interrupt.
func (s *signals) interrupted() <-chan struct{} { return *s.interrupt.Load() }

func (s *signals) interruptAll() {
	next := make(chan struct{})
	close(*s.interrupt.Swap(&next))
}

func (s *signals) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}
