package mapedit

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"path"
	"slices"
	"time"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// AddDrains returns the text of a file of drains with entries more, behind those that are
// there. Every other octet stays. A text without a value gets them as its only ones, in
// JSON if the name ends in ".json". Any other text must be a legal file of drains.
func AddDrains(name string, data []byte, add []drain.Drain) ([]byte, error) {
	f, err := readDrains(name, data)
	if err != nil {
		return nil, err
	}
	for _, d := range add {
		want := append(slices.Clone(f.drains), d)
		text, ok := f.first(want, f.added(d))
		if !ok {
			return nil, f.refusal("add", d)
		}
		if f, err = readDrains(name, text); err != nil {
			return nil, err
		}
	}
	return f.data, nil
}

// ReplaceDrain returns the text of a file of drains with another entry in the place of
// that of the number i, or without the entry if by is nil. Every octet of other entries
// stays.
func ReplaceDrain(name string, data []byte, i int, by *drain.Drain) ([]byte, error) {
	f, err := readDrains(name, data)
	if err != nil {
		return nil, err
	}
	want := slices.Delete(slices.Clone(f.drains), i, i+1)
	if by != nil {
		want = slices.Insert(want, i, *by)
	}
	text, ok := f.first(want, f.replaced(i, by))
	if !ok {
		return nil, f.refusal("change", f.drains[i])
	}
	return text, nil
}

// drainFile is a file of drains that is edited.
type drainFile struct {
	editor
	drains []drain.Drain
	list   mapfile.Tree // missing if the text has no value
}

func readDrains(name string, data []byte) (*drainFile, error) {
	root, errs := mapfile.ReadTree(name, data)
	f := &drainFile{editor: editor{name: name, data: data, root: root}}
	if len(errs) == 0 && !root.IsMissing() {
		f.drains, errs = drain.Parse(name, data)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("the file of drains must be legal before it is changed:\n%w", errs)
	}
	if root.IsMissing() {
		f.look = look{json: path.Ext(name) == ".json", unit: "  ", br: "\n", item: 2, dash: 2}
		return f, nil
	}
	f.list, f.look = root.Get("drains"), lookOf(root, data)
	return f, nil
}

// first returns the first of the texts that means what is wanted.
func (f *drainFile) first(want []drain.Drain, texts iter.Seq[[]byte]) ([]byte, bool) {
	for text := range texts {
		if is, errs := drain.Parse(f.name, text); len(errs) == 0 && slices.EqualFunc(is, want, sameDrain) {
			return text, true
		}
	}
	// Without comments, nothing is lost if all is written anew.
	if f.look.json || !bytes.Contains(f.data, []byte("#")) {
		return f.anew(want), true
	}
	return nil, false
}

func sameDrain(a, b drain.Drain) bool {
	return slices.Equal(a.Addresses, b.Addresses) && a.Site == b.Site && a.Map == b.Map && a.Reason == b.Reason && a.By == b.By &&
		a.Since.Equal(b.Since) && a.Until.Equal(b.Until)
}

// added returns the ways to write one entry more.
func (f *drainFile) added(d drain.Drain) iter.Seq[[]byte] {
	entry := drainMapping(d)
	return func(yield func([]byte) bool) {
		switch {
		case f.look.json:
		case f.list.IsMissing():
			yield(append(withLineBreak(f.data), f.anew([]drain.Drain{d})...))
			return
		case f.list.Len() == 0: // []
			open := f.start(f.list)
			if _, shut, ok := closing(f.data, open); ok {
				behind := bytes.TrimRight(f.data[shut+1:lineEnd(f.data, shut)], " ")
				lines := f.look.br + f.block().listItem(entry, f.look.item)
				if !yield(slices.Concat(bytes.TrimRight(f.data[:open], " "), behind, []byte(lines), f.data[nextLine(f.data, shut):])) {
					return
				}
			}
		}
		if f.look.json && f.list.Len() == 0 {
			return
		}
		for splices := range f.places(change{to: f.list, item: entry}) {
			if !yield(spliced(f.data, splices)) {
				return
			}
		}
	}
}

// replaced returns the ways to write another entry in the place of one. Where an entry of a
// list in lines ends, the positions do not tell: any end of a line may be it.
func (f *drainFile) replaced(i int, by *drain.Drain) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		item, list := f.list.Child(i), f.start(f.list)
		if f.data[list] == '[' && !f.look.json {
			for _, text := range f.replacedInBrackets(i, by) {
				if !yield(text) {
					return
				}
			}
			return
		}
		dash := lineStart(f.data, item.Offset()) + column(f.data, list)
		if f.data[list] != '-' || f.data[dash] != '-' {
			return
		}
		before, lines := f.data[:lineStart(f.data, dash)], ""
		switch {
		case by != nil:
			lines = f.block().listItem(drainMapping(*by), column(f.data, list))
		case f.list.Len() == 1:
			key := f.root.Child(0).Offset()
			colon := key + bytes.IndexByte(f.data[key:], ':') + 1
			before = slices.Concat(f.data[:colon], []byte(" []"), f.data[colon:len(before)])
		}
		at := f.lastValue(item, f.start(item))
		for range maxPlaces {
			at = nextLine(f.data, at)
			if !yield(slices.Concat(before, []byte(lines), f.data[at:])) || at == len(f.data) {
				return
			}
		}
	}
}

// replacedInBrackets is replaced of a list in brackets. Which comma goes with an entry is
// tried out: a comment may be behind it.
func (f *drainFile) replacedInBrackets(i int, by *drain.Drain) [][]byte {
	const between = " \t\r\n,"
	item := f.list.Child(i)
	_, shut, ok := closing(f.data, f.start(item))
	if !ok {
		return nil
	}
	before, behind := f.data[:item.Offset()], f.data[shut+1:]
	if by != nil {
		return [][]byte{slices.Concat(before, []byte(flow{}.print(drainMapping(*by), "")), behind)}
	}
	comma := slices.Concat(before, bytes.TrimLeft(behind, " ,"))
	if i == f.list.Len()-1 {
		return [][]byte{slices.Concat(bytes.TrimRight(before, between), behind), comma}
	}
	return [][]byte{comma}
}

func (f *drainFile) block() block { return block{item: f.look.item, dash: f.look.dash, br: f.look.br} }

// anew returns the text of a file with these entries alone.
func (f *drainFile) anew(drains []drain.Drain) []byte {
	entries := make([]mapping, len(drains))
	for i, d := range drains {
		entries[i] = drainMapping(d)
	}
	file := mapping{{"drains", entries}}
	switch {
	case f.look.json:
		return []byte(flow{json: true, open: true, unit: cmp.Or(f.look.unit, "  "), br: f.look.br}.print(file, "") + f.look.br)
	case len(drains) == 0:
		return []byte("drains: []" + f.look.br)
	}
	return []byte(f.block().fields(file, 0))
}

// drainMapping is an entry as it is written.
func drainMapping(d drain.Drain) mapping {
	var m mapping
	add := func(key, value string) {
		if value != "" {
			m = append(m, field{key, value})
		}
	}
	if len(d.Addresses) > 0 {
		m = append(m, field{"addresses", drain.Texts(d.Addresses)})
	}
	add("site", d.Site)
	add("map", d.Map)
	add("reason", d.Reason)
	add("by", d.By)
	if !d.Since.IsZero() {
		add("since", d.Since.UTC().Format(time.RFC3339Nano))
	}
	add("until", d.Until.UTC().Format(time.RFC3339Nano))
	return m
}

// refusal is the error about a change for which there is no place.
func (f *drainFile) refusal(verb string, d drain.Drain) error {
	return fmt.Errorf("%s: the entry %w: %s it yourself: %s", f.name, ErrRefused, verb, flow{}.print(drainMapping(d), ""))
}
