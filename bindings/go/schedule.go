package brant

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Schedules are jobs that are enqueued at times that cron tells, or at intervals, while somebody runs the scheduler (DB.RunScheduler):
// DB.Schedules, Tx.Schedules.
type Schedules struct{ r runner }

// Misfire says what becomes of fires that came due while nobody ran the scheduler.
type Misfire string

// What becomes of them.
const (
	MisfireOne  Misfire = "one"  // the default: all of them are one, that of the last
	MisfireAll  Misfire = "all"  // each is made up, the newest CatchUp at the most
	MisfireSkip Misfire = "skip" // none, unless it is the last and less than a minute old
)

// ScheduleOptions are of the jobs that a schedule enqueues, as in EnqueueOptions.
type ScheduleOptions struct {
	Priority    int
	Key         string
	MaxAttempts int
	ExpiresIn   time.Duration
	ResultTTL   time.Duration
	Unique      *Unique
}

// NewSchedule is a schedule to be set.
type NewSchedule struct {
	Name     string
	Spec     string // "*/5 * * * *", with seconds in front if there are six fields; "@daily"; "@every 90s"
	Timezone string // an IANA name; default UTC
	Queue    string
	Payload  any // as of Queue.Enqueue
	Options  ScheduleOptions
	Misfire  Misfire
	CatchUp  int // 1..1000, default 100
}

// Schedule is a schedule.
type Schedule struct {
	Name      string          `json:"name"`
	Spec      string          `json:"spec"`
	Timezone  string          `json:"timezone"`
	Queue     string          `json:"queue"`
	Payload   json.RawMessage `json:"payload,omitempty"` // nil when it is bytes
	Bytes     []byte          `json:"payload_base64,omitzero"`
	Options   json.RawMessage `json:"options"`
	Misfire   Misfire         `json:"misfire"`
	CatchUp   int             `json:"catch_up"`
	Paused    bool            `json:"paused"`
	NextAt    *Timestamp      `json:"next_at,omitempty"` // nil: never
	LastAt    *Timestamp      `json:"last_at,omitempty"`
	Fired     int64           `json:"fired"`
	CreatedAt Timestamp       `json:"created_at"`
	UpdatedAt Timestamp       `json:"updated_at"`
}

// Set makes or replaces a schedule. With the spec and the time zone that it had it keeps its next fire. ErrInvalid: the spec or the time zone.
func (s Schedules) Set(ctx context.Context, schedule NewSchedule) (Schedule, error) {
	in := newInput().text("name", schedule.Name).text("spec", schedule.Spec).text("queue", schedule.Queue)
	in.given("timezone", schedule.Timezone).changedPayload(schedule.Payload)
	if o := &schedule.Options; *o != (ScheduleOptions{}) {
		in.name("options")
		in.object(func() {
			jobs := EnqueueOptions{
				Priority: o.Priority, Key: o.Key, MaxAttempts: o.MaxAttempts, ExpiresIn: o.ExpiresIn, ResultTTL: o.ResultTTL, Unique: o.Unique,
			}
			jobs.members(in)
		})
	}
	return do[Schedule](ctx, s.r, schedulesSet, in.given("misfire", string(schedule.Misfire)).positive("catch_up", schedule.CatchUp))
}

func named(name string) *input { return newInput().text("name", name) }

// Get is a schedule. ErrNotFound.
func (s Schedules) Get(ctx context.Context, name string) (Schedule, error) {
	return do[Schedule](ctx, s.r, schedulesGet, named(name))
}

// List is a part of the schedules, by name.
func (s Schedules) List(ctx context.Context, options *NameListOptions) (Listing[Schedule, string], error) {
	return listNamed[Schedule](ctx, s.r, schedulesList, options)
}

// All goes through the schedules whose names begin so, by name. An error is the last thing it yields.
func (s Schedules) All(ctx context.Context, prefix string) iter.Seq2[Schedule, error] {
	return allNamed(func(o *NameListOptions) (Listing[Schedule, string], error) { return s.List(ctx, o) }, prefix)
}

// Delete deletes a schedule; its jobs stay. ErrNotFound.
func (s Schedules) Delete(ctx context.Context, name string) error {
	_, err := do[struct{}](ctx, s.r, schedulesDelete, named(name))
	return err
}

// Pause lets a schedule fire no more. ErrNotFound.
func (s Schedules) Pause(ctx context.Context, name string) (Schedule, error) {
	return do[Schedule](ctx, s.r, schedulesPause, named(name))
}

// Resume lets it fire again from now on; those of the pause are not made up. ErrNotFound.
func (s Schedules) Resume(ctx context.Context, name string) (Schedule, error) {
	return do[Schedule](ctx, s.r, schedulesResume, named(name))
}

// Trigger enqueues its job now, besides its fires, and returns the job's id. ErrNotFound.
func (s Schedules) Trigger(ctx context.Context, name string) (job int64, err error) {
	answer, err := do[struct {
		ID int64 `json:"id"`
	}](ctx, s.r, schedulesTrigger, named(name))
	return answer.ID, err
}

// NextOptions of Schedules.Next; nil is the default.
type NextOptions struct {
	Timezone string    // an IANA name; default UTC
	After    time.Time // default: now
	Count    int       // 1..1000, default 1
}

// Next is when a spec fires next; fewer than were asked for when it fires no more. ErrInvalid.
func (s Schedules) Next(ctx context.Context, spec string, options *NextOptions) ([]Timestamp, error) {
	in := newInput().text("spec", spec)
	if options != nil {
		in.given("timezone", options.Timezone).moment("after", options.After).positive("count", options.Count)
	}
	answer, err := do[struct {
		Items []Timestamp `json:"items"`
	}](ctx, s.r, schedulesNext, in)
	return answer.Items, err
}

// Fire is a schedule's fire: a job, or why the queue took none.
type Fire struct {
	Name  string    `json:"name"`
	ID    int64     `json:"id,omitzero"` // of the job
	At    Timestamp `json:"at"`          // the time of the schedule
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Tick is what Schedules.Tick did.
type Tick struct {
	Fired  []Fire     `json:"fired"`
	NextAt *Timestamp `json:"next_at,omitempty"` // of all that are not paused; in the past: there is more due
}

// Tick fires what is due, at most limit (0: 100), in one transaction: RunScheduler for those who have a clock of their own.
func (s Schedules) Tick(ctx context.Context, limit int) (Tick, error) {
	return do[Tick](ctx, s.r, schedulesTick, newInput().positive("limit", limit))
}
