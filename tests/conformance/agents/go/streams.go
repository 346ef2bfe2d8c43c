package main

import (
	"context"
	"maps"

	"github.com/brant-db/brant-go"
)

func init() { maps.Copy(operations, streamOperations) }

func receipting(call func(g brant.Group, receipts []brant.Receipt) (brant.Receipted, error)) operation {
	return func(t target, m *members) func() (any, error) {
		group := t.Stream(m.text("stream")).Group(m.text("group"))
		receipts := m.receipts()
		return func() (any, error) { return call(group, receipts) }
	}
}

var streamOperations = map[string]operation{
	"streams.configure": func(t target, m *members) func() (any, error) {
		change := brant.StreamChange{Reset: m.nulls()}
		stream := m.text("stream")
		change.MaxAge, change.MaxCount, change.KeepUnread = m.span("max_age"), m.whole("max_count"), m.boolean("keep_unread")
		change.Compact, change.CompactAfter = m.boolean("compact"), m.span("compact_after")
		return func() (any, error) { return t.Stream(stream).Configure(ctx, change) }
	},
	"streams.get": ofStream(func(s brant.Stream) (any, error) { return s.Info(ctx) }),
	"streams.compact": ofStream(func(s brant.Stream) (any, error) {
		n, err := s.Compact(ctx)
		return answer("removed", n, err)
	}),
	"streams.list": listed(func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[brant.StreamInfo, string], error) {
		return t.Streams.List
	}),
	"streams.stats": func(t target, m *members) func() (any, error) {
		stream, one := take[string](m, "stream")
		return func() (any, error) {
			if one {
				return t.Stream(stream).Stats(ctx)
			}
			items, err := t.Streams.Stats(ctx)
			return answer("items", items, err)
		}
	},
	"streams.delete": func(t target, m *members) func() (any, error) {
		stream, force := m.text("stream"), m.boolean("force")
		return func() (any, error) {
			n, err := t.Stream(stream).Delete(ctx, force != nil && *force)
			return answer("deleted", n, err)
		}
	},
	"streams.publish": func(t target, m *members) func() (any, error) {
		stream, payload, key := m.text("stream"), m.payload(), m.given("key")
		return func() (any, error) {
			offset, err := t.Stream(stream).Publish(ctx, payload, brant.PublishOptions{Key: key})
			return answer("offset", offset, err)
		}
	},
	"streams.publish_many": func(t target, m *members) func() (any, error) {
		stream, events := m.text("stream"), []brant.NewEvent{}
		m.each("items", func(item *members) {
			events = append(events, brant.NewEvent{Payload: item.payload(), Key: item.given("key")})
		})
		return func() (any, error) {
			first, last, err := t.Stream(stream).PublishMany(ctx, events)
			return map[string]any{"first": first, "last": last}, err
		}
	},
	"streams.read": func(t target, m *members) func() (any, error) {
		stream := m.text("stream")
		options := &brant.ReadOptions{
			After: may[int64](m, "after"), Since: m.moment("since"), Keys: m.types("keys"), Reverse: m.flag("reverse"), Limit: m.count("limit"),
		}
		return func() (any, error) { return t.Stream(stream).Read(ctx, options) }
	},
	"streams.latest": func(t target, m *members) func() (any, error) {
		stream, key := m.text("stream"), m.text("key")
		return func() (any, error) { return t.Stream(stream).Latest(ctx, key) }
	},
	"streams.trim": func(t target, m *members) func() (any, error) {
		stream := m.text("stream")
		options := brant.TrimOptions{Before: may[int64](m, "before"), MaxCount: m.whole("max_count"), MaxAge: m.span("max_age")}
		return func() (any, error) {
			n, err := t.Stream(stream).Trim(ctx, options)
			return answer("trimmed", n, err)
		}
	},
	"consumers.commit": func(t target, m *members) func() (any, error) {
		stream, consumer, offset := m.text("stream"), m.text("consumer"), m.id("offset")
		return func() (any, error) {
			saved, err := t.Stream(stream).Commit(ctx, consumer, offset)
			return answer("offset", saved, err)
		}
	},
	"consumers.seek": func(t target, m *members) func() (any, error) {
		stream, consumer, to := m.text("stream"), m.text("consumer"), m.position("to")
		return func() (any, error) {
			offset, err := t.Stream(stream).Seek(ctx, consumer, to)
			return answer("offset", offset, err)
		}
	},
	"consumers.get":    ofConsumer(func(s brant.Stream, name string) (any, error) { return s.Consumer(ctx, name) }),
	"consumers.delete": ofConsumer(func(s brant.Stream, name string) (any, error) { return nothing, s.DeleteConsumer(ctx, name) }),
	"consumers.list": ofStream(func(s brant.Stream) (any, error) {
		items, err := s.Consumers(ctx)
		return answer("items", items, err)
	}),
	"consumers.claim": func(t target, m *members) func() (any, error) {
		stream, group, member := m.text("stream"), m.text("group"), m.text("member")
		options := &brant.GroupClaimOptions{Limit: m.count("limit"), Lease: m.span("lease"), From: m.position("from")}
		return func() (any, error) { return t.Stream(stream).Group(group).Claim(ctx, member, options) }
	},
	"consumers.ack": receipting(func(g brant.Group, receipts []brant.Receipt) (brant.Receipted, error) {
		return g.Ack(ctx, receipts...)
	}),
	"consumers.release": receipting(func(g brant.Group, receipts []brant.Receipt) (brant.Receipted, error) {
		return g.Release(ctx, receipts...)
	}),
	"consumers.extend": func(t target, m *members) func() (any, error) {
		group := t.Stream(m.text("stream")).Group(m.text("group"))
		receipts, lease := m.receipts(), m.span("lease")
		return func() (any, error) { return group.Extend(ctx, lease, receipts...) }
	},
}
