package brant

import (
	"context"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Ready says that there is something to be had, at the moment of the look: somebody else may be faster.
type Ready struct {
	Queue string `json:"queue,omitempty"` // whose jobs can be claimed
	Ready bool   `json:"ready,omitzero"`  // events of a group can be claimed
	Free  bool   `json:"free,omitzero"`   // a lock is
}

// Watch tells when the queue has something to claim: each look yields one item as long as there is. Of those who wait, in any process, one
// is woken for each job that becomes ready. Work and Jobs do this.
func (q Queue) Watch(ctx context.Context) (*Watch[Ready], error) {
	return openWatch[Ready](ctx, q.r, cbrant.Brant_queue_watch, q.input())
}

// CancelRequest is a running job whose cancel was asked for.
type CancelRequest struct {
	ID    int64 `json:"id"`
	Token int64 `json:"token"`
}

// Cancels tells of the running jobs of a worker, by the name it claims with, whose cancel was asked for, each once a claim. Work and Jobs do
// this.
func (q Queue) Cancels(ctx context.Context, worker string) (*Watch[CancelRequest], error) {
	return openWatch[CancelRequest](ctx, q.r, cbrant.Brant_job_cancels, q.input().text("worker", worker))
}

// Watch yields a job once it has finished, and then io.EOF. Of one that is gone only ID and State are known. ErrNotFound: the id was never
// given.
func (s Jobs) Watch(ctx context.Context, id int64) (*Watch[JobInfo], error) {
	return openWatch[JobInfo](ctx, s.r, cbrant.Brant_job_watch, newInput().integer("id", id))
}

// Watch tells when the group has something to claim, as Queue.Watch does; from is for a group that is not there yet. Join does this.
// ErrConflict: the group is a consumer.
func (g Group) Watch(ctx context.Context, from Position) (*Watch[Ready], error) {
	return openWatch[Ready](ctx, g.stream.r, cbrant.Brant_consumer_watch, g.input().position("from", from))
}

// Watch tells when the lock is free: each look yields one item while it is. DB.Lock does this.
func (l Locks) Watch(ctx context.Context, name string) (*Watch[Ready], error) {
	return openWatch[Ready](ctx, l.r, cbrant.Brant_lock_watch, newInput().text("name", name))
}

// SchedulerOptions of Schedules.Run and DB.RunScheduler; nil is the default.
type SchedulerOptions struct {
	Owner string        // default: one of its own
	TTL   time.Duration // how long a leader that is gone is still believed in: 100 ms to an hour, default 15 s
	Fired func(Fire)    // of RunScheduler: told of each fire of this one
}

// Run runs the scheduler while it is asked for its next items: what is due is fired, and told. Of all who run it one is the leader; when it is
// closed, or its process dies, another takes over.
func (s Schedules) Run(ctx context.Context, options *SchedulerOptions) (*Watch[Fire], error) {
	in := newInput()
	if options != nil {
		in.given("owner", options.Owner).span("ttl", options.TTL)
	}
	return openWatch[Fire](ctx, s.r, cbrant.Brant_schedule_run, in)
}

// RunScheduler fires what is due until ctx ends, which is no error, or something goes wrong that will not go away by itself. Run it in as many
// processes as you like: nothing fires twice.
func (db *DB) RunScheduler(ctx context.Context, options *SchedulerOptions) error {
	w, err := db.Schedules.Run(ctx, options)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer func() { _ = w.Close() }()
	for fire, err := range w.All(ctx) {
		if err != nil {
			return ignoreEnd(ctx, err)
		}
		if options != nil && options.Fired != nil {
			options.Fired(fire)
		}
	}
	return nil
}

// ignoreEnd is nil when ctx's end is all that is wrong.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && (codeOf(err) == ErrInterrupted || codeOf(err) == ErrTimeout) {
		return nil
	}
	return err
}
