package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// clause is what ends a clause of a log line: a value, or a mark.
var clause = regexp.MustCompile(`%[a-zA-Z]|[,:;]`)

// docs/operating.md explains each line that the server logs.
func TestLog_LinesAreExplained(t *testing.T) {
	page := read(t, filepath.Join(docs, "operating.md"))
	found := 0
	for _, pattern := range []string{"../../*.go", "../../plugin/live/*.go", "../../plugin/lane/*.go", "../../plugin/source/*.go", "../../plugin/source/etcd/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			formats := logged(t, path, read(t, path))
			found += len(formats)
			for _, format := range formats {
				if part := said(format); !strings.Contains(page, part) {
					t.Errorf("%s logs %q, and docs/operating.md has no line with %q: explain it there", path, format, part)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("want the log lines found, got %d", found)
	}
}

func TestLogged(t *testing.T) {
	got := logged(t, "x.go", "package x\nfunc f() { log.Errorf(\"a %s b\", 1); l.opt.Log.Infof(\"c\"+\"d\"); w.log(\"e\"); s.opt.Log(\"g\"); fmt.Errorf(\"f\"); log.Infof(\"%v\") }\n")
	if want := []string{"a %s b", "cd", "e", "g"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
	if got, want := said("of %s: they are not so, %d here and there"), "they are not so"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}

// logged returns the formats that a Go file logs, but for those that are values alone.
func logged(t *testing.T, path, source string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var formats []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"log", "Log"}, method.Sel.Name) && !(slices.Contains([]string{"Errorf", "Warningf", "Infof"}, method.Sel.Name) && isLog(method.X)) {
			return true
		}
		if format := constant(call.Args[0]); said(format) != "" {
			formats = append(formats, format)
		}
		return true
	})
	return formats
}

// isLog reports whether an expression is called log, or a field of it is.
func isLog(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "log"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Log"
	}
	return false
}

// constant returns the text of literals that are added up, "" for anything else.
func constant(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return constant(e.X) + constant(e.Y)
	}
	return ""
}

// said returns the first clause of a format that has three words without a value, or else
// its longest.
func said(format string) string {
	var longest string
	for _, part := range clause.Split(format, -1) {
		if part = strings.TrimSpace(part); len(part) > len(longest) {
			longest = part
		}
		if strings.Count(part, " ") > 1 {
			return part
		}
	}
	return longest
}
