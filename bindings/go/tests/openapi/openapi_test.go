// The OpenAPI document of branthttp, read and validated by github.com/getkin/kin-openapi: a module of its own, so that the package depends on nothing.
package openapi

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/branthttp"
	"github.com/getkin/kin-openapi/openapi3"
)

func validate(t *testing.T, text []byte) (*openapi3.T, error) {
	t.Helper()
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return document, document.Validate(t.Context())
}

func TestDocument(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/getkin/kin-openapi" {
				fmt.Println(module.Path, module.Version)
			}
		}
	}
	handler, err := branthttp.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := brant.Operations()
	if err != nil {
		t.Fatal(err)
	}
	made, err := handler.Document(all)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	document, err := validate(t, text)
	if err != nil {
		t.Fatal(err)
	}
	if paths := document.Paths.Len(); paths != len(all) || document.Paths.Value("/call/nodes.put").Post.OperationID != "nodes.put" {
		t.Errorf("%d paths of %d operations", paths, len(all))
	}
	// Wrong ones are told from right ones.
	if _, err := validate(t, []byte(`{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{}}}}}}`)); err == nil {
		t.Error("the validator finds nothing")
	}
}
