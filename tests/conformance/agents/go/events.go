package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"

	"github.com/brant-db/brant-go"
)

func (m *members) id(name string) int64 { return need[int64](m, name) }

// span is a duration that is not 0.
func (m *members) span(name string) time.Duration {
	ms := may[int64](m, name)
	m.inexpressive = m.inexpressive || ms < 0
	return time.Duration(ms) * time.Millisecond
}

func (m *members) moment(name string) time.Time {
	ms, given := take[int64](m, name)
	if !given {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func (m *members) whole(name string) *int64 { value, _ := take[*int64](m, name); return value }

func (m *members) payload() any {
	encoded, given := take[string](m, "payload_base64")
	if !given {
		return m.value("payload")
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	m.inexpressive = m.inexpressive || err != nil
	return brant.Bytes(decoded)
}

// inner are the members of an object, if it is there.
func (m *members) inner(name string, each func(*members)) bool {
	text, given := take[json.RawMessage](m, name)
	if !given {
		return false
	}
	inner := readMembers(text)
	if string(text) == "null" {
		m.inexpressive = true
		return false
	}
	each(inner)
	m.inexpressive = m.inexpressive || !inner.all()
	return true
}

// each goes through an array of objects.
func (m *members) each(name string, each func(*members)) {
	for _, item := range need[[]json.RawMessage](m, name) {
		inner := readMembers(item)
		each(inner)
		m.inexpressive = m.inexpressive || !inner.all()
	}
}

// nulls takes out the members that are null.
func (m *members) nulls() (names []string) {
	maps.DeleteFunc(m.left, func(name string, text json.RawMessage) bool {
		if string(text) == "null" {
			names = append(names, name)
			return true
		}
		return false
	})
	return names
}

func (m *members) position(name string) (at brant.Position) {
	text, given := m.left[name]
	if !given {
		return at
	}
	if text[0] == '{' {
		m.inner(name, func(inner *members) { at = brant.FromTime(time.UnixMilli(inner.id("time"))) })
		return at
	}
	if text[0] != '"' {
		return brant.FromOffset(m.id(name))
	}
	switch word := m.text(name); word {
	case "start":
		return brant.FromStart
	case "end":
		return brant.FromEnd
	}
	m.inexpressive = true
	return at
}

func (m *members) names() *brant.NameListOptions {
	return &brant.NameListOptions{Prefix: m.given("prefix"), Limit: m.count("limit"), After: m.given("after")}
}

func (m *members) unique() *brant.Unique {
	var unique brant.Unique
	if m.inner("unique", func(inner *members) {
		unique = brant.Unique{Key: inner.text("key"), Window: inner.span("window"), OnConflict: brant.OnConflict(inner.given("on_conflict"))}
	}) {
		return &unique
	}
	return nil
}

func (m *members) resultTTL() time.Duration {
	ms, given := take[int64](m, "result_ttl")
	m.inexpressive = m.inexpressive || ms < 0
	if given && ms == 0 {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}

func (m *members) enqueue() brant.EnqueueOptions {
	options := brant.EnqueueOptions{
		Priority: m.count("priority"), Delay: m.span("delay"), RunAt: m.moment("run_at"), ExpiresIn: m.span("expires_in"),
		ExpiresAt: m.moment("expires_at"), Key: m.given("key"), MaxAttempts: m.count("max_attempts"), ResultTTL: m.resultTTL(),
		OnFailure: brant.OnFailure(m.given("on_failure")), Unique: m.unique(),
	}
	after, _ := take[[]json.RawMessage](m, "after")
	for _, text := range after {
		var id int64
		var item struct {
			Item int `json:"item"`
		}
		switch {
		case json.Unmarshal(text, &id) == nil:
			options.After = append(options.After, id)
		case strictly(text, &item):
			options.AfterItems = append(options.AfterItems, item.Item)
		default:
			m.inexpressive = true
		}
	}
	return options
}

func (m *members) acks(name string) (acks []brant.Ack) {
	acks = []brant.Ack{}
	m.each(name, func(item *members) {
		acks = append(acks, brant.Ack{ID: item.id("id"), Token: item.id("token"), Result: item.value("result")})
	})
	return acks
}

func (m *members) receipts() (receipts []brant.Receipt) {
	m.each("items", func(item *members) {
		receipts = append(receipts, brant.Receipt{Offset: item.id("offset"), Token: item.id("token")})
	})
	return receipts
}

func (m *members) rateLimit(t target) brant.RateLimit {
	name := m.text("name")
	return t.RateLimit(name, brant.RateLimitOptions{
		Kind: brant.RateLimitKind(m.text("kind")), Limit: m.id("limit"), Period: m.span("period"), Burst: may[int64](m, "burst"),
	})
}

func (m *members) cost() int64 {
	cost, given := take[int64](m, "cost")
	if !given {
		return 1
	}
	return cost
}

func answer(name string, value any, err error) (any, error) { return map[string]any{name: value}, err }

func acked(n int64, stale []int64, err error) (any, error) {
	return map[string]any{"acked": n, "stale": append([]int64{}, stale...)}, err
}

var nothing = struct{}{}

// Shapes of operations that several have.
func ofQueue(call func(q brant.Queue) (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		queue := m.text("queue")
		return func() (any, error) { return call(t.Queue(queue)) }
	}
}

func ofStream(call func(s brant.Stream) (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		stream := m.text("stream")
		return func() (any, error) { return call(t.Stream(stream)) }
	}
}

func ofConsumer(call func(s brant.Stream, consumer string) (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		stream, consumer := m.text("stream"), m.text("consumer")
		return func() (any, error) { return call(t.Stream(stream), consumer) }
	}
}

func ofJob(call func(t target, id int64) (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		id := m.id("id")
		return func() (any, error) { return call(t, id) }
	}
}

func ofName(call func(t target, name string) (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		name := m.text("name")
		return func() (any, error) { return call(t, name) }
	}
}

func listed[T any](list func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[T, string], error)) operation {
	return func(t target, m *members) func() (any, error) {
		options := m.names()
		return func() (any, error) { return list(t)(ctx, options) }
	}
}

func holding(call func(job *brant.Job, m *members) func() (any, error)) operation {
	return func(t target, m *members) func() (any, error) {
		return call(t.Jobs.Claimed(m.id("id"), m.id("token")), m)
	}
}

func init() { maps.Copy(operations, eventOperations) }

var eventOperations = map[string]operation{
	"events.notify": func(t target, m *members) func() (any, error) {
		channel, payload := m.text("channel"), m.payload()
		return func() (any, error) {
			id, err := t.Notify(ctx, channel, payload)
			return answer("id", id, err)
		}
	},
	"events.channels": listed(func(t target) func(context.Context, *brant.NameListOptions) (brant.Listing[brant.ChannelInfo, string], error) {
		return t.Channels.List
	}),
	"events.set_retention": func(t target, m *members) func() (any, error) {
		reset := m.nulls()
		channel, change := m.text("channel"), brant.ChannelChange{Count: may[int64](m, "count"), Age: m.span("age"), Reset: reset}
		return func() (any, error) { return t.Channels.SetRetention(ctx, channel, change) }
	},
	"db.metrics": func(t target, m *members) func() (any, error) {
		return func() (any, error) {
			text, err := t.db.Metrics(ctx)
			return answer("text", text, err)
		}
	},
	"graphs.changes": func(t target, m *members) func() (any, error) {
		graph, after, limit := m.text("graph"), may[int64](m, "after"), m.count("limit")
		return func() (any, error) { return t.Graph(graph).Changes(ctx, after, limit) }
	},
	"graphs.diff": func(t target, m *members) func() (any, error) {
		graph, from := m.text("graph"), m.position("from")
		options := &brant.DiffOptions{To: m.position("to"), Limit: m.count("limit")}
		return func() (any, error) { return t.Graph(graph).Diff(ctx, from, options) }
	},
	"graphs.replay": func(t target, m *members) func() (any, error) {
		graph, to, into, graphType := m.text("graph"), m.position("to"), m.text("into"), m.given("graph_type")
		return func() (any, error) { return t.Graph(graph).Replay(ctx, to, into, graphType) }
	},
	"calls.publish": func(t target, m *members) func() (any, error) {
		event := brant.CallEvent{
			Event: m.text("event"), RequestID: m.text("request_id"), OperationID: m.given("operation_id"), Namespace: m.given("namespace"),
			Type: brant.OperationType(m.given("type")), Input: m.value("input"), Output: m.value("output"), Identity: m.value("identity"),
			ParentRequestID: m.given("parent_request_id"), Deadline: m.moment("deadline"), At: m.moment("at"),
			StartedAt: m.moment("started_at"), TraceID: m.given("trace_id"), SpanID: m.given("span_id"), Stream: m.given("stream"),
		}
		m.inner("error", func(inner *members) {
			event.Error = &brant.CallError{Code: inner.text("code"), Message: inner.given("message")}
		})
		needed, _ := take[[]json.RawMessage](m, "depends_on")
		for _, text := range needed {
			var dependency brant.CallDependency
			if json.Unmarshal(text, &dependency.RequestID) != nil && !strictly(text, &dependency) {
				m.inexpressive = true
			}
			event.DependsOn = append(event.DependsOn, dependency)
		}
		return func() (any, error) {
			offset, err := t.Calls.Publish(ctx, event)
			return answer("offset", offset, err)
		}
	},
	"calls.project": func(t target, m *members) func() (any, error) {
		graph := m.text("graph")
		options := &brant.ProjectOptions{Stream: m.given("stream"), Consumer: m.given("consumer"), Limit: m.count("limit")}
		return func() (any, error) { return t.Calls.Project(ctx, graph, options) }
	},
}
