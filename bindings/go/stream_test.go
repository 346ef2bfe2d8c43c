package brant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func jsonUnmarshal(text []byte, into any) error { return json.Unmarshal(text, into) }

func publish(t testing.TB, s brant.Stream, count int) {
	t.Helper()
	events := make([]brant.NewEvent, count)
	for i := range events {
		events[i] = brant.NewEvent{Payload: i, Key: fmt.Sprint("k", i%3)}
	}
	_, _, err := s.PublishMany(ctx, events)
	check(t, err)
}

func TestStream(t *testing.T) {
	db := opened(t)
	s := db.Stream("s")
	equal(t, must(s.Publish(ctx, brant.Bytes("\x00b"), brant.PublishOptions{Key: "b"}))(t), 1)
	publish(t, s, 9)
	events := must(s.Read(ctx, &brant.ReadOptions{Limit: 2}))(t)
	equal(t, string(events.Items[0].Bytes), "\x00b")
	equal(t, events.Items[0].Key, "b")
	equal(t, string(events.Items[1].Payload), "0")
	equal(t, events.Next, 2)
	n := 0
	for event, err := range s.All(ctx, &brant.ReadOptions{Limit: 4}) {
		check(t, err)
		n++
		equal(t, event.Offset, int64(n))
	}
	equal(t, n, 10)
	equal(t, must(s.Latest(ctx, "k2"))(t).Offset, 10)
	equal(t, must(s.Trim(ctx, brant.TrimOptions{Before: 3}))(t), 2)
	equal(t, *must(s.Read(ctx, nil))(t).Gap, brant.Gap{From: 1, To: 2})
	equal(t, must(s.Stats(ctx))(t).Count, 8)
	maximum := int64(5)
	equal(t, *must(s.Configure(ctx, brant.StreamChange{MaxCount: &maximum}))(t).Policy.MaxCount, 5)
	back, err := json.Marshal(must(s.Read(ctx, &brant.ReadOptions{After: 8, Limit: 1}))(t))
	check(t, err)
	var again brant.Events
	check(t, json.Unmarshal(back, &again))
	equal(t, again.Items[0].Offset, 9)
	equal(t, must(s.Commit(ctx, "c", 5))(t), 5)
	equal(t, must(s.Commit(ctx, "c", 4))(t), 5)
	equal(t, must(s.Seek(ctx, "c", brant.FromOffset(4)))(t), 4)
	equal(t, must(s.Consumer(ctx, "c"))(t).Lag, 6)
	_, err = s.Delete(ctx, false)
	wants(t, err, brant.ErrConflict)
	check(t, s.DeleteConsumer(ctx, "c"))
	must(s.Delete(ctx, false))(t)
}

func TestSubscribe(t *testing.T) {
	db := opened(t)
	s := db.Stream("s")
	publish(t, s, 5)
	live := must(s.Subscribe(ctx, nil))(t)
	each := must(s.Subscribe(ctx, &brant.SubscribeOptions{Consumer: "each", Save: brant.SaveEach}))(t)
	for n := int64(1); n <= 3; n++ {
		equal(t, must(each.Next(ctx))(t).Offset, n)
		equal(t, must(s.Consumer(ctx, "each"))(t).Offset, n-1)
	}
	check(t, each.Close())
	equal(t, must(s.Consumer(ctx, "each"))(t).Offset, 2) // the third was not processed: the next was never asked for
	_, err := each.Next(ctx)
	wants(t, err, brant.ErrClosed)

	// The default saves after a second, also when nothing comes.
	began := time.Now()
	batch := must(s.Subscribe(ctx, &brant.SubscribeOptions{Consumer: "batch"}))(t)
	for range 5 {
		must(batch.Next(ctx))(t)
	}
	if saved := must(s.Consumer(ctx, "batch"))(t).Offset; saved > 4 || (saved > 0 && time.Since(began) < time.Second) {
		t.Fatal(saved)
	}
	eventually(t, "what is processed is saved", func() bool {
		_, err = batch.Next(within(t, 1300*time.Millisecond))
		wants(t, err, brant.ErrTimeout)
		return must(s.Consumer(ctx, "batch"))(t).Offset == 5
	})
	check(t, batch.Close())
	publish(t, s, 1500)
	began = time.Now()
	batch = must(s.Subscribe(ctx, &brant.SubscribeOptions{Consumer: "batch"}))(t)
	for n := int64(6); n <= 1010; n++ {
		equal(t, must(batch.Next(ctx))(t).Offset, n)
	}
	// And after a thousand, counted from the last time, which on a slow machine was a second ago.
	if saved := must(s.Consumer(ctx, "batch"))(t).Offset; saved >= 1010 || (saved < 1005 && time.Since(began) < time.Second) {
		t.Fatal(saved)
	}
	check(t, batch.Close())
	equal(t, must(s.Consumer(ctx, "batch"))(t).Offset, 1009)

	// Exactly once: effect and offset together.
	manual := must(s.Subscribe(ctx, &brant.SubscribeOptions{Consumer: "manual", Save: brant.SaveManual, Keys: []string{"k1"}}))(t)
	event := must(manual.Next(ctx))(t)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Stream("s").Commit(ctx, "manual", event.Offset)
		return err
	}))
	equal(t, must(manual.Commit(ctx, 1))(t), event.Offset)
	check(t, manual.Close())

	equal(t, must(live.Next(ctx))(t).Offset, 6)
	_, err = live.Commit(ctx, 1)
	wants(t, err, brant.ErrInvalid)
	check(t, live.Close())

	must(s.Trim(ctx, brant.TrimOptions{Before: 100}))(t)
	gapped := must(s.Subscribe(ctx, &brant.SubscribeOptions{From: brant.FromOffset(10)}))(t)
	equal(t, *must(gapped.Next(ctx))(t).Gap, brant.Gap{From: 11, To: 99})
	equal(t, must(gapped.Next(ctx))(t).Offset, 100)
	check(t, gapped.Close())
	wants(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Stream("s").Subscribe(ctx, nil)
		return err
	}), brant.ErrMisuse)
}

func TestGroup(t *testing.T) {
	path := newPath(t)
	const members, count = 3, 300
	during, cancel := context.WithCancel(ctx)
	defer cancel()
	var lock sync.Mutex
	seen := map[int64]int{}
	var all sync.WaitGroup
	for i := range members {
		g := open(t, path, nil).Stream("s").Group("g")
		all.Add(1)
		go func() {
			defer all.Done()
			for delivery, err := range g.Join(during, fmt.Sprint("m", i), &brant.JoinOptions{Limit: 7, Lease: 10 * time.Minute}) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
				}
				lock.Lock()
				seen[delivery.Offset]++
				lock.Unlock()
			}
		}()
	}
	db := open(t, path, nil)
	for range count / 50 {
		publish(t, db.Stream("s"), 50)
	}
	eventually(t, "all processed", func() bool {
		info, err := db.Stream("s").Consumer(ctx, "g")
		return err == nil && info.Offset == count
	})
	cancel()
	all.Wait()
	equal(t, len(seen), count)
	for offset, times := range seen {
		if times != 1 {
			t.Fatal(offset, times)
		}
	}
	// What the loop is left with goes to others at once.
	publish(t, db.Stream("s"), 3)
	for _, err := range db.Stream("s").Group("g").Join(ctx, "m", nil) {
		check(t, err)
		break
	}
	again := must(db.Stream("s").Group("g").Claim(ctx, "n", &brant.GroupClaimOptions{Limit: 9}))(t)
	equal(t, len(again.Items), 3)
	equal(t, again.Items[0].Delivery, 2)
	equal(t, must(db.Stream("s").Group("g").Ack(ctx, again.Items[0].Receipt()))(t).Acked, 1)
}

// Acknowledgements and claims that meet another writer for longer than the busy timeout are made after it.
func TestGroupIsPatient(t *testing.T) {
	path := newPath(t)
	other := open(t, path, nil)
	publish(t, other.Stream("s"), 3)
	hold := func(during time.Duration) {
		held := make(chan struct{})
		go func() {
			err := other.Tx(ctx, func(*brant.Tx) error {
				close(held)
				time.Sleep(during)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}()
		<-held
	}
	offset := int64(0)
	g := open(t, path, &brant.Options{BusyTimeout: 10 * time.Millisecond}).Stream("s").Group("g")
	for delivery, err := range g.Join(ctx, "m", &brant.JoinOptions{Limit: 1, Lease: 10 * time.Minute}) {
		check(t, err)
		if offset++; delivery.Offset != offset || delivery.Delivery != 1 {
			t.Fatal(delivery)
		}
		if offset == 3 {
			break
		}
		hold(200 * time.Millisecond)
	}
	equal(t, must(other.Stream("s").Consumer(ctx, "g"))(t).Offset, 2)
}

func TestLock(t *testing.T) {
	path := newPath(t)
	var inside, turns atomic.Int32
	var last atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		db := open(t, path, nil)
		all.Add(1)
		go func() {
			defer all.Done()
			for range 5 {
				l, err := db.Lock(within(t, time.Minute), "l", nil)
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 || last.Swap(l.Token) >= l.Token {
					t.Error("not alone")
				}
				turns.Add(1)
				inside.Add(-1)
				if err := l.Release(ctx); err != nil || l.Release(ctx) != nil || l.Context().Err() == nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	equal(t, turns.Load(), 20)
}

func TestLockIsKeptUp(t *testing.T) {
	t.Parallel()
	db := opened(t)
	l := must(db.Lock(ctx, "l", &brant.LockOptions{TTL: patientLease}))(t)
	until := func() brant.Timestamp { return must(db.Locks.Get(ctx, "l"))(t).ExpiresAt }
	first := until()
	eventually(t, "it is refreshed", func() bool { return until() > first })
	if other := must(db.TryLock(ctx, "l", nil))(t); other != nil || l.Context().Err() != nil {
		t.Fatal("lost")
	}
	_, err := db.Lock(within(t, 50*time.Millisecond), "l", nil)
	wants(t, err, brant.ErrTimeout)
	equal(t, must(db.Locks.Break(ctx, "l"))(t), l.Token)
	<-l.Context().Done()
	wants(t, context.Cause(l.Context()), brant.ErrStale)
	wants(t, l.Release(ctx), brant.ErrStale)
}

func TestRateLimit(t *testing.T) {
	db := opened(t)
	limit := db.RateLimit("r", brant.RateLimitOptions{Limit: 2, Period: 24 * time.Hour})
	equal(t, must(limit.Take(ctx, 2))(t).Allowed, true)
	equal(t, must(limit.Peek(ctx, 1))(t).Allowed, false)
	wants(t, limit.Wait(within(t, time.Minute), 1), brant.ErrTimeout) // at once
	_, err := limit.Take(ctx, 3)
	wants(t, err, brant.ErrInvalid)
	equal(t, must(limit.Reset(ctx))(t), true)

	const period = 200 * time.Millisecond
	often := db.RateLimit("often", brant.RateLimitOptions{Limit: 1, Period: period})
	began := time.Now()
	for range 4 {
		check(t, often.Wait(ctx, 1))
	}
	if took := time.Since(began); took < 3*period-10*time.Millisecond { // the clocks count in milliseconds
		t.Fatal(took)
	}
}

func TestScheduler(t *testing.T) {
	db := opened(t)
	must(db.Schedules.Set(ctx, brant.NewSchedule{Name: "s", Spec: "@every 50ms", Queue: "q", Payload: "tick"}))(t)
	during, cancel := context.WithCancel(ctx)
	defer cancel()
	fired := make(chan brant.Fire, 100)
	done := make(chan error)
	go func() {
		done <- db.RunScheduler(during, &brant.SchedulerOptions{Fired: func(fire brant.Fire) { fired <- fire }})
	}()
	seen := map[int64]bool{}
	for range 3 {
		fire := <-fired
		equal(t, fire.Name, "s")
		seen[fire.ID] = true
	}
	equal(t, len(seen), 3)
	cancel()
	check(t, <-done)
	for job, err := range db.Queue("q").Jobs(ctx) {
		check(t, err)
		equal(t, job.Schedule, "s")
		break
	}
	equal(t, len(must(db.Schedules.Next(ctx, "0 0 29 2 *", &brant.NextOptions{Count: 3}))(t)), 3)
}

func TestFan(t *testing.T) {
	db := opened(t)
	fan := must(db.Fan(ctx, []string{"a"}, nil))(t)
	one, two := fan.Tap(), fan.Tap()
	must(db.Notify(ctx, "a", 1))(t)
	equal(t, string((<-one.C).Payload), "1")
	equal(t, string((<-two.C).Payload), "1")
	one.Close()
	one.Close()
	must(db.Notify(ctx, "a", brant.Bytes("x")))(t)
	equal(t, string((<-two.C).Bytes), "x")
	check(t, fan.Close())
	if _, open := <-two.C; open {
		t.Fatal("open")
	}
	wants(t, two.Err(), brant.ErrInterrupted)
	equal(t, one.Err(), nil)

	fan = must(db.Fan(ctx, []string{"a"}, &brant.FanOptions{Buffer: 2, Policy: brant.DropOldest}))(t)
	slow := fan.Tap()
	for i := range 5 {
		must(db.Notify(ctx, "a", i))(t)
	}
	eventually(t, "dropped", func() bool { return slow.Dropped() == 3 })
	equal(t, string((<-slow.C).Payload), "3")
	check(t, fan.Close())

	fan = must(db.Fan(ctx, []string{"a"}, &brant.FanOptions{Buffer: 1, Policy: brant.Fail}))(t)
	slow = fan.Tap()
	for i := range 3 {
		must(db.Notify(ctx, "a", i))(t)
	}
	eventually(t, "failed", func() bool { return slow.Err() != nil })
	wants(t, slow.Err(), brant.ErrLimit)
	check(t, fan.Close())
}

// What comes and goes leaves no goroutine, thread or descriptor.
func TestWaitersLeaveNothing(t *testing.T) {
	const readers = 4
	db := open(t, newPath(t), &brant.Options{Readers: readers, BusyTimeout: patience})
	onAllReaders(t, db, readers, nil, func(*brant.Tx) error { return nil }) // which open with the first call, and stay
	round := func(count int) {
		var all sync.WaitGroup
		for i := range count {
			all.Add(1)
			go func() {
				defer all.Done()
				short, cancel := context.WithTimeout(ctx, time.Duration(5+i%20)*time.Millisecond)
				defer cancel()
				switch i % 6 {
				case 0:
					s, err := db.Stream("s").Subscribe(ctx, &brant.SubscribeOptions{Consumer: "c"})
					if err == nil {
						_, _ = s.Next(short)
						err = s.Close()
					}
					if err != nil {
						t.Error(err)
					}
				case 1:
					_ = db.Queue("q").Work(short, func(context.Context, *brant.Job) error { return nil }, brant.WorkOptions{Logger: silent})
				case 2:
					if l, err := db.Lock(short, "l", nil); err == nil {
						_ = l.Release(ctx)
					}
				case 3:
					for range db.Stream("s").Group("g").Join(short, "m", nil) {
					}
				case 4:
					for range db.Queue("q").Jobs(short, brant.WorkOptions{Logger: silent}) {
					}
				case 5:
					fan, err := db.Fan(short, []string{"*"}, nil)
					if err != nil {
						return // its time was over
					}
					fan.Tap()
					<-fan.Tap().C
				}
			}()
		}
		for i := range 20 {
			must(db.Stream("s").Publish(ctx, i))(t)
			must(db.Queue("q").Enqueue(ctx, i))(t)
		}
		all.Wait()
	}
	round(30)
	goroutines, files, running := runtime.NumGoroutine(), descriptors(t), threads(t)
	round(300)
	eventually(t, "goroutines and descriptors end", func() bool { return runtime.NumGoroutine() <= goroutines+2 && descriptors(t) <= files+2 })
	t.Logf("goroutines %d, descriptors %d, threads %d -> %d", runtime.NumGoroutine(), descriptors(t), running, threads(t))
}

// In memory there is one connection for all, and what waits is woken by its commits.
func TestWaitersInMemory(t *testing.T) {
	db := open(t, ":memory:", nil)
	q := db.Queue("q")
	stop := working(t, q, func(_ context.Context, job *brant.Job) error {
		_, err := db.Stream("s").Publish(ctx, job.Payload)
		return err
	}, brant.WorkOptions{Logger: silent})
	s := must(db.Stream("s").Subscribe(ctx, &brant.SubscribeOptions{Consumer: "c", Save: brant.SaveEach}))(t)
	for i := range 20 {
		id := must(q.Enqueue(ctx, i))(t).ID
		event := must(s.Next(within(t, time.Minute)))(t)
		equal(t, string(event.Payload), fmt.Sprint(i))
		must(q.Result(within(t, time.Minute), id))(t)
	}
	l := must(db.Lock(ctx, "l", nil))(t)
	second := make(chan error, 1)
	go func() {
		l, err := db.Lock(ctx, "l", nil)
		if err == nil {
			err = l.Release(ctx)
		}
		second <- err
	}()
	time.Sleep(20 * time.Millisecond) // mostly it waits by now, and else it need not
	check(t, l.Release(ctx))
	check(t, <-second)
	stop()
	check(t, s.Close())
	equal(t, must(db.Stream("s").Consumer(ctx, "c"))(t).Offset, 19)
}
