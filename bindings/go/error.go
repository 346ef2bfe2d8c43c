package brant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Code says what a caller can do about a failure. A Code is an error itself, to be used with errors.Is:
//
//	if errors.Is(err, brant.ErrNotFound) { ... }
//
// Numbers and names are the same in every language and are never reused.
type Code int

// The codes.
const (
	ErrInvalid       Code = 1  // an argument is not acceptable; change the call
	ErrInvalidJSON   Code = 2  // the text is not acceptable JSON; the detail has the byte offset
	ErrValidation    Code = 3  // the data does not satisfy its schema; the detail lists the violations
	ErrNotFound      Code = 4  // the thing named does not exist
	ErrExists        Code = 5  // a thing of that name exists already
	ErrConflict      Code = 6  // the stored state is not the one that the call requires; read again, then decide
	ErrConstraint    Code = 7  // the write would break a rule of the graph type or of the database
	ErrBusy          Code = 8  // another writer held the file for longer than the busy timeout; try again
	ErrTimeout       Code = 9  // the deadline passed before the call was done
	ErrInterrupted   Code = 10 // the context was cancelled, or DB.Interrupt was called
	ErrClosed        Code = 11 // the handle is closed
	ErrMisuse        Code = 12 // the call is not allowed in the handle's present state
	ErrReadOnly      Code = 13 // the file, its folder or the transaction can only be read
	ErrDenied        Code = 14 // the caller may not do that
	ErrLimit         Code = 15 // a documented limit is exceeded
	ErrNotBrant      Code = 16 // the file exists and is not one of brant's
	ErrNewerFormat   Code = 17 // the file was written by a newer brant; upgrade this one
	ErrForeignSQLite Code = 18 // another SQLite in this process has the file open
	ErrNetworkFS     Code = 19 // the file is on a network file system, where locks cannot be trusted
	ErrCorrupt       Code = 20 // the file is damaged; restore a backup
	ErrFull          Code = 21 // the disk is full; nothing was written
	ErrIO            Code = 22 // the operating system refused; the message says what
	ErrNoMemory      Code = 23 // out of memory; nothing was written
	ErrSQL           Code = 24 // the SQL text is not acceptable
	ErrStale         Code = 25 // the token is not the newest; somebody else holds it now
	ErrAuth          Code = 26 // authentication failed
	ErrUnsupported   Code = 27 // this build, platform or version cannot do that
	ErrForked        Code = 28 // the handle was opened before fork; open one in this process
	ErrInternal      Code = 29 // a fault in brant; please report it
)

var codeNames = [...]string{
	"OK", "INVALID", "INVALID_JSON", "VALIDATION", "NOT_FOUND", "EXISTS", "CONFLICT", "CONSTRAINT", "BUSY", "TIMEOUT",
	"INTERRUPTED", "CLOSED", "MISUSE", "READ_ONLY", "DENIED", "LIMIT", "NOT_BRANT", "NEWER_FORMAT", "FOREIGN_SQLITE",
	"NETWORK_FS", "CORRUPT", "FULL", "IO", "NO_MEMORY", "SQL", "STALE", "AUTH", "UNSUPPORTED", "FORKED", "INTERNAL",
}

// String is the code's name in every language, "NOT_FOUND".
func (c Code) String() string {
	if c < 0 || int(c) >= len(codeNames) {
		return "UNKNOWN"
	}
	return codeNames[c]
}

// codeNamed is the code of that name.
func codeNamed(name string) Code {
	if i := slices.Index(codeNames[:], name); i > 0 {
		return Code(i)
	}
	return ErrInternal
}

// Error is what a caller can do about it, "the thing named does not exist".
func (c Code) Error() string { return cbrant.Brant_status_text(int(c)) }

// Error is every error of this package, but for those that a caller's own function returned.
type Error struct {
	Code    Code
	Message string          // one line that names what was wrong; never a secret
	Detail  json.RawMessage // a JSON object, "{}" when there is nothing to add
	cause   error
}

// Error is the code's name and the message.
func (e *Error) Error() string { return "brant: " + e.Code.String() + ": " + e.Message }

// Is says whether target is this error's Code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Unwrap is the context's error where a context ended the call, so that errors.Is(err, context.Canceled) holds too, or the error of
// encoding/json where a value could not be written or read.
func (e *Error) Unwrap() error { return e.cause }

// Violation is one way in which data does not satisfy its schema.
type Violation struct {
	Instance string `json:"instance"` // JSON pointer into the data
	Schema   string `json:"schema"`   // JSON pointer into the module
	Keyword  string `json:"keyword"`
	Message  string `json:"message"`
}

// Violations lists what an ErrValidation, or an ErrInvalid from Call, complains of; else it is empty.
func (e *Error) Violations() []Violation {
	var detail struct {
		Violations []Violation `json:"violations"`
	}
	_ = json.Unmarshal(e.Detail, &detail)
	return detail.Violations
}

// ItemFault is what is wrong with one item of a method that writes many.
type ItemFault struct {
	Index      int         `json:"index"`
	Key        string      `json:"key"`
	Code       string      `json:"code"`
	Message    string      `json:"message"`
	Violations []Violation `json:"violations,omitempty"`
	Offset     *int64      `json:"offset,omitempty"` // of the byte, where the item is a line that is no JSON object
}

// Items lists the items at fault of a failed method that writes many, at most 100; else it is empty.
func (e *Error) Items() []ItemFault {
	var detail struct {
		Items []ItemFault `json:"items"`
	}
	_ = json.Unmarshal(e.Detail, &detail)
	return detail.Items
}

var noDetail = json.RawMessage("{}")

func failf(code Code, format string, arguments ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, arguments...), Detail: noDetail}
}

// fromC makes an Error of what the raw package returned.
func fromC(err error) error {
	if err == nil {
		return nil
	}
	failure := err.(*cbrant.Failure)
	return &Error{Code: Code(failure.Code), Message: failure.Message, Detail: failure.Detail}
}

// ended is the error for a context that is done.
func ended(ctx context.Context) *Error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: ErrTimeout, Message: "the context's deadline passed", Detail: noDetail, cause: err}
	}
	return &Error{Code: ErrInterrupted, Message: "the context was cancelled", Detail: noDetail, cause: err}
}

// tooLong is ErrBusy, unless ctx has ended as well: a machine that stood still lets both come at once, and the end of ctx is what the caller asked for.
func tooLong(ctx context.Context, format string, arguments ...any) *Error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return failf(ErrBusy, format, arguments...)
}

// codeOf is the code of one of our errors, 0 for nil.
func codeOf(err error) Code {
	if e, ok := err.(*Error); ok {
		return e.Code
	}
	return 0
}

var (
	errClosed      = func() *Error { return failf(ErrClosed, "the database handle is closed") }
	errInterrupted = func() *Error { return failf(ErrInterrupted, "the call was interrupted") }
)
