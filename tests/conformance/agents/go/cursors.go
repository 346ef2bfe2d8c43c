package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/brant-db/brant-go"
)

// cursor is what cursor.next and cursor.close are said to.
type cursor interface {
	run(r request) (any, error)
	close()
}

// watching is a cursor that waits.
type watching[T any] struct{ *brant.Watch[T] }

func (w watching[T]) close() { _ = w.Close() }

func (w watching[T]) run(r request) (any, error) {
	switch r.Name {
	case "cursor.close":
		return nil, w.Close()
	case "cursor.next":
		var given struct {
			Timeout int64 `json:"timeout"`
		}
		if err := json.Unmarshal(r.Arguments, &given); err != nil {
			return nil, err
		}
		items, err := w.next(given.Timeout)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return append([]T{}, items...), err
	}
	return nil, faultf("UNKNOWN_OPERATION", "%s", r.Name)
}

func (w watching[T]) next(timeout int64) ([]T, error) {
	if timeout == 0 {
		return w.Pending(ctx)
	}
	if timeout < 0 {
		return w.Batch(ctx)
	}
	bounded, cancel := context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
	defer cancel()
	items, err := w.Batch(bounded)
	if errors.Is(err, brant.ErrTimeout) {
		return nil, nil
	}
	return items, err
}

func watched[T any](w *brant.Watch[T], err error) (cursor, error) {
	if err != nil {
		return nil, err
	}
	return watching[T]{w}, nil
}

// subscription: the first function takes the members, the second, when all could be said, opens.
type subscription func(t target, m *members) func() (cursor, error)

var subscriptions = map[string]subscription{
	"events.listen": func(t target, m *members) func() (cursor, error) {
		channels := m.texts("channels")
		return func() (cursor, error) { return watched(t.db.Listen(ctx, channels...)) }
	},
	"queues.watch": func(t target, m *members) func() (cursor, error) {
		queue := m.text("queue")
		return func() (cursor, error) { return watched(t.Queue(queue).Watch(ctx)) }
	},
	"jobs.cancels": func(t target, m *members) func() (cursor, error) {
		queue, worker := m.text("queue"), m.text("worker")
		return func() (cursor, error) { return watched(t.Queue(queue).Cancels(ctx, worker)) }
	},
	"jobs.watch": func(t target, m *members) func() (cursor, error) {
		id := m.id("id")
		return func() (cursor, error) { return watched(t.Jobs.Watch(ctx, id)) }
	},
	"streams.subscribe": func(t target, m *members) func() (cursor, error) {
		stream := m.text("stream")
		options := &brant.SubscribeOptions{
			Consumer: m.given("consumer"), From: m.position("from"), Keys: m.types("keys"), Batch: m.count("batch"), Save: brant.SaveManual,
		}
		return func() (cursor, error) {
			s, err := t.Stream(stream).Subscribe(ctx, options)
			if err != nil {
				return nil, err
			}
			return watching[brant.Event]{&s.Watch}, nil
		}
	},
	"consumers.watch": func(t target, m *members) func() (cursor, error) {
		stream, group, from := m.text("stream"), m.text("group"), m.position("from")
		return func() (cursor, error) { return watched(t.Stream(stream).Group(group).Watch(ctx, from)) }
	},
	"locks.watch": func(t target, m *members) func() (cursor, error) {
		name := m.text("name")
		return func() (cursor, error) { return watched(t.Locks.Watch(ctx, name)) }
	},
	"schedules.run": func(t target, m *members) func() (cursor, error) {
		options := &brant.SchedulerOptions{Owner: m.given("owner"), TTL: m.span("ttl")}
		return func() (cursor, error) { return watched(t.Schedules.Run(ctx, options)) }
	},
}
