package brant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/tests/expect"
)

var ctx = context.Background()

// helpers are run by this test binary in another process: BRANT_TEST_HELPER is the name, the arguments are the rest.
var helpers = map[string]func(arguments []string) error{
	// Opens a file and says what came of it.
	"open": func(arguments []string) error {
		db, err := brant.Open(arguments[0], nil)
		if err != nil {
			return err
		}
		return db.Close()
	},
	// Notifies a channel so many times.
	"notify": func(arguments []string) error {
		db, err := brant.Open(arguments[0], &brant.Options{BusyTimeout: patience})
		if err != nil {
			return err
		}
		defer db.Close()
		count, _ := strconv.Atoi(arguments[2])
		for i := range count {
			if _, err := db.Notify(ctx, arguments[1], i); err != nil {
				return err
			}
		}
		return nil
	},
	// Holds the write lock until its input ends.
	"hold": func(arguments []string) error {
		db, err := brant.Open(arguments[0], &brant.Options{BusyTimeout: patience})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.Tx(ctx, func(tx *brant.Tx) error {
			fmt.Println("held")
			_, err := io.Copy(io.Discard, os.Stdin)
			return err
		})
	},
}

func TestMain(m *testing.M) {
	if helper := helpers[os.Getenv("BRANT_TEST_HELPER")]; helper != nil {
		if err := helper(os.Args[1:]); err != nil {
			var e *brant.Error
			if errors.As(err, &e) {
				fmt.Println(e.Code.String())
			} else {
				fmt.Println(err)
			}
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func helper(t *testing.T, name string, arguments ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	check(t, err)
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), "BRANT_TEST_HELPER="+name)
	command.Stderr = os.Stderr
	return command
}

// asNobody is helper in a process without root's rights, since root may write everywhere.
func asNobody(t *testing.T, name string, arguments ...string) *exec.Cmd {
	t.Helper()
	command := helper(t, name, arguments...)
	if os.Getuid() != 0 {
		return command
	}
	program, err := os.ReadFile(command.Path)
	check(t, err)
	command.Path = filepath.Join(openFolder(t), "program")
	check(t, os.WriteFile(command.Path, program, 0o755))
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	command.Dir = "/"
	return command
}

// openFolder is a temporary folder that everybody may enter.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "brant")
	check(t, err)
	check(t, os.Chmod(folder, 0o777))
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

var (
	check      = expect.OK
	wants      = expect.Code
	eventually = expect.Eventually
)

// must is the value of a call that must not fail.
func must[T any](value T, err error) func(testing.TB) T { return expect.Value(value, err) }

func equal[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func sameBatch(t testing.TB, got, want brant.Batch) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func sameJSON(t testing.TB, got []byte, want string) {
	t.Helper()
	if string(must(brant.CompactJSON(got))(t)) != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "a.db")
}

// patience is more than a busy machine exhausts.
const patience = 10 * time.Minute

// open opens a file until the test ends; without options, with patience.
func open(t testing.TB, path string, options *brant.Options) *brant.DB {
	t.Helper()
	if options == nil {
		options = &brant.Options{BusyTimeout: patience}
	}
	db, err := brant.Open(path, options)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// opened is a new file with an untyped graph g.
func opened(t testing.TB) *brant.DB {
	t.Helper()
	db := open(t, newPath(t), nil)
	must(db.Graphs.Create(ctx, brant.NewGraph{Name: "g", GraphType: "open"}))(t)
	return db
}

// within is a context that ends after a while.
func within(t testing.TB, span time.Duration) context.Context {
	bounded, cancel := context.WithTimeout(ctx, span)
	t.Cleanup(cancel)
	return bounded
}

// eventuallyCollected waits for what happens when nobody has something any more.
func eventuallyCollected(t testing.TB, what string, is func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		runtime.GC()
		return is()
	})
}

// module is a graph type with two node types and two edge types.
const module = `{"$id": "crm", "$defs": {
	"Config": {"type": "object", "properties": {"directed": {"const": "directed"}, "max_nodes": {"const": 100}}},
	"PersonNode": {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name"],
		"additionalProperties": false},
	"CompanyNode": {"type": "object", "properties": {"title": {"type": "string"}}},
	"WorksForEdge": {"type": "object", "properties": {"since": {"type": "integer"}}},
	"WorksForEdgeConstraints": {"type": "object", "properties": {"source": {"const": "Person"}, "target": {"const": "Company"}}},
	"KnowsEdge": {"type": "object"}}}`

type person struct {
	Name string `json:"name"`
	Age  int    `json:"age,omitempty"`
}
