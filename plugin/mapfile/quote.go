package mapfile

import (
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/addressmap/addressmap/plugin/printable"
)

// quoter is the text of a document with an index of its lines. The index is made for
// the first error: an accepted document needs none.
type quoter struct {
	data []byte

	once  sync.Once
	lines []int32 // offset of the first byte of each line
	runes []int32 // number of characters that start before each chunk of chunkSize bytes
}

// chunkSize is how many bytes are counted character by character to compute a column,
// so that a document of one line of 30 MB costs no more than others.
const chunkSize = 4096

// maxQuoted is the longest piece of a line an error quotes, in characters: a
// document of one long line must not fill the log.
const maxQuoted = 120

// lineBreak returns the length of the line break at the head of b, or 0. It knows the
// line breaks of the YAML library, so that both number lines alike.
func lineBreak(b []byte) int {
	switch {
	case b[0] == '\n':
		return 1
	case b[0] == '\r':
		if len(b) > 1 && b[1] == '\n' {
			return 2
		}
		return 1
	case b[0] == 0xc2 && len(b) > 1 && b[1] == 0x85: // U+0085, next line
		return 2
	case b[0] == 0xe2 && len(b) > 2 && b[1] == 0x80 && b[2]&^1 == 0xa8: // U+2028 and U+2029
		return 3
	}
	return 0
}

// startsRune reports whether c is the first byte of a character in UTF-8.
func startsRune(c byte) bool { return c&0xc0 != 0x80 }

// index fills lines and runes.
func (q *quoter) index() {
	q.lines = append(q.lines, 0)
	n := int32(0)
	for i, c := range q.data {
		if i%chunkSize == 0 {
			q.runes = append(q.runes, n)
		}
		if startsRune(c) {
			n++
		}
		if c > '\r' && c < 0x80 {
			continue // Nearly every byte is no line break.
		}
		if l := lineBreak(q.data[i:]); l > 0 && (c != '\n' || i == 0 || q.data[i-1] != '\r') {
			q.lines = append(q.lines, int32(i+l))
		}
	}
}

// runesBefore returns how many characters start before offset off.
func (q *quoter) runesBefore(off int) int {
	if len(q.runes) == 0 {
		return 0
	}
	chunk := min(off/chunkSize, len(q.runes)-1)
	n := int(q.runes[chunk])
	for _, c := range q.data[chunk*chunkSize : off] {
		if startsRune(c) {
			n++
		}
	}
	return n
}

// offset is the offset of the character before which n characters start, or of the
// end.
func (q *quoter) offset(n int) int {
	chunk := sort.Search(len(q.runes), func(i int) bool { return int(q.runes[i]) > n }) - 1
	if chunk < 0 {
		return 0
	}
	n -= int(q.runes[chunk])
	for i := chunk * chunkSize; i < len(q.data); i++ {
		if startsRune(q.data[i]) {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return len(q.data)
}

// position returns the position of the byte at offset off, which may be the end.
func (q *quoter) position(off int) Pos {
	q.once.Do(q.index)
	off = min(max(off, 0), len(q.data))
	line := sort.Search(len(q.lines), func(i int) bool { return int(q.lines[i]) > off })
	start := int(q.lines[line-1])
	return Pos{Line: int32(line), Col: int32(q.runesBefore(off) - q.runesBefore(start) + 1)}
}

// line returns where line n, which exists, starts and ends, without its line break.
func (q *quoter) line(n int32) (start, end int) {
	start, end = int(q.lines[n-1]), len(q.data)
	if int(n) < len(q.lines) {
		end = int(q.lines[n])
	}
	for end > start {
		last := q.runesBack(end, 1, start)
		if lineBreak(q.data[last:]) == 0 {
			break
		}
		end = last
	}
	return start, end
}

// lineText returns line n without its line break, "" past the end.
func (q *quoter) lineText(n int32) string {
	q.once.Do(q.index)
	if int(n) > len(q.lines) {
		return ""
	}
	start, end := q.line(n)
	return string(q.data[start:end])
}

// offsetOf returns the offset of pos, or of the end of its line or the document.
func (q *quoter) offsetOf(pos Pos) int {
	q.once.Do(q.index)
	if pos.Line < 1 {
		return 0
	}
	if int(pos.Line) > len(q.lines) {
		return len(q.data)
	}
	start, end := q.line(pos.Line)
	return min(end, q.offset(q.runesBefore(start)+max(0, int(pos.Col)-1)))
}

// quote returns the line of pos, or the part of a long line around pos, and the column
// of pos in the returned text. Outside the document it returns "".
func (q *quoter) quote(pos Pos) (string, int) {
	q.once.Do(q.index)
	if pos.Line < 1 || int(pos.Line) > len(q.lines) {
		return "", 0
	}
	start, end := q.line(pos.Line)
	at := q.offsetOf(pos)
	from := q.runesBack(at, maxQuoted/2, start)
	to := q.runesForth(from, maxQuoted, end)
	from = q.runesBack(to, maxQuoted, start)

	before := printable.Line(string(q.data[from:at]))
	line, caret := before+printable.Line(string(q.data[at:to])), utf8.RuneCountInString(before)+1
	if from > start {
		line, caret = "…"+line, caret+1
	}
	if to < end {
		line += "…"
	}
	return line, caret
}

// runesBack returns the offset n characters before off, but not before limit.
func (q *quoter) runesBack(off, n, limit int) int {
	for ; n > 0 && off > limit; n-- {
		_, size := utf8.DecodeLastRune(q.data[limit:off])
		off -= size
	}
	return off
}

// runesForth returns the offset n characters after off, but not after limit.
func (q *quoter) runesForth(off, n, limit int) int {
	for ; n > 0 && off < limit; n-- {
		_, size := utf8.DecodeRune(q.data[off:limit])
		off += size
	}
	return off
}

// pad is the white space that puts a caret under column col of line. Tabs stay tabs,
// so that the caret lines up at any tab width.
func pad(line string, col int) string {
	var b strings.Builder
	for _, r := range line {
		if col--; col <= 0 {
			break
		}
		switch k := width.LookupRune(r).Kind(); {
		case r == '\t':
			b.WriteByte('\t')
		case unicode.In(r, unicode.Mn, unicode.Me): // stands over the character before it
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
