package branthttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/brant-db/brant-go"
)

// subscriptions are those that show something. The others are how workers wait for their turn.
var subscriptions = []string{"events.listen", "jobs.watch", "nodes.walk", "streams.subscribe"}

// subscribe sends a subscription's items as server-sent events, each a message; with an offset, its id is that. Who comes back with Last-Event-ID goes on after it. It ends with an event "end"
// when nothing will come any more, and with an event "error", a problem, when it fails or the key is no longer good. Its connection ends with it.
func (h *Handler) subscribe(w http.ResponseWriter, r *http.Request, caller *Caller) error {
	operation, err := h.operation(r, true)
	if err != nil {
		return err
	}
	input, err := members(operation, r.URL.Query())
	if err != nil {
		return err
	}
	_, offsets := properties(operation)["from"]
	if last := r.Header.Get("Last-Event-ID"); last != "" && offsets {
		from, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return fail(brant.ErrInvalid, "Last-Event-ID is no offset")
		}
		input["from"] = from
	}
	if h.closing.Err() != nil {
		return errClosing
	}
	if err := h.streams.take(caller.Key); err != nil {
		return err
	}
	defer h.streams.leave(caller.Key)
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	if h.options.Before != nil {
		if err := h.options.Before(ctx, caller, operation.Name); err != nil {
			return err
		}
	}
	watch, err := caller.DB.Subscribe(ctx, operation.Name, input)
	if err != nil {
		return err
	}
	defer func() { _ = watch.Close() }()
	patient(w)
	defer func() { _ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.options.ReadTimeout)) }() // of a body that nobody asked for
	out := &stream{writer: w, control: http.NewResponseController(w), patience: h.options.WriteTimeout}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close") // with its deadline for writing
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	if err := out.send(": open\n\n"); err != nil {
		if errors.Is(err, http.ErrNotSupported) {
			h.options.Logger.ErrorContext(ctx, "branthttp: what wraps the handler cannot flush", "path", r.URL.Path)
		}
		return nil
	}
	// Whatever ends it does so at once, also in the middle of what a client takes slowly.
	defer context.AfterFunc(h.closing, func() { cancel(errClosing) })()
	defer context.AfterFunc(ctx, out.hurry)()
	defer out.end()
	go h.recheck(ctx, cancel, token(r), caller)
	h.relay(ctx, watch, out, offsets)
	return nil // the status is written already
}

var errClosing = fail(brant.ErrClosed, "the server is ending")

// relay sends what comes until ctx ends, the subscription does, or the client takes no more.
func (h *Handler) relay(ctx context.Context, watch *brant.Watch[json.RawMessage], out *stream, offsets bool) {
	items := make(chan json.RawMessage)
	failed := make(chan error, 1)
	go func() {
		for {
			item, err := watch.Next(ctx)
			if err != nil {
				failed <- err
				return
			}
			select {
			case items <- item:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()
	beat := time.NewTicker(h.options.Beat)
	defer beat.Stop()
	for {
		var err error
		select {
		case item := <-items:
			if ctx.Err() != nil {
				continue // and it fails
			}
			err = out.send(message(item, offsets))
			beat.Reset(h.options.Beat)
		case <-beat.C:
			err = out.send(": beat\n\n")
		case err = <-failed:
			switch cause := context.Cause(ctx); {
			case errors.Is(err, io.EOF), cause == error(errClosing):
				_ = out.send("event: end\ndata: {}\n\n")
			case cause == nil:
				_ = out.send(ending("error", err))
			case !errors.Is(cause, context.Canceled): // the key's
				_ = out.send(ending("error", cause))
			}
			return
		}
		if err != nil {
			return
		}
	}
}

const rechecks = 3 // that fail without saying anything of the key

// recheck ends a subscription when its key is no longer what it was.
func (h *Handler) recheck(ctx context.Context, cancel context.CancelCauseFunc, token string, caller *Caller) {
	timer := time.NewTicker(h.options.Recheck)
	defer timer.Stop()
	for failed := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		again, err := h.source(ctx, token)
		if err == nil {
			same := again.Key == caller.Key && again.Account == caller.Account && again.Organization == caller.Organization && slices.Equal(again.Scopes, caller.Scopes)
			again.close()
			if same {
				failed = 0
				continue
			}
			err = fail(brant.ErrAuth, "the key's rights have changed")
		}
		if failed++; Status(err) < http.StatusInternalServerError || failed == rechecks {
			cancel(err)
			return
		}
	}
}

// stream writes to a client that has to take what it gets.
type stream struct {
	writer  http.ResponseWriter
	control *http.ResponseController

	lock     sync.Mutex
	patience time.Duration
	over     bool // the writer is not ours any more
}

const lastWords = 2 * time.Second // at the most, for what is said when it ends

// hurry leaves the client no more time than for the last words.
func (s *stream) hurry() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.patience = min(s.patience, lastWords)
	if !s.over {
		s.limit()
	}
}

func (s *stream) end() {
	s.lock.Lock()
	s.over = true
	s.lock.Unlock()
}

func (s *stream) limit() { _ = s.control.SetWriteDeadline(time.Now().Add(s.patience)) } // where the server can

func (s *stream) send(text string) error {
	s.lock.Lock()
	s.limit()
	s.lock.Unlock()
	if _, err := io.WriteString(s.writer, text); err != nil {
		return err
	}
	return s.control.Flush()
}

func message(item json.RawMessage, offsets bool) string {
	var head struct {
		Offset *int64 `json:"offset"`
	}
	if offsets && json.Unmarshal(item, &head) == nil && head.Offset != nil {
		return fmt.Sprintf("id: %d\ndata: %s\n\n", *head.Offset, item)
	}
	return fmt.Sprintf("data: %s\n\n", item) // one line: the core writes JSON without any break
}

func ending(event string, err error) string {
	problem := Problem{Type: "about:blank", Title: http.StatusText(Status(err)), Status: Status(err), Code: brant.ErrInternal.String(), Detail: "the server failed"}
	var e *brant.Error
	if errors.As(err, &e) && problem.Status != http.StatusInternalServerError {
		problem.Code, problem.Detail = e.Code.String(), e.Message
	}
	text, _ := json.Marshal(problem)
	return fmt.Sprintf("event: %s\ndata: %s\n\n", event, text)
}

type property struct {
	Type        json.RawMessage `json:"type"`
	Description string          `json:"description"`
}

func properties(operation brant.Operation) map[string]property {
	var schema struct {
		Properties map[string]property `json:"properties"`
	}
	_ = json.Unmarshal(operation.InputSchema, &schema)
	return schema.Properties
}

// required are the members that an operation's input must have.
func required(operation brant.Operation) []string {
	var schema struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal(operation.InputSchema, &schema)
	return schema.Required
}

// members reads the input of a subscription from a query: texts as they are, lists by repeating, and everything else as JSON.
func members(operation brant.Operation, query url.Values) (map[string]any, error) {
	known := properties(operation)
	input := map[string]any{}
	for name, values := range query {
		of, ok := known[name]
		if !ok {
			return nil, fail(brant.ErrInvalid, "the query has a member that the operation has not")
		}
		switch string(of.Type) {
		case `"array"`:
			input[name] = values
		case `"string"`:
			input[name] = values[len(values)-1]
		default:
			value := values[len(values)-1]
			if json.Valid([]byte(value)) {
				input[name] = json.RawMessage(value)
			} else {
				input[name] = value
			}
		}
	}
	return input, nil
}
