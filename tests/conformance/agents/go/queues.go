package main

import (
	"context"
	"maps"
	"time"

	"github.com/brant-db/brant-go"
)

func init() { maps.Copy(operations, queueOperations) }

var queueOperations = map[string]operation{
	"queues.configure": func(t target, m *members) func() (any, error) {
		change := brant.QueueChange{Reset: m.nulls()}
		queue := m.text("queue")
		change.Lease, change.MaxAttempts = m.span("lease"), m.count("max_attempts")
		m.inner("backoff", func(inner *members) {
			change.Backoff = brant.Backoff{
				Base: may[brant.Milliseconds](inner, "base"), Factor: may[float64](inner, "factor"), Max: may[brant.Milliseconds](inner, "max"),
				Jitter: may[float64](inner, "jitter"),
			}
		})
		m.inner("rate_limit", func(inner *members) {
			change.RateLimit = &brant.QueueRate{Limit: inner.id("limit"), Period: need[brant.Milliseconds](inner, "period")}
		})
		change.Concurrency, change.KeyConcurrency, change.FIFO = m.count("concurrency"), m.count("key_concurrency"), m.boolean("fifo")
		change.ResultTTL, change.DeadTTL, change.CancelledTTL = m.span("result_ttl"), m.span("dead_ttl"), m.span("cancelled_ttl")
		change.MaxSize = may[int64](m, "max_size")
		return func() (any, error) { return t.Queue(queue).Configure(ctx, change) }
	},
	"queues.get":    ofQueue(func(q brant.Queue) (any, error) { return q.Info(ctx) }),
	"queues.pause":  ofQueue(func(q brant.Queue) (any, error) { return q.Pause(ctx) }),
	"queues.resume": ofQueue(func(q brant.Queue) (any, error) { return q.Resume(ctx) }),
	"queues.drain":  ofQueue(func(q brant.Queue) (any, error) { return q.Drain(ctx) }),
	"queues.list": listed(func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[brant.QueueInfo, string], error) {
		return t.Queues.List
	}),
	"queues.stats": func(t target, m *members) func() (any, error) {
		queue, one := take[string](m, "queue")
		return func() (any, error) {
			if one {
				return t.Queue(queue).Stats(ctx)
			}
			items, err := t.Queues.Stats(ctx)
			return answer("items", items, err)
		}
	},
	"queues.delete": func(t target, m *members) func() (any, error) {
		queue, force := m.text("queue"), m.boolean("force")
		return func() (any, error) {
			n, err := t.Queue(queue).Delete(ctx, force != nil && *force)
			return answer("deleted", n, err)
		}
	},
	"queues.prune": func(t target, m *members) func() (any, error) {
		queue := m.text("queue")
		options := &brant.PruneOptions{OlderThan: m.span("older_than"), Limit: m.count("limit")}
		options.States, _ = take[[]brant.JobState](m, "states")
		return func() (any, error) {
			n, err := t.Queue(queue).Prune(ctx, options)
			return answer("pruned", n, err)
		}
	},
	"queues.enqueue": func(t target, m *members) func() (any, error) {
		queue, payload, options := m.text("queue"), m.payload(), m.enqueue()
		m.inexpressive = m.inexpressive || options.AfterItems != nil
		return func() (any, error) { return t.Queue(queue).Enqueue(ctx, payload, options) }
	},
	"queues.enqueue_many": func(t target, m *members) func() (any, error) {
		queue, jobs := m.text("queue"), []brant.NewJob{}
		m.each("items", func(item *members) {
			jobs = append(jobs, brant.NewJob{Payload: item.payload(), EnqueueOptions: item.enqueue()})
		})
		return func() (any, error) {
			ids, duplicates, err := t.Queue(queue).EnqueueMany(ctx, jobs)
			return map[string]any{"ids": append([]int64{}, ids...), "duplicates": duplicates}, err
		}
	},
	"queues.claim": func(t target, m *members) func() (any, error) {
		queue := m.text("queue")
		options := &brant.ClaimOptions{Worker: m.given("worker"), Limit: m.count("limit"), Lease: m.span("lease")}
		if _, acks := m.left["ack"]; acks {
			acks := m.acks("ack")
			return func() (any, error) {
				claimed, err := t.Queue(queue).AckAndClaim(ctx, acks, options)
				return map[string]any{
					"items": append([]*brant.Job{}, claimed.Jobs...), "acked": claimed.Acked, "stale": append([]int64{}, claimed.Stale...),
				}, err
			}
		}
		return func() (any, error) {
			jobs, err := t.Queue(queue).Claim(ctx, options)
			return answer("items", append([]*brant.Job{}, jobs...), err)
		}
	},
	"jobs.get": ofJob(func(t target, id int64) (any, error) { return t.Jobs.Get(ctx, id) }),
	"jobs.cancel": ofJob(func(t target, id int64) (any, error) {
		state, err := t.Jobs.Cancel(ctx, id)
		return answer("state", state, err)
	}),
	"jobs.delete": ofJob(func(t target, id int64) (any, error) { return nothing, t.Jobs.Delete(ctx, id) }),
	"jobs.requeue": func(t target, m *members) func() (any, error) {
		id, payload := m.id("id"), m.payload()
		return func() (any, error) {
			state, err := t.Jobs.Requeue(ctx, id, payload)
			return answer("state", state, err)
		}
	},
	"jobs.update": func(t target, m *members) func() (any, error) {
		id := m.id("id")
		change := brant.JobChange{RunAt: m.moment("run_at"), Payload: m.payload()}
		change.Priority, _ = take[*int](m, "priority")
		return func() (any, error) { return t.Jobs.Update(ctx, id, change) }
	},
	"jobs.list": func(t target, m *members) func() (any, error) {
		queue := m.text("queue")
		options := &brant.JobListOptions{
			State: brant.JobState(m.given("state")), Key: m.given("key"), Limit: m.count("limit"), After: may[int64](m, "after"),
		}
		return func() (any, error) { return t.Queue(queue).List(ctx, options) }
	},
	"jobs.requeue_many": func(t target, m *members) func() (any, error) {
		queue, state, limit := m.text("queue"), brant.JobState(m.given("state")), m.count("limit")
		return func() (any, error) {
			n, err := t.Queue(queue).Requeue(ctx, state, limit)
			return answer("requeued", n, err)
		}
	},
	"jobs.ack": holding(func(job *brant.Job, m *members) func() (any, error) {
		result := m.value("result")
		return func() (any, error) { return nothing, job.Ack(ctx, result) }
	}),
	"jobs.ack_many": func(t target, m *members) func() (any, error) {
		acks := m.acks("items")
		return func() (any, error) { return acked(t.Jobs.AckMany(ctx, acks)) }
	},
	"jobs.fail": holding(func(job *brant.Job, m *members) func() (any, error) {
		var failure brant.JobError
		if text := m.left["error"]; len(text) > 0 && text[0] == '"' {
			failure.Message = m.text("error")
		} else {
			m.inner("error", func(inner *members) {
				failure = brant.JobError{Message: inner.text("message"), Stack: inner.given("stack"), Code: inner.given("code")}
			})
		}
		retry := m.boolean("retry")
		options := &brant.FailOptions{NoRetry: retry != nil && !*retry}
		if delay := m.whole("delay"); delay != nil {
			m.inexpressive = m.inexpressive || *delay < 0
			span := time.Duration(*delay) * time.Millisecond
			options.Delay = &span
		}
		return func() (any, error) { return job.Fail(ctx, &failure, options) }
	}),
	"jobs.snooze": holding(func(job *brant.Job, m *members) func() (any, error) {
		delay := m.id("delay")
		m.inexpressive = m.inexpressive || delay < 0
		return func() (any, error) { return job.Snooze(ctx, time.Duration(delay)*time.Millisecond) }
	}),
	"jobs.release": holding(func(job *brant.Job, m *members) func() (any, error) {
		return func() (any, error) { return job.Release(ctx) }
	}),
	"jobs.heartbeat": holding(func(job *brant.Job, m *members) func() (any, error) {
		options := &brant.HeartbeatOptions{Lease: m.span("lease"), Progress: m.value("progress")}
		return func() (any, error) { return job.Heartbeat(ctx, options) }
	}),
	"jobs.heartbeat_many": func(t target, m *members) func() (any, error) {
		var jobs []*brant.Job
		m.each("items", func(item *members) { jobs = append(jobs, t.Jobs.Claimed(item.id("id"), item.id("token"))) })
		lease := m.span("lease")
		return func() (any, error) {
			beats, err := t.Jobs.HeartbeatMany(ctx, jobs, lease)
			return answer("items", beats, err)
		}
	},
	"locks.acquire": func(t target, m *members) func() (any, error) {
		name, owner, ttl := m.text("name"), m.text("owner"), m.span("ttl")
		return func() (any, error) { return t.Locks.Acquire(ctx, name, owner, ttl) }
	},
	"locks.refresh": func(t target, m *members) func() (any, error) {
		name, token, ttl := m.text("name"), m.id("token"), m.span("ttl")
		return func() (any, error) {
			at, err := t.Locks.Refresh(ctx, name, token, ttl)
			return answer("expires_at", at, err)
		}
	},
	"locks.release": func(t target, m *members) func() (any, error) {
		name, token := m.text("name"), m.id("token")
		return func() (any, error) { return nothing, t.Locks.Release(ctx, name, token) }
	},
	"locks.break": ofName(func(t target, name string) (any, error) {
		token, err := t.Locks.Break(ctx, name)
		return answer("token", token, err)
	}),
	"locks.get": ofName(func(t target, name string) (any, error) { return t.Locks.Get(ctx, name) }),
	"locks.list": listed(func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[brant.LockInfo, string], error) {
		return t.Locks.List
	}),
	"rate_limits.take": func(t target, m *members) func() (any, error) {
		limit, cost := m.rateLimit(t), m.cost()
		return func() (any, error) { return limit.Take(ctx, cost) }
	},
	"rate_limits.peek": func(t target, m *members) func() (any, error) {
		limit, cost := m.rateLimit(t), m.cost()
		return func() (any, error) { return limit.Peek(ctx, cost) }
	},
	"rate_limits.reset": ofName(func(t target, name string) (any, error) {
		reset, err := t.RateLimit(name, brant.RateLimitOptions{}).Reset(ctx)
		return answer("reset", reset, err)
	}),
	"rate_limits.list": listed(func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[brant.RateLimitInfo, string], error) {
		return t.RateLimits.List
	}),
	"schedules.set": func(t target, m *members) func() (any, error) {
		schedule := brant.NewSchedule{
			Name: m.text("name"), Spec: m.text("spec"), Timezone: m.given("timezone"), Queue: m.text("queue"), Payload: m.payload(),
			Misfire: brant.Misfire(m.given("misfire")), CatchUp: m.count("catch_up"),
		}
		m.inner("options", func(inner *members) {
			schedule.Options = brant.ScheduleOptions{
				Priority: inner.count("priority"), Key: inner.given("key"), MaxAttempts: inner.count("max_attempts"),
				ExpiresIn: inner.span("expires_in"), ResultTTL: inner.resultTTL(), Unique: inner.unique(),
			}
		})
		return func() (any, error) { return t.Schedules.Set(ctx, schedule) }
	},
	"schedules.get":    ofName(func(t target, name string) (any, error) { return t.Schedules.Get(ctx, name) }),
	"schedules.pause":  ofName(func(t target, name string) (any, error) { return t.Schedules.Pause(ctx, name) }),
	"schedules.resume": ofName(func(t target, name string) (any, error) { return t.Schedules.Resume(ctx, name) }),
	"schedules.delete": ofName(func(t target, name string) (any, error) { return nothing, t.Schedules.Delete(ctx, name) }),
	"schedules.trigger": ofName(func(t target, name string) (any, error) {
		id, err := t.Schedules.Trigger(ctx, name)
		return answer("id", id, err)
	}),
	"schedules.list": listed(func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[brant.Schedule, string], error) {
		return t.Schedules.List
	}),
	"schedules.next": func(t target, m *members) func() (any, error) {
		spec := m.text("spec")
		options := &brant.NextOptions{Timezone: m.given("timezone"), After: m.moment("after"), Count: m.count("count")}
		return func() (any, error) {
			items, err := t.Schedules.Next(ctx, spec, options)
			return answer("items", items, err)
		}
	},
	"schedules.tick": func(t target, m *members) func() (any, error) {
		limit := m.count("limit")
		return func() (any, error) { return t.Schedules.Tick(ctx, limit) }
	},
}
