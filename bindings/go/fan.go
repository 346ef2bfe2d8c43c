package brant

import (
	"context"
	"sync"
	"sync/atomic"
)

// FanPolicy says what becomes of a notification that a channel has no room for.
type FanPolicy int

// What becomes of it.
const (
	Block      FanPolicy = iota // the default: all wait for the slowest
	DropOldest                  // the oldest in that channel goes, and is counted
	Fail                        // that channel is closed, with ErrLimit
)

// FanOptions of DB.Fan; nil is the default.
type FanOptions struct {
	Buffer int // notifications of each channel, default 64
	Policy FanPolicy
}

const defaultBuffer = 64

// Fan gives the notifications of one Listener to any number of Go channels. All its methods are for any goroutine.
type Fan struct {
	listener *Listener
	options  FanOptions
	ctx      context.Context
	cancel   context.CancelFunc
	over     chan struct{}

	lock sync.Mutex
	taps map[*Tap]struct{} // nil: it has ended
	err  error
}

// Tap is one Go channel of a Fan.
type Tap struct {
	C <-chan Notification // closed by the fan: Err says why

	fan     *Fan
	c       chan Notification
	dropped atomic.Int64
	closed  chan struct{}
	closing sync.Once
	err     error
}

// Fan listens to channels by patterns, as Listen does, until ctx ends or it is closed.
func (db *DB) Fan(ctx context.Context, patterns []string, options *FanOptions) (*Fan, error) {
	listener, err := db.Listen(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	f := &Fan{listener: listener, over: make(chan struct{}), taps: map[*Tap]struct{}{}}
	if options != nil {
		f.options = *options
	}
	if f.options.Buffer <= 0 {
		f.options.Buffer = defaultBuffer
	}
	f.ctx, f.cancel = context.WithCancel(ctx)
	go f.run()
	return f, nil
}

// Tap is a channel that gets every notification from now on. Close it when it is no longer read.
func (f *Fan) Tap() *Tap {
	c := make(chan Notification, f.options.Buffer)
	t := &Tap{C: c, c: c, fan: f, closed: make(chan struct{})}
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.taps == nil {
		t.err = f.err
		close(c)
		return t
	}
	f.taps[t] = struct{}{}
	return t
}

// run is the only one who sends, and so the only one who closes.
func (f *Fan) run() {
	defer close(f.over)
	for {
		n, err := f.listener.Next(f.ctx)
		if err != nil {
			f.end(err)
			return
		}
		for _, t := range f.all() {
			t.send(n)
		}
	}
}

func (f *Fan) all() []*Tap {
	f.lock.Lock()
	defer f.lock.Unlock()
	all := make([]*Tap, 0, len(f.taps))
	for t := range f.taps {
		all = append(all, t)
	}
	return all
}

func (f *Fan) end(err error) {
	f.lock.Lock()
	taps := f.taps
	f.taps, f.err = nil, err
	f.lock.Unlock()
	for t := range taps {
		t.finish(err)
	}
	_ = f.listener.Close()
	f.cancel()
}

// finish is called once, by the goroutine that sends.
func (t *Tap) finish(err error) {
	t.fan.lock.Lock()
	t.err = err
	t.fan.lock.Unlock()
	close(t.c)
}

func (t *Tap) send(n Notification) {
	select {
	case <-t.closed:
		return
	case t.c <- n:
		return
	default:
	}
	switch t.fan.options.Policy {
	case DropOldest:
		for {
			select {
			case t.c <- n:
				return
			default:
			}
			select {
			case <-t.c:
				t.dropped.Add(1)
			default:
			}
		}
	case Fail:
		if t.leave() {
			t.finish(failf(ErrLimit, "the channel was full: it holds %d notifications", cap(t.c)))
		}
	default:
		select {
		case t.c <- n:
		case <-t.closed:
		case <-t.fan.ctx.Done():
		}
	}
}

// leave takes the tap out of the fan; false: it was out already.
func (t *Tap) leave() bool {
	t.fan.lock.Lock()
	defer t.fan.lock.Unlock()
	_, there := t.fan.taps[t]
	delete(t.fan.taps, t)
	return there
}

// Dropped is how many notifications the channel had no room for: DropOldest.
func (t *Tap) Dropped() int64 { return t.dropped.Load() }

// Err is why the channel was closed by the fan; nil while it is open, or when Close ended it.
func (t *Tap) Err() error {
	t.fan.lock.Lock()
	defer t.fan.lock.Unlock()
	return t.err
}

// Close ends the tap: nothing more is sent, and its channel is not closed. Any number of times.
func (t *Tap) Close() {
	t.closing.Do(func() {
		close(t.closed)
		t.leave()
	})
}

// Close ends the fan and closes its channels. Any number of times.
func (f *Fan) Close() error {
	f.cancel()
	<-f.over
	return nil
}
