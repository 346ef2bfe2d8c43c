package brant

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Handler does a job. nil acknowledges it, with the result that Job.SetResult gave, unless the handler has said what becomes of it (Ack, Fail,
// Snooze, Release, also in its transaction: Job.In). An error lets the attempt fail, as a panic does: it is kept, and the job tried again
// after the queue's backoff, unless it is one of NoRetry, RetryAfter or SnoozeFor.
//
// ctx ends when the job's cancel was asked for (context.Cause: ErrCancelRequested), when its lease was lost (ErrStale), and when
// WorkOptions.Grace is over (ErrClosed).
type Handler func(ctx context.Context, job *Job) error

// WorkOptions of Queue.Work and Queue.Jobs; the zero value is the default.
type WorkOptions struct {
	Concurrency int           // of Work: jobs at the same time, default 8
	Worker      string        // who claims, for those who look; default: a name of its own
	Lease       time.Duration // default: the queue's. It is kept up by heartbeats, at a third of it
	Grace       time.Duration // of Work: how long jobs may go on when ctx has ended, default 10 s; negative: not at all
	Stale       func(id int64)
	Logger      *slog.Logger // default slog.Default(): jobs whose leases were lost, and what is tried again
}

const (
	defaultConcurrency = 8
	defaultGrace       = 10 * time.Second
	lastWords          = time.Second // for handlers whose contexts ended, before their jobs are given to others
)

func (o *WorkOptions) defaults() {
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Worker == "" {
		o.Worker = workerName()
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
}

// outcome is an error that says more than that the attempt failed.
type outcome struct {
	cause   error
	noRetry bool
	delay   *time.Duration
	snooze  bool
}

func (o *outcome) Error() string {
	if o.cause == nil {
		return "snoozed"
	}
	return o.cause.Error()
}

func (o *outcome) Unwrap() error { return o.cause }

// Snoozed says that it is no failure, to those who look at errors (errors.As).
func (o *outcome) Snoozed() bool { return o.snooze }

// NoRetry is a handler's error that lets the job be dead at once.
func NoRetry(err error) error { return &outcome{cause: err, noRetry: true} }

// RetryAfter is a handler's error after which the job waits so long, instead of the queue's backoff.
func RetryAfter(delay time.Duration, err error) error { return &outcome{cause: err, delay: &delay} }

// SnoozeFor is no error: the handler wants the job again after a while, and the attempt does not count.
func SnoozeFor(delay time.Duration) error { return &outcome{delay: &delay, snooze: true} }

// SetResult is what the job is acknowledged with when its handler returns nil.
func (j *Job) SetResult(result any) {
	if j.held != nil {
		j.held.result = result
	}
}

// Context ends as a handler's does: for Queue.Jobs.
func (j *Job) Context() context.Context {
	if j.held == nil {
		return context.Background()
	}
	return j.held.ctx
}

// CancelRequested says whether the job's cancel was asked for.
func (j *Job) CancelRequested() bool { return j.held != nil && j.held.asked.Load() }

// Work does the queue's jobs with the handler, several at a time, until ctx ends, or something goes wrong that does not go away by itself, which is
// its error. Waiting costs nothing. Leases are kept up, and jobs that are done are acknowledged with the next claim.
//
// When ctx ends nothing more is claimed. Those that run have WorkOptions.Grace to end; then their contexts end, and a second later what still runs
// is given back without its attempt counting, and Work returns nil. A handler that goes on after that must not write without Job.In.
func (q Queue) Work(ctx context.Context, handler Handler, options ...WorkOptions) error {
	c, err := q.crew(ctx, options)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer c.close()
	s := &shift{crew: c, handler: handler, free: c.options.Concurrency, finished: make(chan *held, c.options.Concurrency)}
	err = s.run(ctx)
	c.leave()
	s.finish(err)
	return ignoreEnd(ctx, err)
}

// shift is one Work. All but the handlers is one goroutine.
type shift struct {
	*crew
	handler  Handler
	free     int
	acks     []Ack
	finished chan *held
}

const claimAgain = 100 * time.Millisecond

func (s *shift) run(ctx context.Context) error {
	idle := false // the last claim left nothing
	db := s.queue.r.(*DB)
	for {
		s.gather()
		if ctx.Err() != nil {
			return ended(ctx)
		}
		var pause time.Duration
		var wake <-chan struct{}
		switch {
		case s.free > 0 && (!idle || len(s.acks) > 0):
			taken, err := s.claim(ctx, s.free, s.acks)
			if err == nil {
				s.acks = nil
				idle = len(taken) < s.free
				s.start(taken)
				continue
			}
			if fatal(err) {
				return err
			}
			if ctx.Err() == nil {
				s.log().Warn("brant: claim", "queue", s.queue.Name, "error", err)
			}
			pause = claimAgain
		case s.free > 0:
			some, rest, err := s.look(ctx)
			if err != nil {
				if fatal(err) {
					return err
				}
				s.leave()
				rest = claimAgain
			}
			if some {
				idle = false
				continue
			}
			pause = rest
			if s.watch != nil {
				wake = s.watch.wake
			}
		default:
			if s.asleep {
				s.leave()
			}
			pause = time.Hour
		}
		timer := time.NewTimer(pause)
		select {
		case h := <-s.finished:
			s.take(h)
		case <-wake:
		case <-timer.C:
		case <-ctx.Done():
		case <-db.engine.signals.closed:
			timer.Stop()
			return errClosed()
		}
		timer.Stop()
	}
}

func (s *shift) start(taken []*held) {
	for _, h := range taken {
		s.free--
		go s.do(h)
	}
}

// gather takes what has finished meanwhile.
func (s *shift) gather() {
	for {
		select {
		case h := <-s.finished:
			s.take(h)
		default:
			return
		}
	}
}

func (s *shift) take(h *held) {
	s.free++
	if h.done && !h.lost.Load() {
		s.acks = append(s.acks, h.job.Acked(h.result))
	}
	s.drop(h)
}

// do runs the handler and says what becomes of the job.
func (s *shift) do(h *held) {
	err := s.attempt(h)
	s.settle(h, err)
	s.finished <- h
}

// attempt is the handler's error; a panic is one, with its stack, and so is the end of its goroutine.
func (s *shift) attempt(h *held) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			if returned {
				return
			}
			if cause := recover(); cause != nil {
				err = &JobError{Message: fmt.Sprint("panic: ", cause), Stack: string(debug.Stack()), Code: "PANIC"}
			} else {
				err = &JobError{Message: "the handler ended its goroutine", Stack: string(debug.Stack()), Code: "GOEXIT"}
			}
		}()
		err = s.handler(h.ctx, h.job)
		returned = true
	}()
	<-done
	return err
}

var errShutdown = failf(ErrClosed, "the worker is shutting down")

func (c *crew) settle(h *held, failure error) {
	if h.lost.Load() {
		return // was told already
	}
	if failure == nil {
		if !h.settled.Load() {
			// The result must be JSON now: the claim that acknowledges it is for others too.
			in := newInput()
			in.value("result", h.result)
			failure = in.err
			in.free()
		}
		if failure == nil {
			h.done = !h.settled.Load()
			return
		}
	}
	already := h.settled.Load()
	if err := c.giveUp(h, failure); err != nil {
		if codeOf(err) == ErrStale {
			if !already {
				h.lost.Store(true)
				c.reportStale([]int64{h.job.ID})
			}
			return
		}
		c.log().Error("brant: a job's end could not be written; it is tried again when its lease ends",
			"queue", c.queue.Name, "id", h.job.ID, "error", err)
	}
}

func (c *crew) giveUp(h *held, failure error) (err error) {
	var o *outcome
	errors.As(failure, &o)
	switch {
	case o != nil && o.snooze:
		_, err = h.job.Snooze(c.ctx, *o.delay)
	case errors.Is(context.Cause(h.ctx), errShutdown):
		_, err = h.job.Release(c.ctx)
	case o != nil:
		_, err = h.job.Fail(c.ctx, o.cause, &FailOptions{NoRetry: o.noRetry, Delay: o.delay})
	default:
		_, err = h.job.Fail(c.ctx, failure, nil)
	}
	return err
}

// finish lets what runs end, and gives the rest back.
func (s *shift) finish(why error) {
	grace := time.NewTimer(max(s.options.Grace, 0))
	defer grace.Stop()
	words := time.Duration(0)
	if fatal(why) {
		grace.Reset(0) // nothing more can be written
	}
	for stopped := false; s.free < s.options.Concurrency; {
		s.flush()
		select {
		case h := <-s.finished:
			s.take(h)
			continue
		case <-grace.C:
		}
		if stopped {
			s.abandon()
			break
		}
		stopped, words = true, lastWords
		for _, h := range s.all() {
			h.cancel(errShutdown)
		}
		grace.Reset(words)
	}
	s.gather()
	s.flush()
}

func (s *shift) flush() {
	if len(s.acks) == 0 {
		return
	}
	_, stale, err := Jobs{s.queue.r}.AckMany(s.ctx, s.acks)
	if err != nil {
		s.log().Error("brant: jobs that are done could not be acknowledged", "queue", s.queue.Name, "count", len(s.acks), "error", err)
	}
	s.reportStale(stale)
	s.acks = nil
}

// abandon gives back what still runs.
func (s *shift) abandon() {
	for _, h := range s.all() {
		_, err := h.job.Release(s.ctx)
		h.lost.Store(true) // whatever its handler says is too late
		s.log().Warn("brant: a handler did not end in time; its job was given back", "queue", s.queue.Name, "id", h.job.ID, "error", err)
	}
}

// Jobs yields the queue's jobs one by one, as they come, until an error, which is the last thing that it yields: the end of ctx is one. A job
// is done when the loop comes back for the next, unless it was told otherwise (Ack, Fail, Snooze, Release), and is acknowledged with the next claim. The
// job that the loop is left with, by break, return or panic, is given back without its attempt counting, unless it was told otherwise.
// Its lease is kept up meanwhile; Job.Context ends when it is lost, or its cancel was asked for.
func (q Queue) Jobs(ctx context.Context, options ...WorkOptions) iter.Seq2[*Job, error] {
	return func(yield func(*Job, error) bool) {
		c, err := q.crew(ctx, options)
		if err != nil {
			yield(nil, err)
			return
		}
		defer c.close()
		s := &shift{crew: c, free: 1}
		for {
			h, err := s.next(ctx)
			if err != nil {
				s.flush()
				yield(nil, err)
				return
			}
			s.lend(h, yield)
			if s.free == 0 {
				return
			}
		}
	}
}

// lend yields one job; s.free says whether the loop goes on.
func (s *shift) lend(h *held, yield func(*Job, error) bool) {
	s.free = 0
	defer func() {
		if s.free == 0 && !h.settled.Load() && !h.lost.Load() {
			if _, err := h.job.Release(s.ctx); err != nil {
				s.log().Warn("brant: giving a job back", "queue", s.queue.Name, "id", h.job.ID, "error", err)
			}
		}
		s.drop(h)
	}()
	if !yield(h.job, nil) {
		return
	}
	s.free = 1
	s.settle(h, nil)
	if h.done {
		s.acks = append(s.acks, h.job.Acked(h.result))
	}
}

// next waits for a job.
func (s *shift) next(ctx context.Context) (*held, error) {
	interrupted := s.queue.r.(*DB).engine.signals.interrupted()
	for {
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		var taken []*held
		err := patiently(ctx, s.queue.r.(*DB), func() (err error) {
			taken, err = s.claim(ctx, 1, s.acks)
			return err
		})
		if err != nil {
			return nil, err
		}
		s.acks = nil
		if len(taken) > 0 {
			if s.asleep {
				s.leave()
			}
			return taken[0], nil
		}
		for some := false; !some; {
			var pause time.Duration
			if some, pause, err = s.look(ctx); err != nil {
				return nil, err
			}
			if some {
				break
			}
			timer := time.NewTimer(pause)
			select {
			case <-s.watch.wake:
			case <-timer.C:
			case <-s.watch.closed:
				err = s.watch.closedError()
			case <-interrupted:
				err = errInterrupted()
			case <-ctx.Done():
				err = ended(ctx)
			}
			timer.Stop()
			if err != nil {
				return nil, err
			}
		}
	}
}

func (c *crew) openWatch(ctx context.Context) (*subscription, error) {
	return subscriptionOf(ctx, c.queue.r, cbrant.Brant_queue_watch, c.queue.input())
}

// JobFailed is the error of Queue.Result for a job that ended otherwise than done. It is ErrConflict.
type JobFailed struct{ Job JobInfo }

// Error is the state, and the last attempt's message.
func (e *JobFailed) Error() string {
	text := "brant: the job is " + string(e.Job.State)
	if last := len(e.Job.Errors) - 1; last >= 0 {
		text += ": " + e.Job.Errors[last].Message
	}
	return text
}

// Is says that it is ErrConflict.
func (e *JobFailed) Is(target error) bool { return target == ErrConflict }

// Result waits until a job has ended and describes it, with its result if the job's or the queue's ResultTTL keeps it. One that did not
// end well is a *JobFailed at once. ErrNotFound: the id was never given; ErrTimeout, ErrInterrupted: ctx ended before.
func (q Queue) Result(ctx context.Context, id int64) (JobInfo, error) {
	w, err := Jobs{q.r}.Watch(ctx, id)
	if err != nil {
		return JobInfo{}, err
	}
	defer func() { _ = w.Close() }()
	job, err := w.Next(ctx)
	if err == nil && job.State != JobDone {
		err = &JobFailed{job}
	}
	return job, err
}
