package brant

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// What the reader reads is what encoding/json reads.
func TestReader(t *testing.T) {
	node := `{"key":"a\"\\","type":"T\u00e9","attributes":{"x":[1,{"y":"}\\\""},-1.5e3,true,null,"\\"],"z":{}},"metadata":{},` +
		`"revision":9223372036854775807,"created_at":-9223372036854775808,"updated_at":0}`
	other := `{"key":"b","type":"T","attributes":{},"metadata":{"a":[]},"revision":1,"created_at":1,"updated_at":2,"new":[{"member":"of a later version"}]}`
	edge := `{"key":"[\"a\",\"\",\"b\"]","type":null,"source":"a","target":"b","attributes":{"w":1},"metadata":{},"revision":1,"created_at":1,"updated_at":2}`
	neighbor := `{"key":"b","type":"T","edge":{"key":"e","type":"T","source":"a","target":"b","attributes":{}}}`
	for _, c := range []struct {
		text   string
		record func() any
	}{
		{node, func() any { return new(Node) }},
		{other, func() any { return new(Node) }},
		{edge, func() any { return new(Edge) }},
		{neighbor, func() any { return new(Neighbor) }},
		{`{"items":[` + node + `,` + other + `,` + other + `,` + node + `],"cursor":"x\n"}`, func() any { return new(Page[Node]) }},
		{`{"items":[` + edge + `,` + strings.ReplaceAll(edge, "null", `"E"`) + `],"cursor":null}`, func() any { return new(Page[Edge]) }},
		{`{"items":[` + neighbor + `],"cursor":null}`, func() any { return new(Page[Neighbor]) }},
		{`{"items":[],"cursor":null}`, func() any { return new(Page[Neighbor]) }},
		{`{"keys":["a","b\u0000"],"depths":[0,1],"parents":[-1,0],"truncated":true}`, func() any { return new(Closure) }},
		{`{"key":"a","created":false,"revision":2,"x":"y"}`, func() any { return new(Put) }},
		{`[]`, func() any { return new(walked) }},
		{`[{"keys":["a","b"],"depths":[0,1],"parents":[-1,0],"x":{}}]`, func() any { return new(walked) }},
		{`{"keys":["a","b","c"],"costs":[0,1.5,-2e+300],"parents":[-1,0,1],"truncated":false}`, func() any { return new(Distances) }},
		{`{"keys":["a","b"],"generations":[0,1]}`, func() any { return new(Order) }},
		{`{"count":2,"keys":["a","b"],"components":[0,1],"sizes":[1,1]}`, func() any { return new(Components) }},
		{`{"keys":[],"degrees":[]}`, func() any { return new(Degrees) }},
		{`{"keys":["a"],"scores":[1e-07],"iterations":7,"converged":true}`, func() any { return new(Ranks) }},
		{`{"nodes":[` + node + `,` + other + `],"edges":[` + edge + `],"truncated":false}`, func() any { return new(Subgraph) }},
		{`{"directed":null,"multi":true,"node_types":["A"],"edge_types":["B"],"keys":["a","b"],"types":[0,0],"node_attributes":[{"x":1},{}],"sources":[0],` +
			`"targets":[1],"edge_type_of":[0],"undirected":[true],"edge_keys":[null],"weights":[0.5],"edge_attributes":[{"y":[]}]}`, func() any { return new(Arrays) }},
		{`{"directed":false,"multi":false,"keys":[],"sources":[],"targets":[],"edge_keys":["k",null]}`, func() any { return new(Arrays) }},
	} {
		got, want := c.record(), c.record()
		if err := decode([]byte(c.text), got); err != nil {
			t.Fatalf("%v: %s", err, c.text)
		}
		if err := json.Unmarshal([]byte(c.text), want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("\n%+v\n%+v", got, want)
		}
		// Whatever is cut off, or altered, is refused or read, and never more than that.
		for i := range len(c.text) {
			if err := decode([]byte(c.text[:i]), c.record()); err == nil {
				t.Fatalf("read %s", c.text[:i])
			}
			for _, b := range []byte(`"\{}[],:0-nx`) {
				text := []byte(c.text)
				text[i] = b
				_ = decode(text, c.record())
			}
		}
	}
}

// No text makes the reader read beyond it.
func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"items":[{"key":"a","type":"T","attributes":{"x":1},"revision":1}],"cursor":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = decode(text, new(Page[Node]))
		_ = decode(text, new(Closure))
		_ = decode(text, new(Arrays))
		if raw := (&reader{text: text}).raw(); len(raw) > len(text) {
			t.Fatal(raw)
		}
	})
}
