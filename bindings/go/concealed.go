package brant

import (
	"io"
	"runtime"
	"sync"
)

// concealed is bytes that nothing shows by itself. They are reached by a function: fmt goes through fields and pointers where it may not
// call methods, in an unexported field say, and so do printers that others made, but of a function they write the address. They are
// overwritten by wipe, and when nobody reaches them any more.
type concealed struct{ reach func() *wipeable }

type wipeable struct {
	lock  sync.Mutex
	bytes []byte
	wiped bool
}

// conceal takes the bytes over: they are the caller's no more.
func conceal(bytes []byte) *concealed {
	w := &wipeable{bytes: bytes}
	if len(bytes) > 0 {
		runtime.AddCleanup(w, func(bytes []byte) { clear(bytes) }, bytes[:cap(bytes)])
	}
	return &concealed{func() *wipeable { return w }}
}

// use lends the bytes until the function returns. ErrMisuse: they were wiped.
func (c *concealed) use(function func([]byte) error) error {
	w := c.reach()
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.wiped {
		return failf(ErrMisuse, "it was wiped")
	}
	return function(w.bytes)
}

func (c *concealed) wipe() {
	if c == nil {
		return
	}
	w := c.reach()
	w.lock.Lock()
	defer w.lock.Unlock()
	clear(w.bytes[:cap(w.bytes)])
	w.bytes, w.wiped = nil, true
}

// showAs is what fmt writes whatever the verb is.
func showAs(state io.Writer, text string) { _, _ = io.WriteString(state, text) }

func notEncoded(what string) error {
	return failf(ErrMisuse, "%s is not encoded: Reveal gives what it holds", what)
}
