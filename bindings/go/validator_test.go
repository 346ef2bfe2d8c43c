package brant_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/brant-db/brant-go"
)

const personSchema = `{"type":"object","properties":{"name":{"type":"string","minLength":1},"age":{"type":"integer","minimum":0},"mail":{"format":"email"}},"required":["name"],"additionalProperties":false}`

func TestValidator(t *testing.T) {
	person, err := brant.CompileSchema([]byte(personSchema), nil)
	if err != nil {
		t.Fatal(err)
	}
	for document, want := range map[string]bool{`{"name":"Ann"}`: true, `[]`: false, `{"name":"Ann","mail":"no address"}`: false} {
		if got, err := person.Accepts([]byte(document)); err != nil || got != want {
			t.Errorf("%s: %v, %v", document, got, err)
		}
	}
	report, err := person.Report([]byte(`{"name":"","age":-1}`))
	if err != nil || report.Valid || len(report.Violations) != 2 || report.Violations[0].Instance != "/name" {
		t.Errorf("%+v, %v", report, err)
	}
	lax, err := brant.CompileSchema(map[string]any{"format": "email"}, &brant.ValidatorOptions{AnnotateFormats: true})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := lax.Accepts([]byte(`"no address"`)); !ok || err != nil {
		t.Error(ok, err)
	}
	module := []byte(`{"$id":"people","$defs":{"PersonNode":` + personSchema + `,"KnowsEdge":{"properties":{"since":{"type":"integer"}}}}}`)
	node, err := brant.CompileNodeType(module, "Person")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := node.Accepts([]byte(`{}`)); ok {
		t.Error("{} has no name")
	}
	edge, err := brant.CompileEdgeType(module, "Knows")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := edge.Accepts([]byte(`{"since":1999}`)); !ok {
		t.Error("refused")
	}
}

func TestValidatorFaults(t *testing.T) {
	person, err := brant.CompileSchema([]byte(personSchema), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := person.Accepts([]byte(`{"name":`)); !errors.Is(err, brant.ErrInvalidJSON) {
		t.Error(err)
	}
	if _, err := person.Report(nil); !errors.Is(err, brant.ErrInvalidJSON) {
		t.Error(err)
	}
	if _, err := person.Accepts([]byte(strings.Repeat("[", 600) + strings.Repeat("]", 600))); !errors.Is(err, brant.ErrLimit) {
		t.Error(err)
	}
	if _, err := brant.CompileSchema([]byte(`{"type":"strin"}`), nil); !errors.Is(err, brant.ErrValidation) {
		t.Error(err)
	}
	if _, err := brant.CompileNodeType([]byte(`{"$id":"m","$defs":{"ANode":{}}}`), "B"); !errors.Is(err, brant.ErrInvalid) {
		t.Error(err)
	}
	if _, err := brant.CompileSchema(func() {}, nil); !errors.Is(err, brant.ErrInvalidJSON) {
		t.Error(err)
	}
}

func TestValidatorGoroutines(t *testing.T) {
	person, err := brant.CompileSchema([]byte(personSchema), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range 2000 {
				ok, err := person.Accepts([]byte(fmt.Sprintf(`{"name":"%d","age":%d}`, i, i%3-1)))
				if err != nil || ok != (i%3 != 0) {
					t.Errorf("%d: %v %v", i, ok, err)
					return
				}
			}
		}()
	}
	all.Wait()
}
