package mapedit

import "github.com/addressmap/addressmap/plugin/mapfile"

// inFlow returns the splices that insert into the brackets that open at an offset. It
// reports false if they do not close.
func (e *editor) inFlow(c change, open int) ([]splice, bool) {
	end, shut, ok := closing(e.data, open)
	if !ok {
		return nil, false
	}
	f := flow{json: e.look.json, narrow: e.look.narrow, unit: e.look.unit, br: e.look.br}
	n := c.to.Len()
	if n == 0 {
		return e.inEmpty(c, f, open), true
	}
	step := 1 // from one item to the next among the children
	if c.item == nil {
		step = 2
	}
	lastAt := c.to.Child(n - step).Offset()
	f.open = e.inLines(c, c.to.Child(n-step))
	_, ownLine := indentAt(e.data, lastAt)
	indent := indentOf(e.data, lastAt)
	text := e.added(c, f, indent)
	comma := splice{at: end, text: ","}
	if e.data[end-1] == ',' {
		comma.text = ""
	}
	switch {
	case ownLine:
		// A comment behind the last item stays there.
		at := end
		if eol := lineEnd(e.data, end); eol < shut {
			at = eol
		}
		return []splice{comma, {at: at, text: f.br + indent + text}}, true
	case f.narrow:
		return []splice{{at: end, text: comma.text + text}}, true
	}
	return []splice{{at: end, text: comma.text + " " + text}}, true
}

// inLines reports whether a collection of several lines should be added: in JSON, where
// the last item has its keys in lines, or the last key is in a line of its own.
func (e *editor) inLines(c change, last mapfile.Tree) bool {
	if c.item != nil && last.Len() > 0 {
		last = last.Child(0)
	}
	_, ownLine := indentAt(e.data, last.Offset())
	return ownLine && e.look.unit != ""
}

// inEmpty inserts into empty brackets: in lines, if the document is JSON in lines.
func (e *editor) inEmpty(c change, f flow, open int) []splice {
	if f.unit == "" {
		return []splice{{at: open + 1, text: e.added(c, f, "")}}
	}
	f.open = true
	indent := indentOf(e.data, open)
	return []splice{{at: open + 1, text: f.br + indent + f.unit + e.added(c, f, indent+f.unit) + f.br + indent}}
}

// added returns the text of what the change adds.
func (e *editor) added(c change, f flow, indent string) string {
	if c.item != nil {
		return f.print(c.item, indent)
	}
	text := ""
	for i, field := range c.fields {
		switch {
		case i == 0:
		case f.open:
			text += "," + f.br + indent
		case f.narrow:
			text += ","
		default:
			text += ", "
		}
		text += f.field(field, indent)
	}
	return text
}

// closing returns where the brackets that open at an offset close, and the end of what
// stands last within them. It reads as much of YAML as it takes to tell brackets from
// the texts and comments that hold brackets.
func closing(data []byte, open int) (end, shut int, ok bool) {
	depth, end := 0, open
	valueMayStart := true // A quote begins a text only here.
	for i := open; i < len(data); i++ {
		switch c := data[i]; {
		case isSpace(c):
			continue
		case c == '#' && (valueMayStart || isSpace(data[i-1])):
			i = lineEnd(data, i) - 1
			continue
		case valueMayStart && (c == '&' || c == '!'):
			for i+1 < len(data) && !isSpace(data[i+1]) {
				i++
			}
		case valueMayStart && (c == '"' || c == '\''):
			i += quotedLen(data[i:]) - 1
			valueMayStart = false
		case c == '[' || c == '{':
			depth++
			valueMayStart = true
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return end, i, true
			}
			valueMayStart = false
		default:
			valueMayStart = c == ',' || c == ':'
		}
		end = i + 1
	}
	return 0, 0, false
}

// quotedLen returns the length of the text in quotes at the head of data.
func quotedLen(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch {
		case data[i] == '\\' && data[0] == '"':
			i++
		case data[i] != data[0]:
		case data[0] == '\'' && i+1 < len(data) && data[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return len(data)
}
