package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// inForce is the rest of the file that tells the mutated package which mutant is in
// force.
const inForce = `

import (
	"os"
	"strconv"
)

var mutantInForce, _ = strconv.Atoi(os.Getenv("MUTANT"))

// caseUnless returns a value that a switch compares with, or one that never occurs.
func caseUnless[T ~int | ~uint8 | ~uint16](mutant int, v T) T {
	if mutantInForce == mutant {
		return ^T(0) >> 1
	}
	return v
}
`

// instrumented is a file while all its mutants are written into it. Text is only
// inserted, never replaced.
type instrumented struct {
	fset   *token.FileSet
	name   string
	source string
	all    []mutant
	fn     string // the function that is mutated
	seen   map[string]int
	insert map[int]*insertion // :: offset → what is inserted there
}

// insertion is what closes expressions that end at an offset, and what opens others.
type insertion struct{ closing, opening string }

// instrument returns a file with its mutants written into it, the name of its package,
// and all with them added. If functions are named, separated by commas, those alone are
// mutated.
func instrument(all []mutant, name string, source []byte, functions string) ([]mutant, string, []byte, error) {
	f := &instrumented{fset: token.NewFileSet(), name: name, source: string(source), all: all, seen: make(map[string]int), insert: make(map[int]*insertion)}
	file, err := parser.ParseFile(f.fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, "", nil, err
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || functions != "" && !slices.Contains(strings.Split(functions, ","), fn.Name.Name) {
			continue
		}
		f.fn = fn.Name.Name
		last := fn.Body.List[len(fn.Body.List)-1]
		ast.Inspect(fn.Body, func(n ast.Node) bool { return f.visit(n, n == last) })
	}
	var out strings.Builder
	for i := range len(source) + 1 {
		if in := f.insert[i]; in != nil {
			out.WriteString(in.closing + in.opening)
		}
		if i < len(source) {
			out.WriteByte(source[i])
		}
	}
	return f.all, file.Name.Name, []byte(out.String()), nil
}

// visit writes the mutants of a node; last says that it is the last statement of a
// function, which must not get a break.
func (f *instrumented) visit(n ast.Node, last bool) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
	case *ast.BinaryExpr:
		for _, x := range []ast.Expr{n.X, n.Y} {
			inner, ok := x.(*ast.BinaryExpr)
			switch {
			case ok && inner.Op == n.Op: // its operands are ours
			case n.Op == token.LAND:
				f.wrap(x, fmt.Sprintf("(mutantInForce == %d || (", f.add(x, "&& %s", "out")), "))")
			case n.Op == token.LOR:
				f.wrap(x, fmt.Sprintf("(mutantInForce != %d && (", f.add(x, "|| %s", "out")), "))")
			}
		}
	case *ast.SwitchStmt:
		for _, c := range n.Body.List {
			for _, x := range c.(*ast.CaseClause).List {
				if n.Tag == nil {
					f.condition(x)
				} else {
					f.wrap(x, fmt.Sprintf("caseUnless(%d, ", f.add(x, "case %s", "out")), ")")
				}
			}
			if c := c.(*ast.CaseClause); c.List == nil && !last {
				f.skip(c, "break")
			}
		}
	case *ast.TypeSwitchStmt:
		rest := "break"
		for _, c := range n.Body.List {
			if c := c.(*ast.CaseClause); c.List == nil {
				for _, s := range c.Body {
					rest = f.text(s) + "; " + rest
				}
			}
		}
		for _, c := range n.Body.List {
			if c := c.(*ast.CaseClause); c.List == nil {
				f.skip(c, "break")
			} else {
				f.skip(c, rest)
			}
		}
	}
	return true
}

// condition writes that a condition is true, and that it is false.
func (f *instrumented) condition(x ast.Expr) {
	yes, no := f.add(x, "%s", "true"), f.add(x, "%s", "false")
	f.wrap(x, fmt.Sprintf("(mutantInForce == %d || mutantInForce != %d && (", yes, no), "))")
}

// skip writes that something else is done than what a case says: what is done without it.
func (f *instrumented) skip(c *ast.CaseClause, rest string) {
	if len(c.Body) == 0 && rest == "break" {
		return // nothing is done
	}
	what := "default"
	if len(c.List) > 0 {
		what = "case " + f.source[f.offset(c.List[0].Pos()):f.offset(c.List[len(c.List)-1].End())]
	}
	f.at(c.Colon + 1).opening += fmt.Sprintf("\nif mutantInForce == %d {%s}\n", f.addText(c.Pos(), what, "out"), rest)
}

func (f *instrumented) wrap(x ast.Expr, opening, closing string) {
	f.at(x.Pos()).opening += opening
	end := f.at(x.End())
	end.closing = closing + end.closing // inner expressions are visited later
}

func (f *instrumented) at(pos token.Pos) *insertion {
	offset := f.offset(pos)
	if f.insert[offset] == nil {
		f.insert[offset] = new(insertion)
	}
	return f.insert[offset]
}

func (f *instrumented) offset(pos token.Pos) int { return f.fset.Position(pos).Offset }

func (f *instrumented) text(n ast.Node) string {
	return f.source[f.offset(n.Pos()):f.offset(n.End())]
}

// add takes note of a mutant of an expression, and returns its number.
func (f *instrumented) add(x ast.Expr, format, how string) int {
	return f.addText(x.Pos(), fmt.Sprintf(format, f.text(x)), how)
}

func (f *instrumented) addText(pos token.Pos, what, how string) int {
	what = strings.Join(strings.Fields(what), " ") + " → " + how
	if f.seen[f.fn+what]++; f.seen[f.fn+what] > 1 {
		what += fmt.Sprintf(" (no. %d)", f.seen[f.fn+what])
	}
	m := mutant{id: len(f.all) + 1, file: f.name, line: f.fset.Position(pos).Line, fn: f.fn, what: what}
	f.all = append(f.all, m)
	return m.id
}
