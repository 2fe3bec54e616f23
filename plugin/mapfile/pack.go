package mapfile

import (
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// packTexts makes the strings that outlast the document, such as zone names, parts of
// one string: a hundred thousand small strings are as many objects for each run of the
// garbage collector.
func (d *Document) packTexts() {
	size := 0
	d.eachText(func(s string) string { size += len(s); return s })
	var all strings.Builder
	all.Grow(size)
	d.eachText(func(s string) string { all.WriteString(s); return s })
	rest := all.String()
	d.eachText(func(s string) string {
		s, rest = rest[:len(s)], rest[len(s):]
		return s
	})
}

// eachText replaces each of the strings by the result of f.
func (d *Document) eachText(f func(string) string) {
	for i := range d.Accounts {
		a := &d.Accounts[i]
		a.ID = f(a.ID)
		for j := range a.Zones {
			a.Zones[j].Name = fqdn.Name(f(string(a.Zones[j].Name)))
		}
		for j := range a.Maps {
			a.Maps[j].ID = f(a.Maps[j].ID)
		}
		for j := range a.Spectrum {
			a.Spectrum[j].Name = fqdn.Name(f(string(a.Spectrum[j].Name)))
		}
	}
}
