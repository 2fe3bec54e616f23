package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	gmtext "github.com/yuin/goldmark/text"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// hostile are texts that Markdown would take for something else.
var hostile = []string{
	"*.example.org.", "all other names of a*b*c.", "_dmarc._tcp.example.org.", "a|b.example.org.", `a\|b`, "`code`", "``", "`", " ` ",
	"<script>alert(1)</script>", "<!-- hidden", "&lt;&amp;", "[link](https://evil.example)", "![x](https://evil.example/x.png)",
	"www.example.org.", "https://www.example.org/", "mail@example.org", "@someone", "#1", "~~gone~~", "# head", "| a | b |",
	"two\nlines", "\u202egro.elpmaxe", "\x1b[31mred", "tab\there", `\`, "- item", "> quote",
}

// A GFM parser sees each text as it is, in a cell of its own, and nothing of it as
// anything else.
func TestMarkdown_Hostile(t *testing.T) {
	for _, h := range hostile {
		d := &difference{Summary: "names: 1 changed", Groups: []mapset.Group{{Account: h, Old: []string{"192.0.2.1"}, New: nil, Names: []string{h}, OldProxied: true}}}
		d.Refused = []finding{{Rule: "P1", Text: h, Remedy: h}}
		var b bytes.Buffer
		if err := writeDiffMarkdown(&b, d, false); err != nil {
			t.Fatal(err)
		}
		got := readMarkdown(b.Bytes())
		want := strings.NewReplacer("\n", `\n`, "\t", " ", "\u202e", `\u202e`, "\x1b", `\x1b`).Replace(h)
		if !slices.Equal(got.cells, []string{"names", "account", "before", "after", want + " (1)", want, "192.0.2.1", "the backend's"}) {
			t.Errorf("%q: the cells are %q in\n%s", h, got.cells, &b)
		}
		if got.paragraphs != 3 || got.others != nil {
			t.Errorf("%q: want the summary, the refusal and the remedy, got %d paragraphs and %q in\n%s", h, got.paragraphs, got.others, &b)
		}
	}
}

// The judge sees what Markdown makes of a text that is not in a code span.
func TestMarkdown_JudgeCanFail(t *testing.T) {
	for _, h := range []string{"[link](https://evil.example)", "<script>", "www.example.org", "mail@example.org", "*x*", "~~x~~", "![x](y)"} {
		if got := readMarkdown([]byte("a " + h + "\n")); len(got.others) == 0 {
			t.Errorf("%q: nothing is seen", h)
		}
	}
}

type markdown struct {
	cells      []string
	paragraphs int
	others     []string // kinds of links, emphasis, HTML
}

func readMarkdown(source []byte) (out markdown) {
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(gmtext.NewReader(source))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *east.TableCell:
			if s := plainText(n, source); s != "" {
				out.cells = append(out.cells, s)
			}
		case *ast.Paragraph:
			out.paragraphs++
		case *ast.Emphasis:
			if !strings.HasPrefix(plainText(n, source), "A reload would") {
				out.others = append(out.others, n.Kind().String())
			}
		case *ast.Document, *ast.Heading, *ast.Text, *ast.CodeSpan, *ast.TextBlock, *ast.String, *east.Table, *east.TableHeader, *east.TableRow:
		default:
			out.others = append(out.others, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	return out
}

func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if leaf, ok := n.(*ast.Text); ok && entering {
			part := leaf.Segment.Value(source)
			if n.Parent().Kind() == ast.KindCodeSpan {
				part = bytes.ReplaceAll(part, []byte(`\|`), []byte("|")) // GFM, "Tables (extension)"
			}
			b.Write(part)
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
