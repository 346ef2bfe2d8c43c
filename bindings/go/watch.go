package brant

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"sync"
)

// Watch receives what comes: notifications (DB.Listen), events of a stream, what a queue, a lock or a job has to tell. It is for one goroutine
// at a time (ErrMisuse), but for Close. Waiting takes no thread and no processor time.
type Watch[T any] struct {
	db           *DB // kept open while somebody waits
	subscription *subscription
	turn         sync.Mutex
	rest         []T
}

func openWatch[T any](ctx context.Context, r runner, open opener, in *input) (*Watch[T], error) {
	s, err := subscriptionOf(ctx, r, open, in)
	if err != nil {
		return nil, err
	}
	w := &Watch[T]{db: r.(*DB), subscription: s}
	runtime.AddCleanup(w, (*subscription).close, s)
	return w, nil
}

// Next waits for an item. ErrClosed: the watch or the database was closed; ErrInterrupted: ctx was cancelled, or DB.Interrupt was called;
// ErrTimeout: ctx's deadline passed. After the last two it can be called again, and nothing is lost. io.EOF: nothing will ever come.
func (w *Watch[T]) Next(ctx context.Context) (T, error) {
	var none T
	if !w.turn.TryLock() {
		return none, errTaken()
	}
	defer w.turn.Unlock()
	items, err := w.some(ctx)
	if err != nil {
		return none, err
	}
	w.rest = items[1:]
	return items[0], nil
}

// Batch waits until there is something and returns all that is there, up to some hundreds.
func (w *Watch[T]) Batch(ctx context.Context) ([]T, error) {
	if !w.turn.TryLock() {
		return nil, errTaken()
	}
	defer w.turn.Unlock()
	items, err := w.some(ctx)
	w.rest = nil
	return items, err
}

// Pending is Batch without waiting: nothing, when there is none.
func (w *Watch[T]) Pending(ctx context.Context) ([]T, error) {
	if !w.turn.TryLock() {
		return nil, errTaken()
	}
	defer w.turn.Unlock()
	items := w.rest
	w.rest = nil
	if len(items) > 0 {
		return items, nil
	}
	defer runtime.KeepAlive(w)
	_, err := w.subscription.look(ctx, func(text []byte) error { return decodeArray(text, &items) })
	if codeOf(err) == ErrBusy {
		return nil, nil
	}
	return items, err
}

// All yields items until an error, which is the last thing that it yields: the end of ctx is one. Where nothing will ever come it just
// ends.
func (w *Watch[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			item, err := w.Next(ctx)
			if errors.Is(err, io.EOF) || !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the watch, and the wait of whoever is in it (ErrClosed). At any time, any number of times.
func (w *Watch[T]) Close() error {
	w.subscription.close()
	runtime.KeepAlive(w)
	return nil
}

var errTaken = func() *Error {
	return failf(ErrMisuse, "another goroutine waits here; open one for each")
}

// some is what is left of the last batch, or a new one, which has at least one item unless there is an error.
func (w *Watch[T]) some(ctx context.Context) ([]T, error) {
	defer runtime.KeepAlive(w)
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if len(w.rest) > 0 && !w.subscription.isClosed() {
		return w.rest, nil
	}
	var items []T
	_, err := w.subscription.await(ctx, nil, func(text []byte) error { return decodeArray(text, &items) })
	return items, err
}
