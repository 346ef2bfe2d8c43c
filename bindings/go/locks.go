package brant

import (
	"context"
	"iter"
	"time"
)

// Locks are the named leases of the file: DB.Locks, Tx.Locks. These methods do not wait; DB.Lock does.
type Locks struct{ r runner }

// LockInfo describes a lock that is held.
type LockInfo struct {
	Name       string    `json:"name"`
	Owner      string    `json:"owner"`
	Token      int64     `json:"token"`
	AcquiredAt Timestamp `json:"acquired_at"`
	ExpiresAt  Timestamp `json:"expires_at"`
}

// Acquired is what Acquire did.
type Acquired struct {
	Acquired  bool      `json:"acquired"`
	Token     int64     `json:"token,omitzero"` // where it was acquired; grows for ever within a file
	ExpiresAt Timestamp `json:"expires_at"`     // of whoever holds it
	Owner     string    `json:"owner"`          // who holds it
}

// Acquire takes the lock for ttl (0: 30 s), if it is free or the owner's own, which keeps its token.
func (l Locks) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (Acquired, error) {
	return do[Acquired](ctx, l.r, locksAcquire, newInput().text("name", name).text("owner", owner).span("ttl", ttl))
}

// Refresh lets the lease end ttl from now; 0: as long as it was given before. ErrStale: it is over.
func (l Locks) Refresh(ctx context.Context, name string, token int64, ttl time.Duration) (expiresAt Timestamp, err error) {
	answer, err := do[struct {
		ExpiresAt Timestamp `json:"expires_at"`
	}](ctx, l.r, locksRefresh, newInput().text("name", name).integer("token", token).span("ttl", ttl))
	return answer.ExpiresAt, err
}

// Release frees the lock. ErrStale: the lease is over already.
func (l Locks) Release(ctx context.Context, name string, token int64) error {
	_, err := do[struct{}](ctx, l.r, locksRelease, newInput().text("name", name).integer("token", token))
	return err
}

// Break frees the lock whoever holds it, and returns the token of the lease that is over. ErrNotFound: nobody does.
func (l Locks) Break(ctx context.Context, name string) (token int64, err error) {
	answer, err := do[struct {
		Token int64 `json:"token"`
	}](ctx, l.r, locksBreak, newInput().text("name", name))
	return answer.Token, err
}

// Get describes a lock. ErrNotFound: nobody holds it.
func (l Locks) Get(ctx context.Context, name string) (LockInfo, error) {
	return do[LockInfo](ctx, l.r, locksGet, newInput().text("name", name))
}

// List is a part of the locks that are held, by name.
func (l Locks) List(ctx context.Context, options *NameListOptions) (Listing[LockInfo, string], error) {
	return listNamed[LockInfo](ctx, l.r, locksList, options)
}

// All goes through the locks that are held whose names begin so, by name. An error is the last thing it yields.
func (l Locks) All(ctx context.Context, prefix string) iter.Seq2[LockInfo, error] {
	return allNamed(func(o *NameListOptions) (Listing[LockInfo, string], error) { return l.List(ctx, o) }, prefix)
}
