//go:build linux && !race

package brant_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
)

// masked is bytes that are not in memory as they are: the search must not find itself.
type masked []byte

const mask = 0xa5

func maskOf(text []byte) masked {
	m := make(masked, len(text))
	for i, c := range text {
		m[i] = c ^ mask
	}
	return m
}

func (m masked) in(memory []byte) bool {
	first := m[0] ^ mask
	for at := 0; ; at++ {
		next := bytes.IndexByte(memory[at:], first)
		if next < 0 || at+next+len(m) > len(memory) {
			return false
		}
		at += next
		same := true
		for i := 1; i < len(m) && same; i++ {
			same = memory[at+i]^mask == m[i]
		}
		if same {
			return true
		}
	}
}

// leftIn says in which writable parts of this process's memory there is what is looked for; the library's ring is in memory that is not writable.
func leftIn(t testing.TB, sought map[string]masked) (found []string) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	check(t, err)
	memory, err := os.Open("/proc/self/mem")
	check(t, err)
	defer memory.Close()
	window := make([]byte, 1<<20)
	lines := bufio.NewScanner(bytes.NewReader(maps))
	for lines.Scan() {
		var from, to int64
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil || !strings.HasPrefix(rights, "rw") {
			continue
		}
		for at := from; at < to; at += int64(len(window)) - 64 {
			n, err := memory.ReadAt(window[:min(int64(len(window)), to-at)], at)
			if n == 0 {
				if errors.Is(err, os.ErrClosed) {
					t.Fatal(err)
				}
				continue
			}
			for name, what := range sought {
				if what.in(window[:n]) {
					found = append(found, name+" in "+lines.Text())
				}
			}
			clear(window) // which is part of what is looked at
		}
	}
	return found
}

// room is not on a stack, from which Go moves what grows or leaves, and cleans nothing.
var room [32 + 24 + 43]byte

// Go's memory has a key no more when its ring is attached and the application's own is wiped. In a process of its own, whose threads the runtime does not
// interrupt: it saves their registers then, and what was being copied is in them.
func TestNoKeysAreLeftInMemory(t *testing.T) {
	const quiet = "asyncpreemptoff=1"
	if os.Getenv("GODEBUG") != quiet {
		program := must(os.Executable())(t)
		command := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), "GODEBUG="+quiet)
		if output, err := command.CombinedOutput(); err != nil || !bytes.Contains(output, []byte("PASS")) {
			t.Fatalf("%v: %s", err, output)
		}
		return
	}
	path := newPath(t)
	key, password := room[:32], room[32:56]
	for i := range key {
		key[i] = byte(rand.Uint32())
	}
	for i := range password {
		password[i] = 'a' + byte(rand.Uint32()%26)
	}
	text := room[56:]
	base64.RawURLEncoding.Encode(text, key)
	sought := map[string]masked{"key": maskOf(key), "password": maskOf(password), "text of the key": maskOf(text)}
	clear(text)
	if len(leftIn(t, sought)) == 0 {
		t.Fatal("the search finds nothing")
	}

	keys := brant.Keys{Keys: []brant.Key{brant.NewKey(1, key), retired(brant.PasswordKey(2, password))}}
	clear(key)
	clear(password)
	db := open(t, path, &brant.Options{Readers: 2})
	graph := vault(t, db)
	must(db.Keyring(keys))(t)
	entry := must(keys.Keys[0].Reveal())(t)
	clear(entry)
	keys.Keys[0].Wipe()
	keys.Keys[1].Wipe()
	check(t, keep(ctx, graph, "a", "alpha"))
	onAllReaders(t, db, 2, nil, accepts)
	runtime.GC()
	for _, found := range leftIn(t, sought) {
		t.Error(found)
	}
	opens(t, graph, "a", "alpha")
}
