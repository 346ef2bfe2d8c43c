// Package otel tells OpenTelemetry of what a brant database does: a span and a duration for each call, and traces that go on where a job or an event is worked on. It is a
// module of its own, so that brant itself depends on nothing.
//
//	db, err := brant.Open("app.db", &brant.Options{Tracer: otel.NewTracer()})
//
//	payload, err := otel.Inject(ctx, map[string]any{"to": "ann"})    // a traceparent beside it
//	_, err = db.Queue("mail").Enqueue(ctx, payload)
//	err = db.Queue("mail").Work(ctx, otel.Handler(send))             // a span that links to who enqueued it
//
// Names are those of the semantic conventions for databases and messaging. Nothing of what goes in or comes out is told.
package otel

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"

	"github.com/brant-db/brant-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the name of the instrumentation.
const Scope = "github.com/brant-db/brant-go/otel"

type config struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
}

// Option of NewTracer, Handler, StartEvent and Inject.
type Option func(*config)

// WithTracerProvider is instead of the global one.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(c *config) { c.tracers = provider }
}

// WithMeterProvider is instead of the global one.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(c *config) { c.meters = provider }
}

// WithPropagator is instead of the W3C's trace context.
func WithPropagator(propagator propagation.TextMapPropagator) Option {
	return func(c *config) { c.propagator = propagator }
}

func configured(options []Option) *config {
	c := &config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(), propagator: propagation.TraceContext{}}
	for _, option := range options {
		option(c)
	}
	return c
}

func (c *config) tracer() trace.Tracer {
	return c.tracers.Tracer(Scope, trace.WithInstrumentationVersion(brant.Version()))
}

// NewTracer is for brant.Options.Tracer: each call is a span, named by its operation and collection, and is counted in the histogram db.client.operation.duration.
func NewTracer(options ...Option) brant.Tracer {
	c := configured(options)
	meter := c.meters.Meter(Scope, metric.WithInstrumentationVersion(brant.Version()))
	durations, err := meter.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"), metric.WithDescription("Duration of database client operations."),
		metric.WithExplicitBucketBoundaries(0.00001, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	if err != nil {
		otel.Handle(err)
	}
	return &tracer{spans: c.tracer(), durations: durations}
}

type tracer struct {
	spans     trace.Tracer
	durations metric.Float64Histogram
}

func attributes(call brant.Trace) []attribute.KeyValue {
	all := []attribute.KeyValue{
		attribute.String("db.system.name", "brant"), attribute.String("db.operation.name", call.Operation), attribute.String("db.namespace", filepath.Base(call.Path)),
	}
	if call.Collection != "" {
		all = append(all, attribute.String("db.collection.name", call.Collection))
	}
	return all
}

// TraceStart begins a span.
func (t *tracer) TraceStart(ctx context.Context, call brant.Trace) context.Context {
	name := call.Operation
	if call.Collection != "" {
		name += " " + call.Collection
	}
	// In this process: no other is asked.
	ctx, _ = t.spans.Start(ctx, name, trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(attributes(call)...))
	return ctx
}

// TraceEnd ends it.
func (t *tracer) TraceEnd(ctx context.Context, call brant.Trace) {
	span := trace.SpanFromContext(ctx)
	all := attributes(call)
	if call.Err != nil {
		status := attribute.String("db.response.status_code", call.Status())
		failed := attribute.String("error.type", call.Status())
		span.SetAttributes(status, failed)
		span.SetStatus(codes.Error, call.Status()) // the message may name what is nobody else's to know
		all = append(all, status, failed)
	}
	span.SetAttributes(attribute.Bool("brant.transaction", call.Transaction), attribute.Int("brant.input.size", call.InputBytes),
		attribute.Int("brant.output.size", call.OutputBytes))
	span.End()
	if t.durations != nil {
		t.durations.Record(ctx, call.Duration.Seconds(), metric.WithAttributes(all...))
	}
}

// ---- jobs and events ---------------------------------------------------------------------------------------------------

// Inject is a payload with the context's trace in it: a JSON object with the members "traceparent" and "tracestate" besides, as CloudEvents has them. Whoever knows nothing of it passes over
// them. A payload that is no object (brant.Bytes are none), and one in a context without a trace, is as it was.
func Inject(ctx context.Context, payload any, options ...Option) (any, error) {
	if _, binary := payload.(brant.Bytes); binary {
		return payload, nil
	}
	if text, ok := payload.([]byte); ok { // JSON, as it is to brant
		payload = json.RawMessage(text)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	carrier := propagation.MapCarrier{}
	configured(options).propagator.Inject(ctx, carrier)
	if len(carrier) == 0 || text[0] != '{' {
		return json.RawMessage(text), nil
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for name, value := range carrier {
		if members[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	if text, err = json.Marshal(members); err != nil {
		return nil, err
	}
	return json.RawMessage(text), nil
}

// Extract is the context of who made a payload: for a link, or a parent.
func Extract(ctx context.Context, payload []byte, options ...Option) context.Context {
	members := map[string]json.RawMessage{}
	if json.Unmarshal(payload, &members) != nil {
		return ctx
	}
	propagator := configured(options).propagator
	carrier := propagation.MapCarrier{}
	for _, name := range propagator.Fields() {
		var value string
		if json.Unmarshal(members[name], &value) == nil {
			carrier[name] = value
		}
	}
	return propagator.Extract(ctx, carrier)
}

// start begins the span of working on a message: of a trace of its own, with a link to who sent it, since one may be worked on often, or much later.
func (c *config) start(ctx context.Context, payload []byte, name string, all ...attribute.KeyValue) (context.Context, trace.Span) {
	sent := trace.SpanContextFromContext(Extract(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), payload, WithPropagator(c.propagator)))
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithNewRoot(), trace.WithAttributes(append(all,
		attribute.String("messaging.system", "brant"), attribute.String("messaging.operation.type", "process"), attribute.String("messaging.operation.name", "process"))...)}
	if sent.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: sent}))
	}
	return c.tracer().Start(ctx, name, options...)
}

func end(span trace.Span, err error) {
	var later interface{ Snoozed() bool }
	if snoozed := errors.As(err, &later) && later.Snoozed(); err != nil && !snoozed {
		kind := "_OTHER"
		var e *brant.Error
		if errors.As(err, &e) {
			kind = e.Code.String()
		}
		span.SetAttributes(attribute.String("error.type", kind))
		span.SetStatus(codes.Error, kind)
	}
	span.End()
}

// Handler is a handler for Queue.Work whose jobs are spans each, "process <queue>"; what it returns brant.SnoozeFor for has not failed.
func Handler(handler brant.Handler, options ...Option) brant.Handler {
	c := configured(options)
	return func(ctx context.Context, job *brant.Job) (err error) {
		ctx, span := c.start(ctx, job.Payload, "process "+job.Queue, attribute.String("messaging.destination.name", job.Queue),
			attribute.String("messaging.message.id", strconv.FormatInt(job.ID, 10)), attribute.Int("brant.job.attempt", job.Attempt))
		panics := true
		defer func() {
			if panics {
				err = errors.New("panic")
			}
			end(span, err)
		}()
		err = handler(ctx, job)
		panics = false
		return err
	}
}

// StartEvent begins the span of working on an event of a stream, "process <stream>"; End it with the span's own End.
func StartEvent(ctx context.Context, stream string, event brant.Event, options ...Option) (context.Context, trace.Span) {
	return configured(options).start(ctx, event.Payload, "process "+stream, attribute.String("messaging.destination.name", stream),
		attribute.String("messaging.message.id", strconv.FormatInt(event.Offset, 10)))
}
