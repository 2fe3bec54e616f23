package test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxLines is how long a file that is no test may be. Longer ones hold more
// than one thought.
const maxLines = 400

func TestSource_Rules(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			content, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range sourceRules(filepath.Join(p.room(), name), content) {
				t.Error(wrong)
			}
		}
	}
}

func TestSource_CanFail(t *testing.T) {
	for _, tc := range []struct {
		name, source, want string
	}{
		{"long", "package x\n" + strings.Repeat("\n", maxLines), "401 lines"},
		{"origin as a variable", "package x\n\nvar origin string\n", `x.go:3: identifier "origin"`},
		{"origin as a field", "package x\n\ntype zone struct {\n\torigin string\n}\n", `x.go:4: identifier "origin"`},
		{"origin called on", "package x\n\nvar a = origin.String()\n", `x.go:3: identifier "origin"`},
		{"no Go", "func", "expected 'package'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := sourceRules("x.go", []byte(tc.source))
			if len(got) != 1 || !strings.Contains(got[0], tc.want) {
				t.Errorf("want one complaint with %q, got %q", tc.want, got)
			}
		})
	}
	if got := sourceRules("x.go", []byte("package x\n\nvar originAddr = theirs.Origin // the origin\n")); got != nil {
		t.Errorf("want no complaint, got %q", got)
	}
}

// sourceRules says what in a Go file goes against the habits of the house. The
// bare word "origin" means both a zone's name and a hidden server in this
// field, so no identifier is called that.
func sourceRules(name string, content []byte) []string {
	var wrong []string
	if n := bytes.Count(content, []byte("\n")); n > maxLines {
		wrong = append(wrong, fmt.Sprintf("%s has %d lines, more than %d: split it by thoughts", name, n, maxLines))
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, content, parser.SkipObjectResolution)
	if err != nil {
		return append(wrong, err.Error())
	}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr: // what others call their fields is theirs
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			if strings.EqualFold(n.Name, "origin") {
				wrong = append(wrong, fmt.Sprintf("%s:%d: identifier %q: call a zone's name zone or apex, the hidden server's address originAddr",
					name, files.Position(n.Pos()).Line, n.Name))
			}
		}
		return true
	}
	ast.Inspect(file, visit)
	return wrong
}
