package brant

import (
	"context"
	"encoding/json"
	"time"
)

// Calls is the call protocol: events of calls on a durable stream, and the graph that is made of them. DB.Calls, Tx.Calls.
type Calls struct{ r runner }

// CallEvent is an event of the call protocol.
type CallEvent struct {
	Event           string // "call.requested", "call.responded", "call.completed", "call.aborted", "call.error"
	RequestID       string
	OperationID     string // of requests, which need it
	Namespace       string
	Type            OperationType
	Input           any
	Output          any
	Error           *CallError // "call.error" needs it
	Identity        any        // {id, scopes, resources}
	ParentRequestID string
	DependsOn       []CallDependency
	Deadline        time.Time
	At              time.Time // default: now
	StartedAt       time.Time
	TraceID         string
	SpanID          string
	Stream          string // default "call-protocol"
}

// CallError is what went wrong in a call.
type CallError struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// CallDependency is a call that another needs.
type CallDependency struct {
	RequestID string `json:"request_id"`
	Reason    string `json:"reason,omitempty"`
}

// Publish checks an event and publishes it. ErrInvalid: it is none of the protocol's.
func (c Calls) Publish(ctx context.Context, event CallEvent) (offset int64, err error) {
	in := newInput().text("event", event.Event).text("request_id", event.RequestID).given("operation_id", event.OperationID)
	in.given("namespace", event.Namespace).given("type", string(event.Type)).value("input", event.Input).value("output", event.Output)
	if event.Error != nil {
		in.value("error", event.Error)
	}
	in.value("identity", event.Identity).given("parent_request_id", event.ParentRequestID)
	if event.DependsOn != nil {
		in.value("depends_on", event.DependsOn)
	}
	in.moment("deadline", event.Deadline).moment("at", event.At).moment("started_at", event.StartedAt)
	in.given("trace_id", event.TraceID).given("span_id", event.SpanID).given("stream", event.Stream)
	answer, err := do[savedOffset](ctx, c.r, callsPublish, in)
	return answer.Offset, err
}

// ProjectOptions of Calls.Project; nil is the default.
type ProjectOptions struct {
	Stream   string // default "call-protocol"
	Consumer string // default "calls:" and the graph's name
	Limit    int    // events, 1..100000, default 1000
}

// Projected is what Project did.
type Projected struct {
	Projected int64           `json:"projected"`
	Offset    int64           `json:"offset"`
	More      bool            `json:"more"`
	Failed    int64           `json:"failed"`
	Faults    json.RawMessage `json:"faults,omitempty"` // of those that were passed over, at most 100: [{offset, key, message}]
	Gap       *Gap            `json:"gap,omitempty"`    // removed before they were read
}

// Project brings a graph of the graph type "call" up to the stream's next events, each exactly once: call it again while there is More.
// ErrNotFound: the graph; ErrInvalid: its graph type has no calls.
func (c Calls) Project(ctx context.Context, graph string, options *ProjectOptions) (Projected, error) {
	in := newInput().text("graph", graph)
	if options != nil {
		in.given("stream", options.Stream).given("consumer", options.Consumer).positive("limit", options.Limit)
	}
	return do[Projected](ctx, c.r, callsProject, in)
}
