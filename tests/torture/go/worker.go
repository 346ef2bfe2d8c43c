// Command torture is one worker of events.py, in Go: worker.py says what it does.
//
//	torture FILE LEDGER NAME SEED UNTIL
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	brant "github.com/brant-db/brant-go"
)

const lease = 400 // ms

var queues = []string{"plain", "keyed", "ordered", "ticks"}

// errLost: what the transaction stands on is not so any more; it is rolled back.
var errLost = errors.New("lost")

type object = map[string]any

// caller is a database or a transaction in it.
type caller interface {
	Call(ctx context.Context, name string, input, output any) error
	Execute(ctx context.Context, sql string, params ...any) (*brant.Rows, error)
}

type worker struct {
	ctx      context.Context
	db       *brant.DB
	listener *brant.Listener
	ledger   *os.File
	name     string
	made     int
	said     int
	heard    map[string]int
	*rand.Rand
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (w *worker) note(format string, values ...any) {
	_, err := w.ledger.WriteString(fmt.Sprintf(format, values...) + "\n")
	must(err)
}

func (w *worker) chance(percent int) bool { return w.IntN(100) < percent }

func (w *worker) uid(prefix string) string {
	w.made++
	return fmt.Sprintf("%s%s-%d", prefix, w.name, w.made)
}

func nap(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }

func (w *worker) call(name string, input object, output any) { must(w.db.Call(w.ctx, name, input, output)) }

// ---- jobs -----------------------------------------------------------------------------------------------------------------

type job struct {
	ID         int64   `json:"id"`
	Token      int64   `json:"token"`
	Queue      string  `json:"queue"`
	Key        *string `json:"key"`
	LeaseUntil int64   `json:"lease_until"`
	Payload    struct {
		UID string `json:"uid"`
	} `json:"payload"`
}

func (w *worker) produce() {
	uid, kind := w.uid(""), w.IntN(4)
	if kind == 3 {
		var items []object
		for i, end := range []string{"-a", "-b", "-c"} {
			w.note("> %s%s", uid, end)
			item := object{"payload": object{"uid": uid + end}}
			if i > 0 {
				item["after"] = []object{{"item": i - 1}}
			}
			items = append(items, item)
		}
		var answer struct {
			IDs []int64 `json:"ids"`
		}
		w.call("queues.enqueue_many", object{"queue": "plain", "items": items}, &answer)
		for i, end := range []string{"-a", "-b", "-c"} {
			w.note("+ %s%s %d", uid, end, answer.IDs[i])
		}
		return
	}
	input := object{"queue": queues[kind], "payload": object{"uid": uid}, "priority": w.IntN(3)}
	if kind == 0 && w.chance(30) {
		input["delay"] = w.IntN(200)
	}
	if kind > 0 {
		input["key"] = fmt.Sprintf("k%d", w.IntN(4))
	}
	if kind == 2 {
		input["priority"] = 0
	}
	w.note("> %s", uid)
	var answer job
	w.call("queues.enqueue", input, &answer)
	w.note("+ %s %d", uid, answer.ID)
}

func (w *worker) run(tx caller, what string, j *job) error {
	_, err := tx.Execute(w.ctx, "INSERT INTO runs (what, queue, key, uid, job, token, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?)",
		what, j.Queue, j.Key, j.Payload.UID, j.ID, j.Token, j.LeaseUntil)
	return err
}

// end writes the row and does the operation, or neither.
func (w *worker) end(what, operation string, j *job, members object) {
	input := object{"id": j.ID, "token": j.Token}
	for name, value := range members {
		input[name] = value
	}
	err := w.db.Tx(w.ctx, func(tx *brant.Tx) error {
		var answer job
		if err := w.run(tx, what, j); err != nil {
			return err
		}
		if err := tx.Call(w.ctx, operation, input, &answer); err != nil {
			return err
		}
		if what != "beat" {
			return nil
		}
		j.LeaseUntil = answer.LeaseUntil
		_, err := tx.Execute(w.ctx, "UPDATE runs SET lease_until = ? WHERE row = last_insert_rowid()", j.LeaseUntil)
		return err
	})
	if errors.Is(err, brant.ErrStale) {
		w.note("s %d", j.ID)
		return
	}
	must(err)
}

func (w *worker) work() {
	var claimed struct {
		Items []job `json:"items"`
	}
	input := object{"queue": queues[max(0, w.IntN(6)-2)], "worker": w.name, "limit": 1 + w.IntN(3), "lease": lease}
	must(w.db.Tx(w.ctx, func(tx *brant.Tx) error {
		if err := tx.Call(w.ctx, "queues.claim", input, &claimed); err != nil {
			return err
		}
		for i := range claimed.Items {
			if err := w.run(tx, "begin", &claimed.Items[i]); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range claimed.Items {
		j := &claimed.Items[i]
		switch fate := w.IntN(100); {
		case fate < 6:
			w.end("fail", "jobs.fail", j, object{"error": "drawn", "delay": w.IntN(100)})
			continue
		case fate < 10:
			w.end("release", "jobs.release", j, nil)
			continue
		case fate < 14:
			nap(lease + 100)
		case fate < 20:
			w.end("beat", "jobs.heartbeat", j, object{"lease": lease})
		}
		w.end("done", "jobs.ack", j, nil)
	}
}

// ---- streams --------------------------------------------------------------------------------------------------------------

type event struct {
	Offset  int64 `json:"offset"`
	Token   int64 `json:"token"`
	Payload struct {
		UID string `json:"uid"`
	} `json:"payload"`
}

type events struct {
	Items []event `json:"items"`
}

func (w *worker) publish() {
	if w.chance(50) {
		uid := w.uid("e")
		w.note("> %s", uid)
		var answer event
		w.call("streams.publish", object{"stream": "events", "payload": object{"uid": uid}}, &answer)
		w.note("+ %s %d", uid, answer.Offset)
		return
	}
	var uids []string
	var items []object
	for range 3 {
		uid := w.uid("e")
		w.note("> %s", uid)
		uids, items = append(uids, uid), append(items, object{"payload": object{"uid": uid}})
	}
	var answer struct {
		First int64 `json:"first"`
	}
	w.call("streams.publish_many", object{"stream": "events", "items": items}, &answer)
	for i, uid := range uids {
		w.note("+ %s %d", uid, answer.First+int64(i))
	}
}

func (w *worker) see(tx caller, consumer string, items []event, token int64) error {
	for _, e := range items {
		if e.Token == 0 {
			e.Token = token
		}
		if _, err := tx.Execute(w.ctx, "INSERT INTO seen (consumer, offset, uid, token) VALUES (?, ?, ?, ?)", consumer, e.Offset, e.Payload.UID, e.Token); err != nil {
			return err
		}
	}
	return nil
}

type lock struct {
	Acquired bool  `json:"acquired"`
	Token    int64 `json:"token"`
}

func (w *worker) holds(tx caller, name string, token int64) (bool, error) {
	var held lock
	err := tx.Call(w.ctx, "locks.get", object{"name": name}, &held)
	if errors.Is(err, brant.ErrNotFound) {
		return false, nil
	}
	return held.Token == token, err
}

func (w *worker) release(name string, token int64) {
	err := w.db.Call(w.ctx, "locks.release", object{"name": name, "token": token}, nil)
	if errors.Is(err, brant.ErrStale) {
		w.note("s %s", name)
		return
	}
	must(err)
}

func (w *worker) consume() {
	var held lock
	w.call("locks.acquire", object{"name": "consumer", "owner": w.name, "ttl": lease}, &held)
	if !held.Acquired {
		return
	}
	var saved event
	if err := w.db.Call(w.ctx, "consumers.get", object{"stream": "events", "consumer": "one"}, &saved); !errors.Is(err, brant.ErrNotFound) {
		must(err)
	}
	var page events
	w.call("streams.read", object{"stream": "events", "after": saved.Offset, "limit": 20}, &page)
	if w.chance(3) {
		nap(lease + 100)
	}
	err := w.db.Tx(w.ctx, func(tx *brant.Tx) error {
		if mine, err := w.holds(tx, "consumer", held.Token); err != nil || !mine {
			return errors.Join(err, errLost)
		}
		if err := w.see(tx, "one", page.Items, held.Token); err != nil || len(page.Items) == 0 {
			return err
		}
		newest := page.Items[len(page.Items)-1].Offset
		return tx.Call(w.ctx, "consumers.commit", object{"stream": "events", "consumer": "one", "offset": newest}, nil)
	})
	if errors.Is(err, errLost) {
		w.note("s consumer")
		return
	}
	must(err)
	w.release("consumer", held.Token)
}

func (w *worker) share() {
	var page events
	w.call("consumers.claim", object{"stream": "events", "group": "share", "member": w.name, "limit": 5, "lease": lease}, &page)
	if len(page.Items) == 0 || w.chance(10) {
		return
	}
	if w.chance(3) {
		nap(lease + 100)
	}
	err := w.db.Tx(w.ctx, func(tx *brant.Tx) error {
		if err := w.see(tx, "share", page.Items, 0); err != nil {
			return err
		}
		var items []object
		for _, e := range page.Items {
			items = append(items, object{"offset": e.Offset, "token": e.Token})
		}
		var acked struct {
			Stale []int64 `json:"stale"`
		}
		err := tx.Call(w.ctx, "consumers.ack", object{"stream": "events", "group": "share", "items": items}, &acked)
		if err == nil && len(acked.Stale) > 0 {
			err = errLost
		}
		return err
	})
	if errors.Is(err, errLost) {
		w.note("s share")
		return
	}
	must(err)
}

// ---- locks, schedules, notifications, changes -------------------------------------------------------------------------------

func (w *worker) guard() {
	var held lock
	w.call("locks.acquire", object{"name": "guard", "owner": w.name, "ttl": 300}, &held)
	if !held.Acquired {
		return
	}
	for _, what := range []string{"in", "out"} {
		must(w.db.Tx(w.ctx, func(tx *brant.Tx) error {
			mine, err := w.holds(tx, "guard", held.Token)
			if err == nil && mine {
				_, err = tx.Execute(w.ctx, "INSERT INTO guarded (what, token) VALUES (?, ?)", what, held.Token)
			}
			return err
		}))
		if what == "in" {
			most := 6
			if w.chance(3) {
				most = 401
			}
			nap(w.IntN(most))
		}
	}
	w.release("guard", held.Token)
}

func (w *worker) tick() {
	must(w.db.Tx(w.ctx, func(tx *brant.Tx) error {
		var answer struct {
			Fired []struct {
				ID int64 `json:"id"`
				At int64 `json:"at"`
			} `json:"fired"`
		}
		if err := tx.Call(w.ctx, "schedules.tick", nil, &answer); err != nil {
			return err
		}
		for _, fire := range answer.Fired {
			if _, err := tx.Execute(w.ctx, "INSERT INTO fires (at, job) VALUES (?, ?)", fire.At, fire.ID); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (w *worker) notify() {
	n := w.said + 1
	if w.chance(10) {
		n = -1
	}
	err := w.db.Tx(w.ctx, func(tx *brant.Tx) error {
		err := tx.Call(w.ctx, "events.notify", object{"channel": "n", "payload": object{"from": w.name, "n": n}}, nil)
		if err == nil && n < 0 {
			err = errLost
		}
		return err
	})
	if errors.Is(err, errLost) {
		return
	}
	must(err)
	w.said++
}

func (w *worker) change() {
	key := fmt.Sprintf("k%d", w.IntN(50))
	if w.chance(20) {
		if err := w.db.Call(w.ctx, "nodes.delete", object{"graph": "g", "key": key}, nil); !errors.Is(err, brant.ErrNotFound) {
			must(err)
		}
		return
	}
	w.call("nodes.put", object{"graph": "g", "key": key, "attributes": object{"by": w.name, "n": w.IntN(1000)}}, nil)
}

func (w *worker) listen() {
	items, err := w.listener.Pending(w.ctx)
	must(err)
	for _, item := range items {
		if item.Gap != nil {
			clear(w.heard)
			continue
		}
		var payload struct {
			From string `json:"from"`
			N    int    `json:"n"`
		}
		must(json.Unmarshal(item.Payload, &payload))
		last, known := w.heard[payload.From]
		switch {
		case payload.N < 0:
			w.note("! heard what %s rolled back", payload.From)
		case known && payload.N != last+1:
			w.note("! heard %d of %s after %d", payload.N, payload.From, last)
		}
		w.heard[payload.From] = payload.N
	}
}

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: torture FILE LEDGER NAME SEED UNTIL")
		os.Exit(2)
	}
	ctx := context.Background()
	seed, err := strconv.ParseUint(os.Args[4], 10, 64)
	must(err)
	until, err := strconv.ParseFloat(os.Args[5], 64)
	must(err)
	ledger, err := os.OpenFile(os.Args[2], os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(err)
	db, err := brant.Open(os.Args[1], &brant.Options{BusyTimeout: 10 * time.Minute})
	must(err)
	listener, err := db.Listen(ctx, "n")
	must(err)
	w := &worker{ctx: ctx, db: db, listener: listener, ledger: ledger, name: os.Args[3], heard: map[string]int{}, Rand: rand.New(rand.NewPCG(seed, 0))}
	steps := []struct {
		run    func()
		weight int
	}{{w.produce, 20}, {w.work, 30}, {w.publish, 10}, {w.consume, 10}, {w.share, 10}, {w.guard, 6}, {w.tick, 6}, {w.notify, 10}, {w.change, 6}}
	total := 0
	for _, step := range steps {
		total += step.weight
	}
	for float64(time.Now().UnixMilli())/1000 < until {
		drawn := w.IntN(total)
		for _, step := range steps {
			if drawn -= step.weight; drawn < 0 {
				step.run()
				break
			}
		}
		w.listen()
	}
	must(listener.Close())
	must(db.Close())
}
