package branthttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/branthttp"
)

// pinned are the tenants' files that somebody holds.
func (f *fixture) pinned(t *testing.T) int64 {
	t.Helper()
	return must(f.hub.Tenants.Stats(t.Context()))(t).Pinned
}

func (f *fixture) subscribe(t *testing.T, ctx context.Context, who string) *http.Response {
	t.Helper()
	r := must(http.NewRequestWithContext(ctx, "GET", "http://"+f.address+"/subscribe/streams.subscribe?stream=s", nil))(t)
	r.Header.Set("Authorization", "Bearer "+f.tokens[who])
	response := must(f.Client().Do(r))(t)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestStreamsAreBounded(t *testing.T) {
	f := serve(t, &branthttp.Options{MaxStreams: 3, KeyStreams: 2})
	ctx, leave := context.WithCancel(t.Context())
	for range 2 {
		if response := f.subscribe(t, ctx, "acme"); response.StatusCode != 200 {
			t.Fatal(response.Status)
		}
	}
	const path = "/subscribe/streams.subscribe?stream=s"
	f.wants(t, "acme", "GET", path, "", 429, "LIMIT")
	if response := f.request(t, "acme", "GET", path, ""); response.Header.Get("Retry-After") == "" {
		t.Error(response.Header)
	}
	if response := f.subscribe(t, t.Context(), "other"); response.StatusCode != 200 { // another key
		t.Fatal(response.Status)
	}
	f.wants(t, "acme/reads", "GET", path, "", 503, "BUSY")
	f.call(t, "acme/reads", "streams.list", "", 200, "") // calls go on
	leave()
	eventually(t, "room for another", func() bool { return f.subscribe(t, t.Context(), "acme/reads").StatusCode == 200 })
}

// raw sends a request on a connection that is not read.
func (f *fixture) raw(t *testing.T, who, request string) *net.TCPConn {
	t.Helper()
	connection := must(net.Dial("tcp", f.address))(t).(*net.TCPConn)
	t.Cleanup(func() { _ = connection.Close() })
	request = strings.Replace(request, "\r\n", "\r\nHost: x\r\nAuthorization: Bearer "+f.tokens[who]+"\r\n", 1)
	must(io.WriteString(connection, request))(t)
	return connection
}

const large = 16 << 20 // more than the kernel keeps for a connection

// publish publishes payloads without HTTP and its deadlines.
func (f *fixture) publish(t *testing.T, who string, payloads ...any) {
	t.Helper()
	tenant := must(f.hub.Tenant(t.Context(), f.organizations[who]))(t)
	defer tenant.Close()
	for _, payload := range payloads {
		must(tenant.Stream("s").Publish(t.Context(), payload))(t)
	}
}

func (f *fixture) publishLarge(t *testing.T, who string) {
	t.Helper()
	for range large >> 20 {
		f.publish(t, who, strings.Repeat("x", 1<<20))
	}
}

// begun reads the head of an answer, and no more of it than a little.
func begun(t *testing.T, connection net.Conn) *http.Response {
	t.Helper()
	return must(http.ReadResponse(bufio.NewReaderSize(connection, 16), nil))(t)
}

// A client that does not read loses its stream, and the stream its file and its place.
func TestStreamsAreRead(t *testing.T) {
	f := serve(t, &branthttp.Options{MaxStreams: 1, WriteTimeout: 10 * time.Second})
	f.publishLarge(t, "acme")
	begun(t, f.raw(t, "acme", "GET /subscribe/streams.subscribe?stream=s&from=start HTTP/1.1\r\n\r\n"))
	eventually(t, "the file is given back", func() bool { return f.pinned(t) == 0 })
	eventually(t, "room for another", func() bool { return f.subscribe(t, t.Context(), "acme").StatusCode == 200 })
}

// The file is given back before an answer is written, and who does not read it is cut off.
func TestAnswersAreRead(t *testing.T) {
	f := serve(t, &branthttp.Options{WriteTimeout: 10 * time.Second})
	const body = `{"sql": "SELECT hex(zeroblob(8388608))"}`
	connection := f.raw(t, "acme", fmt.Sprintf("POST /call/sql.execute HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	answer := must(http.ReadResponse(bufio.NewReader(connection), nil))(t) // its head
	if answer.StatusCode != 200 || answer.ContentLength < large || f.pinned(t) != 0 {
		t.Fatal(answer.Status, answer.ContentLength, f.pinned(t))
	}
	eventually(t, "the server gives it up", func() bool { return f.open.Load() == 0 })
	if _, err := io.Copy(io.Discard, answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) && err == nil {
		t.Error("all of it was sent")
	}
}

func TestBodiesComeInTime(t *testing.T) {
	f := serve(t, &branthttp.Options{ReadTimeout: time.Second})
	connection := f.raw(t, "acme", "POST /call/graphs.list HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
	answers := bufio.NewReader(connection)
	answer := must(http.ReadResponse(answers, nil))(t)
	if text := must(io.ReadAll(answer.Body))(t); answer.StatusCode != 408 || !strings.Contains(string(text), `"TIMEOUT"`) {
		t.Error(answer.Status, string(text))
	}
	if _, err := answers.ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
	eventually(t, "the file is given back", func() bool { return f.pinned(t) == 0 })
}

// Deadlines end with what they are for: neither the connection's next request nor a stream is hit by them, nor by those of the server.
func TestDeadlinesEnd(t *testing.T) {
	t.Parallel()
	const deadline = 10 * time.Second
	f := serve(t, &branthttp.Options{WriteTimeout: deadline, ReadTimeout: deadline, Beat: time.Hour, Recheck: time.Hour})
	f.publish(t, "acme", 0)
	for i := range 2 {
		var reused bool
		trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { reused = got.Reused }}
		r := must(http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", f.URL+"/call/graphs.list", strings.NewReader("{}")))(t)
		r.Header.Set("Authorization", "Bearer "+f.tokens["acme"])
		response := must(f.Client().Do(r))(t)
		must(io.Copy(io.Discard, response.Body))(t)
		check(t, response.Body.Close())
		if response.StatusCode != 200 || reused != (i > 0) {
			t.Error(i, response.Status, reused)
		}
		time.Sleep(deadline * 6 / 5)
	}
	handler := must(branthttp.New(branthttp.Hub(f.hub), &branthttp.Options{WriteTimeout: deadline, Beat: time.Hour}))(t)
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = deadline, deadline
	server.Start()
	defer server.Close()
	defer handler.Close()
	r := must(http.NewRequest("GET", server.URL+"/subscribe/streams.subscribe?stream=s", nil))(t)
	r.Header.Set("Authorization", "Bearer "+f.tokens["acme"])
	response := must(server.Client().Do(r))(t)
	defer response.Body.Close()
	next := events(response)
	for i := range 2 {
		time.Sleep(deadline * 6 / 5)
		f.publish(t, "acme", strconv.Itoa(i))
		if event, _, data := next(t); !strings.Contains(data, `"payload":"`+strconv.Itoa(i)+`"`) {
			t.Fatal(event, data)
		}
	}
}

// A server that ends waits for nobody who does not read, and takes no more streams.
func TestShutdown(t *testing.T) {
	f := serve(t, nil)
	handler := must(branthttp.New(branthttp.Hub(f.hub), nil))(t)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- branthttp.Serve(ctx, listener, handler, 10*time.Minute) }()
	f.address = listener.Addr().String()
	f.publishLarge(t, "acme")
	begun(t, f.raw(t, "acme", "GET /subscribe/streams.subscribe?stream=s&from=start HTTP/1.1\r\n\r\n"))
	listening := events(f.subscribe(t, t.Context(), "other"))
	stop()
	if event, _, _ := listening(t); event != "end" {
		t.Error(event)
	}
	check(t, <-ended)
	eventually(t, "the files are given back", func() bool { return f.pinned(t) == 0 })
	late := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/subscribe/streams.subscribe?stream=s", nil)
	r.Header.Set("Authorization", "Bearer "+f.tokens["acme"])
	handler.ServeHTTP(late, r)
	if late.Code != 503 || !strings.Contains(late.Body.String(), "CLOSED") {
		t.Error(late.Code, late.Body)
	}
}

// A stream ends when its key may something else than before, or cannot be looked at; not when that fails once.
func TestRecheck(t *testing.T) {
	f := serve(t, nil)
	var asked atomic.Int32
	var answer atomic.Pointer[func(caller *branthttp.Caller) error]
	source := branthttp.Hub(f.hub)
	handler := must(branthttp.New(func(ctx context.Context, token string) (*branthttp.Caller, error) {
		caller, err := source(ctx, token)
		if change := answer.Load(); err == nil && change != nil {
			asked.Add(1)
			if err = (*change)(caller); err != nil {
				_ = caller.Close()
			}
		}
		return caller, err
	}, &branthttp.Options{Recheck: 10 * time.Millisecond}))(t)
	server := httptest.NewServer(handler)
	defer server.Close()
	defer handler.Close()
	busy := &brant.Error{Code: brant.ErrBusy, Message: "all are in use"}
	for _, c := range []struct {
		change func(caller *branthttp.Caller) error
		code   string
	}{
		{func(caller *branthttp.Caller) error { caller.Scopes = nil; return nil }, "AUTH"},
		{func(caller *branthttp.Caller) error { caller.Organization = "another"; return nil }, "AUTH"},
		{func(caller *branthttp.Caller) error { return busy }, "BUSY"},
		{func(caller *branthttp.Caller) error { return errors.New("secret") }, "INTERNAL"},
		{func(caller *branthttp.Caller) error { return &brant.Error{Code: brant.ErrDenied, Message: "suspended"} }, "DENIED"},
	} {
		answer.Store(nil)
		r := must(http.NewRequestWithContext(t.Context(), "GET", server.URL+"/subscribe/streams.subscribe?stream=s", nil))(t)
		r.Header.Set("Authorization", "Bearer "+f.tokens["acme"])
		response := must(server.Client().Do(r))(t)
		next := events(response)
		asked.Store(0)
		sometimes := func(*branthttp.Caller) error {
			if asked.Load()%3 != 0 {
				return busy
			}
			return nil
		}
		answer.Store(&sometimes)
		eventually(t, "rechecks", func() bool { return asked.Load() > 9 })
		f.call(t, "acme", "streams.publish", `{"stream": "s", "payload": "still"}`, 200, "")
		if event, _, data := next(t); !strings.Contains(data, "still") {
			t.Fatal(event, data)
		}
		answer.Store(&c.change)
		if event, _, data := next(t); event != "error" || !strings.Contains(data, `"`+c.code+`"`) || strings.Contains(data, "secret") {
			t.Error(event, data)
		}
		check(t, response.Body.Close())
	}
}
