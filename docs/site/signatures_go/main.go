// Command signatures_go prints the functions and methods of the Go package as JSON for signatures.py.
//
//	go run docs/site/signatures_go/main.go bindings/go
package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"log"
	"os"
	"strconv"
	"strings"
)

type unit struct {
	Name       string   `json:"name"`
	Public     bool     `json:"public"`
	Signature  string   `json:"signature"`
	Doc        string   `json:"doc"`
	References []string `json:"references"`
	Natives    []string `json:"natives"`
}

// receiver is the type that a method is of, without its pointer and parameters.
func receiver(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	kind := function.Recv.List[0].Type
	for {
		switch of := kind.(type) {
		case *ast.StarExpr:
			kind = of.X
		case *ast.IndexExpr:
			kind = of.X
		case *ast.IndexListExpr:
			kind = of.X
		case *ast.Ident:
			return of.Name
		default:
			return ""
		}
	}
}

// operations are the registry names of the variables that stand for them: nodesPut = &operation{"nodes.put", ..}.
func operations(files map[string]*ast.File) map[string]string {
	found := map[string]string{}
	for _, file := range files {
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, value := range spec.Values {
				address, ok := value.(*ast.UnaryExpr)
				if !ok {
					continue
				}
				literal, ok := address.X.(*ast.CompositeLit)
				if !ok || len(literal.Elts) == 0 {
					continue
				}
				text, ok := literal.Elts[0].(*ast.BasicLit)
				if name, isName := literal.Type.(*ast.Ident); ok && isName && (name.Name == "operation" || name.Name == "subscription") {
					found[spec.Names[i].Name], _ = strconv.Unquote(text.Value)
				}
			}
			return true
		})
	}
	return found
}

func main() {
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, os.Args[1], func(file fs.FileInfo) bool {
		return !strings.HasSuffix(file.Name(), "_test.go")
	}, parser.ParseComments)
	if err != nil {
		log.Fatal(err)
	}
	names := operations(packages["brant"].Files)
	var units []unit
	for _, file := range packages["brant"].Files {
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			owner := receiver(function)
			made := unit{Name: function.Name.Name, Public: function.Name.IsExported(), Doc: strings.TrimSpace(function.Doc.Text()), Natives: []string{}, References: []string{}}
			if owner != "" {
				made.Name = owner + "." + made.Name
			}
			seen := map[string]bool{}
			if function.Body != nil {
				ast.Inspect(function.Body, func(node ast.Node) bool {
					name, ok := node.(*ast.Ident)
					if !ok || seen[name.Name] {
						return true
					}
					seen[name.Name] = true
					made.References = append(made.References, name.Name)
					if operation, known := names[name.Name]; known {
						made.Natives = append(made.Natives, operation)
					} else if native, found := strings.CutPrefix(name.Name, "Brant_"); found {
						made.Natives = append(made.Natives, "brant_"+native)
					}
					return true
				})
			}
			function.Body, function.Doc = nil, nil
			var text bytes.Buffer
			if err := printer.Fprint(&text, files, function); err != nil {
				log.Fatal(err)
			}
			made.Signature = text.String()
			units = append(units, made)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(units); err != nil {
		log.Fatal(err)
	}
}
