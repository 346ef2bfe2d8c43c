package brant

import (
	"context"
	"slices"
	"sync"
	"time"
)

// readers is a pool of read-only connections, opened when they are first needed. The one used last is used next: its caches are warm.
type readers struct {
	open      func() (*connection, error)
	opened    func(*connection) error // when it is among all
	wait      time.Duration
	transient bool          // none stays idle
	places    chan struct{} // one for each connection that may be in use

	lock    sync.Mutex
	closed  bool
	opening sync.WaitGroup
	idle    []*connection
	all     []*connection
}

func newReaders(count int, wait time.Duration, open func() (*connection, error), opened func(*connection) error) *readers {
	return &readers{open: open, opened: opened, wait: wait, places: make(chan struct{}, count)}
}

func (p *readers) acquire(ctx context.Context, signals *signals) (*connection, error) {
	select {
	case p.places <- struct{}{}:
	default:
		if err := p.await(ctx, signals); err != nil {
			return nil, err
		}
	}
	p.lock.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		c := p.idle[last]
		p.idle = p.idle[:last]
		p.lock.Unlock()
		return c, nil
	}
	if p.closed {
		p.lock.Unlock()
		<-p.places
		return nil, errClosed()
	}
	p.opening.Add(1)
	p.lock.Unlock()
	c, err := p.another()
	if err != nil {
		<-p.places
	}
	return c, err
}

// another opens a further connection. close waits for that.
func (p *readers) another() (*connection, error) {
	defer p.opening.Done()
	c, err := p.open()
	if err != nil {
		return nil, err
	}
	p.lock.Lock()
	p.all = append(p.all, c)
	p.lock.Unlock()
	if err := p.opened(c); err != nil {
		p.drop(c)
		return nil, err
	}
	return c, nil
}

// close closes all connections, those too that are being opened, and returns when the calls in them have left.
func (p *readers) close() {
	p.lock.Lock()
	p.closed = true
	p.lock.Unlock()
	p.opening.Wait()
	p.each((*connection).end)
	p.each((*connection).close)
}

// drop closes a connection that is not idle, for good.
func (p *readers) drop(c *connection) {
	p.lock.Lock()
	p.all = slices.DeleteFunc(p.all, func(other *connection) bool { return other == c })
	p.lock.Unlock()
	c.close()
}

func (p *readers) await(ctx context.Context, signals *signals) error {
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	case <-timer.C:
		return tooLong(ctx, "all %d readers were in use for longer than %d ms", cap(p.places), p.wait.Milliseconds())
	case <-signals.closed:
		return errClosed()
	case <-signals.interrupted():
		return errInterrupted()
	}
}

func (p *readers) release(c *connection) {
	if p.transient {
		p.drop(c)
	} else {
		p.lock.Lock()
		p.idle = append(p.idle, c)
		p.lock.Unlock()
	}
	<-p.places
}

// first is one that is there.
func (p *readers) first() *connection {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.all[0]
}

func (p *readers) each(do func(*connection)) {
	p.lock.Lock()
	all := append([]*connection(nil), p.all...)
	p.lock.Unlock()
	for _, c := range all {
		do(c)
	}
}
