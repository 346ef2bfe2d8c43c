// The agent of the conformance suite in Go: each operation by the package's public method. ../../README.md is the protocol.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/brant-db/brant-go"
)

type request struct {
	ID         json.RawMessage `json:"id"`
	Object     string          `json:"object"`
	Name       string          `json:"name"`
	Arguments  json.RawMessage `json:"arguments"`
	As         string          `json:"as"`
	Background bool            `json:"background"`
}

type fault struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Detail  json.RawMessage `json:"detail"`
}

func (f *fault) Error() string { return f.Message }

func faultf(code, format string, arguments ...any) error {
	return &fault{Code: code, Message: fmt.Sprintf(format, arguments...), Detail: json.RawMessage("{}")}
}

// handle is an open database, and the transactions that transaction.begin opened on it, innermost last.
type handle struct {
	db           *brant.DB
	ring         *brant.Keyring // the last that was attached
	outer        *handle        // of a session: what it is over
	transactions []*brant.Tx
	hub          *brant.Hub // whose system file it is; else nil
	lent         bool       // by a hub
}

func (h *handle) close() error {
	if h.hub != nil {
		return h.hub.Close()
	}
	return h.db.Close()
}

type agent struct {
	lock    sync.Mutex
	objects map[string]any // *handle, cursor
	writing sync.Mutex
}

var ctx = context.Background()

func main() {
	a := &agent{objects: map[string]any{}}
	var background sync.WaitGroup
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			break
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if r.Background {
			background.Add(1)
			go func() {
				defer background.Done()
				a.answer(r)
			}()
		} else {
			a.answer(r)
		}
	}
	a.reset()
	background.Wait()
}

func (a *agent) answer(r request) {
	result, err := a.run(r)
	reply := map[string]any{"id": r.ID}
	if err != nil {
		reply["error"] = toFault(err)
	} else {
		reply["result"] = result
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	encoder := json.NewEncoder(os.Stdout)
	if err := encoder.Encode(reply); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func toFault(err error) *fault {
	var known *fault
	var ours *brant.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &ours):
		return &fault{Code: ours.Code.String(), Message: ours.Message, Detail: ours.Detail}
	}
	return &fault{Code: "AGENT", Message: err.Error(), Detail: json.RawMessage("{}")}
}

func (a *agent) get(name string) any {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.objects[name]
}

func (a *agent) set(name string, object any) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.objects[name] = object
}

func (a *agent) reset() {
	a.lock.Lock()
	objects := a.objects
	a.objects = map[string]any{}
	a.lock.Unlock()
	for _, object := range objects {
		switch o := object.(type) {
		case *handle:
			_ = o.close()
		case cursor:
			o.close()
		}
	}
}

func (a *agent) run(r request) (any, error) {
	switch r.Name {
	case "environment":
		return map[string]any{"language": "go", "runtime": runtime.Version(), "brant": brant.Version()}, nil
	case "reset":
		a.reset()
		return nil, nil
	case "open", "hub.open":
		h, err := openNamed(r)
		if err != nil {
			return nil, err
		}
		if old, ok := a.get(r.Object).(*handle); ok {
			_ = old.close()
		}
		a.set(r.Object, h)
		return nil, nil
	}
	switch object := a.get(r.Object).(type) {
	case *handle:
		return a.runHandle(object, r)
	case cursor:
		return object.run(r)
	}
	return nil, faultf("UNKNOWN_OBJECT", "%s", r.Object)
}

func openNamed(r request) (*handle, error) {
	if r.Name == "open" {
		db, err := open(r.Arguments)
		return &handle{db: db}, err
	}
	hub, err := openHub(r.Arguments)
	if err != nil {
		return nil, err
	}
	return &handle{db: hub.System(), hub: hub}, nil
}

func open(arguments json.RawMessage) (*brant.DB, error) {
	var given struct {
		Path    string `json:"path"`
		Options struct {
			Mode        brant.Mode        `json:"mode"`
			Durability  brant.Durability  `json:"durability"`
			Role        brant.Role        `json:"role"`
			Permissions brant.Permissions `json:"permissions"`
			BusyTimeout *int64            `json:"busy_timeout"`
			Adopt       bool              `json:"adopt"`
			Network     bool              `json:"network"`
			System      bool              `json:"system"`
			Limits      struct {
				Document int `json:"document"`
				Depth    int `json:"depth"`
				Key      int `json:"key"`
				Batch    int `json:"batch"`
			} `json:"limits"`
			Cache int `json:"cache"`
		} `json:"options"`
	}
	if !strictly(arguments, &given) {
		return nil, faultf("INVALID", "Go's Options have no such thing")
	}
	o := given.Options
	options := &brant.Options{
		Mode: o.Mode, Durability: o.Durability, Role: o.Role, Permissions: o.Permissions, Adopt: o.Adopt, Network: o.Network,
		System: o.System, Limits: brant.Limits(o.Limits), Cache: o.Cache,
	}
	if o.BusyTimeout != nil {
		options.BusyTimeout = time.Duration(*o.BusyTimeout) * time.Millisecond
		if *o.BusyTimeout == 0 {
			options.BusyTimeout = -1
		}
	}
	return brant.Open(given.Path, options)
}

func (a *agent) runHandle(h *handle, r request) (any, error) {
	switch r.Name {
	case "close":
		h.transactions = nil
		return nil, h.close()
	case "hub.acquire", "hub.authenticate", "hub.release":
		return a.runHub(h, r)
	case "interrupt":
		h.db.Interrupt()
		return nil, nil
	case "keyring":
		return nil, h.keyring(r.Arguments)
	case "session":
		return nil, a.session(h, r)
	case "call_text":
		return callText(h.target(), r.Arguments)
	case "run_in_transaction":
		return runInTransaction(h, r.Arguments)
	case "transaction.begin", "transaction.commit", "transaction.rollback":
		return h.transaction(r.Name, r.Arguments)
	case "nodes.walk":
		w, err := openWalk(h.target(), r.Arguments)
		if w != nil {
			a.set(r.As, w)
		}
		return nil, err
	case "operations.list":
		m := readMembers(r.Arguments)
		graphType, ofTypes := take[string](m, "graph_type")
		var namespaces []string
		if namespace := m.given("namespace"); namespace != "" {
			namespaces = append(namespaces, namespace)
		}
		var list []brant.Operation
		var err error
		switch {
		case !m.all() || (ofTypes && namespaces != nil) || h.outer != nil: // what the package knows by itself is nobody's
			answer, err := h.target().CallJSON(ctx, r.Name, r.Arguments)
			return json.RawMessage(answer), err
		case ofTypes:
			list, err = h.target().GraphTypes.Operations(ctx, graphType)
		default:
			list, err = brant.Operations(namespaces...)
		}
		return map[string]any{"items": list}, err
	}
	if open, ok := subscriptions[r.Name]; ok && len(h.transactions) == 0 {
		m := readMembers(r.Arguments)
		if opening := open(h.target(), m); m.all() {
			c, err := opening()
			if err != nil {
				return nil, err
			}
			a.set(r.As, c)
			return nil, nil
		}
		return nil, faultf("INVALID", "Go's method cannot be called so: %s", m.missing)
	}
	return call(h.target(), r.Name, r.Arguments)
}

// session opens one, named by the request.
func (a *agent) session(h *handle, r request) error {
	m := readMembers(r.Arguments)
	text, _ := m.value("identity").(json.RawMessage)
	var identity brant.Identity
	if !m.all() {
		return faultf("INVALID", "a session step has an identity")
	}
	var db *brant.DB
	var err error
	if strictly(text, &identity) && identity.ID != "" {
		db, err = h.db.Session(identity)
	} else {
		db, err = h.db.SessionJSON(text)
	}
	if err != nil {
		return err
	}
	name := r.As
	if name == "" {
		name = "session"
	}
	a.set(name, &handle{db: db, outer: h})
	return nil
}

// joined is the open transaction of what a session is over, as the session may use it; nil: there is none.
func (h *handle) joined() *brant.Tx {
	for outer := h.outer; outer != nil; outer = outer.outer {
		if last := len(outer.transactions) - 1; last >= 0 {
			if tx, err := outer.transactions[last].As(h.db); err == nil {
				return tx
			}
		}
	}
	return nil
}

// keyring attaches a ring, or takes the last one away.
func (h *handle) keyring(arguments json.RawMessage) error {
	m := readMembers(arguments)
	var text string
	ring, _ := m.value("ring").(json.RawMessage)
	if !m.all() {
		return faultf("INVALID", "a keyring step has a ring")
	}
	if ring == nil || string(ring) == "null" {
		if h.outer != nil { // there is nothing to close: no session has a ring
			_, err := h.db.KeyringJSON([]byte(`{"keys":[]}`))
			return err
		}
		if h.ring == nil {
			return nil
		}
		return h.ring.Close()
	}
	if json.Unmarshal(ring, &text) == nil {
		ring = json.RawMessage(text)
	}
	keys, expressive := keysOf(ring)
	var attached *brant.Keyring
	var err error
	if expressive {
		attached, err = h.db.Keyring(keys)
	} else {
		attached, err = h.db.KeyringJSON(ring)
	}
	if err == nil {
		h.ring = attached
	}
	return err
}

// target is what the operations of a handle run on: the innermost transaction, or the database.
func (h *handle) target() target {
	if last := len(h.transactions) - 1; last >= 0 {
		return inTx(h.transactions[last])
	}
	if tx := h.joined(); tx != nil {
		return inTx(tx)
	}
	return target{
		Graphs: h.db.Graphs, GraphTypes: h.db.GraphTypes, Indexes: h.db.Indexes, Channels: h.db.Channels, Queues: h.db.Queues, Jobs: h.db.Jobs,
		Streams: h.db.Streams, Locks: h.db.Locks, RateLimits: h.db.RateLimits, Schedules: h.db.Schedules, Calls: h.db.Calls,
		Secrets: h.db.Secrets, Envelopes: h.db.Envelopes, Accounts: h.db.Accounts, Organizations: h.db.Organizations,
		Members: h.db.Members, Invitations: h.db.Invitations, APIKeys: h.db.APIKeys, Audit: h.db.Audit, Access: h.db.Access, Tenants: h.db.Tenants,
		anyone: h.db, db: h.db,
	}
}

func inTx(tx *brant.Tx) target {
	return target{
		Graphs: tx.Graphs, GraphTypes: tx.GraphTypes, Indexes: tx.Indexes, Channels: tx.Channels, Queues: tx.Queues, Jobs: tx.Jobs,
		Streams: tx.Streams, Locks: tx.Locks, RateLimits: tx.RateLimits, Schedules: tx.Schedules, Calls: tx.Calls,
		Secrets: tx.Secrets, Envelopes: tx.Envelopes, Accounts: tx.Accounts, Organizations: tx.Organizations,
		Members: tx.Members, Invitations: tx.Invitations, APIKeys: tx.APIKeys, Audit: tx.Audit, Access: tx.Access, Tenants: tx.Tenants,
		anyone: tx,
	}
}

func (h *handle) transaction(name string, arguments json.RawMessage) (any, error) {
	depth := len(h.transactions)
	if name == "transaction.begin" {
		mode := readMembers(arguments).given("mode")
		var tx *brant.Tx
		var err error
		switch {
		case depth > 0:
			tx, err = h.transactions[depth-1].Begin(ctx)
		case mode == "read":
			tx, err = h.db.BeginRead(ctx)
		default:
			tx, err = h.db.Begin(ctx)
		}
		if err != nil {
			return nil, err
		}
		h.transactions = append(h.transactions, tx)
		return map[string]any{"depth": depth + 1}, nil
	}
	if tx := h.joined(); depth == 0 && tx != nil {
		if name == "transaction.commit" {
			return nil, tx.Commit(ctx)
		}
		return nil, tx.Rollback()
	}
	if depth == 0 {
		return h.db.CallJSON(ctx, name, []byte("{}"))
	}
	tx := h.transactions[depth-1]
	h.transactions = h.transactions[:depth-1]
	var err error
	if name == "transaction.commit" {
		err = tx.Commit(ctx)
	} else {
		err = tx.Rollback()
	}
	return map[string]any{"depth": depth - 1}, err
}

var errRollBack = errors.New("roll back")

func runInTransaction(h *handle, arguments json.RawMessage) (any, error) {
	var given struct {
		Mode       string `json:"mode"`
		Operations []struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"operations"`
		Rollback bool `json:"rollback"`
	}
	if err := json.Unmarshal(arguments, &given); err != nil {
		return nil, err
	}
	answers := []any{}
	body := func(tx *brant.Tx) error {
		for _, operation := range given.Operations {
			answer, err := call(inTx(tx), operation.Name, operation.Arguments)
			if err != nil {
				return err
			}
			answers = append(answers, answer)
		}
		if given.Rollback {
			return errRollBack
		}
		return nil
	}
	construct := h.db.Tx
	if given.Mode == "read" {
		construct = h.db.View
	}
	if err := construct(ctx, body); errors.Is(err, errRollBack) {
		return map[string]any{"rolled_back": true}, nil
	} else if err != nil {
		return nil, err
	}
	return answers, nil
}

func callText(t target, arguments json.RawMessage) (any, error) {
	var given struct {
		Name   string  `json:"name"`
		Text   string  `json:"text"`
		Base64 *string `json:"base64"`
	}
	if err := json.Unmarshal(arguments, &given); err != nil {
		return nil, err
	}
	text := []byte(given.Text)
	if given.Base64 != nil {
		decoded, err := base64.StdEncoding.DecodeString(*given.Base64)
		if err != nil {
			return nil, err
		}
		text = decoded
	}
	answer, err := t.CallJSON(ctx, given.Name, text)
	return json.RawMessage(answer), err
}

// walk is a loop over nodes.walk that stands still between the driver's calls.
type walk struct {
	next  func() (brant.WalkBatch, error, bool)
	stop  func()
	first *brant.WalkBatch // was taken to see whether it opens
	over  bool             // at the end
	shut  bool             // closed
}

func openWalk(t target, arguments json.RawMessage) (*walk, error) {
	m := readMembers(arguments)
	graph, keys, order := m.text("graph"), m.texts("keys"), m.given("order")
	options := m.walk(order)
	if !m.all() {
		return nil, faultf("INVALID", "Go's WalkOptions have no such thing")
	}
	w := new(walk)
	w.next, w.stop = iter.Pull2(t.Graph(graph).Nodes.Walk(ctx, keys, options))
	batch, err, some := w.next()
	if err != nil {
		w.stop()
		return nil, err
	}
	if w.over = !some; some {
		w.first = &batch
	}
	return w, nil
}

func (w *walk) close() {
	w.shut = true
	w.stop()
}

func (w *walk) run(r request) (any, error) {
	switch {
	case r.Name == "cursor.close":
		w.close()
		return nil, nil
	case r.Name != "cursor.next":
		return nil, faultf("UNKNOWN_OPERATION", "%s", r.Name)
	case w.shut: // a loop that was left says nothing more
		return nil, faultf("CLOSED", "the walk is closed")
	case w.first != nil:
		batch := *w.first
		w.first = nil
		return []brant.WalkBatch{batch}, nil
	case w.over:
		return []brant.WalkBatch{}, nil
	}
	batch, err, some := w.next()
	if w.over = !some || err != nil; err != nil {
		return nil, err
	}
	if !some {
		return []brant.WalkBatch{}, nil
	}
	return []brant.WalkBatch{batch}, nil
}
