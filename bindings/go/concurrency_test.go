package brant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func TestManyGoroutines(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	const writers, each = 16, 100
	var group sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range each {
				key := fmt.Sprint(w, "/", i)
				if put, err := nodes.Put(ctx, brant.NewNode{Key: key, Attributes: map[string]int{"i": i}}); err != nil || put.Key != key {
					t.Error(put, err)
				}
				// What was acknowledged is there.
				if node, err := nodes.Get(ctx, key); err != nil || string(node.Attributes) != fmt.Sprintf(`{"i":%d}`, i) {
					t.Error(node, err)
				}
				_, err := nodes.Put(ctx, brant.NewNode{Key: key, Revision: brant.Revision(0)})
				if !errors.Is(err, brant.ErrConflict) || !strings.Contains(err.Error(), key) {
					t.Error("another call's error:", err) // as an error record of another thread would be
				}
				_, err = nodes.Get(ctx, key+"?")
				if !errors.Is(err, brant.ErrNotFound) || !strings.Contains(err.Error(), key+"?") {
					t.Error("another call's error:", err)
				}
			}
		}()
	}
	var readers sync.WaitGroup
	for range 6 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			last := int64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				count, err := nodes.Count(ctx, "")
				if err != nil || count < last {
					t.Error(count, last, err)
				}
				last = count
				err = db.View(ctx, func(tx *brant.Tx) error {
					first, err := tx.Graph("g").Nodes.Count(ctx, "")
					if err != nil {
						return err
					}
					runtime.Gosched()
					second, err := tx.Graph("g").Nodes.Count(ctx, "")
					if first != second {
						t.Error("a view moved", first, second)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	close(stop)
	readers.Wait()
	equal(t, must(nodes.Count(ctx, ""))(t), writers*each)
	if report := must(db.Doctor(ctx))(t); !report.OK {
		t.Fatalf("%+v", report)
	}
}

// holdingWriter runs fn while the write connection is taken.
func holdingWriter(t *testing.T, db *brant.DB, fn func()) {
	t.Helper()
	tx := must(db.Begin(ctx))(t)
	fn()
	check(t, tx.Rollback())
}

// written is how many bytes fn adds to the write-ahead log: each transaction writes the pages that it changed again.
func written(t *testing.T, db *brant.DB, fn func()) int64 {
	t.Helper()
	before := must(db.Info(ctx))(t).WALSize
	fn()
	return must(db.Info(ctx))(t).WALSize - before
}

func TestGroupCommit(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	var group sync.WaitGroup
	var failed, abandoned atomic.Int64
	cancelled, cancel := context.WithCancel(ctx)
	const count = 100
	apart := written(t, db, func() {
		for i := range count * 8 / 10 {
			must(nodes.Put(ctx, brant.NewNode{Key: fmt.Sprint("apart", i)}))(t)
		}
	})
	together := written(t, db, func() {
		holdingWriter(t, db, func() {
			for i := range count {
				group.Add(1)
				go func() {
					defer group.Done()
					node, c := brant.NewNode{Key: fmt.Sprint(i)}, ctx
					switch i % 10 {
					case 3:
						node.Type = "Unknown"
					case 7:
						c = cancelled
					}
					put, err := nodes.Put(c, node)
					switch {
					case errors.Is(err, brant.ErrInvalid) || errors.Is(err, brant.ErrNotFound):
						failed.Add(1)
					case errors.Is(err, context.Canceled):
						abandoned.Add(1)
					case err != nil || put.Key != node.Key:
						t.Error(put, err)
					}
				}()
			}
			eventually(t, "all of them queue", func() bool { return brant.Queued(db) == count })
			cancel()
			eventually(t, "some give up", func() bool { return abandoned.Load() == count/10 })
		})
		group.Wait()
	})
	equal(t, failed.Load(), count/10)
	equal(t, abandoned.Load(), count/10)
	equal(t, must(nodes.Count(ctx, ""))(t), 2*count*8/10)
	if together > apart/4 {
		t.Fatalf("%d bytes together, %d apart", together, apart)
	}
}

// A transaction between single writes takes its turn, and errors of the database reach everybody.
func TestQueueOfEverything(t *testing.T) {
	db := opened(t)
	nodes := db.Graph("g").Nodes
	var group sync.WaitGroup
	run := func(fn func() error) {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := fn(); err != nil {
				t.Error(err)
			}
		}()
	}
	holdingWriter(t, db, func() {
		for i := range 60 {
			switch i % 6 {
			case 0, 1, 2, 3:
				run(func() error { _, err := nodes.Put(ctx, brant.NewNode{Key: fmt.Sprint(i)}); return err })
			case 4:
				run(func() error {
					return db.Tx(ctx, func(tx *brant.Tx) error {
						_, err := tx.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: fmt.Sprint(i)})
						return err
					})
				})
			case 5:
				run(func() error { _, err := db.Maintain(ctx); return err })
			}
		}
		eventually(t, "all of them queue", func() bool { return brant.Queued(db) == 60 })
	})
	group.Wait()
	equal(t, must(nodes.Count(ctx, ""))(t), 50)
}

func TestBusy(t *testing.T) {
	path := newPath(t)
	db := open(t, path, &brant.Options{BusyTimeout: 50 * time.Millisecond})
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	nodes := db.Graph("g").Nodes

	// Within this process, and from within a transaction.
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := nodes.Put(ctx, brant.NewNode{Key: "a"})
		wants(t, err, brant.ErrBusy)
		wants(t, db.Tx(ctx, func(*brant.Tx) error { return nil }), brant.ErrBusy)
		return nil
	}))

	// Another process.
	hold := helper(t, "hold", path)
	input := must(hold.StdinPipe())(t)
	output := must(hold.StdoutPipe())(t)
	check(t, hold.Start())
	_, err := io.ReadFull(output, make([]byte, len("held\n")))
	check(t, err)
	_, err = nodes.Put(ctx, brant.NewNode{Key: "a"})
	wants(t, err, brant.ErrBusy)

	// A group of writers, of whom some give up early. The file opens all the same.
	slow := open(t, path, nil)
	short := within(t, 30*time.Millisecond)
	var group sync.WaitGroup
	var late, fine atomic.Int64
	for i := range 20 {
		c := ctx
		if i%5 == 0 {
			c = short
		}
		group.Add(1)
		go func() {
			defer group.Done()
			_, err := slow.Graph("g").Nodes.Put(c, brant.NewNode{Key: fmt.Sprint(i)})
			switch {
			case err == nil:
				fine.Add(1)
			case errors.Is(err, brant.ErrTimeout) && errors.Is(err, context.DeadlineExceeded):
				late.Add(1)
			default:
				t.Error(err)
			}
		}()
	}
	eventually(t, "the impatient leave while the file is held", func() bool { return late.Load() == 4 })
	equal(t, fine.Load(), 0)
	check(t, input.Close())
	group.Wait()
	check(t, hold.Wait())
	equal(t, late.Load(), 4)
	equal(t, fine.Load(), 16)
	equal(t, must(db.Graph("g").Nodes.Count(ctx, ""))(t), 16)

	// Readers.
	one := open(t, path, &brant.Options{Readers: 1, BusyTimeout: 20 * time.Millisecond})
	check(t, one.View(ctx, func(*brant.Tx) error {
		_, err := one.Graph("g").Nodes.Count(ctx, "")
		wants(t, err, brant.ErrBusy)
		done, cancel := context.WithCancel(ctx)
		cancel()
		_, err = one.Graph("g").Nodes.Count(done, "")
		wants(t, err, brant.ErrInterrupted)
		return nil
	}))
}

func TestContexts(t *testing.T) {
	db := opened(t)
	done, cancel := context.WithCancel(ctx)
	cancel()
	_, err := db.Graph("g").Nodes.Put(done, brant.NewNode{Key: "a"})
	if wants(t, err, brant.ErrInterrupted); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_, err = db.Graph("g").Nodes.Get(done, "a")
	wants(t, err, brant.ErrInterrupted)
	_, err = db.Listen(done, "a")
	wants(t, err, brant.ErrInterrupted)
	wants(t, db.Tx(done, func(*brant.Tx) error { return nil }), brant.ErrInterrupted)
	wants(t, db.View(done, func(*brant.Tx) error { return nil }), brant.ErrInterrupted)

	count := long + "SELECT count(*) FROM c"
	insert := long + "INSERT INTO t SELECT n FROM c"
	must(db.Execute(ctx, "CREATE TABLE t (x)"))(t)
	for _, sql := range []string{count, insert} {
		_, err = db.Execute(within(t, 30*time.Millisecond), sql)
		if wants(t, err, brant.ErrTimeout); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	// A context that ends while other calls follow on the same connection ends only its own.
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range 200 {
				c, cancel := context.WithTimeout(ctx, time.Duration(i%20)*10*time.Microsecond)
				_, err := db.Graph("g").Nodes.Exists(c, "a")
				if err != nil && !errors.Is(err, brant.ErrTimeout) {
					t.Error(err)
				}
				_, err = db.Graph("g").Nodes.Put(c, brant.NewNode{Key: "b"})
				if err != nil && !errors.Is(err, brant.ErrTimeout) {
					t.Error(err)
				}
				cancel()
				if _, err := db.Graph("g").Nodes.Exists(ctx, "a"); err != nil {
					t.Error("somebody else's deadline:", err)
				}
				if _, err := db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "c"}); err != nil {
					t.Error("somebody else's deadline:", err)
				}
			}
		}()
	}
	group.Wait()
}

func TestInterruptAndCloseWhileRunning(t *testing.T) {
	for _, end := range []func(*brant.DB){(*brant.DB).Interrupt, func(db *brant.DB) { db.Close() }} {
		db := opened(t)
		must(db.Execute(ctx, "CREATE TABLE t (x)"))(t)
		listener := must(db.Listen(ctx, "*"))(t)
		errs := make(chan error)
		running := []func() error{
			func() error { _, err := db.Execute(ctx, long+"INSERT INTO t SELECT n FROM c"); return err },
			func() error { _, err := db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}); return err }, // waits for the writer
			func() error { _, err := db.Execute(ctx, long+"SELECT count(*) FROM c"); return err },
			func() error { _, err := listener.Next(ctx); return err },
		}
		for i, fn := range running {
			go func() {
				err := fn()
				if !errors.Is(err, brant.ErrInterrupted) && !errors.Is(err, brant.ErrClosed) {
					err = fmt.Errorf("call %d: %w", i, err)
				}
				errs <- err
			}()
			switch i {
			case 0:
				eventually(t, "a writer", func() bool { return brant.Writing(db) })
			case 1:
				eventually(t, "another that waits", func() bool { return brant.Queued(db) == 1 })
			}
		}
		for left := len(running); left > 0; {
			end(db) // again for those that had not begun
			select {
			case err := <-errs:
				if !errors.Is(err, brant.ErrInterrupted) && !errors.Is(err, brant.ErrClosed) {
					t.Error(err)
				}
				left--
			case <-time.After(20 * time.Millisecond):
			}
		}
		if db.Check() == nil {
			must(db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"}))(t)
		}
	}
}

// What was closed has written its WAL back and removed it, wherever it was.
func TestCloseAnywhere(t *testing.T) {
	for i := range 30 {
		path := newPath(t)
		db := open(t, path, nil)
		must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
		var group sync.WaitGroup
		for w := range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				for n := 0; ; n++ {
					var err error
					switch w % 4 {
					case 0:
						_, err = db.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: fmt.Sprint(w, n)})
					case 1:
						_, err = db.Graph("g").Nodes.List(ctx, nil)
					case 2:
						err = db.Tx(ctx, func(tx *brant.Tx) error {
							_, err := tx.Notify(ctx, "c", n)
							return err
						})
					case 3:
						var listener *brant.Listener
						if listener, err = db.Listen(ctx, "c"); err == nil {
							_, err = listener.Next(ctx)
						}
					}
					if err != nil {
						if !errors.Is(err, brant.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			}()
		}
		time.Sleep(time.Duration(i) * 200 * time.Microsecond)
		check(t, db.Close())
		if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the WAL is left: %v", err)
		}
		group.Wait()
	}
}

// A DB that nobody can reach closes itself, also when somebody listened.
func TestForgotten(t *testing.T) {
	path := newPath(t)
	poller(t)
	before := descriptors(t)
	func() {
		db := must(brant.Open(path, nil))(t)
		must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
		must(db.Graphs.Get(ctx, "g"))(t)
		must(db.Listen(ctx, "*"))(t)
	}()
	eventuallyCollected(t, "it is closed", func() bool { return descriptors(t) <= before })
}

// A graph keeps its database open.
func TestGraphKeepsDatabase(t *testing.T) {
	graph := func() brant.Graph {
		db := must(brant.Open(newPath(t), nil))(t)
		must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
		return db.Graph("g")
	}()
	for i := range 10 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
		must(graph.Nodes.Put(ctx, brant.NewNode{Key: fmt.Sprint(i)}))(t)
	}
}
