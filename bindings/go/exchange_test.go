package brant_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brant-db/brant-go"
)

func export(t *testing.T, g brant.Graph, format brant.Format, options *brant.ExportOptions) string {
	t.Helper()
	var text bytes.Buffer
	check(t, g.Export(ctx, &text, format, options))
	return text.String()
}

func TestExchange(t *testing.T) {
	_, g := crm(t)
	for key, nodeType := range map[string]string{"ada": "Person", "bob": "Person", "acme": "Company"} {
		must(g.Nodes.Put(ctx, brant.NewNode{Key: key, Type: nodeType, Attributes: map[string]any{"name": key}}))(t)
	}
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "ada", Target: "acme", Type: "WorksFor", Attributes: employment{1990}}))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "ada", Target: "bob", Type: "Knows", Key: "k"}))(t)
	for _, format := range []brant.Format{brant.Graphology, brant.NodeLink, brant.NDJSON} {
		text := export(t, g, format, nil)
		other, copied := crm(t)
		imported := must(copied.Import(ctx, format, text, nil))(t)
		if !imported.Done || imported.Nodes != 3 || imported.Edges != 2 || imported.Failed != 0 || imported.Bytes != int64(len(text)) {
			t.Fatalf("%s: %+v", format, imported)
		}
		equal(t, export(t, copied, format, nil), text)
		_, err := copied.Import(ctx, format, text, &brant.ImportOptions{Insert: true})
		e := wants(t, err, brant.ErrExists)
		equal(t, len(e.Items()) > 0, true)
		skipped := must(copied.Import(ctx, format, text, &brant.ImportOptions{Insert: true, Skip: true}))(t)
		equal(t, skipped.Failed == 5 && len(skipped.Items) == 5, true)
		_, err = other.Graph("none").Import(ctx, format, text, nil)
		wants(t, err, brant.ErrNotFound)
	}
	nodes, edges := export(t, g, brant.CSV, &brant.ExportOptions{Part: "nodes"}), export(t, g, brant.CSV, &brant.ExportOptions{Part: "edges"})
	_, copied := crm(t)
	must(copied.Import(ctx, brant.CSV, nodes, &brant.ImportOptions{Part: "nodes"}))(t)
	must(copied.Import(ctx, brant.CSV, edges, &brant.ImportOptions{Part: "edges"}))(t)
	equal(t, export(t, copied, brant.CSV, &brant.ExportOptions{Part: "edges"}), edges)
	for format, begins := range map[brant.Format]string{brant.GraphML: "<?xml", brant.DOT: "digraph", brant.Mermaid: "flowchart"} {
		if text := export(t, g, format, nil); !strings.HasPrefix(text, begins) {
			t.Errorf("%s: %s", format, text)
		}
	}
	links := export(t, g, brant.NodeLink, &brant.ExportOptions{EdgesName: "links", Filter: brant.Filter{"type": "Person"}, EdgeFilter: brant.Filter{"type": "Knows"}})
	equal(t, strings.Contains(links, `"links"`) && !strings.Contains(links, "acme") && strings.Contains(links, "Knows"), true)
	wants(t, g.Export(ctx, new(bytes.Buffer), "svg", nil), brant.ErrInvalid)
	equal(t, errors.Is(g.Export(ctx, full{}, brant.NDJSON, nil), errFull), true)
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestExportOfOneMoment: a writer in between changes nothing of what is exported.
func TestExportOfOneMoment(t *testing.T) {
	db := opened(t)
	g := line(t, db, 25_000)
	pages := &pagewise{write: func() {
		_, err := g.Nodes.Put(ctx, brant.NewNode{Key: "new"})
		check(t, err)
	}}
	check(t, g.Export(ctx, pages, brant.NDJSON, nil))
	equal(t, pages.count > 3, true)
	equal(t, strings.Count(pages.text.String(), "\n"), 25_000+24_999+1)
	equal(t, strings.Contains(pages.text.String(), `"new"`), false)
}

type pagewise struct {
	write func()
	count int
	text  bytes.Buffer
}

func (p *pagewise) Write(text []byte) (int, error) {
	if p.count++; p.count == 1 {
		p.write()
	}
	return p.text.Write(text)
}

func TestImportFile(t *testing.T) {
	db := opened(t)
	path := filepath.Join(t.TempDir(), "graph.ndjson")
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "{\"node\":{\"key\":\"%04d\"}}\n", i)
	}
	for i := range 999 {
		fmt.Fprintf(&text, "{\"edge\":{\"source\":\"%04d\",\"target\":\"%04d\"}}\n", i, i+1)
	}
	check(t, os.WriteFile(path, []byte(text.String()), 0o600))
	g := db.Graph("g")

	// Its context ends in the middle; another call goes on.
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	var last brant.Imported
	options := &brant.ImportOptions{Batch: 300, Progress: func(i brant.Imported) {
		if last = i; i.Nodes >= 600 {
			cancel()
		}
	}}
	stopped, err := g.ImportFile(cancelled, brant.NDJSON, path, options)
	wants(t, err, brant.ErrInterrupted)
	equal(t, stopped.Nodes == 600 && last.Nodes == 600 && !stopped.Done && stopped.Bytes < stopped.TotalBytes, true)
	equal(t, must(g.Nodes.Count(ctx, ""))(t), 600)
	calls := 0
	options = &brant.ImportOptions{Batch: 300, Resume: true, Insert: true, Progress: func(i brant.Imported) { calls++ }}
	done := must(g.ImportFile(ctx, brant.NDJSON, path, options))(t)
	equal(t, done.Done && done.Nodes == 1000 && done.Edges == 999 && done.Failed == 0 && done.Bytes == int64(text.Len()), true)
	equal(t, calls >= 5, true)
	equal(t, must(g.Edges.Count(ctx, ""))(t), 999)

	faults := must(g.ImportFile(ctx, brant.NDJSON, path, &brant.ImportOptions{Batch: 300, Insert: true, Skip: true, Progress: func(brant.Imported) {}}))(t)
	equal(t, faults.Failed == 1999 && len(faults.Items) == 100, true)
	_, err = g.ImportFile(ctx, brant.NDJSON, path+".none", nil)
	wants(t, err, brant.ErrNotFound)
	err = db.Tx(ctx, func(tx *brant.Tx) error {
		must(tx.Graph("g").Nodes.DeleteWhere(ctx, brant.Filter{}, true))(t)
		equal(t, must(tx.Graph("g").ImportFile(ctx, brant.NDJSON, path, nil))(t).Done, true)
		equal(t, must(tx.Graph("g").Nodes.Get(ctx, "0001"))(t).Revision, 1)
		return errRollBack
	})
	equal(t, err, errRollBack)
	check(t, os.WriteFile(path, []byte("{\"node\""), 0o600))
	_, err = g.ImportFile(ctx, brant.NDJSON, path, nil)
	wants(t, err, brant.ErrInvalidJSON)

	made := must(db.Graph("made").Import(ctx, brant.Graphology, `{"attributes":{},"options":{"type":"mixed","multi":true,"allowSelfLoops":true},
		"nodes":[{"key":"a"},{"key":"b"}],"edges":[{"key":"e","source":"a","target":"b","undirected":true}]}`, &brant.ImportOptions{Create: true}))(t)
	equal(t, made.Done, true)
	equal(t, *must(db.Graph("made").Edges.Get(ctx, "e"))(t).Undirected, true)
	equal(t, must(db.Graphs.Get(ctx, "made"))(t).GraphType, "open_mixed_multi")
}

func TestArrays(t *testing.T) {
	_, g := roads(t)
	a := must(g.Arrays(ctx, &brant.ArrayOptions{Attributes: true, Weight: "attributes.km"}))(t)
	equal(t, *a.Directed && !a.Multi, true)
	same(t, a.Keys, []string{"a", "b", "c", "d", "e", "f"})
	same(t, a.Sources, []int{0, 0, 1, 2, 3, 4})
	same(t, a.Targets, []int{1, 2, 3, 3, 4, 0})
	same(t, a.Weights, []float64{1, 5, 2, 0.5, 1, 3})
	equal(t, len(a.NodeAttributes) == 6 && len(a.EdgeAttributes) == 6, true)
	sameJSON(t, a.NodeAttributes[2], `{"open":false}`)
	equal(t, a.Types == nil && a.EdgeTypeOf == nil && a.Undirected == nil && a.EdgeKeys == nil, true)
	a = must(g.Arrays(ctx, &brant.ArrayOptions{EdgeFilter: brant.Filter{"attributes.km": brant.Filter{"$lt": 1}}}))(t)
	same(t, a.Sources, []int{2})
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "a", Target: "f", Key: "own"}))(t)
	_, err := g.Arrays(ctx, &brant.ArrayOptions{Weight: "attributes.km"})
	wants(t, err, brant.ErrConstraint)
	a = must(g.Arrays(ctx, nil))(t)
	equal(t, *a.EdgeKeys[2] == "own" && a.EdgeKeys[0] == nil, true)

	_, g = crm(t)
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "ada", Type: "Person", Attributes: person{"Ada", 1}}))(t)
	must(g.Nodes.Put(ctx, brant.NewNode{Key: "acme", Type: "Company"}))(t)
	must(g.Edges.Put(ctx, brant.NewEdge{Source: "ada", Target: "acme", Type: "WorksFor"}))(t)
	a = must(g.Arrays(ctx, &brant.ArrayOptions{EdgeTypes: []string{"WorksFor"}}))(t)
	equal(t, a.NodeTypes[a.Types[0]] == "Company" && a.NodeTypes[a.Types[1]] == "Person" && a.EdgeTypes[a.EdgeTypeOf[0]] == "WorksFor", true)
}
