package brant

import (
	"context"
	"iter"
	"time"
)

// Queue is a queue of jobs that are done at least once: DB.Queue, Tx.Queue. Nothing is looked up before its methods are called. What waits
// (Work, Jobs, Result) is for a DB's.
type Queue struct {
	Name string
	r    runner
}

// Queue is the queue of that name, which its first job makes.
func (o operations) Queue(name string) Queue { return Queue{name, o.r} }

// Queues are the queues of the file: DB.Queues, Tx.Queues.
type Queues struct{ r runner }

// List is a part of the queues, by name.
func (q Queues) List(ctx context.Context, options *NameListOptions) (Listing[QueueInfo, string], error) {
	return listNamed[QueueInfo](ctx, q.r, queuesList, options)
}

// All goes through the queues whose names begin so, by name. An error is the last thing it yields.
func (q Queues) All(ctx context.Context, prefix string) iter.Seq2[QueueInfo, error] {
	return allNamed(func(o *NameListOptions) (Listing[QueueInfo, string], error) { return q.List(ctx, o) }, prefix)
}

// Stats counts what is in each queue, by name.
func (q Queues) Stats(ctx context.Context) ([]QueueStats, error) {
	answer, err := do[struct {
		Items []QueueStats `json:"items"`
	}](ctx, q.r, queuesStats, newInput())
	return answer.Items, err
}

// QueueState says what a queue does.
type QueueState string

// The states of queues.
const (
	QueueActive   QueueState = "active"
	QueuePaused   QueueState = "paused"   // nothing is claimed
	QueueDraining QueueState = "draining" // nothing new is taken
)

// Backoff says how long a job waits after a failed attempt: Base after the first, Factor times as long after each further one, at most Max,
// by chance up to Jitter of it more or less. When it is configured 0 leaves a member as it is.
type Backoff struct {
	Base   Milliseconds `json:"base"`
	Factor float64      `json:"factor"`
	Max    Milliseconds `json:"max"`
	Jitter float64      `json:"jitter"`
}

// QueueRate is how many jobs are claimed in any window of that length.
type QueueRate struct {
	Limit  int64        `json:"limit"`
	Period Milliseconds `json:"period"`
}

// QueuePolicy is what holds for the jobs of a queue.
type QueuePolicy struct {
	Lease          Milliseconds  `json:"lease"`
	MaxAttempts    int           `json:"max_attempts"`
	Backoff        Backoff       `json:"backoff"`
	Concurrency    *int          `json:"concurrency"` // nil: without bound
	KeyConcurrency *int          `json:"key_concurrency"`
	FIFO           bool          `json:"fifo"`
	RateLimit      *QueueRate    `json:"rate_limit"`
	ResultTTL      Milliseconds  `json:"result_ttl"`
	DeadTTL        *Milliseconds `json:"dead_ttl"` // nil: until they are pruned
	CancelledTTL   Milliseconds  `json:"cancelled_ttl"`
	MaxSize        *int64        `json:"max_size"`
}

// QueueInfo describes a queue.
type QueueInfo struct {
	Name      string      `json:"queue"`
	State     QueueState  `json:"state"`
	Policy    QueuePolicy `json:"policy"`
	Revision  int64       `json:"revision"`
	CreatedAt Timestamp   `json:"created_at"`
	UpdatedAt Timestamp   `json:"updated_at"`
}

// QueueChange says what to change of a queue's policy; what is zero stays as it is.
type QueueChange struct {
	Lease          time.Duration // how long a claim lasts without a heartbeat: 30 s
	MaxAttempts    int           // failed ones, before a job is dead: 20
	Backoff        Backoff       // 1 s, 2, 1 h, 0.2
	Concurrency    int           // most jobs that run at once: without bound
	KeyConcurrency int           // most of one key that run at once: without bound
	FIFO           *bool         // per key one at a time, in the order of enqueueing; what waits for its retry holds those behind it: false
	RateLimit      *QueueRate    // none
	ResultTTL      time.Duration // how long done jobs are kept with their results: not at all
	DeadTTL        time.Duration // until they are pruned
	CancelledTTL   time.Duration // of cancelled and expired ones: a day
	MaxSize        int64         // most jobs that wait or run; then enqueueing is ErrLimit: without bound
	Reset          []string      // members of QueuePolicy, as JSON names them, that go back to their defaults
}

// Configure makes the queue where there is none, and changes its policy. ErrInvalid.
func (q Queue) Configure(ctx context.Context, change QueueChange) (QueueInfo, error) {
	in := q.input().span("lease", change.Lease).positive("max_attempts", change.MaxAttempts)
	if b := change.Backoff; b != (Backoff{}) {
		in.name("backoff")
		in.object(func() {
			in.positive("base", int(b.Base)).real("factor", b.Factor).positive("max", int(b.Max)).real("jitter", b.Jitter)
		})
	}
	in.positive("concurrency", change.Concurrency).positive("key_concurrency", change.KeyConcurrency).boolean("fifo", change.FIFO)
	if change.RateLimit != nil {
		in.value("rate_limit", change.RateLimit)
	}
	in.span("result_ttl", change.ResultTTL).span("dead_ttl", change.DeadTTL).span("cancelled_ttl", change.CancelledTTL)
	return do[QueueInfo](ctx, q.r, queuesConfigure, in.positive("max_size", int(change.MaxSize)).nulls(change.Reset))
}

func (q Queue) input() *input { return newInput().text("queue", q.Name) }

// Info describes the queue. ErrNotFound: no job was ever enqueued, and nothing configured.
func (q Queue) Info(ctx context.Context) (QueueInfo, error) {
	return do[QueueInfo](ctx, q.r, queuesGet, q.input())
}

// Pause lets nothing be claimed; what runs goes on. ErrNotFound.
func (q Queue) Pause(ctx context.Context) (QueueInfo, error) {
	return do[QueueInfo](ctx, q.r, queuesPause, q.input())
}

// Resume is active again, also after Drain. ErrNotFound.
func (q Queue) Resume(ctx context.Context) (QueueInfo, error) {
	return do[QueueInfo](ctx, q.r, queuesResume, q.input())
}

// Drain takes nothing new (ErrConflict); what is there is worked off. ErrNotFound.
func (q Queue) Drain(ctx context.Context) (QueueInfo, error) {
	return do[QueueInfo](ctx, q.r, queuesDrain, q.input())
}

// Delete deletes the queue with its jobs, also while some run (their holders are told ErrStale) when it is forced. ErrConflict: some run;
// ErrNotFound.
func (q Queue) Delete(ctx context.Context, force bool) (jobs int64, err error) {
	answer, err := do[struct {
		Deleted int64 `json:"deleted"`
	}](ctx, q.r, queuesDelete, q.input().flag("force", force))
	return answer.Deleted, err
}

// PruneOptions of Queue.Prune; nil is the default.
type PruneOptions struct {
	States    []JobState    // of those that have ended; nil: all
	OlderThan time.Duration // since they ended
	Limit     int           // 1..10000, default 1000
}

// Prune removes finished jobs, the oldest of each state first. DB.Maintain does it by itself for those whose time to live has passed.
// ErrNotFound.
func (q Queue) Prune(ctx context.Context, options *PruneOptions) (pruned int64, err error) {
	in := q.input()
	if options != nil {
		if options.States != nil {
			in.array("states", len(options.States), func(i int) { in.buffer = appendText(in.buffer, string(options.States[i])) })
		}
		in.span("older_than", options.OlderThan).positive("limit", options.Limit)
	}
	answer, err := do[struct {
		Pruned int64 `json:"pruned"`
	}](ctx, q.r, queuesPrune, in)
	return answer.Pruned, err
}

// Requeue makes jobs ready again, those that ended first first: of JobDead when state is empty, JobCancelled or JobExpired; at most limit,
// or 1000 when that is 0. ErrNotFound.
func (q Queue) Requeue(ctx context.Context, state JobState, limit int) (requeued int64, err error) {
	answer, err := do[struct {
		Requeued int64 `json:"requeued"`
	}](ctx, q.r, jobsRequeueMany, q.input().given("state", string(state)).positive("limit", limit))
	return answer.Requeued, err
}

// Histogram is how long something took in the last hour, in milliseconds; the percentiles are interpolated within their buckets.
type Histogram struct {
	Count   int64   `json:"count"`
	Sum     int64   `json:"sum"`
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
	Buckets []struct {
		LE    int64 `json:"le"`
		Count int64 `json:"count"`
	} `json:"buckets"` // those that are not empty
}

// QueueStats counts what is in a queue, and what ever was.
type QueueStats struct {
	Name          string       `json:"queue"`
	State         QueueState   `json:"state"`
	Ready         int64        `json:"ready"`
	Delayed       int64        `json:"delayed"`
	Blocked       int64        `json:"blocked"`
	Running       int64        `json:"running"`
	Done          int64        `json:"done"`
	Dead          int64        `json:"dead"`
	Cancelled     int64        `json:"cancelled"`
	Expired       int64        `json:"expired"`
	OldestReadyAt *Timestamp   `json:"oldest_ready_at,omitempty"`
	OldestAge     Milliseconds `json:"oldest_age"`
	NextRunAt     *Timestamp   `json:"next_run_at,omitempty"`
	Enqueued      int64        `json:"enqueued"` // from here on: ever
	Claimed       int64        `json:"claimed"`
	Completed     int64        `json:"completed"`
	Failed        int64        `json:"failed"` // attempts
	Retried       int64        `json:"retried"`
	Died          int64        `json:"died"`
	Rates         struct {
		Enqueued  float64 `json:"enqueued"`
		Completed float64 `json:"completed"`
		Failed    float64 `json:"failed"`
	} `json:"rates"` // a second, over the last five minutes
	Wait Histogram `json:"wait"` // from ready to claim
	Run  Histogram `json:"run"`  // from claim to ack
}

// Stats counts what is in the queue. ErrNotFound.
func (q Queue) Stats(ctx context.Context) (QueueStats, error) {
	return do[QueueStats](ctx, q.r, queuesStats, q.input())
}

// OnFailure says what becomes of a job when one that it comes after ends otherwise than done.
type OnFailure string

// What becomes of it.
const (
	CancelAfterFailure OnFailure = "cancel" // the default
	RunAfterFailure    OnFailure = "run"
)

// OnConflict says what becomes of a unique job when another has its key.
type OnConflict string

// What becomes of it.
const (
	SkipDuplicate       OnConflict = "skip"       // the default: it is not enqueued
	ReplaceDuplicate    OnConflict = "replace"    // the waiting other gets its payload, priority, key, times and so on
	RescheduleDuplicate OnConflict = "reschedule" // the waiting other gets its time: debounce
)

// Unique lets one job of the queue have a key: until it ends, or for a window, whether it ended or not.
type Unique struct {
	Key        string
	Window     time.Duration
	OnConflict OnConflict
}

// EnqueueOptions of Queue.Enqueue; the zero value is the default.
type EnqueueOptions struct {
	Priority    int           // higher is claimed first, then the smaller id
	Delay       time.Duration // not before then; or
	RunAt       time.Time     // not before that
	ExpiresIn   time.Duration // expired unless it was claimed once by then; or
	ExpiresAt   time.Time     // by that
	Key         string        // for QueuePolicy.KeyConcurrency and FIFO
	MaxAttempts int           // 0: the queue's
	ResultTTL   time.Duration // 0: the queue's; negative: none
	After       []int64       // ids of jobs that must be done first, at most 1000
	AfterItems  []int         // of EnqueueMany: indexes of items that stand before
	OnFailure   OnFailure
	Unique      *Unique
}

func (o *EnqueueOptions) members(in *input) {
	in.positive("priority", o.Priority).span("delay", o.Delay).moment("run_at", o.RunAt).span("expires_in", o.ExpiresIn)
	in.moment("expires_at", o.ExpiresAt).given("key", o.Key).positive("max_attempts", o.MaxAttempts).span("result_ttl", o.ResultTTL)
	if len(o.After)+len(o.AfterItems) > 0 {
		in.array("after", len(o.After)+len(o.AfterItems), func(i int) {
			if i < len(o.After) {
				in.whole(o.After[i])
			} else {
				in.object(func() { in.integer("item", int64(o.AfterItems[i-len(o.After)])) })
			}
		})
	}
	in.given("on_failure", string(o.OnFailure))
	if o.Unique != nil {
		in.name("unique")
		in.object(func() { o.Unique.members(in) })
	}
}

func (u *Unique) members(in *input) {
	in.text("key", u.Key).span("window", u.Window).given("on_conflict", string(u.OnConflict))
}

// Enqueued is what Enqueue did.
type Enqueued struct {
	ID        int64    `json:"id"` // of a duplicate: that of the other
	State     JobState `json:"state"`
	Duplicate bool     `json:"duplicate"`
	Action    string   `json:"action"` // "enqueued", "skipped", "replaced", "rescheduled"
}

// Enqueue writes a job, with any value that encoding/json can write, JSON text as json.RawMessage, or Bytes. It can be claimed after the
// commit, and never when it is rolled back. Ids grow and are never used twice.
//
// ErrConflict: the queue is drained; ErrLimit: it is full, or the payload is larger than a document; ErrNotFound: an id in After that was
// never given.
func (q Queue) Enqueue(ctx context.Context, payload any, options ...EnqueueOptions) (Enqueued, error) {
	in := q.input().payload(payload)
	if err := atMostOne(options); err != nil {
		in.fail(err)
	} else if len(options) == 1 {
		options[0].members(in)
	}
	return do[Enqueued](ctx, q.r, queuesEnqueue, in)
}

func atMostOne[T any](options []T) error {
	if len(options) > 1 {
		return failf(ErrInvalid, "there is more than one set of options")
	}
	return nil
}

// NewJob is a job to be enqueued with others.
type NewJob struct {
	Payload any
	EnqueueOptions
}

// EnqueueMany enqueues jobs, all or none, in one transaction, and returns their ids, for a duplicate that of the other. AfterItems make
// chains and graphs of them.
func (q Queue) EnqueueMany(ctx context.Context, jobs []NewJob) (ids []int64, duplicates int64, err error) {
	in := q.input()
	in.array("items", len(jobs), func(i int) {
		in.object(func() {
			in.payload(jobs[i].Payload)
			jobs[i].members(in)
		})
	})
	answer, err := do[struct {
		IDs        []int64 `json:"ids"`
		Duplicates int64   `json:"duplicates"`
	}](ctx, q.r, queuesEnqueueMany, in)
	return answer.IDs, answer.Duplicates, err
}

// ClaimOptions of Queue.Claim; nil is the default.
type ClaimOptions struct {
	Worker string        // who claims: for those who look, and jobs.cancels
	Limit  int           // 1..10000, default 1
	Lease  time.Duration // default: the queue's
}

// Claim hands jobs out for a lease, those with the highest priority, then the smallest ids, first; none when nothing can run. It does
// not wait: Work and Jobs do.
func (q Queue) Claim(ctx context.Context, options *ClaimOptions) ([]*Job, error) {
	claimed, err := q.AckAndClaim(ctx, nil, options)
	return claimed.Jobs, err
}

// Claimed is what AckAndClaim did.
type Claimed struct {
	Jobs  []*Job  `json:"items"`
	Acked int64   `json:"acked"`
	Stale []int64 `json:"stale"` // ids that could not be acknowledged
}

// AckAndClaim acknowledges jobs and claims others in one transaction.
func (q Queue) AckAndClaim(ctx context.Context, acks []Ack, options *ClaimOptions) (Claimed, error) {
	in := q.input()
	if options != nil {
		in.given("worker", options.Worker).positive("limit", options.Limit).span("lease", options.Lease)
	}
	if acks != nil {
		ackItems(in, "ack", acks)
	}
	claimed, err := do[Claimed](ctx, q.r, queuesClaim, in)
	for _, job := range claimed.Jobs {
		job.r = q.r
	}
	return claimed, err
}

// JobListOptions of Queue.List; nil is the default.
type JobListOptions struct {
	State JobState // only these
	Key   string   // only of this key
	Limit int      // 1..1000, default 100
	After int64    // Next of the part before
}

// List is a part of the queue's jobs, by id. ErrNotFound.
func (q Queue) List(ctx context.Context, options *JobListOptions) (Listing[JobInfo, int64], error) {
	in := q.input()
	if options != nil {
		in.given("state", string(options.State)).given("key", options.Key).positive("limit", options.Limit)
		in.positive("after", int(options.After))
	}
	return do[Listing[JobInfo, int64]](ctx, q.r, jobsList, in)
}
