package brant

import (
	"context"
	"iter"
	"time"
)

// RateLimitKind says how a rate limit counts.
type RateLimitKind string

// The kinds of rate limits.
const (
	SlidingWindow RateLimitKind = "sliding_window" // the default: no window of Period ever holds more than Limit, exactly
	TokenBucket   RateLimitKind = "token_bucket"   // Limit tokens come back in each Period, evenly; the bucket holds Burst at most
)

// RateLimitOptions of DB.RateLimit.
type RateLimitOptions struct {
	Kind   RateLimitKind
	Limit  int64
	Period time.Duration
	Burst  int64 // of a bucket; default Limit
}

// RateLimit is a named rate limit, which all processes share: DB.RateLimit, Tx.RateLimit.
type RateLimit struct {
	Name    string
	Options RateLimitOptions
	r       runner
}

// RateLimit is the rate limit of that name. What was taken under it counts on when its options change.
func (o operations) RateLimit(name string, options RateLimitOptions) RateLimit {
	return RateLimit{name, options, o.r}
}

// Allowance is what a rate limit said.
type Allowance struct {
	Allowed    bool         `json:"allowed"`
	Remaining  int64        `json:"remaining"`   // what could be taken at once after this
	RetryAfter Milliseconds `json:"retry_after"` // if nobody else takes anything; 0 when it was allowed
	ResetAt    Timestamp    `json:"reset_at"`    // when all of it is there again
}

func (l RateLimit) input(cost int64) *input {
	kind := l.Options.Kind
	if kind == "" {
		kind = SlidingWindow
	}
	in := newInput().text("name", l.Name).text("kind", string(kind)).integer("limit", l.Options.Limit)
	return in.integer("period", milliseconds(l.Options.Period)).positive("burst", int(l.Options.Burst)).integer("cost", cost)
}

// Take takes a cost, mostly 1, at once or not at all. ErrInvalid: it is more than there can ever be.
func (l RateLimit) Take(ctx context.Context, cost int64) (Allowance, error) {
	return do[Allowance](ctx, l.r, rateLimitsTake, l.input(cost))
}

// Peek says what Take would, and takes nothing.
func (l RateLimit) Peek(ctx context.Context, cost int64) (Allowance, error) {
	return do[Allowance](ctx, l.r, rateLimitsPeek, l.input(cost))
}

// Wait takes a cost as soon as it can be taken. ErrTimeout, at once: not before the context's deadline; ErrMisuse: in a transaction.
func (l RateLimit) Wait(ctx context.Context, cost int64) error {
	db, ok := l.r.(*DB)
	if !ok {
		return failf(ErrMisuse, "who waits does so outside of transactions")
	}
	interrupted := db.engine.signals.interrupted()
	for {
		allowance, err := l.Take(ctx, cost)
		if err != nil || allowance.Allowed {
			return err
		}
		pause := allowance.RetryAfter.Duration()
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < pause {
			return failf(ErrTimeout, "the rate limit allows it after the context's deadline")
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			continue
		case <-ctx.Done():
			err = ended(ctx)
		case <-db.engine.signals.closed:
			err = errClosed()
		case <-interrupted:
			err = errInterrupted()
		}
		timer.Stop()
		return err
	}
}

// Reset is as if nothing had ever been taken; false: nothing had.
func (l RateLimit) Reset(ctx context.Context) (bool, error) {
	answer, err := do[struct {
		Reset bool `json:"reset"`
	}](ctx, l.r, rateLimitsReset, newInput().text("name", l.Name))
	return answer.Reset, err
}

// RateLimitInfo describes a rate limit as it was last taken from.
type RateLimitInfo struct {
	Name      string        `json:"name"`
	Kind      RateLimitKind `json:"kind"`
	Limit     int64         `json:"limit"`
	Period    Milliseconds  `json:"period"`
	Burst     *int64        `json:"burst,omitempty"`
	Remaining int64         `json:"remaining"`
	ResetAt   Timestamp     `json:"reset_at"`
}

// RateLimits are the rate limits of the file: DB.RateLimits, Tx.RateLimits.
type RateLimits struct{ r runner }

// List is a part of the rate limits that are not whole, by name.
func (l RateLimits) List(ctx context.Context, options *NameListOptions) (Listing[RateLimitInfo, string], error) {
	return listNamed[RateLimitInfo](ctx, l.r, rateLimitsList, options)
}

// All goes through the rate limits whose names begin so, by name. An error is the last thing it yields.
func (l RateLimits) All(ctx context.Context, prefix string) iter.Seq2[RateLimitInfo, error] {
	return allNamed(func(o *NameListOptions) (Listing[RateLimitInfo, string], error) { return l.List(ctx, o) }, prefix)
}
