package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// notInUse are the words that the glossary gives up. They count as words of a name:
// "findZone" has one, "finding" has none.
var notInUse = []string{"atlas", "burst", "eyes", "find", "happening", "held", "kept", "ladder", "room", "rung", "spare", "told", "untold"}

// declared are the names that the product's code declares outside of functions, with
// their files: "source.Watcher" and "source.Watcher.Read", without package name in the
// root package.
func declared(t *testing.T) map[string]string {
	t.Helper()
	names := make(map[string]string)
	for _, p := range packages(t) {
		room := p.room()
		if room != "" && !strings.HasPrefix(room, "plugin/") && !strings.HasPrefix(room, "cmd/") {
			continue // bench, tools and test are no product.
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			prefix := ""
			if room != "" {
				prefix = filepath.Base(room) + "."
			}
			for _, n := range declaredIn(file) {
				names[prefix+n] = filepath.Join(room, name)
			}
		}
	}
	return names
}

// declaredIn returns the names that a file declares outside of functions: types with
// their fields and methods, functions, variables and constants.
func declaredIn(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			names = append(names, name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
					if st, ok := s.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							for _, n := range field.Names {
								names = append(names, s.Name.Name+"."+n.Name)
							}
						}
					}
				}
			}
		}
	}
	return names
}

// receiver returns the name of a receiver's type.
func receiver(typ ast.Expr) string {
	switch t := typ.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

func TestGlossary_Words(t *testing.T) {
	names := declared(t)
	for _, wrong := range wrongWords(names) {
		t.Error(wrong)
	}
}

func TestGlossary_WordsCanFail(t *testing.T) {
	for _, tc := range []struct {
		name, want string
	}{
		{"tree.find", `x.go: name tree.find has the word "find"`},
		{"keptZone", `the word "kept"`},
		{"part.textKept", `the word "kept"`},
		{"part.rooms", `the word "room"`},
		{"kept.name", ""}, // The type itself is the name that counts.
		{"finding", ""},
		{"Withheld", ""},
	} {
		got := strings.Join(wrongWords(map[string]string{tc.name: "x.go"}), "\n")
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: want %q, got %q", tc.name, tc.want, got)
		}
	}
}

// wrongWords returns an error for each name whose last part has a word that is not in
// use. The names have their files.
func wrongWords(names map[string]string) []string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		last := name[strings.LastIndexByte(name, '.')+1:]
		for _, word := range words(last) {
			if i := slices.IndexFunc(notInUse, func(w string) bool { return word == w || word == w+"s" }); i >= 0 {
				wrong = append(wrong, fmt.Sprintf("%s: name %s has the word %q, which is not in use: take another from docs/glossary.md",
					names[name], name, notInUse[i]))
			}
		}
	}
	return wrong
}

// words returns the words of a name in camel case, in lower case.
func words(name string) []string {
	var out []string
	start := 0
	for i, r := range name {
		if i > start && unicode.IsUpper(r) {
			out = append(out, strings.ToLower(name[start:i]))
			start = i
		}
	}
	return append(out, strings.ToLower(name[start:]))
}

// place is a name or file in the last column of the glossary.
var place = regexp.MustCompile("`([^`]+)`")

func TestGlossary_Places(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs", "glossary.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range wrongPlaces(string(text), declared(t)) {
		t.Errorf("docs/glossary.md: %s", wrong)
	}
}

func TestGlossary_PlacesCanFail(t *testing.T) {
	names := map[string]string{"fqdn.Name": "plugin/fqdn/fqdn.go"}
	for text, want := range map[string]string{
		"| a | x | `fqdn.Name` |\n| b | y | `options.go` |": "",
		"| a | x | `fqdn.Gone` |":                           "fqdn.Gone of a does not exist",
		"| a | x | `gone.go` |":                             "gone.go of a does not exist",
		"| b | x | `fqdn.Name` |\n| a | y | `fqdn.Name` |":  "a stands after b",
		"| a | x | somewhere |":                             "a has no place in the code",
	} {
		got := strings.Join(wrongPlaces(text, names), "\n")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: want %q, got %q", text, want, got)
		}
	}
}

// wrongPlaces returns an error for each line of the glossary that is out of order, or
// whose place does not exist.
func wrongPlaces(text string, names map[string]string) []string {
	var wrong []string
	before := ""
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Contains(cells[1], "---") || strings.TrimSpace(cells[1]) == "word" {
			continue
		}
		word := strings.TrimSpace(cells[1])
		if strings.ToLower(word) < before {
			wrong = append(wrong, fmt.Sprintf("%s stands after %s: sort the words", word, before))
		}
		before = strings.ToLower(word)
		places := place.FindAllStringSubmatch(cells[3], -1)
		if len(places) == 0 {
			wrong = append(wrong, word+" has no place in the code")
		}
		for _, p := range places {
			_, err := os.Stat(filepath.Join(repository, p[1]))
			if names[p[1]] == "" && (err != nil || !strings.HasSuffix(p[1], ".go")) {
				wrong = append(wrong, fmt.Sprintf("%s of %s does not exist", p[1], word))
			}
		}
	}
	return wrong
}
