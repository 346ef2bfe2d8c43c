package brant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// JobState says where a job is.
type JobState string

// The states of jobs.
const (
	JobReady     JobState = "ready"     // can run now
	JobDelayed   JobState = "delayed"   // until RunAt
	JobBlocked   JobState = "blocked"   // its key is taken, or it comes after jobs that are not done
	JobRunning   JobState = "running"   // claimed
	JobDone      JobState = "done"      // acknowledged
	JobDead      JobState = "dead"      // no attempt is left
	JobCancelled JobState = "cancelled" // before it was done
	JobExpired   JobState = "expired"   // not claimed in time
)

// Job is a job that was claimed: its holder acknowledges it, lets it fail, or gives it back, with a token that no other claim of the job has.
// Whoever comes after its lease has ended and somebody else was given it gets ErrStale. In Work and Jobs the lease is kept up meanwhile.
type Job struct {
	ID          int64           `json:"id"`
	Token       int64           `json:"token"`
	Queue       string          `json:"queue"`
	Payload     json.RawMessage `json:"payload,omitempty"` // nil when it is bytes
	Bytes       []byte          `json:"payload_base64,omitzero"`
	Attempt     int             `json:"attempt"` // this one, from 1
	MaxAttempts int             `json:"max_attempts"`
	Priority    int             `json:"priority"`
	Key         string          `json:"key,omitempty"`
	Progress    json.RawMessage `json:"progress,omitempty"` // what an attempt before left
	Schedule    string          `json:"schedule,omitempty"` // that enqueued it
	CreatedAt   Timestamp       `json:"created_at"`
	LeaseUntil  Timestamp       `json:"lease_until"` // as it was claimed

	r    runner
	held *held // nil unless Work or Jobs has it
}

// Decode decodes the payload as json.Unmarshal does.
func (j *Job) Decode(payload any) error { return json.Unmarshal(j.Payload, payload) }

// In is the job as the holder's transaction sees it: its Ack there commits with the job's effects, or not at all.
func (j *Job) In(tx *Tx) *Job {
	inside := *j
	inside.r = tx
	return &inside
}

func (j *Job) input() *input { return newInput().integer("id", j.ID).integer("token", j.Token) }

// ended notes that its holder has said what becomes of the job.
func (j *Job) ended(err error) {
	if j.held != nil && (err == nil || codeOf(err) == ErrStale) {
		j.held.settled.Store(true)
	}
}

// Ack says that the job is done, with a result that is kept for as long as the job's or the queue's ResultTTL says; nil: none. ErrStale.
func (j *Job) Ack(ctx context.Context, result any) error {
	_, err := do[struct{}](ctx, j.r, jobsAck, j.input().value("result", result))
	j.ended(err)
	return err
}

// Settled is where a job is after its holder let go of it.
type Settled struct {
	State JobState   `json:"state"`
	RunAt *Timestamp `json:"run_at,omitempty"`
}

// FailOptions of Job.Fail; nil is the default.
type FailOptions struct {
	NoRetry bool           // it is dead
	Delay   *time.Duration // instead of the queue's backoff
}

// JobError is what went wrong in an attempt.
type JobError struct {
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"`
	Code    string `json:"code,omitempty"`
}

func (e *JobError) Error() string { return e.Message }

// Fail says that the attempt failed: it counts, and the job waits for its next, is dead when none is left, or cancelled when that was asked
// for. The error is kept with its stack, if it is a *JobError or prints one (%+v), and its code, if it has one. ErrStale.
func (j *Job) Fail(ctx context.Context, failure error, options *FailOptions) (Settled, error) {
	described := describe(failure)
	in := j.input()
	in.name("error")
	in.object(func() {
		in.text("message", described.Message).given("stack", described.Stack).given("code", described.Code)
	})
	if options != nil {
		if options.NoRetry {
			in.boolean("retry", new(bool))
		}
		if options.Delay != nil {
			in.integer("delay", milliseconds(*options.Delay))
		}
	}
	settled, err := do[Settled](ctx, j.r, jobsFail, in)
	j.ended(err)
	return settled, err
}

// describe is an error as it is kept: text that is UTF-8.
func describe(failure error) JobError {
	var known *JobError
	if errors.As(failure, &known) {
		described := *known
		if message := failure.Error(); message != known.Message {
			described.Message = message // it was wrapped
		}
		return described.valid()
	}
	if failure == nil {
		return JobError{Message: "failed"}
	}
	described := JobError{Message: failure.Error()}
	var formatted fmt.Formatter
	if errors.As(failure, &formatted) {
		if long := fmt.Sprintf("%+v", failure); long != described.Message {
			described.Stack = long
		}
	}
	var ours *Error
	var code Code
	switch {
	case errors.As(failure, &ours):
		described.Code = ours.Code.String()
	case errors.As(failure, &code):
		described.Code = code.String()
	}
	return described.valid()
}

// valid is the error as JSON can say it.
func (e JobError) valid() JobError {
	return JobError{strings.ToValidUTF8(e.Message, "\uFFFD"), strings.ToValidUTF8(e.Stack, "\uFFFD"), strings.ToValidUTF8(e.Code, "\uFFFD")}
}

// Snooze gives the job back for a while; the attempt does not count. ErrStale.
func (j *Job) Snooze(ctx context.Context, delay time.Duration) (Settled, error) {
	settled, err := do[Settled](ctx, j.r, jobsSnooze, j.input().integer("delay", milliseconds(delay)))
	j.ended(err)
	return settled, err
}

// Release gives the job back at once; the attempt does not count. ErrStale.
func (j *Job) Release(ctx context.Context) (Settled, error) {
	settled, err := do[Settled](ctx, j.r, jobsRelease, j.input())
	j.ended(err)
	return settled, err
}

// Heartbeat is what a heartbeat said.
type Heartbeat struct {
	LeaseUntil      Timestamp `json:"lease_until"`
	CancelRequested bool      `json:"cancel_requested"`
}

// HeartbeatOptions of Job.Heartbeat; nil is the default.
type HeartbeatOptions struct {
	Lease    time.Duration // from now; default: the queue's
	Progress any           // stays with the job over its attempts; nil: as it was
}

// Heartbeat keeps the lease up. ErrStale.
func (j *Job) Heartbeat(ctx context.Context, options *HeartbeatOptions) (Heartbeat, error) {
	in := j.input()
	if options != nil {
		in.span("lease", options.Lease).value("progress", options.Progress)
	}
	return do[Heartbeat](ctx, j.r, jobsHeartbeat, in)
}

// SetProgress says how far the job is, for those who look and for the next attempt, and keeps the lease up. ErrStale.
func (j *Job) SetProgress(ctx context.Context, progress any) error {
	_, err := j.Heartbeat(ctx, &HeartbeatOptions{Progress: progress})
	return err
}

// Acked is the job as AckAndClaim and AckMany acknowledge it.
func (j *Job) Acked(result any) Ack { return Ack{ID: j.ID, Token: j.Token, Result: result} }

// Ack says that a job is done.
type Ack struct {
	ID     int64
	Token  int64
	Result any // nil: none
}

func ackItems(in *input, name string, acks []Ack) {
	in.array(name, len(acks), func(i int) {
		in.object(func() { in.integer("id", acks[i].ID).integer("token", acks[i].Token).value("result", acks[i].Result) })
	})
}

// Jobs are the jobs of all queues, by id: DB.Jobs, Tx.Jobs.
type Jobs struct{ r runner }

// Claimed is a job of which only id and token are known, for its holder's methods.
func (s Jobs) Claimed(id, token int64) *Job { return &Job{ID: id, Token: token, r: s.r} }

// AckMany says that jobs are done. Those whose tokens are stale are named.
func (s Jobs) AckMany(ctx context.Context, acks []Ack) (acked int64, stale []int64, err error) {
	in := newInput()
	ackItems(in, "items", acks)
	answer, err := do[struct {
		Acked int64   `json:"acked"`
		Stale []int64 `json:"stale"`
	}](ctx, s.r, jobsAckMany, in)
	return answer.Acked, answer.Stale, err
}

// Beat is what a heartbeat said of one of many jobs.
type Beat struct {
	ID              int64     `json:"id"`
	LeaseUntil      Timestamp `json:"lease_until,omitzero"`
	Stale           bool      `json:"stale,omitzero"`
	CancelRequested bool      `json:"cancel_requested,omitzero"`
}

// HeartbeatMany keeps the leases of jobs up, 0: for as long as their queues say. The answer is in the order of the jobs.
func (s Jobs) HeartbeatMany(ctx context.Context, jobs []*Job, lease time.Duration) ([]Beat, error) {
	in := newInput()
	in.array("items", len(jobs), func(i int) {
		in.object(func() { in.integer("id", jobs[i].ID).integer("token", jobs[i].Token) })
	})
	answer, err := do[struct {
		Items []Beat `json:"items"`
	}](ctx, s.r, jobsHeartbeatMany, in.span("lease", lease))
	return answer.Items, err
}

// JobAttempt is an attempt that failed.
type JobAttempt struct {
	Attempt int       `json:"attempt"`
	At      Timestamp `json:"at"`
	Worker  string    `json:"worker,omitempty"`
	JobError
}

// JobInfo describes a job in whatever state.
type JobInfo struct {
	ID              int64           `json:"id"`
	Queue           string          `json:"queue"`
	State           JobState        `json:"state"`
	Priority        int             `json:"priority"`
	Payload         json.RawMessage `json:"payload,omitempty"` // nil when it is bytes
	Bytes           []byte          `json:"payload_base64,omitzero"`
	Key             string          `json:"key,omitempty"`
	Attempt         int             `json:"attempt"` // how many began that count
	MaxAttempts     int             `json:"max_attempts"`
	RunAt           *Timestamp      `json:"run_at,omitempty"`
	ExpiresAt       *Timestamp      `json:"expires_at,omitempty"`
	LeaseUntil      *Timestamp      `json:"lease_until,omitempty"`
	Worker          string          `json:"worker,omitempty"`
	ClaimedAt       *Timestamp      `json:"claimed_at,omitempty"`
	FinishedAt      *Timestamp      `json:"finished_at,omitempty"`
	Progress        json.RawMessage `json:"progress,omitempty"`
	Result          json.RawMessage `json:"result,omitempty"`
	Errors          []JobAttempt    `json:"errors"` // the newest 20
	After           []int64         `json:"after"`  // jobs that it still waits for
	UniqueKey       string          `json:"unique_key,omitempty"`
	CancelRequested bool            `json:"cancel_requested"`
	Schedule        string          `json:"schedule,omitempty"`
	CreatedAt       Timestamp       `json:"created_at"`
}

// Decode decodes the payload as json.Unmarshal does.
func (j *JobInfo) Decode(payload any) error { return json.Unmarshal(j.Payload, payload) }

// Finished says whether the job has ended, one way or another.
func (j *JobInfo) Finished() bool {
	switch j.State {
	case JobDone, JobDead, JobCancelled, JobExpired:
		return true
	}
	return false
}

// Get describes a job. ErrNotFound: the id was never given, or the job is gone, as those that are done mostly are at once (ResultTTL).
func (s Jobs) Get(ctx context.Context, id int64) (JobInfo, error) {
	return do[JobInfo](ctx, s.r, jobsGet, newInput().integer("id", id))
}

// Cancel ends a job that waits now. Of one that runs the cancel is asked for: its holder is told, and the state stays JobRunning until
// that ends it. ErrNotFound, ErrConflict: it has finished.
func (s Jobs) Cancel(ctx context.Context, id int64) (JobState, error) {
	answer, err := do[Settled](ctx, s.r, jobsCancel, newInput().integer("id", id))
	return answer.State, err
}

// Requeue makes a dead, cancelled or expired job ready again, with another payload unless that is nil; attempts begin anew, errors are
// kept. ErrNotFound, ErrConflict.
func (s Jobs) Requeue(ctx context.Context, id int64, payload any) (JobState, error) {
	answer, err := do[Settled](ctx, s.r, jobsRequeue, newInput().integer("id", id).changedPayload(payload))
	return answer.State, err
}

// Delete leaves nothing of a job. ErrNotFound, ErrConflict: it runs.
func (s Jobs) Delete(ctx context.Context, id int64) error {
	_, err := do[struct{}](ctx, s.r, jobsDelete, newInput().integer("id", id))
	return err
}

// JobChange says what to change of a job that waits; what is nil or zero stays.
type JobChange struct {
	Priority *int
	RunAt    time.Time
	Payload  any
}

// Update changes a job that waits. ErrNotFound, ErrConflict.
func (s Jobs) Update(ctx context.Context, id int64, change JobChange) (JobInfo, error) {
	in := newInput().integer("id", id)
	if change.Priority != nil {
		in.integer("priority", int64(*change.Priority))
	}
	return do[JobInfo](ctx, s.r, jobsUpdate, in.moment("run_at", change.RunAt).changedPayload(change.Payload))
}
