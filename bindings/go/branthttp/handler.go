// Package branthttp serves the operation registry over HTTP, to whoever has an API key: of a hub, where the key says which tenant's file it is, or of one file.
//
//	handler, err := branthttp.New(branthttp.Hub(hub), nil)
//	err = branthttp.Serve(ctx, listener, handler, 10*time.Second)
//
//	POST /call/{operation}       JSON in, JSON out
//	GET  /subscribe/{operation}  server-sent events; the query has the input's members, of a list each element by itself (channels=a&channels=b:*)
//	GET  /operations             what the key may call, with schemas
//	GET  /openapi.json           the same as an OpenAPI 3.1 document
//	GET  /health                 204, without a key
//
// The key is the bearer token ("Authorization: Bearer brant_key_..."). Each request is a session of its own, judged by the key's scopes, its owner's membership and the access
// graph. Errors are problems (RFC 9457, application/problem+json) with the members code, name and detail besides. Operations on paths of the server's machine and transactions are not offered.
//
// Nobody holds a goroutine or a database for longer than the Options say: bodies are bounded in bytes and time, calls and what is written in time, subscriptions in number. A call has given its
// database back before its answer is written.
//
// It speaks no TLS: that is for the http.Server, or a proxy before it.
package branthttp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brant-db/brant-go"
)

// Caller is who has a key, and the session in which they may do what they may.
type Caller struct {
	DB           *brant.DB
	Key          string       // the key's id
	Account      string       // its owner's
	Organization string       // or empty
	Scopes       []string     // that its operations need; what the access graph gives besides is judged at each call
	Close        func() error // gives back what the session holds, when the request is done; nil: nothing
}

func (c *Caller) close() {
	if c.Close != nil {
		_ = c.Close()
	}
}

// Source knows who has a token: Hub, DB, or one's own.
type Source func(ctx context.Context, token string) (*Caller, error)

// Hub is the tenants of a hub: a key of an organization works on that one's file. Keys of none are on the system file.
func Hub(hub *brant.Hub) Source {
	return func(ctx context.Context, token string) (*Caller, error) {
		caller, err := hub.Authenticate(ctx, token)
		if err != nil {
			return nil, err
		}
		return made(caller.DB, &caller.Authenticated, caller.Close), nil
	}
}

// DB is one file that has its accounts and keys itself.
func DB(db *brant.DB) Source {
	return func(ctx context.Context, token string) (*Caller, error) {
		who, err := db.Authenticate(ctx, token)
		if err != nil {
			return nil, err
		}
		session, err := db.Session(who.Identity)
		if err != nil {
			return nil, err
		}
		return made(session, &who, session.Close), nil
	}
}

func made(db *brant.DB, who *brant.Authenticated, end func() error) *Caller {
	c := &Caller{DB: db, Key: who.Key.ID, Account: who.Account.ID, Scopes: who.Identity.Scopes, Close: end}
	if who.Organization != nil {
		c.Organization = who.Organization.ID
	}
	return c
}

// Options of New; nil is the default. What is 0 has its default, too.
type Options struct {
	MaxBody int64         // bytes of a request, default 1 MiB: then 413
	Timeout time.Duration // of a call, default 30 s: then 503
	// ReadTimeout is how long a request's body may take to come, default 30 s: then 408. WriteTimeout is how long a client may take for an answer, or for one event of a subscription,
	// default 30 s: then its connection is cut. Both hold whatever the http.Server says, where its connections have deadlines.
	ReadTimeout  time.Duration
	WriteTimeout time.Duration
	// MaxStreams is how many subscriptions may be open at once, default 1000: then 503. Each holds some descriptors, and its tenant's file. KeyStreams is how many of them one key may have,
	// default 32: then 429. Negative: without bound.
	MaxStreams int
	KeyStreams int
	// Offer says which of the operations are offered; nil: all. Those on paths of the machine and transactions never are. Typed operations ("types.crm.Person.put") depend on the caller's file: of
	// them it gets Name and Namespace ("types") alone, when they are called.
	Offer func(operation brant.Operation) bool
	// Before is called with each call before it runs, to record or refuse it. Its error is the answer.
	Before func(ctx context.Context, caller *Caller, operation string) error
	// Limit is how many requests a key may make in Period (default a minute); 0: without bound. More are 429, with Retry-After. Each process counts for itself.
	Limit  int
	Period time.Duration
	// Recheck is how often a subscription's key is looked at again, default 10 s: the stream ends when it was revoked meanwhile, or may something else, or could not be looked at three times.
	Recheck time.Duration
	Beat    time.Duration // a comment is sent to a subscription that is silent for so long, default 15 s
	Logger  *slog.Logger  // of what fails in the server, default slog.Default()
	Title   string        // of the OpenAPI document
}

// Handler is an http.Handler, to be mounted at the root or behind http.StripPrefix.
type Handler struct {
	source  Source
	options Options
	routes  *http.ServeMux
	offered map[string]brant.Operation
	names   []string
	rates   rates
	streams streams
	closing context.Context // ended by Close
	close   context.CancelFunc
}

// New makes a handler.
func New(source Source, options *Options) (*Handler, error) {
	h := &Handler{source: source, offered: map[string]brant.Operation{}, routes: http.NewServeMux()}
	h.closing, h.close = context.WithCancel(context.Background())
	if options != nil {
		h.options = *options
	}
	o := &h.options
	o.MaxBody = orElse(o.MaxBody, 1<<20)
	o.ReadTimeout, o.WriteTimeout = orElse(o.ReadTimeout, 30*time.Second), orElse(o.WriteTimeout, 30*time.Second)
	o.Timeout, o.Period = orElse(o.Timeout, 30*time.Second), orElse(o.Period, time.Minute)
	o.Recheck, o.Beat = orElse(o.Recheck, 10*time.Second), orElse(o.Beat, 15*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Title == "" {
		o.Title = "brant"
	}
	all, err := brant.Operations()
	if err != nil {
		return nil, err
	}
	for _, operation := range all {
		if operation.Namespace == "transaction" || operation.Files != "" || (o.Offer != nil && !o.Offer(operation)) {
			continue
		}
		if operation.Type == brant.Subscription && !slices.Contains(subscriptions, operation.Name) {
			continue
		}
		h.offered[operation.Name] = operation
		h.names = append(h.names, operation.Name)
	}
	slices.Sort(h.names)
	h.rates.limit, h.rates.period = o.Limit, o.Period
	h.streams.most, h.streams.each, h.streams.open = bound(o.MaxStreams, 1000), bound(o.KeyStreams, 32), map[string]int{}
	h.routes.HandleFunc("POST /call/{operation}", h.answered(h.call))
	h.routes.HandleFunc("GET /subscribe/{operation}", h.known(h.subscribe))
	h.routes.HandleFunc("GET /operations", h.answered(h.operations))
	h.routes.HandleFunc("GET /openapi.json", h.answered(h.openAPI))
	h.routes.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { h.write(w, http.StatusNoContent, "", nil) })
	return h, nil
}

func orElse[T int64 | time.Duration](given, otherwise T) T {
	if given <= 0 {
		return otherwise
	}
	return given
}

func bound(given, otherwise int) int {
	switch {
	case given < 0:
		return math.MaxInt
	case given == 0:
		return otherwise
	}
	return given
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Of the body, and of what the server reads of it when we have not.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.options.ReadTimeout))
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if handler, route := h.routes.Handler(r); route == "" {
		refusal := unrouted{header: header}
		handler.ServeHTTP(&refusal, r)
		if refusal.status >= 400 { // else a redirect
			h.refuse(w, r, &refusal)
			return
		}
	}
	h.routes.ServeHTTP(w, r)
}

// Close ends the subscriptions, which http.Server.Shutdown would wait for, and takes no more: http.Server.RegisterOnShutdown(handler.Close).
func (h *Handler) Close() { h.close() }

// known lets those through who have a key.
func (h *Handler) known(then func(w http.ResponseWriter, r *http.Request, caller *Caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, err := h.source(r.Context(), token(r))
		if err == nil {
			err = func() error {
				defer caller.close()
				if wait := h.rates.take(caller.Key); wait > 0 {
					return &tooMany{"the key has made too many requests", wait}
				}
				return then(w, r, caller)
			}()
		}
		if err != nil {
			h.refuse(w, r, err)
		}
	}
}

// answered writes what comes of it when the caller's database was given back.
func (h *Handler) answered(run func(w http.ResponseWriter, r *http.Request, caller *Caller) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var answer []byte
		h.known(func(w http.ResponseWriter, r *http.Request, caller *Caller) (err error) {
			answer, err = run(w, r, caller)
			return err
		})(w, r)
		if answer != nil {
			h.write(w, http.StatusOK, "application/json", answer)
		}
	}
}

// write writes an answer to a client that has to take it. The deadline is the connection's, which may serve requests of others next: nothing of the answer is left when it is lifted.
func (h *Handler) write(w http.ResponseWriter, status int, kind string, body []byte) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(h.options.WriteTimeout))
	if status != http.StatusNoContent {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err == nil && control.Flush() == nil {
		_ = control.SetWriteDeadline(time.Time{})
	}
}

func token(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// operation is the one that is asked for.
func (h *Handler) operation(r *http.Request, subscription bool) (brant.Operation, error) {
	operation, ok := h.offered[r.PathValue("operation")]
	if !ok && strings.HasPrefix(r.PathValue("operation"), "types.") && !subscription { // of a graph type of the caller's file
		typed := brant.Operation{Name: r.PathValue("operation"), Namespace: "types"}
		if h.options.Offer == nil || h.options.Offer(typed) {
			return typed, nil
		}
	}
	if !ok || (operation.Type == brant.Subscription) != subscription {
		return operation, fail(brant.ErrNotFound, "no such operation here")
	}
	return operation, nil
}

func (h *Handler) call(w http.ResponseWriter, r *http.Request, caller *Caller) ([]byte, error) {
	operation, err := h.operation(r, false)
	if err != nil {
		return nil, err
	}
	input, err := h.body(w, r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.options.Timeout)
	defer cancel()
	if h.options.Before != nil {
		if err := h.options.Before(ctx, caller, operation.Name); err != nil {
			return nil, err
		}
	}
	return caller.DB.CallJSON(ctx, operation.Name, input)
}

// body reads the input of a call.
func (h *Handler) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	input, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.options.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fail(brant.ErrLimit, "the body is larger than is taken here")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &tooSlow{}
	case err != nil:
		return nil, fail(brant.ErrInvalid, "the body could not be read")
	}
	patient(w)
	if len(input) == 0 {
		input = []byte("{}")
	}
	return input, nil
}

// patient lets a request whose body has come take its time: the server's deadline for reading would end its context, since the server reads on to learn when the client goes.
func patient(w http.ResponseWriter) { _ = http.NewResponseController(w).SetReadDeadline(time.Time{}) }

// allowed are the operations that a caller's scopes are enough for.
func (h *Handler) allowed(caller *Caller) []brant.Operation {
	allowed := make([]brant.Operation, 0, len(h.names))
	for _, name := range h.names {
		operation := h.offered[name]
		if slices.ContainsFunc(operation.RequiredScopes, func(wanted string) bool {
			return !slices.ContainsFunc(caller.Scopes, func(scope string) bool { return covers(scope, wanted) })
		}) {
			continue
		}
		allowed = append(allowed, operation)
	}
	return allowed
}

// covers says whether a scope has another in it: "nodes:*" has "nodes:read".
func covers(scope, wanted string) bool {
	have, action, _ := strings.Cut(scope, ":")
	want, wants, _ := strings.Cut(wanted, ":")
	return (have == "*" || have == want) && (action == "*" || action == wants)
}

func (h *Handler) operations(_ http.ResponseWriter, _ *http.Request, caller *Caller) ([]byte, error) {
	return json.Marshal(map[string]any{"items": h.allowed(caller)})
}

// Serve serves a handler until ctx ends; then nothing new is taken, subscriptions end, and what runs has so long to end. What
// has not is cut off: context.DeadlineExceeded. A handler beside other routes is for an http.Server of your own, which ends
// subscriptions by server.RegisterOnShutdown(handler.Close).
func Serve(ctx context.Context, listener net.Listener, handler *Handler, grace time.Duration) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	server.RegisterOnShutdown(handler.Close)
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		err := server.Shutdown(last)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		ended <- err
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		if stop() { // nothing else ends what runs
			handler.Close()
			err = errors.Join(err, server.Close())
		}
		return err
	}
	return <-ended
}
