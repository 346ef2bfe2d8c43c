package brant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/brant-db/brant-go/internal/cbrant"
)

type celsius float64

// What SQL takes, and what it gives back.
func TestSQLValues(t *testing.T) {
	db, err := Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	eight := int64(8)
	for _, c := range []struct{ given, wanted any }{
		{nil, nil}, {true, int64(1)}, {false, int64(0)}, {7, int64(7)}, {int8(-7), int64(-7)}, {uint64(math.MaxInt64), int64(math.MaxInt64)}, {uint64(math.MaxUint64), float64(math.MaxUint64)},
		{int64(math.MinInt64), int64(math.MinInt64)}, {1.0, 1.0}, {float32(0.5), 0.5}, {math.Inf(1), math.Inf(1)}, {math.Inf(-1), math.Inf(-1)}, {"", ""}, {"a\x00b\U0001F600\"", "a\x00b\U0001F600\""},
		{[]byte{}, []byte{}}, {[]byte{0, 255}, []byte{0, 255}}, {celsius(1.5), 1.5}, {&eight, int64(8)}, {(*int64)(nil), nil}, {json.Number("12"), int64(12)}, {json.RawMessage(`"text"`), "text"},
		{json.RawMessage(`{"$base64": "AAE="}`), []byte{0, 1}}, {json.RawMessage(`{"$number": "-Infinity"}`), math.Inf(-1)}, {time.Unix(0, 0).UTC(), "1970-01-01T00:00:00Z"},
	} {
		rows, err := db.Execute(ctx, "SELECT ?", c.given)
		if err != nil || !reflect.DeepEqual(rows.Rows, [][]any{{c.wanted}}) {
			t.Errorf("%#v: %#v %v", c.given, rows, err)
		}
		rows, err = db.Run(ctx, Statement{SQL: "SELECT $x, :x", Params: []any{Params{"x": c.given}}})
		if err != nil || !reflect.DeepEqual(rows.Rows, [][]any{{c.wanted, c.wanted}}) {
			t.Errorf("%#v by name: %#v %v", c.given, rows, err)
		}
	}
	for _, given := range []any{math.NaN(), "\xff", []int{1}, struct{ A int }{1}, map[string]string{"$base64": "!"}, map[string]string{"$number": "NaN"}, json.RawMessage(`{`), func() {}} {
		if rows, err := db.Execute(ctx, "SELECT ?", given); !errors.Is(err, ErrInvalid) {
			t.Errorf("%T: %v %v", given, rows, err)
		}
	}
	for _, s := range []Statement{
		{SQL: "SELECT 1", Limit: -1}, {SQL: "SELECT ?", Params: []any{1}, Batch: [][]any{{1}}}, {Cursor: 1, Params: []any{1}}, {Cursor: 1, Types: true}, {SQL: "SELECT 1", Close: true},
		{SQL: "SELECT ?", Batch: [][]any{{1, Params{}}}}, {SQL: "SELECT ?1", Params: []any{Params{"1": 1}}}, {SQL: "SELECT 1", Batch: [][]any{}, Limit: 1},
	} {
		if rows, err := db.Run(ctx, s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v %v", s, rows, err)
		}
	}
	if _, err := db.Execute(ctx, ""); !errors.Is(err, ErrSQL) {
		t.Error(err)
	}
	rows, err := db.Run(ctx, Statement{SQL: "SELECT :a, :b", Batch: [][]any{{1, "x"}, {Params{"a": nil, "b": 2.5}}}})
	if err != nil || fmt.Sprint(rows.Rows) != "[[1 x] [<nil> 2.5]]" {
		t.Error(rows, err)
	}
}

// An answer that is cut off, or goes on, is an error and nothing worse.
func TestSQLFrames(t *testing.T) {
	db, err := Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	in := newInput()
	defer in.free()
	asked := Statement{SQL: "SELECT name, 1, 2.5, x'00ff', NULL FROM graphs UNION ALL SELECT 'name', 1, 2.5, '', NULL; SELECT 2", Types: true, Script: true, Limit: 10}
	in.statement(&asked)
	out := new(cbrant.Result)
	if err := db.run(context.Background(), sqlQuery, out, borrow(in.buffer)); err != nil {
		t.Fatal(err)
	}
	defer out.Reset()
	whole := string(out.Bytes())
	rows, err := readRows([]byte(whole), &asked)
	if err != nil || len(rows.Rows) != 1 || len(rows.Types) != 5 || rows.Tail == 0 || strings.Join(rows.Columns[:1], "") != "name" {
		t.Fatal(rows, err)
	}
	for length := range len(whole) {
		if rows, err := readRows([]byte(whole[:length]), &asked); err == nil {
			t.Error(length, rows)
		}
	}
	if rows, err := readRows([]byte(whole+"\x05"), &asked); err == nil {
		t.Error(rows)
	}
	const columnsAt, rowsAt = 3*8 + 8 + 4, 3*8 + 8 + 4 + 4
	for _, claimed := range []struct {
		columns uint32
		rows    uint64
	}{{2, 1 << 63}, {4, 1 << 62}, {1, math.MaxUint64}, {math.MaxUint32, 1 << 32}, {5, math.MaxUint64/5 + 1}} {
		other := []byte(whole)
		order.PutUint32(other[columnsAt:], claimed.columns)
		order.PutUint64(other[rowsAt:], claimed.rows)
		if rows, err := readRows(other, &asked); err == nil {
			t.Error(claimed, rows)
		}
	}
	for at := range len(whole) { // nothing is believed
		for _, changed := range []byte{0, 5, 0x7f, 0xff} {
			other := []byte(whole)
			other[at] = changed
			_, _ = readRows(other, &asked)
		}
	}
}
