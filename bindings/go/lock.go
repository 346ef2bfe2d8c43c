package brant

import (
	"context"
	"sync"
	"time"
)

// LockOptions of DB.Lock and DB.TryLock; nil is the default.
type LockOptions struct {
	Owner string        // default: one of its own; the same owner twice holds the same lock
	TTL   time.Duration // how long it is held after its holder died, default 30 s; kept up at a third of it
}

// Lock is a lock that is held, until it is released or lost: then its context ends. Give Token to what the lock protects, and let that refuse one
// that is smaller than one it has seen: who holds a lock may have lost it without knowing.
type Lock struct {
	Name  string
	Owner string
	Token int64

	locks  Locks
	ctx    context.Context
	cancel context.CancelCauseFunc
	keeper sync.WaitGroup
	once   sync.Once
	err    error
}

const defaultTTL = 30 * time.Second

// Lock waits until it holds the lock; of those who wait one is woken when it becomes free. The end of ctx ends the wait, not the lock.
// ErrTimeout, ErrInterrupted: ctx ended before.
func (db *DB) Lock(ctx context.Context, name string, options *LockOptions) (*Lock, error) {
	o := options.given()
	var waiting *Watch[Ready]
	for {
		held, err := db.tryLock(ctx, name, o)
		if held != nil || (err != nil && codeOf(err) != ErrBusy) {
			if waiting != nil {
				_ = waiting.Close()
			}
			return held, err
		}
		if waiting == nil {
			if waiting, err = db.Locks.Watch(ctx, name); err != nil {
				return nil, err
			}
		}
		if _, err := waiting.Next(ctx); err != nil {
			_ = waiting.Close()
			return nil, err
		}
	}
}

// TryLock is Lock without waiting: nil when somebody else holds it.
func (db *DB) TryLock(ctx context.Context, name string, options *LockOptions) (*Lock, error) {
	return db.tryLock(ctx, name, options.given())
}

func (o *LockOptions) given() LockOptions {
	var given LockOptions
	if o != nil {
		given = *o
	}
	if given.Owner == "" {
		given.Owner = workerName()
	}
	if given.TTL <= 0 {
		given.TTL = defaultTTL
	}
	return given
}

func (db *DB) tryLock(ctx context.Context, name string, o LockOptions) (*Lock, error) {
	acquired, err := db.Locks.Acquire(ctx, name, o.Owner, o.TTL)
	if err != nil || !acquired.Acquired {
		return nil, err
	}
	l := &Lock{Name: name, Owner: o.Owner, Token: acquired.Token, locks: db.Locks}
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	l.keeper.Add(1)
	go l.keep(o.TTL, db.engine.signals.closed)
	return l, nil
}

// Context ends when the lock is released, or lost: then its cause is ErrStale.
func (l *Lock) Context() context.Context { return l.ctx }

// keep refreshes the lease, until it is lost: by time, too, when it could not be refreshed.
func (l *Lock) keep(ttl time.Duration, closed <-chan struct{}) {
	defer l.keeper.Done()
	timer := time.NewTimer(ttl / 3)
	defer timer.Stop()
	until := time.Now().Add(ttl)
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-closed:
			l.cancel(errClosed())
			return
		case <-timer.C:
		}
		now := time.Now()
		_, err := l.locks.Refresh(l.ctx, l.Name, l.Token, ttl)
		switch {
		case err == nil:
			until = now.Add(ttl)
		case codeOf(err) == ErrStale || !time.Now().Before(until):
			l.cancel(failf(ErrStale, "the lock is lost"))
			return
		}
		timer.Reset(min(ttl/3, max(time.Until(until), time.Millisecond)))
	}
}

// Release frees the lock; the second time it does nothing. ErrStale: it was lost before.
func (l *Lock) Release(ctx context.Context) error {
	l.once.Do(func() {
		l.cancel(nil)
		l.keeper.Wait()
		l.err = l.locks.Release(ctx, l.Name, l.Token)
	})
	return l.err
}
