package brant

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Trace is one call of an operation, as a Tracer is told of it: never its input or answer, which may hold anything.
type Trace struct {
	Operation   string // "nodes.put"; "transaction.begin" and "transaction.commit" are told, too
	Path        string // of the file
	Collection  string // the graph, queue, stream or so that it is of, where that is known
	Transaction bool   // it runs in one
	InputBytes  int

	// Of TraceEnd.
	OutputBytes int
	Duration    time.Duration // with the wait for a connection's turn, and for those that were committed with it
	Err         error
}

// Status is "OK", or the name of the error's code.
func (t Trace) Status() string {
	if t.Err == nil {
		return codeNames[0]
	}
	return codeOf(t.Err).String()
}

// Tracer is told of every call: Options.Tracer, HubOptions.Tracer. It is called by many goroutines at once, and must not use the database itself. What waits (Listen, Subscribe, Work)
// is no call, but what it does is.
type Tracer interface {
	// TraceStart comes before; the call and TraceEnd get the context that it returns.
	TraceStart(ctx context.Context, call Trace) context.Context
	TraceEnd(ctx context.Context, call Trace)
}

// Tracers are several as one: they start in their order, and end in the reverse.
func Tracers(all ...Tracer) Tracer { return tracers(all) }

type tracers []Tracer

func (all tracers) TraceStart(ctx context.Context, call Trace) context.Context {
	for _, t := range all {
		ctx = t.TraceStart(ctx, call)
	}
	return ctx
}

func (all tracers) TraceEnd(ctx context.Context, call Trace) {
	for i := len(all) - 1; i >= 0; i-- {
		all[i].TraceEnd(ctx, call)
	}
}

type runs = func(ctx context.Context, op *operation, out *cbrant.Result, input string) error

// traced runs a call and tells the tracer of it.
func (e *engine) traced(ctx context.Context, inside bool, op *operation, out *cbrant.Result, input string, run runs) error {
	t := e.options.Tracer
	if t == nil {
		return run(ctx, op, out, input)
	}
	call := Trace{Operation: op.name, Path: e.path, Collection: collection(input), Transaction: inside, InputBytes: len(input)}
	ctx = t.TraceStart(ctx, call)
	began := time.Now()
	defer func() { // also when the call panics
		call.Duration = time.Since(began)
		t.TraceEnd(ctx, call)
	}()
	call.Err = run(ctx, op, out, input)
	if call.Err == nil && out != nil {
		call.OutputBytes = len(out.Bytes())
	}
	return call.Err
}

// step is traced for the beginning or end of a transaction.
func (e *engine) step(ctx context.Context, op *operation, run func(ctx context.Context) error) error {
	if e.options.Tracer == nil {
		return run(ctx)
	}
	return e.traced(ctx, op != transactionBegin, op, nil, "", func(ctx context.Context, _ *operation, _ *cbrant.Result, _ string) error {
		return run(ctx)
	})
}

// collection is the name that an input begins with.
func collection(input string) string {
	for _, member := range [...]string{`{"graph":"`, `{"queue":"`, `{"stream":"`, `{"channel":"`} {
		if rest, ok := strings.CutPrefix(input, member); ok {
			name, _, _ := strings.Cut(rest, `"`)
			if strings.Contains(name, `\`) {
				return ""
			}
			return strings.Clone(name) // the input is used again
		}
	}
	return ""
}

// LogOptions of NewLogTracer; nil is the default.
type LogOptions struct {
	Level     slog.Level    // of calls: slog.LevelDebug is -4, so the zero value is slog.LevelInfo
	Slow      time.Duration // calls that take as long are logged at SlowLevel; 0: none is
	SlowLevel slog.Level    // at least slog.LevelWarn
	OnlySlow  bool          // and failures that the caller can do nothing about; nothing else
}

// NewLogTracer logs each call with its operation, file, collection, duration, status and sizes, and never what went in or came out. Calls that fail for a reason that is
// the database's (BUSY, CORRUPT, FULL, IO, NO_MEMORY, INTERNAL and so on) are logged as slog.LevelError, other failures like calls that succeed. A nil logger is slog.Default().
func NewLogTracer(logger *slog.Logger, options *LogOptions) Tracer {
	t := &logTracer{logger: logger}
	if options != nil {
		t.options = *options
	}
	t.options.SlowLevel = max(t.options.SlowLevel, slog.LevelWarn)
	return t
}

type logTracer struct {
	logger  *slog.Logger
	options LogOptions
}

func (t *logTracer) TraceStart(ctx context.Context, _ Trace) context.Context { return ctx }

func (t *logTracer) TraceEnd(ctx context.Context, call Trace) {
	logger := t.logger
	if logger == nil {
		logger = slog.Default()
	}
	level, message, wanted := t.options.Level, "brant call", !t.options.OnlySlow
	if t.options.Slow > 0 && call.Duration >= t.options.Slow {
		level, message, wanted = t.options.SlowLevel, "brant call was slow", true
	}
	switch codeOf(call.Err) {
	case ErrBusy, ErrForeignSQLite, ErrNetworkFS, ErrCorrupt, ErrFull, ErrIO, ErrNoMemory, ErrForked, ErrInternal:
		level, message, wanted = slog.LevelError, "brant call failed", true
	}
	if !wanted || !logger.Enabled(ctx, level) {
		return
	}
	attributes := make([]slog.Attr, 0, 8)
	attributes = append(attributes, slog.String("operation", call.Operation), slog.String("file", call.Path))
	if call.Collection != "" {
		attributes = append(attributes, slog.String("collection", call.Collection))
	}
	attributes = append(attributes, slog.Duration("duration", call.Duration), slog.String("status", call.Status()),
		slog.Bool("transaction", call.Transaction), slog.Int("input_bytes", call.InputBytes), slog.Int("output_bytes", call.OutputBytes))
	logger.LogAttrs(ctx, level, message, attributes...)
}
