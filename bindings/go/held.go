package brant

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// held is a job in the hands of Work or Jobs.
type held struct {
	job     *Job
	ctx     context.Context
	cancel  context.CancelCauseFunc
	settled atomic.Bool // its holder has said what becomes of it
	asked   atomic.Bool // its cancel was asked for
	lost    atomic.Bool // somebody else may have it
	done    bool        // it is to be acknowledged
	result  any
}

// crew is the jobs that one Work or Jobs holds, and what keeps them meanwhile: heartbeats, and an ear for cancels.
type crew struct {
	queue   Queue // of the DB
	options WorkOptions
	ctx     context.Context // never ends, but has the caller's values
	watch   *subscription   // nil: not waiting in the queue
	asleep  bool            // in the wait queue, where one of n is woken for a job

	lock     sync.Mutex
	held     map[int64]*held
	interval time.Duration // between heartbeats; 0: nothing was claimed yet
	poke     chan struct{} // the interval became shorter
	over     context.Context
	end      context.CancelFunc
	keepers  sync.WaitGroup
}

const leastInterval = 10 * time.Millisecond

func (q Queue) crew(ctx context.Context, options []WorkOptions) (*crew, error) {
	if _, ok := q.r.(*DB); !ok {
		return nil, failf(ErrMisuse, "who waits does so outside of transactions")
	}
	if err := atMostOne(options); err != nil {
		return nil, err
	}
	c := &crew{queue: q, ctx: context.WithoutCancel(ctx), held: map[int64]*held{}, poke: make(chan struct{}, 1)}
	if len(options) == 1 {
		c.options = options[0]
	}
	c.options.defaults()
	c.over, c.end = context.WithCancel(c.ctx)
	cancels, err := q.Cancels(ctx, c.options.Worker)
	if err != nil {
		c.end()
		return nil, err
	}
	c.keepers.Add(2)
	go c.beat()
	go c.listen(cancels)
	return c, nil
}

// workerName is a name that no other worker has.
func workerName() string {
	host, _ := os.Hostname()
	if len(host) > 64 {
		host = host[:64]
	}
	return host + ":" + strconv.Itoa(os.Getpid()) + ":" + rand.Text()[:8]
}

func (c *crew) close() {
	c.leave()
	c.end()
	c.keepers.Wait()
}

// claim acknowledges and claims.
func (c *crew) claim(ctx context.Context, limit int, acks []Ack) ([]*held, error) {
	options := &ClaimOptions{Worker: c.options.Worker, Limit: limit, Lease: c.options.Lease}
	claimed, err := c.queue.AckAndClaim(ctx, acks, options)
	if err != nil {
		return nil, err
	}
	c.reportStale(claimed.Stale)
	now := Timestamp(time.Now().UnixMilli())
	taken := make([]*held, 0, len(claimed.Jobs))
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, job := range claimed.Jobs {
		h := &held{job: job}
		h.ctx, h.cancel = context.WithCancelCause(c.ctx)
		job.held = h
		c.held[job.ID] = h
		taken = append(taken, h)
		if interval := max(Milliseconds(job.LeaseUntil-now).Duration()/3, leastInterval); c.interval == 0 || interval < c.interval {
			c.interval = interval
			select {
			case c.poke <- struct{}{}:
			default:
			}
		}
	}
	return taken, nil
}

// drop forgets a job.
func (c *crew) drop(h *held) {
	c.lock.Lock()
	if c.held[h.job.ID] == h {
		delete(c.held, h.job.ID)
	}
	c.lock.Unlock()
	h.cancel(nil)
}

// all are the jobs that are still to be settled.
func (c *crew) all() []*held {
	c.lock.Lock()
	defer c.lock.Unlock()
	all := make([]*held, 0, len(c.held))
	for _, h := range c.held {
		if !h.settled.Load() && !h.lost.Load() {
			all = append(all, h)
		}
	}
	return all
}

func (c *crew) find(id, token int64) *held {
	c.lock.Lock()
	defer c.lock.Unlock()
	if h := c.held[id]; h != nil && h.job.Token == token {
		return h
	}
	return nil
}

// ErrCancelRequested is the cause (context.Cause) that a job's context has when its cancel was asked for: Jobs.Cancel.
var ErrCancelRequested = errors.New("brant: the job's cancel was asked for")

func (c *crew) askedToCancel(h *held) {
	if h.asked.CompareAndSwap(false, true) {
		h.cancel(ErrCancelRequested)
	}
}

// lose notes that a job is somebody else's.
func (c *crew) lose(h *held) {
	if h.settled.Load() || !h.lost.CompareAndSwap(false, true) {
		return
	}
	h.cancel(failf(ErrStale, "the job's lease is over"))
	c.reportStale([]int64{h.job.ID})
}

func (c *crew) reportStale(ids []int64) {
	for _, id := range ids {
		c.log().Warn("brant: a job was done or given up after its lease was over", "queue", c.queue.Name, "id", id)
		if c.options.Stale != nil {
			c.options.Stale(id)
		}
	}
}

func (c *crew) log() *slog.Logger {
	if c.options.Logger != nil {
		return c.options.Logger
	}
	return slog.Default()
}

// beat keeps the leases up.
func (c *crew) beat() {
	defer c.keepers.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c.lock.Lock()
		interval := c.interval
		c.lock.Unlock()
		if interval == 0 {
			interval = time.Hour
		}
		timer.Reset(interval)
		select {
		case <-c.over.Done():
			return
		case <-c.poke:
			continue
		case <-timer.C:
		}
		c.heartbeat()
	}
}

const beatsAtOnce = 1000

func (c *crew) heartbeat() {
	all := c.all()
	for from := 0; from < len(all); from += beatsAtOnce {
		part := all[from:min(len(all), from+beatsAtOnce)]
		jobs := make([]*Job, len(part))
		for i, h := range part {
			jobs[i] = h.job
		}
		beats, err := Jobs{c.queue.r}.HeartbeatMany(c.over, jobs, c.options.Lease)
		if err != nil {
			if c.over.Err() == nil {
				c.log().Warn("brant: heartbeat", "queue", c.queue.Name, "error", err)
			}
			return // again after the interval, which is a third of the lease
		}
		for i, beat := range beats {
			switch {
			case i >= len(part):
			case beat.Stale:
				c.lose(part[i])
			case beat.CancelRequested:
				c.askedToCancel(part[i])
			}
		}
	}
}

const listenAgain = time.Second

// listen hears of cancels.
func (c *crew) listen(cancels *Watch[CancelRequest]) {
	defer c.keepers.Done()
	defer func() { _ = cancels.Close() }()
	for {
		request, err := cancels.Next(c.over)
		if err == nil {
			if h := c.find(request.ID, request.Token); h != nil {
				c.askedToCancel(h)
			}
			continue
		}
		if c.over.Err() != nil || fatal(err) {
			return // heartbeats tell of cancels too
		}
		select {
		case <-time.After(listenAgain):
		case <-c.over.Done():
			return
		}
	}
}

// look asks whether there is something to claim, and if not, for how long there is nothing to look at unless c.watch is woken.
func (c *crew) look(ctx context.Context) (some bool, pause time.Duration, err error) {
	if c.watch == nil {
		if c.watch, err = c.openWatch(ctx); err != nil {
			return false, 0, err
		}
	}
	some, err = c.watch.look(ctx, func([]byte) error { return nil })
	if err != nil || some {
		c.asleep = false
		return some, 0, err
	}
	c.asleep = true
	pause, err = c.watch.rest()
	return false, pause, err
}

// leave gives up the place in the wait queue: who has no hand free is not to be woken.
func (c *crew) leave() {
	if c.watch != nil {
		c.watch.close()
		c.watch = nil
	}
	c.asleep = false
}

// fatal says whether an error does not go away by itself.
func fatal(err error) bool {
	switch codeOf(err) {
	case ErrBusy, ErrFull, ErrIO, ErrNoMemory, ErrTimeout, ErrInterrupted, ErrConflict, ErrNotFound:
		return false
	}
	return true
}
