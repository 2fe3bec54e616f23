package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mention is a Go file, or a function or method with its parentheses, in a text.
var mention = regexp.MustCompile(`[\w/]+\.go\b|\b(?:\w+\.)?\w+\(\)`)

func TestArchitecture_NamesWhatIsThere(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range missing(string(text)) {
		t.Errorf("docs/architecture.md: %s", wrong)
	}
}

func TestArchitecture_CanFail(t *testing.T) {
	for text, want := range map[string]string{
		"`plugin/fqdn/fqdn.go` has `Parse()` and `Name.In()`.": "",
		"`plugin/fqdn/absent.go`":                              "no such file",
		"`plugin/fqdn/fqdn.go` `absent()`":                     "fqdn.go has no absent()",
		"`plugin/fqdn/fqdn.go` `In()`":                         "fqdn.go has no In()",
		"`Parse()`":                                            "no file is named before Parse()",
	} {
		if got := strings.Join(missing(text), "\n"); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: want %q, got %q", text, want, got)
		}
	}
}

// missing says which files that a text names do not exist, and which functions do not
// stand in the file that is named before them.
func missing(text string) []string {
	var wrong []string
	var file string
	var declared map[string]bool
	for _, name := range mention.FindAllString(text, -1) {
		switch {
		case strings.HasSuffix(name, ".go"):
			var err error
			file = name
			if declared, err = functions(filepath.Join(repository, name)); err != nil {
				wrong = append(wrong, err.Error())
			}
		case file == "":
			wrong = append(wrong, "no file is named before "+name)
		case !declared[name]:
			wrong = append(wrong, fmt.Sprintf("%s has no %s: correct the text", file, name))
		}
	}
	return wrong
}

// functions returns what a Go file declares, as a text names it: "Parse()", "Name.In()".
func functions(path string) (map[string]bool, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool)
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		switch {
		case !ok:
		case f.Recv == nil:
			out[f.Name.Name+"()"] = true
		default:
			receiver := f.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if named, ok := receiver.(*ast.Ident); ok {
				out[named.Name+"."+f.Name.Name+"()"] = true
			}
		}
	}
	return out, nil
}
