package brant_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func TestListen(t *testing.T) {
	db := opened(t)
	must(db.Notify(ctx, "a", "before"))(t)
	listener := must(db.Listen(ctx, "a", "b:*"))(t)
	equal(t, len(must(listener.Pending(ctx))(t)), 0)
	first := must(db.Notify(ctx, "a", map[string]int{"n": 1}))(t)
	must(db.Notify(ctx, "other", 2))(t)
	must(db.Notify(ctx, "b:x", nil))(t)
	must(db.Notify(ctx, "b", 4))(t)
	n := must(listener.Next(ctx))(t)
	equal(t, n.ID, first)
	equal(t, n.Channel, "a")
	equal(t, string(n.Payload), `{"n":1}`)
	if n.Gap != nil || time.Since(n.CreatedAt.Time()) > time.Minute {
		t.Fatalf("%+v", n)
	}
	rest := must(listener.Pending(ctx))(t)
	if len(rest) != 1 || rest[0].Channel != "b:x" || string(rest[0].Payload) != "null" {
		t.Fatalf("%+v", rest)
	}
	for i := range 5 {
		must(db.Notify(ctx, "a", i))(t)
	}
	got := 0
	for got < 5 {
		got += len(must(listener.Batch(ctx))(t))
	}
	equal(t, got, 5)

	check(t, listener.Close())
	check(t, listener.Close())
	_, err := listener.Next(ctx)
	wants(t, err, brant.ErrClosed)
	_, err = listener.Batch(ctx)
	wants(t, err, brant.ErrClosed)
	_, err = db.Listen(ctx)
	wants(t, err, brant.ErrInvalid)
}

func TestListenContexts(t *testing.T) {
	db := opened(t)
	listener := must(db.Listen(ctx, "*"))(t)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err := listener.Next(short)
	if wants(t, err, brant.ErrTimeout); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = listener.Next(cancelled)
	wants(t, err, brant.ErrInterrupted)
	_, err = listener.Batch(cancelled)
	wants(t, err, brant.ErrInterrupted)

	// One goroutine at a time.
	done := make(chan error, 1)
	go func() {
		var err error
		for err = brant.ErrMisuse; errors.Is(err, brant.ErrMisuse); _, err = listener.Next(ctx) { // we may be in it to look
		}
		done <- err
	}()
	eventually(t, "it waits", func() bool {
		_, err := listener.Pending(ctx)
		return errors.Is(err, brant.ErrMisuse)
	})
	_, err = listener.Next(ctx)
	wants(t, err, brant.ErrMisuse)
	_, err = listener.Batch(ctx)
	wants(t, err, brant.ErrMisuse)
	_, err = listener.Pending(ctx)
	wants(t, err, brant.ErrMisuse)
	eventually(t, "it is interrupted", func() bool {
		db.Interrupt() // again: it may have been about to wait
		return len(done) > 0
	})
	wants(t, <-done, brant.ErrInterrupted)
	go func() { _, err := listener.Next(ctx); done <- err }()
	time.Sleep(20 * time.Millisecond)
	check(t, listener.Close())
	wants(t, <-done, brant.ErrClosed)
}

func TestListenAll(t *testing.T) {
	db := opened(t)
	listener := must(db.Listen(ctx, "c"))(t)
	const count = 1000
	go func() {
		for i := range count {
			if _, err := db.Notify(ctx, "c", i); err != nil {
				t.Error(err)
			}
		}
	}()
	seen := 0
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	for n, err := range listener.All(stopping) {
		if err != nil {
			wants(t, err, brant.ErrInterrupted)
			break
		}
		equal(t, string(n.Payload), strconv.Itoa(seen))
		if seen++; seen == count {
			cancel()
		}
	}
	equal(t, seen, count)
	must(db.Notify(ctx, "c", "more"))(t)
	for n, err := range listener.All(ctx) {
		check(t, err)
		equal(t, string(n.Payload), `"more"`)
		break
	}
}

// Other processes wake us, and we are not kept from listening by a transaction of our own.
func TestListenAcrossProcesses(t *testing.T) {
	db := opened(t)
	path := must(db.Info(ctx))(t).Path
	listener := must(db.Listen(ctx, "x"))(t)
	const count = 200
	var group sync.WaitGroup
	for range 2 {
		command := helper(t, "notify", path, "x", strconv.Itoa(count))
		group.Add(1)
		go func() {
			defer group.Done()
			if output, err := command.Output(); err != nil {
				t.Errorf("%v: %s", err, output)
			}
		}()
	}
	last := int64(0)
	for range 2 * count {
		n := must(listener.Next(ctx))(t)
		if n.ID <= last {
			t.Fatal(n.ID, last)
		}
		last = n.ID
	}
	group.Wait()

	held := must(db.Begin(ctx))(t)
	equal(t, len(must(listener.Pending(ctx))(t)), 0)
	must(held.Notify(ctx, "x", "committed"))(t)
	go func() {
		time.Sleep(20 * time.Millisecond)
		if err := held.Commit(ctx); err != nil {
			t.Error(err)
		}
	}()
	equal(t, string(must(listener.Next(ctx))(t).Payload), `"committed"`)
}

// Waiting occupies no thread: there are more waiters than threads could hide.
func TestManyListeners(t *testing.T) {
	db := opened(t)
	const count = 300
	var group sync.WaitGroup
	before := threads(t)
	for i := range count {
		listener := must(db.Listen(ctx, fmt.Sprint("own", i), "all"))(t)
		group.Add(1)
		go func() {
			defer group.Done()
			defer listener.Close()
			if n, err := listener.Next(ctx); err != nil || n.Channel != "all" {
				t.Error(n, err)
			}
		}()
	}
	time.Sleep(50 * time.Millisecond)
	if now := threads(t); now > before+count/2 { // some hold a moment of the processor, the busier it is the more
		t.Errorf("%d threads, %d before", now, before)
	}
	must(db.Notify(ctx, "all", nil))(t)
	group.Wait()
}

func TestWakeLatency(t *testing.T) {
	db := opened(t)
	listener := must(db.Listen(ctx, "c"))(t)
	woken := make(chan time.Time)
	go func() {
		for range 50 {
			if _, err := listener.Next(ctx); err != nil {
				t.Error(err)
			}
			woken <- time.Now()
		}
	}()
	best := time.Hour
	for range 50 {
		time.Sleep(2 * time.Millisecond)
		began := time.Now()
		must(db.Notify(ctx, "c", nil))(t)
		best = min(best, (<-woken).Sub(began))
	}
	t.Logf("notify and wake: %s", best)
	if best > 500*time.Millisecond { // the tick alone would take a second, each time
		t.Fatal(best)
	}
}

// poller lets the runtime open its own descriptors, which stay.
func poller(t testing.TB) {
	t.Helper()
	read, write, err := os.Pipe()
	check(t, err)
	check(t, errors.Join(read.Close(), write.Close()))
}

func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(entries)
}

// status is a number of /proc/self/status.
func status(t testing.TB, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	check(t, err)
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			number, err := strconv.Atoi(strings.Fields(rest)[0])
			check(t, err)
			return number
		}
	}
	t.Fatal("no " + name)
	return 0
}

func threads(t testing.TB) int { return status(t, "Threads") }

func TestLeaks(t *testing.T) {
	path := newPath(t)
	round := func() {
		db := must(brant.Open(path, &brant.Options{Readers: 2}))(t)
		if _, err := db.Graphs.Get(ctx, "g"); err != nil {
			must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
		}
		listener := must(db.Listen(ctx, "*"))(t)
		must(db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: map[string]string{"x": strings.Repeat("x", 10000)}}))(t)
		must(listener.Next(ctx))(t)
		for range 20 {
			must(db.Graph("g").Nodes.Get(ctx, "a"))(t) // more than what a result holds
			_, err := db.Graph("g").Nodes.Get(ctx, "b")
			wants(t, err, brant.ErrNotFound)
		}
		check(t, db.Close())
	}
	poller(t)
	for range 30 {
		round()
	}
	runtime.GC()
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	// A handle or the answers of each round, were they kept, would be more than 30 MB each time; the race detector's own memory wavers by half of that, but not always up.
	for attempt := 1; ; attempt++ {
		before := status(t, "VmRSS")
		for range 300 {
			round()
		}
		eventuallyCollected(t, "goroutines and descriptors end", func() bool { return runtime.NumGoroutine() <= goroutines && descriptors(t) <= files })
		after := status(t, "VmRSS")
		t.Logf("descriptors %d; RSS %d kB, %d kB", files, before, after)
		if after <= before+24*1024 {
			return
		}
		if attempt == 3 {
			t.Fatal("it grows")
		}
	}
}
