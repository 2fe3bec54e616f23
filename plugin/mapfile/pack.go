package mapfile

import (
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// pack puts the texts that outlast the document, as the names of zones do, into one,
// in which they stand one after the other: a hundred thousand small ones are as many
// things that the collector of garbage has to look at each time.
func (d *Document) pack() {
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

// eachText replaces each of the texts by what f makes of it.
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
