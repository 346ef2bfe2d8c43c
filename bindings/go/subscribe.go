package brant

import (
	"context"
	"iter"
	"runtime"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Save says when a subscription with a consumer saves what was processed: what was yielded is, when the next event is asked for.
type Save string

// When it does.
const (
	SaveBatch  Save = "batch"  // the default: after 1000 events or a second, also when nothing more comes, and at Close
	SaveEach   Save = "each"   // after each event
	SaveManual Save = "manual" // only Commit does, or Stream.Commit in the transaction of the effects
)

const (
	saveAfterCount = 1000
	saveAfter      = time.Second
)

// SubscribeOptions of Stream.Subscribe; nil is the default.
type SubscribeOptions struct {
	Consumer string   // remembers where it is, and Subscribe goes on there; two of one name both get all: a group shares
	From     Position // without a consumer FromEnd; a new one begins here: FromStart
	Keys     []string // only events with one of these keys; nil: all
	Batch    int      // events of a look, 1..10000, default 256
	Save     Save     // of a consumer
}

// Subscriber receives the events of a stream, those that are there and then those that come, in order, each once; an event with a Gap where
// some were trimmed before they were read. It is for one goroutine at a time (ErrMisuse), but for Close. Batch and Pending yield events that count as
// processed when they are called again.
type Subscriber struct {
	Watch[Event]
	stream   Stream
	consumer string
	save     Save

	yielded   int64     // offset of the last that was yielded
	handed    int       // events that were yielded and are not processed
	processed int64     // offset of the last that is
	unsaved   int       // events that are processed and not saved
	since     time.Time // since when there are such
}

// Subscribe subscribes to the stream: see Subscriber. A consumer that saves after processing gets each event at least once; exactly once takes
// SaveManual and Tx.Stream(name).Commit with the effects. ErrMisuse: in a transaction; ErrInvalid: an offset beyond the newest;
// ErrConflict: the consumer is a group.
func (s Stream) Subscribe(ctx context.Context, options *SubscribeOptions) (*Subscriber, error) {
	var o SubscribeOptions
	if options != nil {
		o = *options
	}
	in := s.input().given("consumer", o.Consumer).position("from", o.From).positive("batch", o.Batch)
	if o.Keys != nil {
		in.texts("keys", o.Keys)
	}
	opened, err := subscriptionOf(ctx, s.r, cbrant.Brant_stream_subscribe, in)
	if err != nil {
		return nil, err
	}
	u := &Subscriber{stream: s, consumer: o.Consumer, save: o.Save}
	if u.save == "" {
		u.save = SaveBatch
	}
	if o.Consumer == "" {
		u.save = SaveManual
	}
	u.Watch.db, u.Watch.subscription = s.r.(*DB), opened
	runtime.AddCleanup(u, (*subscription).close, opened)
	return u, nil
}

// Next waits for an event; those before are processed. Its errors are those of Watch.Next, and of saving.
func (u *Subscriber) Next(ctx context.Context) (Event, error) {
	items, err := u.next(ctx, true)
	if err != nil {
		return Event{}, err
	}
	return items[0], nil
}

// Batch waits until there is something and returns all that is there, up to SubscribeOptions.Batch; what was yielded before is processed.
func (u *Subscriber) Batch(ctx context.Context) ([]Event, error) { return u.next(ctx, false) }

// Pending is Batch without waiting: nothing, when there is none.
func (u *Subscriber) Pending(ctx context.Context) ([]Event, error) {
	if !u.turn.TryLock() {
		return nil, errTaken()
	}
	u.process()
	err := u.saveWhenDue(ctx)
	u.turn.Unlock()
	if err != nil {
		return nil, err
	}
	items, err := u.Watch.Pending(ctx)
	u.yield(items)
	return items, err
}

// All yields events until an error, which is the last thing that it yields: the end of ctx is one. An event is processed when the loop comes back
// for the next: the one that the loop is left with is not, and comes again.
func (u *Subscriber) All(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := u.Next(ctx)
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Commit saves that the consumer has processed what is up to an offset, and returns what is saved. ErrInvalid: the subscription has no consumer.
func (u *Subscriber) Commit(ctx context.Context, offset int64) (saved int64, err error) {
	if u.consumer == "" {
		return 0, failf(ErrInvalid, "the subscription has no consumer")
	}
	return u.stream.Commit(ctx, u.consumer, offset)
}

// Close ends the subscription, and the wait of whoever is in it (ErrClosed). At any time, any number of times. What is processed is saved,
// unless another goroutine is in the subscription: then its next call does not come.
func (u *Subscriber) Close() error {
	var err error
	if u.turn.TryLock() {
		if u.unsaved > 0 && !u.subscription.isClosed() {
			err = u.saveNow(context.Background())
		}
		u.turn.Unlock()
	}
	_ = u.Watch.Close()
	return err
}

// next is what is left of the last batch, or a new one; one: its first event only.
func (u *Subscriber) next(ctx context.Context, one bool) ([]Event, error) {
	if !u.turn.TryLock() {
		return nil, errTaken()
	}
	defer u.turn.Unlock()
	defer runtime.KeepAlive(u)
	u.process()
	if err := u.saveWhenDue(ctx); err != nil {
		return nil, err
	}
	items := u.rest
	if u.subscription.isClosed() {
		return nil, u.subscription.closedError()
	}
	if len(items) > 0 && ctx.Err() != nil {
		return nil, ended(ctx)
	}
	for len(items) == 0 {
		some, err := u.await(ctx, &items)
		if err != nil {
			return nil, err
		}
		if !some { // nothing comes, and it is time to save
			if err := u.saveNow(ctx); err != nil {
				return nil, err
			}
		}
	}
	u.rest = nil
	if one {
		u.rest, items = items[1:], items[:1]
	}
	u.yield(items)
	return items, nil
}

func (u *Subscriber) await(ctx context.Context, items *[]Event) (some bool, err error) {
	var idle <-chan time.Time
	if u.unsaved > 0 {
		timer := time.NewTimer(saveAfter - time.Since(u.since))
		defer timer.Stop()
		idle = timer.C
	}
	return u.subscription.await(ctx, idle, func(text []byte) error { return decodeEvents(text, items) })
}

// process notes that what was yielded is processed.
func (u *Subscriber) process() {
	if u.handed > 0 && u.save != SaveManual {
		if u.unsaved == 0 {
			u.since = time.Now()
		}
		u.unsaved += u.handed
		u.processed = u.yielded
	}
	u.handed = 0
}

// yield notes what is given out.
func (u *Subscriber) yield(items []Event) {
	for i := range items {
		if gap := items[i].Gap; gap == nil {
			u.yielded = items[i].Offset
			u.handed++
		} else if gap.From == 0 {
			u.unsaved, u.handed = 0, 0 // the stream is another one
		}
	}
}

func (u *Subscriber) saveWhenDue(ctx context.Context) error {
	if u.unsaved == 0 {
		return nil
	}
	if u.save == SaveBatch && u.unsaved < saveAfterCount && time.Since(u.since) < saveAfter {
		return nil
	}
	return u.saveNow(ctx)
}

func (u *Subscriber) saveNow(ctx context.Context) error {
	_, err := u.stream.Commit(ctx, u.consumer, u.processed)
	if err == nil {
		u.unsaved = 0
	}
	return err
}
