package branthttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/brant-db/brant-go"
)

// Problem is the body of an error: RFC 9457, and what brant says of it.
type Problem struct {
	Type     string          `json:"type"`
	Title    string          `json:"title"`
	Status   int             `json:"status"`
	Detail   string          `json:"detail"`
	Instance string          `json:"instance,omitempty"`
	Code     string          `json:"code"`             // "NOT_FOUND"
	Info     json.RawMessage `json:"errors,omitempty"` // brant.Error.Detail: violations, items, pointer
}

var statuses = map[brant.Code]int{
	brant.ErrInvalid: 400, brant.ErrInvalidJSON: 400, brant.ErrMisuse: 400, brant.ErrSQL: 400, brant.ErrUnsupported: 400, brant.ErrAuth: 401, brant.ErrDenied: 403,
	brant.ErrReadOnly: 403, brant.ErrNotFound: 404, brant.ErrExists: 409, brant.ErrConflict: 409, brant.ErrConstraint: 409, brant.ErrStale: 409,
	brant.ErrLimit: 413, brant.ErrValidation: 422, brant.ErrBusy: 503, brant.ErrClosed: 503, brant.ErrTimeout: 503, brant.ErrInterrupted: 503,
}

func fail(code brant.Code, message string) *brant.Error {
	return &brant.Error{Code: code, Message: message, Detail: json.RawMessage("{}")}
}

// Status is the HTTP status of an error: 500 of what is not the caller's to know.
func Status(err error) int {
	var e *brant.Error
	if errors.As(err, &e) && statuses[e.Code] != 0 {
		return statuses[e.Code]
	}
	return http.StatusInternalServerError
}

// refuse answers with a problem. What is the server's to know goes to its log instead.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := Status(err)
	problem := Problem{Type: "about:blank", Instance: r.URL.Path, Code: brant.ErrInternal.String(), Detail: "the server failed"}
	var e *brant.Error
	var many *tooMany
	var slow *tooSlow
	var nowhere *unrouted
	switch {
	case errors.As(err, &nowhere):
		status, problem.Code, problem.Detail = nowhere.status, brant.ErrNotFound.String(), nowhere.Error()
		w.Header().Del("Content-Length")
	case errors.As(err, &many):
		status, problem.Code, problem.Detail = http.StatusTooManyRequests, brant.ErrLimit.String(), many.what
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.wait.Seconds()))))
	case errors.As(err, &slow):
		status, problem.Code, problem.Detail = http.StatusRequestTimeout, brant.ErrTimeout.String(), "the body came too slowly"
		w.Header().Set("Connection", "close")
	case status == http.StatusInternalServerError:
		h.options.Logger.ErrorContext(r.Context(), "branthttp: a request failed", "path", r.URL.Path, "error", err)
	case errors.As(err, &e):
		problem.Code, problem.Detail = e.Code.String(), e.Message
		if len(e.Detail) > len("{}") {
			problem.Info = e.Detail
		}
	}
	switch status {
	case http.StatusUnauthorized:
		challenge := `Bearer realm="brant"`
		if token(r) != "" { // RFC 6750, 3.1: who sent none is not told of an error
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	problem.Status, problem.Title = status, http.StatusText(status)
	text, failed := json.Marshal(problem)
	if failed != nil {
		status, text = http.StatusInternalServerError, []byte(`{"type":"about:blank","status":500}`)
	}
	h.write(w, status, "application/problem+json", text)
}

// tooMany is of one key.
type tooMany struct {
	what string
	wait time.Duration
}

func (t *tooMany) Error() string { return t.what }

type tooSlow struct{}

func (*tooSlow) Error() string { return "the body came too slowly" }

// unrouted is the mux's refusal of what it has no route for: its status and headers (Allow) are kept, its text is not.
type unrouted struct {
	header http.Header
	status int
}

func (u *unrouted) Header() http.Header            { return u.header }
func (u *unrouted) Write(text []byte) (int, error) { return len(text), nil }
func (u *unrouted) WriteHeader(status int)         { u.status = status }

func (u *unrouted) Error() string {
	if allow := u.header.Get("Allow"); allow != "" {
		return "this path takes " + allow
	}
	return "no such path here"
}

// rates counts the requests of keys in windows of a period.
type rates struct {
	limit  int
	period time.Duration

	lock  sync.Mutex
	began time.Time
	made  map[string]int
}

// take is how long the key has to wait, 0: not at all.
func (r *rates) take(key string) time.Duration {
	if r.limit <= 0 {
		return 0
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	now := time.Now()
	if now.Sub(r.began) >= r.period {
		r.began, r.made = now, map[string]int{}
	}
	if r.made[key] >= r.limit {
		return r.period - now.Sub(r.began)
	}
	r.made[key]++
	return 0
}

// streams counts the subscriptions that are open.
type streams struct {
	most, each int

	lock sync.Mutex
	all  int
	open map[string]int // by key
}

// take makes room for one more, or says why there is none; leave gives it back.
func (s *streams) take(key string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	switch {
	case s.open[key] >= s.each:
		return &tooMany{fmt.Sprintf("the key has %d subscriptions open, as many as it may", s.each), time.Second}
	case s.all >= s.most:
		return fail(brant.ErrBusy, fmt.Sprintf("%d subscriptions are open, as many as there may be", s.most))
	}
	s.all++
	s.open[key]++
	return nil
}

func (s *streams) leave(key string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.all--
	if s.open[key]--; s.open[key] == 0 {
		delete(s.open, key)
	}
}
