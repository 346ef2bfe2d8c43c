package brant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

// What crossing into C costs: the cheapest call, and 300 bytes of JSON in and out.

func BenchmarkCheck(b *testing.B) {
	db := opened(b)
	for b.Loop() {
		if db.Check() != nil {
			b.Fatal()
		}
	}
}

func BenchmarkCompactJSON300(b *testing.B) {
	text := []byte(`{"text":"` + strings.Repeat("x", 300-len(`{"text":"","n":[1,2,3]}`)) + `","n":[1,2,3]}`)
	for b.Loop() {
		if _, err := brant.CompactJSON(text); err != nil {
			b.Fatal(err)
		}
	}
}

// What users do.

func BenchmarkGet(b *testing.B) {
	db := opened(b)
	nodes := db.Graph("g").Nodes
	must(nodes.Put(ctx, brant.NewNode{Key: "a", Attributes: map[string]string{"x": strings.Repeat("x", 200)}}))(b)
	for b.Loop() {
		if _, err := nodes.Get(ctx, "a"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNotFound(b *testing.B) {
	nodes := opened(b).Graph("g").Nodes
	for b.Loop() {
		if _, err := nodes.Get(ctx, "none"); err == nil {
			b.Fatal()
		}
	}
}

func BenchmarkPut(b *testing.B) {
	for _, durability := range []brant.Durability{brant.DurabilityNormal, brant.DurabilityFull} {
		for _, goroutines := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", durability, goroutines), func(b *testing.B) {
				db := open(b, newPath(b), &brant.Options{Durability: durability})
				must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(b)
				nodes := db.Graph("g").Nodes
				attributes := map[string]string{"x": strings.Repeat("x", 200)}
				var next atomic.Int64
				b.SetParallelism(max(1, goroutines/2))
				b.ResetTimer()
				put := func() error {
					_, err := nodes.Put(ctx, brant.NewNode{Key: fmt.Sprintf("%09d", next.Add(1)), Attributes: attributes})
					return err
				}
				if goroutines == 1 {
					for range b.N {
						check(b, put())
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := put(); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

func BenchmarkPutMany1000(b *testing.B) {
	db := opened(b)
	nodes := make([]brant.NewNode, 1000)
	round := 0
	for b.Loop() {
		for i := range nodes {
			nodes[i] = brant.NewNode{Key: fmt.Sprintf("%d/%06d", round, i), Attributes: map[string]string{"x": "y"}}
		}
		round++
		if _, err := db.Graph("g").Nodes.PutMany(ctx, nodes); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "nodes/s")
}

func BenchmarkAll(b *testing.B) {
	db := opened(b)
	nodes := make([]brant.NewNode, 10000)
	for i := range nodes {
		nodes[i] = brant.NewNode{Key: fmt.Sprintf("%06d", i), Attributes: map[string]string{"x": strings.Repeat("x", 200)}}
	}
	must(db.Graph("g").Nodes.PutMany(ctx, nodes))(b)
	for b.Loop() {
		for _, err := range db.Graph("g").Nodes.All(ctx, nil) {
			check(b, err)
		}
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "nodes/s")
}

func BenchmarkWake(b *testing.B) {
	db := opened(b)
	listener := must(db.Listen(ctx, "c"))(b)
	woken := make(chan struct{})
	go func() {
		for {
			if _, err := listener.Next(ctx); err != nil {
				return
			}
			woken <- struct{}{}
		}
	}()
	var total time.Duration
	for b.Loop() {
		time.Sleep(time.Millisecond) // the listener sleeps
		began := time.Now()
		must(db.Notify(ctx, "c", nil))(b)
		<-woken
		total += time.Since(began)
	}
	b.ReportMetric(float64(total.Microseconds())/float64(b.N), "us/wake")
}

const eventOf100 = `{"n":1234567,"text":"a payload of one hundred bytes, as most events are, give or take a few more......"}`

// BenchmarkReplay is one event of 100 bytes, through a subscription from the start.
func BenchmarkReplay(b *testing.B) {
	db := opened(b)
	s := db.Stream("s")
	events := make([]brant.NewEvent, 10000)
	for i := range events {
		events[i].Payload = json.RawMessage(eventOf100)
	}
	for range 20 {
		_, _, err := s.PublishMany(ctx, events)
		check(b, err)
	}
	b.ResetTimer()
	for left := b.N; left > 0; {
		u := must(s.Subscribe(ctx, &brant.SubscribeOptions{From: brant.FromStart, Batch: 1000}))(b)
		for range min(left, 200000) {
			if _, err := u.Next(ctx); err != nil {
				b.Fatal(err)
			}
			left--
		}
		check(b, u.Close())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkWork is one job: claimed, handled and acknowledged.
func BenchmarkWork(b *testing.B) {
	db := opened(b)
	q := db.Queue("q")
	for left := b.N; left > 0; {
		count := min(left, 10000)
		_, _, err := q.EnqueueMany(ctx, make([]brant.NewJob, count))
		check(b, err)
		left -= count
	}
	b.ResetTimer()
	var done atomic.Int64
	stop := working(b, q, func(context.Context, *brant.Job) error {
		done.Add(1)
		return nil
	}, brant.WorkOptions{Concurrency: 16, Logger: silent})
	for done.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	stop()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}
