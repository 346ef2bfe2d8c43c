package brant

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// connection is one handle of the core. Its owner is one goroutine at a time; close and interrupt are for all.
type connection struct {
	handle   *cbrant.Handle
	inside   *sync.Mutex // held while a call runs in this handle or a session over it
	own      sync.Mutex  // held while a call runs in this handle
	borrowed bool        // another closes it
	base     *connection // of a session's: what it is over, which is no session; else nil

	lock  sync.Mutex
	faces map[*engine]*connection // the sessions over it
}

func newConnection(handle *cbrant.Handle) *connection {
	return &connection{handle: handle, inside: new(sync.Mutex)}
}

func openConnection(path string, options *input) (*connection, error) {
	defer options.free()
	handle, err := cbrant.Open(path, options.done())
	if err != nil {
		return nil, fromC(err)
	}
	return newConnection(handle), nil
}

// call runs an operation, which the end of ctx interrupts.
func (c *connection) call(ctx context.Context, op *operation, out *cbrant.Result, input string) error {
	return c.watched(ctx, func() error {
		if op.raw == nil {
			return c.handle.CallName(out, op.name, input)
		}
		return c.handle.Call(op.raw, out, input)
	})
}

func (c *connection) watched(ctx context.Context, call func() error) error {
	c.inside.Lock()
	defer c.inside.Unlock()
	c.own.Lock()
	defer c.own.Unlock()
	if ctx.Done() == nil {
		return fromC(call())
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	w := watch{handle: c.handle}
	stop := context.AfterFunc(ctx, w.interrupt)
	err := fromC(call())
	if !stop() {
		w.end()
	}
	if codeOf(err) == ErrInterrupted && ctx.Err() != nil {
		return ended(ctx)
	}
	return err
}

// watch interrupts one call, and never the next one on the same handle.
type watch struct {
	handle *cbrant.Handle
	lock   sync.Mutex
	over   bool
}

const interruptAgain = time.Millisecond

// interrupt repeats itself until the call is over: the first may come before the call has entered the core.
func (w *watch) interrupt() {
	for {
		w.lock.Lock()
		if !w.over {
			_ = w.handle.Interrupt()
		}
		over := w.over
		w.lock.Unlock()
		if over {
			return
		}
		time.Sleep(interruptAgain)
	}
}

func (w *watch) end() {
	w.lock.Lock()
	w.over = true
	w.lock.Unlock()
}

// end ends the handle, and the call that may be running in it.
func (c *connection) end() {
	if !c.borrowed {
		_ = c.handle.Close()
	}
}

// close is end, and returns when the call that may be running has left: the file is released. A session does not wait for others'.
func (c *connection) close() {
	c.end()
	leaves := c.inside
	if c.base != nil {
		leaves = &c.own
	}
	leaves.Lock()
	leaves.Unlock() //nolint:staticcheck // waiting is the point
}

// transaction runs transaction.begin, commit or rollback and returns the depth that is left.
func (c *connection) transaction(ctx context.Context, op *operation, input string) (int, error) {
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := c.call(ctx, op, out, input); err != nil {
		return 0, err
	}
	var answer struct {
		Depth int `json:"depth"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return 0, unreadable(err)
	}
	return answer.Depth, nil
}

func unreadable(err error) error {
	return &Error{Code: ErrInternal, Message: "the answer is not what this version expects: " + err.Error(), Detail: noDetail, cause: err}
}

const (
	noInput          = "{}"
	readTransaction  = `{"mode":"read"}`
	writeTransaction = `{"mode":"write"}`
)
