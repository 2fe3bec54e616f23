package mapfile

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// at makes the error about a place of a document.
func at(data string, pos Pos) *Error {
	return (&Document{Name: "m", text: &quoter{data: []byte(data)}}).Errorf(pos, "V1", "mend it", "wrong")
}

func TestCaretStandsUnderThePlace(t *testing.T) {
	for _, c := range []struct {
		name, data string
		pos        Pos
		line       string // as printed
		pad        string // before the caret
	}{
		{"first character", "id: x\n", Pos{1, 1}, "id: x", ""},
		{"end of the line", "id: x\n", Pos{1, 6}, "id: x", "     "},
		{"past the end of the line", "id: x\nname: y\n", Pos{1, 40}, "id: x", "     "},
		{"last line without a break", "a: b\nid: x", Pos{2, 5}, "id: x", "    "},
		{"letters of two bytes", "née: x", Pos{1, 6}, "née: x", "     "},
		{"wide letters", "名前: x", Pos{1, 5}, "名前: x", "      "},
		{"fullwidth letters", "ａ: x", Pos{1, 4}, "ａ: x", "    "},
		{"a picture", "😀: x", Pos{1, 4}, "😀: x", "    "},
		{"combining accent", "ne\u0301e: x", Pos{1, 7}, "ne\u0301e: x", "     "},
		{"tabs stay tabs", "\tid:\tx", Pos{1, 6}, "\tid:\tx", "\t   \t"},
		{"carriage return and line feed", "a: b\r\nid: x\r\n", Pos{2, 5}, "id: x", "    "},
		{"carriage return", "a: b\rid: x\r", Pos{2, 5}, "id: x", "    "},
		{"next line, line separator", "a: b\u0085c: d\u2028id: x\u2029", Pos{3, 5}, "id: x", "    "},
		{"what would steer a terminal", "a: \x1b[2J\u202ex", Pos{1, 9}, `a: \x1b[2J\u202ex`, strings.Repeat(" ", 16)},
		{"empty line", "a: b\n\nc: d\n", Pos{2, 1}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := fmt.Sprintf("m:%d:%d: V1: wrong\n    %s\n    %s^\n  remedy: mend it", c.pos.Line, c.pos.Col, c.line, c.pad)
			if c.line == "" {
				want = fmt.Sprintf("m:%d:%d: V1: wrong\n  remedy: mend it", c.pos.Line, c.pos.Col)
			}
			if got := at(c.data, c.pos).Error(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestLongLineIsCut: the caret stands under the same character, and there is a
// mark where something was left out.
func TestLongLineIsCut(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		b.WriteRune('一' + rune(i)) // All different, all wide.
	}
	line := []rune(b.String())
	for _, col := range []int{1, 2, 60, 61, 62, 1000, 2939, 2940, 2999, 3000, 3001} {
		e := at("first\n"+string(line)+"\nlast", Pos{2, int32(col)})
		shown := []rune(strings.Trim(e.Line, "…"))
		if len(shown) != maxQuoted {
			t.Errorf("column %d: %d characters are quoted", col, len(shown))
		}
		if left := shown[0] != line[0]; left != strings.HasPrefix(e.Line, "…") {
			t.Errorf("column %d: the mark on the left is wrong: %s", col, e.Line)
		}
		if right := shown[len(shown)-1] != line[len(line)-1]; right != strings.HasSuffix(e.Line, "…") {
			t.Errorf("column %d: the mark on the right is wrong: %s", col, e.Line)
		}
		if col <= len(line) {
			if under := []rune(e.Line)[e.caret-1]; under != line[col-1] {
				t.Errorf("column %d: the caret stands under %c, not %c", col, under, line[col-1])
			}
		} else if e.caret != len([]rune(e.Line))+1 {
			t.Errorf("column %d: the caret stands at %d", col, e.caret)
		}
	}
}

// TestNoPlaceNoQuote: a place outside the document has no line, and counts as
// its start or end.
func TestNoPlaceNoQuote(t *testing.T) {
	const data = "a: b\nc: d"
	for pos, want := range map[Pos]int{{}: 0, {0, 5}: 0, {3, 1}: len(data), {1 << 30, 1}: len(data)} {
		if e := at(data, pos); e.Line != "" {
			t.Errorf("%v: %q", pos, e.Line)
		}
		if off := (&quoter{data: []byte(data)}).offsetOf(pos); off != want {
			t.Errorf("%v: offset %d, want %d", pos, off, want)
		}
	}
	if got := (&Document{Name: "m"}).Errorf(Pos{}, "", "", "a warning").Error(); got != "m: a warning" {
		t.Errorf("got %q", got)
	}
}

// TestIndexAgainstCounting compares the index with counting from the start, on
// random text longer than several of its chunks.
func TestIndexAgainstCounting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var b strings.Builder
		for b.Len() < 3*chunkSize {
			words := []string{"a", "é", "名", "😀", "\n", "\r", "\r\n", "\u0085", "\u2028", strings.Repeat("x", r.IntN(700)), strings.Repeat("名", r.IntN(700))}
			b.WriteString(words[r.IntN(len(words))])
		}
		text := b.String()
		lines := splitLines(text)
		q := &quoter{data: []byte(text)}
		for off := range text {
			if off%97 != 0 && !strings.ContainsRune("\r\n", rune(text[off])) {
				continue
			}
			before := splitLines(text[:off])
			if off > 0 && text[off-1] == '\r' && text[off] == '\n' {
				continue // Within a line break.
			}
			last := before[len(before)-1]
			want := Pos{int32(len(before)), int32(utf8.RuneCountInString(last) + 1)}
			if got := q.position(off); got != want {
				t.Fatalf("offset %d: place %v, want %v", off, got, want)
			}
			if got := q.offsetOf(want); got != off {
				t.Fatalf("%v: offset %d, want %d", want, got, off)
			}
			if line, _ := q.quote(want); utf8.RuneCountInString(lines[want.Line-1]) <= maxQuoted && line != lines[want.Line-1] {
				t.Fatalf("%v: line %q, want %q", want, line, lines[want.Line-1])
			}
		}
	}
}

// TestLinesAreThoseOfTheLibrary: the YAML library counts lines and columns of
// its own; the index has to agree, or every quote would be of another line.
func TestLinesAreThoseOfTheLibrary(t *testing.T) {
	for _, br := range []string{"\n", "\r", "\r\n", "\n\n", " # comment\n", " # é名😀\r\n"} {
		data := "anycast: []" + br + "accounts: []" + br + "été: 1\n"
		_, errs := Parse("m", []byte(data))
		if len(errs) != 1 || errs[0].Line != "été: 1" || errs[0].Pos.Col != 1 {
			t.Errorf("%q: %v", data, errs)
		}
	}
	// Within quotes and comments, the other breaks of YAML 1.1 as well.
	for _, br := range []string{"\u0085", "\u2028", "\u2029"} {
		data := "# a" + br + "# b\n" + `accounts: [{id: "x` + br + `y", "été": 1}]` + "\n"
		_, errs := Parse("m", []byte(data))
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Line, `y", "été"`) {
			t.Errorf("%q: %v", data, errs)
		}
	}
	for _, br := range []string{"\n", "\r", "\r\n", "\n\n"} {
		data := `{"accounts":` + br + `[],` + br + `"名": "é", "été": 1}`
		_, errs := Parse("m", []byte(data))
		if len(errs) != 2 || errs[1].Pos.Col != 11 || !strings.HasPrefix(errs[1].Line, `"名"`) {
			t.Errorf("%q: %v", data, errs)
		}
	}
}

// TestErrorfFromManyGoroutines is for the race detector.
func TestErrorfFromManyGoroutines(t *testing.T) {
	doc, _ := Parse("m", []byte("anycast: []\naccounts: []\n"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if e := doc.Errorf(Pos{2, 1}, "V4", "", "x"); e.Line != "accounts: []" {
				t.Errorf("line %q", e.Line)
			}
		})
	}
	wg.Wait()
}
