package brant

import (
	"context"
	"iter"
	"sync"
	"time"
)

// JoinOptions of Group.Join; nil is the default.
type JoinOptions struct {
	Limit int           // events of a claim, default 100
	Lease time.Duration // default 30 s; kept up at a third of it
	From  Position      // for a group that is not there yet; default FromStart
}

const (
	defaultJoinLimit = 100
	defaultLease     = 30 * time.Second
)

// Join yields events to a member of the group, as they come, until an error, which is the last thing that it yields: the end of ctx is one. An event
// is acknowledged when the loop comes back for the next; that and those behind it which the loop is left with go to others at once. An event with a Gap
// stands for some that were trimmed before they were acknowledged. Once it has begun it waits for other writers as long as they take.
func (g Group) Join(ctx context.Context, member string, options *JoinOptions) iter.Seq2[Delivery, error] {
	return func(yield func(Delivery, error) bool) {
		var o JoinOptions
		if options != nil {
			o = *options
		}
		if o.Limit == 0 {
			o.Limit = defaultJoinLimit
		}
		if o.Lease <= 0 {
			o.Lease = defaultLease
		}
		ready, err := g.Watch(ctx, o.From)
		if err != nil {
			yield(Delivery{}, err)
			return
		}
		defer func() { _ = ready.Close() }()
		db := g.stream.r.(*DB)
		m := &membership{group: g, ctx: context.WithoutCancel(ctx), lease: o.Lease}
		m.start()
		defer m.stop()
		for {
			if _, err := ready.Next(ctx); err != nil {
				yield(Delivery{}, err)
				return
			}
			var claimed Deliveries
			err := patiently(ctx, db, func() (err error) {
				claimed, err = g.Claim(ctx, member, &GroupClaimOptions{Limit: o.Limit, Lease: o.Lease, From: o.From})
				return err
			})
			if err == nil && claimed.Gap != nil && !yield(Delivery{Event: Event{Gap: claimed.Gap}}, nil) {
				m.hold(claimed.Items)
				return
			}
			if err == nil {
				m.hold(claimed.Items)
				err = m.each(ctx, claimed.Items, yield)
			}
			if err == errLeft {
				return
			}
			if err != nil {
				yield(Delivery{}, err)
				return
			}
		}
	}
}

// busyAgain is when a call is tried again after the file was busy.
const busyAgain = 20 * time.Millisecond

// patiently tries again what another writer kept from happening, until ctx ends.
func patiently(ctx context.Context, db *DB, try func() error) error {
	interrupted := db.engine.signals.interrupted()
	for {
		err := try()
		if codeOf(err) != ErrBusy {
			return err
		}
		select {
		case <-time.After(busyAgain):
		case <-ctx.Done():
			return ended(ctx)
		case <-interrupted:
			return errInterrupted()
		}
	}
}

var errLeft = failf(ErrClosed, "the loop was left")

// membership is what a member has in its hands.
type membership struct {
	group Group
	ctx   context.Context
	lease time.Duration

	lock   sync.Mutex
	held   []Receipt // not acknowledged, in order
	done   int       // the first of them are processed
	over   chan struct{}
	keeper sync.WaitGroup
}

func (m *membership) start() {
	m.over = make(chan struct{})
	m.keeper.Add(1)
	go func() {
		defer m.keeper.Done()
		ticker := time.NewTicker(max(m.lease/3, leastInterval))
		defer ticker.Stop()
		for {
			select {
			case <-m.over:
				return
			case <-ticker.C:
			}
			m.lock.Lock()
			held := append([]Receipt(nil), m.held...)
			m.lock.Unlock()
			if len(held) > 0 {
				_, _ = m.group.Extend(m.ctx, m.lease, held...) // what fails is tried again before the lease ends
			}
		}
	}()
}

// stop acknowledges what is processed and gives the rest back.
func (m *membership) stop() {
	close(m.over)
	m.keeper.Wait()
	_ = m.acknowledge()
	if len(m.held) > 0 {
		_, _ = m.group.Release(m.ctx, m.held...)
	}
}

func (m *membership) hold(items []Delivery) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for i := range items {
		m.held = append(m.held, items[i].Receipt())
	}
}

const acknowledgeAfter = 200 * time.Millisecond

// each yields the events of one claim, and acknowledges them together, or those that took long meanwhile.
func (m *membership) each(ctx context.Context, items []Delivery, yield func(Delivery, error) bool) error {
	since := time.Now()
	for i := range items {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		if !yield(items[i], nil) {
			return errLeft
		}
		m.done++
		if i == len(items)-1 || time.Since(since) >= acknowledgeAfter {
			if err := patiently(ctx, m.group.stream.r.(*DB), m.acknowledge); err != nil {
				return err
			}
			since = time.Now()
		}
	}
	return nil
}

func (m *membership) acknowledge() error {
	if m.done == 0 {
		return nil
	}
	_, err := m.group.Ack(m.ctx, m.held[:m.done]...)
	if err == nil {
		m.lock.Lock()
		m.held, m.done = m.held[m.done:], 0
		m.lock.Unlock()
	}
	return err
}
