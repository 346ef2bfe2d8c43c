package brant

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// ModuleSpec is a module made of Go's struct types.
//
//	module, err := brant.NewModule(brant.ModuleSpec{
//		ID:    "tasks",
//		Nodes: []any{Task{}},
//		Edges: []brant.EdgeSpec{{Type: DependsOn{}, Source: []any{Task{}}, Target: []any{Task{}}}},
//	})
//	db.GraphTypes.Define(ctx, module, nil)
//
// A struct becomes a closed object schema as encoding/json sees it: names of json tags; members that are neither pointers nor omitempty nor
// omitzero are required; pointers also take null; embedded structs are part of the outer one; other structs become entries of their own, so that
// they may refer to themselves. time.Time is a date-time, []byte text in base64, json.RawMessage and any anything. The tag jsonschema adds
// to a member, keys separated by commas: title, description, default, enum (once for each value), format, pattern, minLength, maxLength,
// minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minItems, maxItems, uniqueItems, required, optional, x-encrypted: the attribute
// is stored encrypted (DB.Keyring), and what is read is its envelope, so that the member is best an any or a json.RawMessage.
//
//	Status string `json:"status" jsonschema:"enum=open,enum=done,default=open"`
type ModuleSpec struct {
	ID     string
	Config ConfigSpec
	Nodes  []any // a value of each struct type; types are named as the structs, with a capital letter first
	Edges  []EdgeSpec
}

// ConfigSpec is what a graph type allows; the zero value is a directed graph with self-loops and without parallel edges.
type ConfigSpec struct {
	Directed    string // "directed" (default), "undirected", "mixed"
	Multi       bool
	NoSelfLoops bool
	Acyclic     bool
	MaxNodes    int64 // 0: no bound
	MaxEdges    int64
}

// EdgeSpec is an edge type of a ModuleSpec.
type EdgeSpec struct {
	Type   any    // a value of the struct type; nil: no attributes, then
	Name   string // is needed; default: as the struct
	Source []any  // node types, as values of their structs or by name; nil: any
	Target []any
	MaxOut int64 // 0: no bound
	MaxIn  int64
}

// NewModule writes a module of struct types. ErrInvalid: a type that JSON has no form for, two types of one name, a bad jsonschema tag.
func NewModule(spec ModuleSpec) (json.RawMessage, error) {
	b := moduleBuilder{entries: map[string]any{}, structs: map[reflect.Type]string{}}
	b.entries["Config"] = spec.Config.schema()
	for _, node := range spec.Nodes {
		b.add(reflect.TypeOf(node), "", "Node")
	}
	for _, edge := range spec.Edges {
		name := edge.Name
		if edge.Type != nil {
			name = b.add(reflect.TypeOf(edge.Type), edge.Name, "Edge")
		} else if name == "" {
			b.fail("an edge type needs a struct or a name")
		} else {
			b.enter(name+"Edge", map[string]any{"type": "object", "additionalProperties": false})
		}
		if constraints := b.constraints(edge); len(constraints) > 0 {
			b.enter(name+"EdgeConstraints", map[string]any{"type": "object", "properties": constraints})
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	text, err := json.Marshal(map[string]any{"$id": spec.ID, "$defs": b.entries})
	if err != nil {
		return nil, failf(ErrInvalid, "%v", err)
	}
	return text, nil
}

func (c ConfigSpec) schema() any {
	constant := func(value any) any { return map[string]any{"const": value} }
	directed := c.Directed
	if directed == "" {
		directed = "directed"
	}
	members := map[string]any{
		"directed": constant(directed), "multi": constant(c.Multi), "allow_self_loops": constant(!c.NoSelfLoops), "acyclic": constant(c.Acyclic),
	}
	if c.MaxNodes != 0 {
		members["max_nodes"] = constant(c.MaxNodes)
	}
	if c.MaxEdges != 0 {
		members["max_edges"] = constant(c.MaxEdges)
	}
	return map[string]any{"type": "object", "properties": members}
}

type moduleBuilder struct {
	entries map[string]any
	structs map[reflect.Type]string // helper entries
	err     error
}

func (b *moduleBuilder) fail(format string, arguments ...any) {
	if b.err == nil {
		b.err = failf(ErrInvalid, format, arguments...)
	}
}

func (b *moduleBuilder) enter(name string, schema any) {
	if _, taken := b.entries[name]; taken {
		b.fail("two types are named %q", name)
	}
	b.entries[name] = schema
}

func structOf(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// typeName is a struct's name with a capital letter first.
func typeName(t reflect.Type) string {
	name := t.Name()
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// add enters a type of nodes or edges and returns its name.
func (b *moduleBuilder) add(t reflect.Type, name, suffix string) string {
	s := structOf(t)
	if s == nil {
		b.fail("%v is no struct", t)
		return name
	}
	if name == "" {
		name = typeName(s)
	}
	if name == "" {
		b.fail("a struct without a name cannot name a type")
	}
	b.enter(name+suffix, b.object(s))
	return name
}

func (b *moduleBuilder) constraints(edge EdgeSpec) map[string]any {
	constraints := map[string]any{}
	for name, ends := range map[string][]any{"source": edge.Source, "target": edge.Target} {
		names := make([]string, 0, len(ends))
		for _, end := range ends {
			if text, ok := end.(string); ok {
				names = append(names, text)
			} else if s := structOf(reflect.TypeOf(end)); s != nil {
				names = append(names, typeName(s))
			} else {
				b.fail("an end of an edge is a struct or the name of a node type")
			}
		}
		if len(names) > 0 {
			constraints[name] = map[string]any{"enum": names}
		}
	}
	if edge.MaxOut != 0 {
		constraints["max_out"] = map[string]any{"const": edge.MaxOut}
	}
	if edge.MaxIn != 0 {
		constraints["max_in"] = map[string]any{"const": edge.MaxIn}
	}
	return constraints
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	rawType         = reflect.TypeFor[json.RawMessage]()
	numberType      = reflect.TypeFor[json.Number]()
	marshalerType   = reflect.TypeFor[json.Marshaler]()
	textMarshalType = reflect.TypeFor[encoding.TextMarshaler]()
)

func (b *moduleBuilder) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []string{}
	b.fields(t, properties, &required, map[reflect.Type]bool{t: true}, false)
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// fields enters the members of a struct, and then those of the structs embedded in it, which outer ones of the same name hide. What is
// embedded by a pointer may not be there.
func (b *moduleBuilder) fields(t reflect.Type, properties map[string]any, required *[]string, outer map[reflect.Type]bool, absent bool) {
	var embedded []reflect.StructField
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" && options == "" {
			continue
		}
		if field.Anonymous && name == "" && structOf(field.Type) != nil {
			embedded = append(embedded, field)
			continue
		}
		if !field.IsExported() {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if _, hidden := properties[name]; hidden {
			continue
		}
		schema := b.of(field.Type)
		optional := absent || field.Type.Kind() == reflect.Pointer
		for _, option := range strings.Split(options, ",") {
			switch option {
			case "omitempty", "omitzero":
				optional = true
			case "string":
				schema = map[string]any{"type": "string"}
			}
		}
		schema = b.tag(schema, field, &optional)
		properties[name] = schema
		if !optional {
			*required = append(*required, name)
		}
	}
	for _, field := range embedded {
		if inner := structOf(field.Type); !outer[inner] {
			outer[inner] = true
			b.fields(inner, properties, required, outer, absent || field.Type.Kind() == reflect.Pointer)
		}
	}
}

// of is the schema of a member.
func (b *moduleBuilder) of(t reflect.Type) map[string]any {
	switch {
	case t == timeType:
		return map[string]any{"type": "string", "format": "date-time"}
	case t == rawType:
		return map[string]any{}
	case t == numberType:
		return map[string]any{"type": "number"}
	case t.Kind() == reflect.Pointer:
		return map[string]any{"anyOf": []any{b.of(t.Elem()), map[string]any{"type": "null"}}}
	case t.Implements(marshalerType) || reflect.PointerTo(t).Implements(marshalerType):
		return map[string]any{} // it writes what it likes
	case t.Implements(textMarshalType) || reflect.PointerTo(t).Implements(textMarshalType):
		return map[string]any{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"anyOf": []any{map[string]any{"type": "string", "contentEncoding": "base64"}, map[string]any{"type": "null"}}}
		}
		// A nil slice is null.
		return map[string]any{"anyOf": []any{map[string]any{"type": "array", "items": b.of(t.Elem())}, map[string]any{"type": "null"}}}
	case reflect.Array:
		return map[string]any{"type": "array", "items": b.of(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return map[string]any{"anyOf": []any{map[string]any{"type": "object", "additionalProperties": b.of(t.Elem())}, map[string]any{"type": "null"}}}
	case reflect.Struct:
		return b.reference(t)
	}
	b.fail("%v has no JSON form", t)
	return map[string]any{}
}

// reference enters a struct that is not a type itself.
func (b *moduleBuilder) reference(t reflect.Type) map[string]any {
	if t.Name() == "" {
		return b.object(t)
	}
	name, known := b.structs[t]
	if !known {
		name = t.Name() + "Value" // no suffix that would make it a type
		b.structs[t] = name
		b.enter(name, nil)
		b.entries[name] = b.object(t)
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

// tag adds what the tag jsonschema says.
func (b *moduleBuilder) tag(schema map[string]any, field reflect.StructField, optional *bool) map[string]any {
	text, given := field.Tag.Lookup("jsonschema")
	if !given {
		return schema
	}
	enum := []any{}
	for _, part := range strings.Split(text, ",") {
		key, value, valued := strings.Cut(part, "=")
		switch key {
		case "required":
			*optional = false
		case "optional":
			*optional = true
		case "uniqueItems":
			inner(schema)[key] = value != "false"
		case "x-encrypted":
			schema[key] = value != "false"
		case "title", "description":
			schema[key] = value
		case "format", "pattern":
			inner(schema)[key] = value
		case "default":
			schema[key] = literal(value, field.Type)
		case "enum":
			enum = append(enum, literal(value, field.Type))
		case "minLength", "maxLength", "minItems", "maxItems":
			n, err := strconv.ParseUint(value, 10, 63)
			if err != nil {
				b.fail("%s: the jsonschema tag's %s is no number", field.Name, key)
			}
			inner(schema)[key] = n
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			if _, err := strconv.ParseFloat(value, 64); err != nil {
				b.fail("%s: the jsonschema tag's %s is no number", field.Name, key)
			}
			inner(schema)[key] = json.Number(value)
		default:
			b.fail("%s: the jsonschema tag has %q, which is none of those known", field.Name, part)
		}
		if !valued && key != "required" && key != "optional" && key != "uniqueItems" && key != "x-encrypted" {
			b.fail("%s: the jsonschema tag's %s has no value", field.Name, key)
		}
	}
	if len(enum) > 0 {
		inner(schema)["enum"] = enum
	}
	return schema
}

// inner is where assertions belong: beside null, they are the other alternative's.
func inner(schema map[string]any) map[string]any {
	if either, ok := schema["anyOf"].([]any); ok && len(either) == 2 {
		return inner(either[0].(map[string]any))
	}
	return schema
}

// literal is a tag's text as a value of the member's type.
func literal(text string, t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.String {
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			return json.RawMessage(text)
		}
	}
	return fmt.Sprint(text)
}
