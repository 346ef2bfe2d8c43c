package brant

import (
	"encoding/json"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// Modules has what can be asked of modules without a database. A module is a value that encoding/json writes as one, or JSON text as
// json.RawMessage.
var Modules modules

type modules struct{}

// pure runs an operation that needs no database. It frees the input.
func pure[T any](raw cbrant.Operation, in *input) (T, error) {
	var answer T
	defer in.free()
	if in.err != nil {
		return answer, in.err
	}
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := raw(out, 0, in.done()); err != nil {
		return answer, fromC(err)
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return answer, unreadable(err)
	}
	return answer, nil
}

// Warning is something in a module that works, and is probably not meant so.
type Warning struct {
	Pointer string `json:"pointer"` // JSON pointer in the module
	Message string `json:"message"`
}

// ModuleTypes are the types that a module defines.
type ModuleTypes struct {
	ID        string      `json:"id"` // empty: it has none
	Config    GraphConfig `json:"config"`
	NodeTypes []struct {
		Name      string          `json:"name"`
		Schema    json.RawMessage `json:"schema"`
		Encrypted []string        `json:"encrypted"` // JSON pointers of attributes; read, there stands an envelope
	} `json:"node_types"`
	EdgeTypes []struct {
		Name      string          `json:"name"`
		Schema    json.RawMessage `json:"schema"`
		Encrypted []string        `json:"encrypted"`
		Source    []string        `json:"source"` // nil: any node type
		Target    []string        `json:"target"`
		MaxOut    *int64          `json:"max_out"` // nil: no bound
		MaxIn     *int64          `json:"max_in"`
	} `json:"edge_types"`
	Warnings []Warning `json:"warnings"`
}

// MarshalJSON writes it as the core does: no id is null.
func (m ModuleTypes) MarshalJSON() ([]byte, error) {
	type plain ModuleTypes
	return json.Marshal(struct {
		plain
		ID *string `json:"id"`
	}{plain(m), nullable(m.ID)})
}

// Types are the types that a module defines. ErrValidation: the module cannot work. That holds for all methods.
func (modules) Types(module any) (ModuleTypes, error) {
	return pure[ModuleTypes](cbrant.Brant_module_types, newInput().anyValue("module", module))
}

// ofType is a member with the name of a type; empty, of an untyped module: null.
func (in *input) ofType(member, name string) *input {
	if name == "" {
		return in.anyValue(member, nil)
	}
	return in.text(member, name)
}

func (in *input) formats(options []ValidatorOptions) *input {
	for _, option := range options {
		if option.AnnotateFormats {
			return in.text("formats", "annotate")
		}
	}
	return in
}

// ValidateNode says whether attributes would do for a node type of a module; empty, in an untyped module. ErrInvalid: no such type.
func (modules) ValidateNode(module any, nodeType string, attributes any, options ...ValidatorOptions) (Validity, error) {
	in := newInput().anyValue("module", module).ofType("type", nodeType).anyValue("attributes", attributes).formats(options)
	return pure[Validity](cbrant.Brant_module_validate_node, in)
}

// ValidateEdge says whether attributes and ends would do for an edge type of a module; ends may be nil. ErrInvalid: no such type.
func (modules) ValidateEdge(module any, edgeType string, attributes any, ends *EdgeEnds, options ...ValidatorOptions) (Validity, error) {
	in := newInput().anyValue("module", module).ofType("type", edgeType).anyValue("attributes", attributes).formats(options)
	if ends != nil {
		in.given("source_type", ends.SourceType).given("target_type", ends.TargetType)
	}
	return pure[Validity](cbrant.Brant_module_validate_edge, in)
}

// Class says what becomes of stored data when a module changes.
type Class string

// The classes of changes.
const (
	Identical Class = "identical" // nothing is judged otherwise
	Additive  Class = "additive"  // all stored data is valid as it is
	Upcast    Class = "upcast"    // a cast makes all stored data valid
	Breaking  Class = "breaking"
)

// Difference is what differs between two modules.
type Difference struct {
	Class Class        `json:"class"` // the most harmful of the edits'
	Edits []ModuleEdit `json:"edits"` // by pointer, at most 10 000
}

// ModuleEdit is one change of a module.
type ModuleEdit struct {
	Op      string  `json:"op"`      // "add", "remove", "replace"
	Pointer string  `json:"pointer"` // in the module; in the older one, of what was removed
	Entry   *string `json:"entry"`   // that the pointer leads into; nil: none
	Class   Class   `json:"class"`
	Reason  string  `json:"reason"`
}

// Diff says what becomes of stored data from one version of a module to the next. What cannot be proven harmless is Breaking.
func (modules) Diff(from, to any) (Difference, error) {
	return pure[Difference](cbrant.Brant_module_diff, newInput().anyValue("from", from).anyValue("to", to))
}

// Cast is attributes as a changed schema has them.
type Cast struct {
	Attributes json.RawMessage `json:"attributes"`
	Changed    bool            `json:"changed"`
	Edits      json.RawMessage `json:"edits"` // RFC 6902
	Valid      bool            `json:"valid"`
	Violations []Violation     `json:"violations"`
}

// CastNode brings attributes to a node type of a module: fills defaults, drops unknown members where the schema is closed, picks the union
// member that fits best. What stays invalid is reported, never replaced.
func (modules) CastNode(module any, nodeType string, attributes any) (Cast, error) {
	in := newInput().anyValue("module", module).ofType("node_type", nodeType).anyValue("attributes", attributes)
	return pure[Cast](cbrant.Brant_module_cast, in)
}

// CastEdge is CastNode for an edge type.
func (modules) CastEdge(module any, edgeType string, attributes any) (Cast, error) {
	in := newInput().anyValue("module", module).ofType("edge_type", edgeType).anyValue("attributes", attributes)
	return pure[Cast](cbrant.Brant_module_cast, in)
}

// Patch applies a JSON Patch (RFC 6902) to a document. ErrConflict: a test of it failed; ErrInvalid: an operation that is none, or whose
// pointer leads nowhere, with {"index", "pointer"}; ErrLimit: the document would be too large or too deep.
func (modules) Patch(document, patch any) (json.RawMessage, error) {
	answer, err := pure[struct {
		Document json.RawMessage `json:"document"`
	}](cbrant.Brant_module_patch, newInput().anyValue("document", document).anyValue("patch", patch))
	return answer.Document, err
}
