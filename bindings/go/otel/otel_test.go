package otel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
	brantotel "github.com/brant-db/brant-go/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func value(span tracetest.SpanStub, name string) string {
	for _, a := range span.Attributes {
		if a.Key == attribute.Key(name) {
			return a.Value.Emit()
		}
	}
	return ""
}

// TestRoundTrip: calls are spans inside the caller's, and who works on a job or an event has a link to who made it.
func TestRoundTrip(t *testing.T) {
	fmt.Println("go.opentelemetry.io/otel/sdk", sdk.Version())
	ctx := t.Context()
	exporter, reader := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	with := []brantotel.Option{brantotel.WithTracerProvider(traces), brantotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))}
	db, err := brant.Open(filepath.Join(t.TempDir(), "app.db"), &brant.Options{Tracer: brantotel.NewTracer(with...)})
	check(t, err)
	defer db.Close()
	spans := func() map[string]tracetest.SpanStub {
		all := map[string]tracetest.SpanStub{}
		for _, span := range exporter.GetSpans() {
			all[span.Name] = span
		}
		return all
	}

	outer, span := traces.Tracer("test").Start(ctx, "request")
	_, err = db.Graphs.Create(outer, brant.NewGraph{Name: "g", GraphType: "open"})
	check(t, err)
	var job, event any
	check(t, db.Tx(outer, func(tx *brant.Tx) error {
		if _, err := tx.Graph("g").Nodes.Put(outer, brant.NewNode{Key: "secret-key", Attributes: map[string]any{"a": "secret-value"}}); err != nil {
			return err
		}
		payload, err := brantotel.Inject(outer, map[string]any{"to": "ann", "n": int64(9007199254740993)})
		if err != nil {
			return err
		}
		job, event = payload, payload
		binary, err := brantotel.Inject(outer, brant.Bytes{0, 255})
		if bytes, ok := binary.(brant.Bytes); err != nil || !ok || string(bytes) != "\x00\xff" {
			t.Error(binary, err)
		}
		if _, err := tx.Queue("mail").Enqueue(outer, job); err != nil {
			return err
		}
		_, err = tx.Stream("log").Publish(outer, event)
		return err
	}))
	_, err = db.Graph("g").Nodes.Get(outer, "secret-nothing")
	if !errors.Is(err, brant.ErrNotFound) {
		t.Error(err)
	}
	span.End()

	all := spans()
	root := all["request"].SpanContext
	put := all["nodes.put g"]
	if put.Parent.SpanID() != root.SpanID() || put.SpanKind != trace.SpanKindInternal || value(put, "db.system.name") != "brant" || value(put, "db.operation.name") != "nodes.put" ||
		value(put, "db.collection.name") != "g" || value(put, "db.namespace") != "app.db" || value(put, "brant.transaction") != "true" || put.Status.Code != codes.Unset {
		t.Errorf("%+v", put)
	}
	get := all["nodes.get g"]
	if get.Status.Code != codes.Error || value(get, "error.type") != "NOT_FOUND" || value(get, "db.response.status_code") != "NOT_FOUND" {
		t.Errorf("%+v", get)
	}
	for _, name := range []string{"transaction.begin", "transaction.commit", "queues.enqueue mail", "streams.publish log"} {
		if all[name].SpanContext.TraceID() != root.TraceID() {
			t.Error(name)
		}
	}
	if text := fmt.Sprintf("%+v", exporter.GetSpans()); strings.Contains(text, "secret-") {
		t.Error("what went in is told: ", text)
	}

	working, stop := context.WithCancel(ctx)
	failing, snoozing := true, true
	err = db.Queue("mail").Work(working, brantotel.Handler(func(ctx context.Context, job *brant.Job) error {
		var payload struct {
			To string `json:"to"`
			N  int64  `json:"n"`
		}
		if err := job.Decode(&payload); err != nil || payload.To != "ann" || payload.N != 9007199254740993 {
			t.Error(payload, err)
		}
		_, err := db.Graph("g").Nodes.Count(ctx, "")
		check(t, err)
		if snoozing {
			snoozing = false
			return brant.SnoozeFor(0)
		}
		if failing {
			failing = false
			return brant.RetryAfter(0, errors.New("secret-reason"))
		}
		stop()
		return nil
	}, with...))
	check(t, err)
	var worked []tracetest.SpanStub
	for _, span := range exporter.GetSpans() {
		if span.Name == "process mail" {
			worked = append(worked, span)
		}
	}
	if len(worked) != 3 || worked[0].Status.Code != codes.Unset || value(worked[0], "error.type") != "" || worked[1].Status.Code != codes.Error || worked[2].Status.Code != codes.Unset {
		t.Fatalf("%+v", worked)
	}
	worked = worked[1:] // the first was snoozed, which is no attempt
	for i, span := range worked {
		if len(span.Links) != 1 || span.Links[0].SpanContext.SpanID() != root.SpanID() || span.Links[0].SpanContext.TraceID() != root.TraceID() ||
			span.SpanContext.TraceID() == root.TraceID() || span.SpanKind != trace.SpanKindConsumer || value(span, "messaging.destination.name") != "mail" ||
			value(span, "brant.job.attempt") != fmt.Sprint(i+1) {
			t.Errorf("%+v", span)
		}
	}
	counted := spans()["nodes.count g"]
	if counted.Parent.SpanID() != worked[1].SpanContext.SpanID() {
		t.Error("what a job does is not in its span")
	}

	events, err := db.Stream("log").Read(ctx, nil)
	check(t, err)
	for _, event := range events.Items {
		_, span := brantotel.StartEvent(ctx, "log", event, with...)
		span.End()
	}
	read := spans()["process log"]
	if len(read.Links) != 1 || read.Links[0].SpanContext.SpanID() != root.SpanID() {
		t.Errorf("%+v", read)
	}

	var metrics metricdata.ResourceMetrics
	check(t, reader.Collect(ctx, &metrics))
	histogram := metrics.ScopeMetrics[0].Metrics[0]
	failed, puts := uint64(0), uint64(0)
	for _, point := range histogram.Data.(metricdata.Histogram[float64]).DataPoints {
		if v, ok := point.Attributes.Value("error.type"); ok && v.AsString() == "NOT_FOUND" {
			failed += point.Count
		}
		if v, _ := point.Attributes.Value("db.operation.name"); v.AsString() == "nodes.put" {
			puts += point.Count
		}
	}
	if histogram.Name != "db.client.operation.duration" || histogram.Unit != "s" || failed != 1 || puts != 1 {
		t.Error(histogram.Name, histogram.Unit, failed, puts)
	}
}

// TestPayloads: what cannot carry a trace, or has none, is as it was.
func TestPayloads(t *testing.T) {
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: 1}))
	for _, c := range []struct {
		ctx     context.Context
		payload any
		want    string
	}{
		{ctx, []int{1}, "[1]"}, {ctx, "text", `"text"`}, {ctx, nil, "null"}, {t.Context(), map[string]any{"a": 1}, `{"a":1}`},
		{ctx, []byte(`[1]`), "[1]"}, {ctx, json.RawMessage(`null`), "null"}, {ctx, map[string]any{"a": 1}, `{"a":1,"traceparent":"00-01000000000000000000000000000000-0200000000000000-01"}`},
	} {
		got, err := brantotel.Inject(c.ctx, c.payload)
		if text, ok := got.(json.RawMessage); err != nil || !ok || string(text) != c.want {
			t.Errorf("%s %v", got, err)
		}
	}
	for _, hostile := range []string{"", "x", "[]", `{"traceparent":1}`, `{"traceparent":"00-zz"}`, `{"traceparent":{}}`} {
		if trace.SpanContextFromContext(brantotel.Extract(t.Context(), []byte(hostile))).IsValid() {
			t.Error(hostile)
		}
	}
}
