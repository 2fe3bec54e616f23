package mapfile

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// oddPieces is documents that are read in pieces, though not all is plain in them.
var oddPieces = []string{
	"accounts:\n- id: a\n- id: b\n",
	"--- # map\nversion: 1\naccounts: # all\n\n  # the first\n  - id: a\n    name: x\n\n  -\n    id: b\n",
	"accounts:\n  - id: a\n    name: |\n      x\n  - id: b\n    name: >+\n      - y\n\n\n  - id: c\n",
	"accounts:\n- |\n - x\n- |2\n   - y\n- id: c\n",
	"!!map\naccounts:\n- id: a\n- !!map\n  id: b\n",
	"accounts:\n- - id: a\n  - id: b\n- - - id: c\n",
	"accounts:\n - id: a\n # b\n#c\n - id: b\n # d\n",
	"accounts:\n- id: a\n  name: 'x'\n  zones:\n  - name: example.org\n- id: b # y\n",
	"<<: {anycast: []}\naccounts:\n- <<: {id: a}\n- id: b\n",
}

// oddWholes is documents in which what looks like an item is none, or is not what it
// looks like by itself.
var oddWholes = []string{
	"accounts:\n  - id: \"a\n  - id: b\"\n  - id: c\n",
	"accounts:\n  - id: 'a\n\n  - id: b'\n  - id: c\n",
	"accounts:\n  - id: a\n    name: x\n      y\n   - z\n  - id: b\n",
	"accounts:\n  - {id: a,\n  - id: b}\n  - id: c\n",
	"accounts:\n  - &a {id: a}\n  - *a\n  - &a {id: b}\n  - *a\n",
	"x: &a [b]\naccounts:\n  - id: a\n  - static_ips: *a\n",
	"accounts:\n  - id: a\n  - id: b\nanycast: [192.0.2.1]\n",
	"accounts:\n  - id: a\n  - id: b\n---\naccounts:\n",
	"accounts:\n- id: a\n- id: b\n...\n- id: c\n",
	"anycast:\n  accounts:\n    - id: a\n    - id: b\n",
	"anycast: \"\naccounts:\n- id: a\n- id: b\n\"\n",
	"accounts: x\naccounts:\n- id: a\n- id: b\n",
	"accounts: []\naccounts:\n- id: a\n- id: b\n",
	"success: true\nresult: []\naccounts:\n- id: a\n- id: b\n",
	"? accounts:\n- id: a\n- id: b\n",
	"?\n accounts:\n - id: a\n -\n",
	"%TAG ! tag:yaml.org,2002:\n---\naccounts:\n- !map\n  id: a\n- !map {id: b}\n",
	"accounts:\n- id: a\r\n- id: b\r- id: c\n- id: d\n",
	"accounts:\n- id: a\u2028- id: b\n- id: c\u0085- id: d\n",
	"accounts:\n-\tid: a\n- id: b\n",
	"accounts:\n- id: a\n\t\n- id: b\n",
	"accounts:\naccounts:\n- id: a\n- id: b\n",
	"\ufeffaccounts:\n- id: a\n- id: b\n",
	"accounts:\n- id: a\n- \ufeffid: b\n",
	"accounts:\n-  a a\n- \ufeff\n-",
}

// FuzzPieces holds that a document that is read in pieces, however small, says what
// it says as a whole, and at the same places.
func FuzzPieces(f *testing.F) {
	for _, s := range allSamples(f) {
		f.Add(s.data)
	}
	for _, s := range slices.Concat(oddPieces, oddWholes) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { samePieces(t, data) })
}

// samePieces reports whether data was read in pieces.
func samePieces(t *testing.T, data []byte) bool {
	t.Helper()
	whole := &Document{Name: "m", text: &quoter{data: data}}
	if checkText(whole) != nil {
		return false
	}
	inPieces, errs, ok := parsePieces("m", data, 1)
	if !ok {
		return false
	}
	whole, wholeErrs := parseWhole(whole)
	if !reflect.DeepEqual(errs, wholeErrs) {
		t.Fatalf("in pieces: %v\nas a whole: %v", errs, wholeErrs)
	}
	inPieces.text, whole.text = nil, nil
	if !reflect.DeepEqual(inPieces, whole) {
		t.Fatalf("in pieces: %+v\nas a whole: %+v", inPieces, whole)
	}
	return true
}

// TestPieces_SayWhatTheWholeSays: of the odd documents, those are read in pieces that
// can be, and no others.
func TestPieces_SayWhatTheWholeSays(t *testing.T) {
	for want, list := range map[bool][]string{true: oddPieces, false: oddWholes} {
		for _, s := range list {
			if got := samePieces(t, []byte(s)); got != want {
				t.Errorf("read in pieces: %t, want %t: %q", got, want, s)
			}
		}
	}
}

// TestV1_PlaceInALargeDocument: places count from the beginning of the document, and a
// mistake in the last piece is found as in the first.
func TestV1_PlaceInALargeDocument(t *testing.T) {
	data := bytes.Replace(bigYAML(5_000), []byte("account-000499"), []byte("[]"), 1)
	p, ok := cutPieces(data, pieceSize)
	if !ok || len(p.items) < 10 {
		t.Fatalf("the document is cut into %d pieces", len(p.items))
	}
	if !samePieces(t, data) {
		t.Error("the document is not read in pieces")
	}
	doc, errs := Parse("m", data)
	if len(errs) != 1 || errs[0].Pos.Line != int32(bytes.Count(data[:bytes.Index(data, []byte("id: []"))], []byte("\n"))+1) {
		t.Errorf("got %v", errs)
	}
	if n := len(doc.Accounts); n != 500 {
		t.Errorf("%d accounts", n)
	}
}

// TestV1_MistakeInAPiece: a text that is no YAML has the same error as in a small
// document.
func TestV1_MistakeInAPiece(t *testing.T) {
	data := bytes.Replace(bigYAML(5_000), []byte("id: account-000250"), []byte("id: \"account"), 1)
	doc, errs := Parse("m", data)
	whole, wholeErrs := parseWhole(&Document{Name: "m", text: &quoter{data: data}})
	if doc != nil || whole != nil || len(errs) != 1 || !reflect.DeepEqual(errs, wholeErrs) {
		t.Errorf("got %v, want %v", errs, wholeErrs)
	}
}

// TestV1_AliasesOfAllPieces: one alias in any piece refuses the document, with its
// place in the whole.
func TestV1_AliasesOfAllPieces(t *testing.T) {
	var data []byte
	data = append(data, "accounts:\n"...)
	for i := range 10_000 {
		data = fmt.Appendf(data, "- id: &id%d a%d\n", i, i)
	}
	data = append(data, "- id: *id9999\n"...)
	if p, ok := cutPieces(data, pieceSize); !ok || len(p.items) < 2 {
		t.Fatal("the document is not cut")
	}
	if doc, errs := Parse("m", data); doc != nil || len(errs) != 1 || errs[0].Pos != (Pos{10_002, 7}) || !strings.HasPrefix(errs[0].Text, "YAML aliases are refused") {
		t.Errorf("got %.300v", errs)
	}
}

// TestV1_DepthOfPieces: a piece may nest as deeply as it may in its document.
func TestV1_DepthOfPieces(t *testing.T) {
	inPieces := 0
	for depth := range maxDepth + 3 {
		nested := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		if samePieces(t, []byte("accounts:\n- id: a\n- name: "+nested+"\n")) {
			inPieces++
		}
	}
	if inPieces != maxDepth { // Deeper than that, the document is refused.
		t.Errorf("%d depths are read in pieces", inPieces)
	}
}
