package branthttp

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/brant-db/brant-go"
)

// openAPI describes what the key may call: OpenAPI 3.1, whose schemas are JSON Schema 2020-12, as the registry's.
func (h *Handler) openAPI(_ http.ResponseWriter, _ *http.Request, caller *Caller) ([]byte, error) {
	document, err := h.Document(h.allowed(caller))
	if err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

// Document is an OpenAPI document of some operations.
func (h *Handler) Document(operations []brant.Operation) (map[string]any, error) {
	type object = map[string]any
	content := func(kind string, schema any) object { return object{kind: object{"schema": schema}} }
	problem := object{"description": "A problem (RFC 9457)", "content": content("application/problem+json", object{"$ref": "#/components/schemas/Problem"})}
	paths, tags, shared := object{}, []string{}, components{}
	for _, operation := range operations {
		said := object{
			"operationId": operation.Name, "summary": operation.Title, "description": operation.Description, "tags": []string{operation.Namespace},
			"x-brant-scopes": operation.RequiredScopes, "x-brant-errors": operation.Errors,
		}
		answers := object{"default": problem}
		if !slices.Contains(tags, operation.Namespace) {
			tags = append(tags, operation.Namespace)
		}
		if operation.Type == brant.Subscription {
			answers["200"] = object{"description": "Server-sent events; the data of each: " + operation.Title, "content": content("text/event-stream", object{"type": "string"})}
			var parameters []object
			known, needed := properties(operation), required(operation)
			for _, name := range sortedNames(known) {
				schema := object{"type": "string"}
				switch kind := string(known[name].Type); kind {
				case `"array"`:
					schema = object{"type": "array", "items": schema}
				case `"integer"`, `"number"`, `"boolean"`:
					schema = object{"type": strings.Trim(kind, `"`)}
				}
				parameter := object{"name": name, "in": "query", "required": slices.Contains(needed, name), "schema": schema}
				if said := known[name].Description; said != "" {
					parameter["description"] = said
				}
				parameters = append(parameters, parameter)
			}
			said["parameters"], said["responses"] = parameters, answers
			paths["/subscribe/"+operation.Name] = object{"get": said}
			continue
		}
		input, err := shared.take(operation.Namespace, operation.InputSchema)
		if err != nil {
			return nil, err
		}
		output, err := shared.take(operation.Namespace, operation.OutputSchema)
		if err != nil {
			return nil, err
		}
		answers["200"] = object{"description": "The answer", "content": content("application/json", output)}
		said["requestBody"] = object{"required": true, "content": content("application/json", input)}
		said["responses"] = answers
		paths["/call/"+operation.Name] = object{"post": said}
	}
	named := make([]object, len(tags))
	for i, tag := range tags {
		named[i] = object{"name": tag}
	}
	text := object{"type": "string"}
	shared["Problem"] = object{
		"type": "object", "required": []string{"type", "title", "status", "detail", "code"},
		"properties": object{
			"type": text, "title": text, "status": object{"type": "integer"}, "detail": text, "instance": text, "code": text, "errors": object{"type": "object"},
		},
	}
	return object{
		"openapi": "3.1.0", "info": object{"title": h.options.Title, "version": brant.Version()}, "paths": paths, "tags": named,
		"jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema", "security": []object{{"key": []string{}}},
		"components": object{
			"securitySchemes": object{"key": object{"type": "http", "scheme": "bearer", "description": "An API key"}},
			"schemas":         shared,
		},
	}, nil
}

// components are the definitions that schemas share. A reference in a schema is to the whole document, so what stands in $defs moves there.
type components map[string]any

const definitions = "#/$defs/"

// take moves the definitions of a schema, and lets its references follow.
func (c components) take(namespace string, schema json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(schema))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	whole, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	defined, _ := whole["$defs"].(map[string]any)
	delete(whole, "$defs")
	names := make(map[string]string, len(defined))
	for name := range defined {
		names[name] = namespace + "." + name
	}
	follow(whole, names)
	for name, definition := range defined {
		follow(definition, names)
		c[names[name]] = definition
	}
	return whole, nil
}

func follow(value any, names map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		if reference, ok := v["$ref"].(string); ok {
			name, rest, nested := strings.Cut(strings.TrimPrefix(reference, definitions), "/")
			if moved := names[name]; moved != "" && strings.HasPrefix(reference, definitions) {
				v["$ref"] = "#/components/schemas/" + moved
				if nested {
					v["$ref"] = "#/components/schemas/" + moved + "/" + rest
				}
			}
		}
		for _, member := range v {
			follow(member, names)
		}
	case []any:
		for _, element := range v {
			follow(element, names)
		}
	}
}

func sortedNames(all map[string]property) []string { return slices.Sorted(maps.Keys(all)) }
