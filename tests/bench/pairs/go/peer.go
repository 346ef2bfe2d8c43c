// Command peer is a side of pairs.py in Go. Arguments: send|echo, the file, rounds.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	brant "github.com/brant-db/brant-go"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// now is the machine's monotonic clock, which Go's own package does not show.
func now() int64 {
	const monotonic = 1
	var at syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&at)), 0)
	if errno != 0 {
		must(errno)
	}
	return at.Nano()
}

func main() {
	ctx := context.Background()
	role, path := os.Args[1], os.Args[2]
	rounds, err := strconv.Atoi(os.Args[3])
	must(err)
	db, err := brant.Open(path, nil)
	must(err)
	channel := "pong"
	if role == "echo" {
		channel = "ping"
	}
	listener, err := db.Listen(ctx, channel)
	must(err)
	if role == "echo" {
		fmt.Println("ready")
	}
	for n := range rounds {
		if role == "echo" {
			_, err = listener.Next(ctx)
			must(err)
			_, err = db.Notify(ctx, "pong", now())
			must(err)
			continue
		}
		time.Sleep(time.Millisecond)
		_, err = db.Notify(ctx, "ping", n)
		must(err)
		committed := now()
		answer, err := listener.Next(ctx)
		must(err)
		var read int64
		must(answer.Decode(&read))
		fmt.Println(read - committed)
	}
	must(db.Close())
}
