// Package cbrant is the raw module: the C functions under their own names, as swig/brant.i and swig/go.i make them, and the three
// types that carry what crosses: Result, Failure, and handles that free themselves. Nothing here knows what an operation means.
package cbrant

/*
#cgo CFLAGS: -std=c11
#cgo !brant_system,linux,amd64 LDFLAGS: ${SRCDIR}/libbrant_linux_amd64.a -lm -lpthread
#cgo brant_system pkg-config: brant
// Bound at its first call, a C function would leave pieces of keys in the registers that the dynamic linker saves on the stack.
#cgo linux LDFLAGS: -Wl,-z,now
#include <poll.h>
#include "crossing.h"

static int brant_go_readable(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) != 0;
}
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// Operation is the shape of the functions that store.h calls operations.
type Operation = func(out *Result, db uintptr, json string) error

// Result receives the JSON of one call. It may be used again after Reset.
type Result struct {
	lent   unsafe.Pointer // C's memory, or nil
	length uint64
	text   [4096]byte
}

// Bytes is the answer, valid until Reset.
func (r *Result) Bytes() []byte {
	if r.lent != nil {
		return unsafe.Slice((*byte)(r.lent), r.length)
	}
	return r.text[:r.length]
}

// Reset gives back what the last call lent, and leaves nothing of its answer.
func (r *Result) Reset() {
	if r.lent != nil {
		C.brant_free(r.lent)
		r.lent = nil
	} else {
		clear(r.text[:r.length])
	}
	r.length = 0
}

// Failure is the error record of a failed call.
type Failure struct {
	Code    int
	Message string
	Detail  []byte // a JSON object
}

func (f *Failure) Error() string { return f.Message }

type record struct {
	code, messageLength, detailLength uint64
}

// failure takes over the copy of the record that the call made, and turns it into an error.
func failure(address uint64) error {
	if address == 0 {
		return nil
	}
	return takeRecord(*(*unsafe.Pointer)(unsafe.Pointer(&address)))
}

func takeRecord(p unsafe.Pointer) error {
	head := (*record)(p)
	text := unsafe.Slice((*byte)(unsafe.Add(p, unsafe.Sizeof(record{}))), head.messageLength+head.detailLength)
	f := &Failure{
		Code:    int(head.code),
		Message: string(text[:head.messageLength]),
		Detail:  append([]byte(nil), text[head.messageLength:]...),
	}
	clear(text)
	C.free(p)
	return f
}

// Handle owns a brant_db: its finaliser frees it. All methods may be called from any goroutine; Call by one at a time.
type Handle struct {
	address uintptr
	hub     *Hub // that gave it, which is freed after it; or nil
}

// OpenSession is brant_session_open.
func (h *Handle) OpenSession(identity string) (*Handle, error) {
	var address uintptr
	err := Brant_session_open(&address, h.address, identity)
	runtime.KeepAlive(h)
	if err != nil {
		return nil, err
	}
	return own(address, nil), nil
}

// Open is brant_open.
func Open(path, options string) (*Handle, error) {
	var address uintptr
	if err := Brant_open(&address, path, options); err != nil {
		return nil, err
	}
	return own(address, nil), nil
}

func own(address uintptr, hub *Hub) *Handle {
	h := &Handle{address, hub}
	runtime.SetFinalizer(h, func(h *Handle) { C.brant_db_free(h.db()) })
	return h
}

func (h *Handle) db() *C.brant_db { return *(**C.brant_db)(unsafe.Pointer(&h.address)) }

// Call runs an operation on the handle.
func (h *Handle) Call(operation Operation, out *Result, json string) error {
	err := operation(out, h.address, json)
	runtime.KeepAlive(h)
	return err
}

// CallName is brant_call.
func (h *Handle) CallName(out *Result, name, json string) error {
	err := Brant_call(out, h.address, name, json)
	runtime.KeepAlive(h)
	return err
}

// LoadKeyring is brant_keyring_load.
func (h *Handle) LoadKeyring(json string) error {
	err := Brant_keyring_load(h.address, json)
	runtime.KeepAlive(h)
	return err
}

// CopyKeyring is brant_keyring_copy.
func (h *Handle) CopyKeyring(from *Handle) error {
	err := Brant_keyring_copy(h.address, from.address)
	runtime.KeepAlive(h)
	runtime.KeepAlive(from)
	return err
}

// UnloadKeyring is brant_keyring_unload.
func (h *Handle) UnloadKeyring() error {
	err := Brant_keyring_unload(h.address)
	runtime.KeepAlive(h)
	return err
}

// Check is brant_check.
func (h *Handle) Check() error {
	err := Brant_check(h.address)
	runtime.KeepAlive(h)
	return err
}

// Close is brant_close.
func (h *Handle) Close() error {
	err := Brant_close(h.address)
	runtime.KeepAlive(h)
	return err
}

// Interrupt is brant_interrupt.
func (h *Handle) Interrupt() error {
	err := Brant_interrupt(h.address)
	runtime.KeepAlive(h)
	return err
}

// WakeFD is brant_wake_fd; the descriptor belongs to the handle.
func (h *Handle) WakeFD() (int, error) {
	var fd int32
	err := Brant_wake_fd(&fd, h.address)
	runtime.KeepAlive(h)
	return int(fd), err
}

// WakeAcknowledge is brant_wake_acknowledge.
func (h *Handle) WakeAcknowledge() error {
	err := Brant_wake_acknowledge(h.address)
	runtime.KeepAlive(h)
	return err
}

// Readable asks whether a descriptor has something to read, or is at its end.
func Readable(fd uintptr) bool { return C.brant_go_readable(C.int(fd)) != 0 }

// Cursor owns a brant_cursor: its finaliser frees it. The handle's shell lives as long as its cursors.
type Cursor struct{ address uintptr }

// OpenCursor runs a function that opens a cursor.
func (h *Handle) OpenCursor(opener func(*uintptr, uintptr, string) error, json string) (*Cursor, error) {
	var address uintptr
	err := opener(&address, h.address, json)
	runtime.KeepAlive(h)
	if err != nil {
		return nil, err
	}
	c := &Cursor{address}
	runtime.SetFinalizer(c, func(c *Cursor) { C.brant_cursor_free(c.cursor()) })
	return c, nil
}

func (c *Cursor) cursor() *C.brant_cursor { return *(**C.brant_cursor)(unsafe.Pointer(&c.address)) }

// Next is brant_cursor_next without waiting.
func (c *Cursor) Next(out *Result) error {
	err := Brant_cursor_next(out, c.address, 0)
	runtime.KeepAlive(c)
	return err
}

// Wait is brant_cursor_wait.
func (c *Cursor) Wait() (ms int64, err error) {
	err = Brant_cursor_wait(&ms, c.address)
	runtime.KeepAlive(c)
	return ms, err
}

// Free is brant_cursor_free, for a cursor that nobody else has; it is not to be used again.
func (c *Cursor) Free() {
	runtime.SetFinalizer(c, nil)
	C.brant_cursor_free(c.cursor())
	c.address = 0
}

// Close is brant_cursor_close.
func (c *Cursor) Close() error {
	err := Brant_cursor_close(c.address)
	runtime.KeepAlive(c)
	return err
}

// Validator owns a brant_validator: its finaliser frees it. Any number of goroutines may use one.
type Validator struct{ address uintptr }

// OpenValidator is brant_validator_open.
func OpenValidator(json string) (*Validator, error) {
	var address uintptr
	if err := Brant_validator_open(&address, json); err != nil {
		return nil, err
	}
	v := &Validator{address}
	runtime.SetFinalizer(v, func(v *Validator) { C.brant_validator_free(*(**C.brant_validator)(unsafe.Pointer(&v.address))) })
	return v, nil
}

// Accepts is brant_validator_accepts.
func (v *Validator) Accepts(json string) (bool, error) {
	var accepted int32
	err := Brant_validator_accepts(&accepted, v.address, json)
	runtime.KeepAlive(v)
	return accepted != 0, err
}

// Report is brant_validator_report.
func (v *Validator) Report(out *Result, json string) error {
	err := Brant_validator_report(out, v.address, json)
	runtime.KeepAlive(v)
	return err
}

// Hub owns a brant_hub: its finaliser frees it. All methods may be called from any goroutine.
type Hub struct{ address uintptr }

// OpenHub is brant_hub_open.
func OpenHub(path, options string) (*Hub, error) {
	var address uintptr
	if err := Brant_hub_open(&address, path, options); err != nil {
		return nil, err
	}
	h := &Hub{address}
	runtime.SetFinalizer(h, func(h *Hub) { C.brant_hub_free(*(**C.brant_hub)(unsafe.Pointer(&h.address))) })
	return h, nil
}

// System is brant_hub_system; Close of that handle is not to be called.
func (h *Hub) System() *Handle {
	return &Handle{Brant_hub_system(h.address), h}
}

// Acquire is brant_hub_acquire. Handle.Close gives the file back.
func (h *Hub) Acquire(org string) (*Handle, error) {
	var address uintptr
	err := Brant_hub_acquire(&address, h.address, org)
	runtime.KeepAlive(h)
	if err != nil {
		return nil, err
	}
	return own(address, h), nil
}

// Authenticate is brant_hub_authenticate.
func (h *Hub) Authenticate(out *Result, token string) (*Handle, error) {
	var address uintptr
	err := Brant_hub_authenticate(&address, out, h.address, token)
	runtime.KeepAlive(h)
	if err != nil {
		return nil, err
	}
	return own(address, h), nil
}

// LoadKeyring is brant_hub_keyring_load.
func (h *Hub) LoadKeyring(json string) error {
	err := Brant_hub_keyring_load(h.address, json)
	runtime.KeepAlive(h)
	return err
}

// UnloadKeyring is brant_hub_keyring_unload.
func (h *Hub) UnloadKeyring() error {
	err := Brant_hub_keyring_unload(h.address)
	runtime.KeepAlive(h)
	return err
}

// Close is brant_hub_close.
func (h *Hub) Close() error {
	err := Brant_hub_close(h.address)
	runtime.KeepAlive(h)
	return err
}
