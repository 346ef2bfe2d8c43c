package brant

import (
	"encoding/json"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Validator is a compiled JSON Schema that judges documents without a database: draft 2020-12, or draft-07 where its $schema says so.
// Nothing is ever fetched. Any number of goroutines may use one. At a schema with "x-encrypted": true an envelope is accepted, and of another
// value a violation shows nothing: neither it nor a name in it.
type Validator struct{ v *cbrant.Validator }

// ValidatorOptions of CompileSchema; nil is the default.
type ValidatorOptions struct {
	AnnotateFormats bool // format asserts nothing
}

// validatorSource is the input of brant_validator_open.
type validatorSource struct {
	Schema   any    `json:"schema,omitempty"`
	Formats  string `json:"formats,omitempty"`
	Module   any    `json:"module,omitempty"`
	NodeType string `json:"node_type,omitempty"`
	EdgeType string `json:"edge_type,omitempty"`
}

// CompileSchema compiles a schema: JSON as a json.RawMessage or []byte, or a value that encoding/json turns into it. ErrValidation: the
// schema cannot work; the violations have the JSON pointer.
func CompileSchema(schema any, options *ValidatorOptions) (*Validator, error) {
	source := validatorSource{Schema: rawJSON(schema)}
	if options != nil && options.AnnotateFormats {
		source.Formats = "annotate"
	}
	return openValidator(source)
}

// CompileNodeType compiles the schema of a module's node type, by its name without suffix. ErrInvalid: the module has no such type.
func CompileNodeType(module any, nodeType string) (*Validator, error) {
	return openValidator(validatorSource{Module: rawJSON(module), NodeType: nodeType})
}

// CompileEdgeType compiles the schema of a module's edge type, by its name without suffix. ErrInvalid: the module has no such type.
func CompileEdgeType(module any, edgeType string) (*Validator, error) {
	return openValidator(validatorSource{Module: rawJSON(module), EdgeType: edgeType})
}

func openValidator(source validatorSource) (*Validator, error) {
	text, err := json.Marshal(source)
	if err != nil {
		return nil, failf(ErrInvalidJSON, "%v", err)
	}
	v, err := cbrant.OpenValidator(borrow(text))
	if err != nil {
		return nil, fromC(err)
	}
	return &Validator{v}, nil
}

// rawJSON takes bytes as JSON text, not as base64.
func rawJSON(value any) any {
	if text, ok := value.([]byte); ok {
		return json.RawMessage(text)
	}
	return value
}

// Accepts tells whether the schema accepts a document, which is JSON text. ErrInvalidJSON, ErrLimit: it is no document.
func (v *Validator) Accepts(document []byte) (bool, error) {
	accepted, err := v.v.Accepts(borrow(document))
	return accepted, fromC(err)
}

// Report lists what is wrong with a document, at most 100 violations. ErrInvalidJSON, ErrLimit: it is no document.
func (v *Validator) Report(document []byte) (Validity, error) {
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	var report Validity
	if err := v.v.Report(out, borrow(document)); err != nil {
		return report, fromC(err)
	}
	err := json.Unmarshal(out.Bytes(), &report)
	return report, err
}
