package brant_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

// working runs Work in the background; stop ends it and waits.
func working(t testing.TB, q brant.Queue, handler brant.Handler, options brant.WorkOptions) (stop func()) {
	t.Helper()
	during, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- q.Work(during, handler, options) }()
	stop = sync.OnceFunc(func() {
		cancel()
		check(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

// patientLease is one that a busy machine keeps up: it is refreshed after 10 s, and has 20 left.
const patientLease = 30 * time.Second

var silent = slog.New(slog.DiscardHandler)

func TestQueueByHand(t *testing.T) {
	db := opened(t)
	q := db.Queue("q")
	first := must(q.Enqueue(ctx, map[string]int{"n": 1}, brant.EnqueueOptions{Key: "k"}))(t)
	equal(t, first.State, brant.JobReady)
	urgent := must(q.Enqueue(ctx, brant.Bytes{0, 255}, brant.EnqueueOptions{Priority: 5}))(t)
	later := must(q.Enqueue(ctx, nil, brant.EnqueueOptions{Delay: time.Hour}))(t)
	equal(t, later.State, brant.JobDelayed)
	twice := brant.EnqueueOptions{Unique: &brant.Unique{Key: "once"}, After: []int64{first.ID}}
	equal(t, must(q.Enqueue(ctx, 1, twice))(t).Duplicate, false)
	equal(t, must(q.Enqueue(ctx, 2, twice))(t).Duplicate, true)
	_, err := q.Enqueue(ctx, 1, brant.EnqueueOptions{}, brant.EnqueueOptions{})
	wants(t, err, brant.ErrInvalid)

	jobs := must(q.Claim(ctx, &brant.ClaimOptions{Limit: 9, Worker: "w", Lease: time.Minute}))(t)
	equal(t, len(jobs), 2)
	equal(t, jobs[0].ID, urgent.ID)
	if !bytes.Equal(jobs[0].Bytes, []byte{0, 255}) || jobs[0].Payload != nil {
		t.Fatalf("%+v", jobs[0])
	}
	var payload struct{ N int }
	check(t, jobs[1].Decode(&payload))
	equal(t, payload.N, 1)
	equal(t, jobs[1].Key, "k")
	check(t, jobs[0].SetProgress(ctx, "half"))
	equal(t, must(jobs[0].Snooze(ctx, time.Hour))(t).State, brant.JobDelayed)
	wants(t, jobs[0].Ack(ctx, nil), brant.ErrStale)
	info := must(db.Jobs.Get(ctx, urgent.ID))(t)
	equal(t, string(info.Progress), `"half"`)

	// The ack and its effects are one transaction.
	rolledBack := errors.New("no")
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		check(t, jobs[1].In(tx).Ack(ctx, nil))
		return rolledBack
	})
	equal(t, err, rolledBack)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Queue("other").Enqueue(ctx, "effect"))(t)
		return jobs[1].In(tx).Ack(ctx, "result")
	}))
	wants(t, jobs[1].Ack(ctx, nil), brant.ErrStale)

	ids, duplicates, err := q.EnqueueMany(ctx, []brant.NewJob{{Payload: 1}, {EnqueueOptions: brant.EnqueueOptions{AfterItems: []int{0}}}})
	check(t, err)
	equal(t, len(ids), 2)
	equal(t, duplicates, 0)
	equal(t, must(db.Jobs.Get(ctx, ids[1]))(t).State, brant.JobBlocked)
	equal(t, must(db.Jobs.Cancel(ctx, ids[0]))(t), brant.JobCancelled)
	equal(t, must(db.Jobs.Get(ctx, ids[1]))(t).State, brant.JobCancelled)
	equal(t, must(db.Jobs.Requeue(ctx, ids[1], "anew"))(t), brant.JobReady)
	changed := must(db.Jobs.Update(ctx, ids[1], brant.JobChange{RunAt: time.Now().Add(time.Hour)}))(t)
	equal(t, changed.State, brant.JobDelayed)
	check(t, db.Jobs.Delete(ctx, ids[1]))
	_, err = db.Jobs.Get(ctx, ids[1])
	wants(t, err, brant.ErrNotFound)

	yes := true
	policy := must(q.Configure(ctx, brant.QueueChange{FIFO: &yes, Concurrency: 3, Backoff: brant.Backoff{Base: 5}, ResultTTL: time.Hour}))(t).Policy
	equal(t, policy.FIFO, true)
	equal(t, *policy.Concurrency, 3)
	equal(t, policy.Backoff.Base, 5)
	equal(t, policy.Backoff.Factor, 2)
	policy = must(q.Configure(ctx, brant.QueueChange{Reset: []string{"concurrency", "fifo"}}))(t).Policy
	if policy.Concurrency != nil || policy.FIFO || policy.ResultTTL.Duration() != time.Hour {
		t.Fatalf("%+v", policy)
	}
	equal(t, must(q.Pause(ctx))(t).State, brant.QueuePaused)
	equal(t, must(q.Resume(ctx))(t).State, brant.QueueActive)
	stats := must(q.Stats(ctx))(t)
	equal(t, stats.Completed, 1)
	equal(t, len(must(db.Queues.Stats(ctx))(t)), 2)
	var names []string
	for info, err := range db.Queues.All(ctx, "") {
		check(t, err)
		names = append(names, info.Name)
	}
	equal(t, strings.Join(names, " "), "other q")
	if text := must(db.Metrics(ctx))(t); !strings.Contains(text, `queue="q"`) {
		t.Fatal(text)
	}
}

func TestWork(t *testing.T) {
	db := opened(t)
	q := db.Queue("q")
	must(q.Configure(ctx, brant.QueueChange{ResultTTL: time.Hour, Backoff: brant.Backoff{Base: 1}}))(t)
	var running, most, calls atomic.Int32
	second := make(chan struct{})
	stop := working(t, q, func(ctx context.Context, job *brant.Job) error {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		switch calls.Add(1) { // the first waits for the second, and so they run at once
		case 1:
			<-second
		case 2:
			close(second)
		}
		var n int
		if err := job.Decode(&n); err != nil {
			return err
		}
		job.SetResult(n * 2)
		return nil
	}, brant.WorkOptions{Concurrency: 4, Logger: silent})
	var ids []int64
	for i := range 100 {
		ids = append(ids, must(q.Enqueue(ctx, i))(t).ID)
	}
	for i, id := range ids {
		info := must(q.Result(within(t, time.Minute), id))(t)
		var n int
		check(t, jsonUnmarshal(info.Result, &n))
		equal(t, n, 2*i)
	}
	stop()
	equal(t, calls.Load(), 100)
	if most.Load() > 4 || most.Load() < 2 {
		t.Fatal(most.Load())
	}
	equal(t, must(q.Stats(ctx))(t).Running, 0)
}

func TestWorkFailures(t *testing.T) {
	db := opened(t)
	q := db.Queue("q")
	must(q.Configure(ctx, brant.QueueChange{MaxAttempts: 2, Backoff: brant.Backoff{Base: 1, Max: 1}}))(t)
	enqueue := func(what string) int64 { return must(q.Enqueue(ctx, what))(t).ID }
	panics, goexits, fails, dead, snoozes := enqueue("panic"), enqueue("goexit"), enqueue("fail"), enqueue("dead"), enqueue("snooze")
	unwritable := enqueue("result")
	var snoozed atomic.Bool
	working(t, q, func(_ context.Context, job *brant.Job) error {
		var what string
		check(t, job.Decode(&what))
		switch what {
		case "panic":
			panicking()
		case "goexit":
			runtime.Goexit()
		case "fail":
			return failure()
		case "dead":
			return brant.NoRetry(failure())
		case "snooze":
			if !snoozed.Swap(true) {
				return brant.SnoozeFor(time.Millisecond)
			}
			equal(t, job.Attempt, 1)
		case "result":
			job.SetResult(make(chan int))
		}
		return nil
	}, brant.WorkOptions{Logger: silent})
	end := func(id int64, attempts int) brant.JobAttempt {
		t.Helper()
		info, err := q.Result(within(t, time.Minute), id)
		var failed *brant.JobFailed
		if !errors.As(err, &failed) || !errors.Is(err, brant.ErrConflict) || info.State != brant.JobDead {
			t.Fatalf("%v %+v", err, info)
		}
		equal(t, len(info.Errors), attempts)
		return info.Errors[0]
	}
	last := end(panics, 2)
	equal(t, last.Code, "PANIC")
	equal(t, last.Message, "panic: at the disco")
	if !strings.Contains(last.Stack, "panicking") {
		t.Fatal(last.Stack)
	}
	equal(t, end(goexits, 2).Code, "GOEXIT")
	last = end(fails, 2)
	equal(t, last.Code, "NOT_FOUND")
	equal(t, last.Attempt, 1)
	end(dead, 1)
	end(unwritable, 2)
	equal(t, must(q.Result(within(t, time.Minute), snoozes))(t).State, brant.JobDone)
	requeued := must(q.Requeue(ctx, "", 0))(t)
	equal(t, requeued, 5)
}

func panicking() { panic("at the disco") }

func failure() error { return brant.ErrNotFound }

func TestWorkCancel(t *testing.T) {
	db := opened(t)
	q := db.Queue("q")
	id := must(q.Enqueue(ctx, nil))(t).ID
	began, cause := make(chan struct{}), make(chan error, 1)
	working(t, q, func(ctx context.Context, job *brant.Job) error {
		close(began)
		<-ctx.Done()
		cause <- context.Cause(ctx)
		equal(t, job.CancelRequested(), true)
		return ctx.Err()
	}, brant.WorkOptions{Logger: silent})
	<-began
	equal(t, must(db.Jobs.Cancel(ctx, id))(t), brant.JobRunning)
	equal(t, <-cause, brant.ErrCancelRequested)
	info, err := q.Result(within(t, time.Minute), id)
	equal(t, errors.Is(err, brant.ErrConflict), true)
	equal(t, info.State, brant.JobCancelled)
}

func TestWorkHeartbeats(t *testing.T) {
	t.Parallel()
	db := opened(t)
	q := db.Queue("q")
	id := must(q.Enqueue(ctx, nil))(t).ID
	var calls atomic.Int32
	claimed, enough := make(chan brant.Timestamp, 1), make(chan struct{})
	stop := working(t, q, func(_ context.Context, job *brant.Job) error {
		if calls.Add(1) == 1 {
			claimed <- job.LeaseUntil
		}
		<-enough
		return nil
	}, brant.WorkOptions{Lease: patientLease, Logger: silent})
	first := <-claimed
	eventually(t, "a heartbeat", func() bool {
		now := must(db.Jobs.Get(ctx, id))(t).LeaseUntil
		return now != nil && *now > first
	})
	close(enough)
	equal(t, must(q.Result(within(t, time.Minute), id))(t).State, brant.JobDone)
	stop()
	equal(t, calls.Load(), 1)
}

func TestWorkStale(t *testing.T) {
	t.Parallel()
	db := opened(t)
	q := db.Queue("q")
	id := must(q.Enqueue(ctx, nil))(t).ID
	began, stale := make(chan struct{}, 1), make(chan int64, 1)
	var log bytes.Buffer
	stop := working(t, q, func(ctx context.Context, job *brant.Job) error {
		began <- struct{}{}
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), brant.ErrStale) {
			t.Error(context.Cause(ctx))
		}
		return nil
	}, brant.WorkOptions{
		Lease: patientLease, Stale: func(id int64) { stale <- id }, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	<-began
	must(q.Delete(ctx, true))(t)
	equal(t, <-stale, id)
	stop()
	if !strings.Contains(log.String(), "lease was over") {
		t.Fatal(log.String())
	}
}

func TestWorkGraceful(t *testing.T) {
	t.Parallel()
	db := opened(t)
	q := db.Queue("q")
	const grace = 10 * time.Second
	var ended atomic.Int32
	var heeded atomic.Int64
	began, stopping, never := make(chan struct{}, 3), make(chan struct{}), make(chan struct{})
	defer close(never)
	handler := func(ctx context.Context, job *brant.Job) error {
		began <- struct{}{}
		switch job.Priority {
		case 3: // ends in time
			<-stopping
			time.Sleep(20 * time.Millisecond)
			if ctx.Err() != nil {
				t.Error("it had time left")
			}
			ended.Add(1)
			return nil
		case 2: // heeds its context
			<-ctx.Done()
			heeded.Store(time.Now().UnixNano())
			if !errors.Is(context.Cause(ctx), brant.ErrClosed) {
				t.Error(context.Cause(ctx))
			}
			return ctx.Err()
		}
		<-never // neither
		return nil
	}
	var ids []int64
	for priority := 3; priority > 0; priority-- {
		ids = append(ids, must(q.Enqueue(ctx, nil, brant.EnqueueOptions{Priority: priority}))(t).ID)
	}
	stop := working(t, q, handler, brant.WorkOptions{Concurrency: 3, Grace: grace, Logger: silent})
	for range 3 {
		<-began
	}
	at := time.Now()
	close(stopping)
	stop() // it waits no longer for who does not end
	eventually(t, "it heeds its context", func() bool { return heeded.Load() != 0 })
	if took := time.Unix(0, heeded.Load()).Sub(at); took < grace-100*time.Millisecond {
		t.Fatal(took)
	}
	equal(t, ended.Load(), 1)
	_, err := db.Jobs.Get(ctx, ids[0])
	wants(t, err, brant.ErrNotFound)
	for _, id := range ids[1:] {
		info := must(db.Jobs.Get(ctx, id))(t)
		equal(t, info.State, brant.JobReady)
		equal(t, info.Attempt, 0)
	}
}

func TestWorkInTransaction(t *testing.T) {
	db := opened(t)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "jobs", GraphType: "open"}))(t)
	q := db.Queue("q")
	ids, _, err := q.EnqueueMany(ctx, make([]brant.NewJob, 50))
	check(t, err)
	stop := working(t, q, func(ctx context.Context, job *brant.Job) error {
		return db.Tx(ctx, func(tx *brant.Tx) error {
			if _, err := tx.Graph("jobs").Nodes.Insert(ctx, brant.NewNode{Key: strconv.FormatInt(job.ID, 10)}); err != nil {
				return err
			}
			return job.In(tx).Ack(ctx, nil)
		})
	}, brant.WorkOptions{Logger: silent})
	for _, id := range ids {
		must(q.Result(within(t, time.Minute), id))(t)
	}
	stop()
	equal(t, must(db.Graph("jobs").Nodes.Count(ctx, ""))(t), 50)
	wants(t, db.Tx(ctx, func(tx *brant.Tx) error {
		return tx.Queue("q").Work(ctx, func(context.Context, *brant.Job) error { return nil })
	}), brant.ErrMisuse)
}

func TestJobs(t *testing.T) {
	db := opened(t)
	q := db.Queue("q")
	for i := range 5 {
		must(q.Enqueue(ctx, i))(t)
	}
	var got []string
	for job, err := range q.Jobs(ctx, brant.WorkOptions{Logger: silent}) {
		check(t, err)
		got = append(got, string(job.Payload))
		if len(got) == 3 {
			_, err := job.Fail(ctx, errors.New("no"), &brant.FailOptions{NoRetry: true})
			check(t, err)
		}
		if len(got) == 4 {
			break // given back
		}
	}
	equal(t, strings.Join(got, ""), "0123")
	stats := must(q.Stats(ctx))(t)
	equal(t, stats.Completed, 2)
	equal(t, stats.Dead, 1)
	equal(t, stats.Ready, 2)
	short, cancel := context.WithCancel(ctx)
	var last error
	for job, err := range q.Jobs(short) {
		if last = err; err == nil && string(job.Payload) == "4" {
			cancel()
		}
	}
	cancel()
	if !errors.Is(last, context.Canceled) {
		t.Fatal(last)
	}
	equal(t, must(q.Stats(ctx))(t).Completed, 4)
}

func TestWorkClosedDatabase(t *testing.T) {
	db := opened(t)
	done := make(chan error)
	go func() { done <- db.Queue("q").Work(ctx, func(context.Context, *brant.Job) error { return nil }) }()
	time.Sleep(50 * time.Millisecond)
	check(t, db.Close())
	wants(t, <-done, brant.ErrClosed)
}

func TestWorkersShare(t *testing.T) {
	path := newPath(t)
	var lock sync.Mutex
	var done []int64
	q := open(t, path, nil).Queue("q")
	for range 3 {
		working(t, open(t, path, nil).Queue("q"), func(_ context.Context, job *brant.Job) error {
			lock.Lock()
			defer lock.Unlock()
			done = append(done, job.ID)
			return nil
		}, brant.WorkOptions{Concurrency: 3, Logger: silent})
	}
	const count = 600
	for range count / 50 {
		_, _, err := q.EnqueueMany(ctx, make([]brant.NewJob, 50))
		check(t, err)
	}
	eventually(t, "all done", func() bool {
		lock.Lock()
		defer lock.Unlock()
		return len(done) >= count
	})
	slices.Sort(done)
	equal(t, len(slices.Compact(done)), count)
	eventually(t, "all acknowledged", func() bool { return must(q.Stats(ctx))(t).Completed == count })
}
