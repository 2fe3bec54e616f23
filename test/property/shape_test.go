package property

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// shape is how the Corefile of a world looks.
type shape struct {
	blocks    [][]string // zones of each server block
	acting    [][]string // zones of the directive in each block; none: the block has no directive
	front     string     // a plugin before addressmap, or ""
	perFamily bool       // missing_family next
	https     bool
	site      bool   // the servers stand at the site that the map calls here
	transfer  string // which mode, as the Corefile has it
	presence  string // so short that it ends while the questions are asked, default, or off
}

// The layouts, each block on a line of its own: zone, or zone not acted for if
// it starts with "-".
var layouts = [][]string{
	{"one.test."},
	{"one.test. two.test."},
	{"one.test. sub.one.test."},
	{"one.test. sub.one.test. two.test."},
	{"one.test.", "two.test."},
	{"one.test.", "sub.one.test."},
	{"one.test. two.test.", "deep.sub.one.test. sub.one.test."},
	{"one.test. -two.test."},
	{"one.test.", "-two.test."},
}

const mapTTL = 77

func newShape(w *world) shape {
	s := shape{
		front:     []string{"", "", "", "cache", "dnssec", "loadbalance"}[w.IntN(6)],
		perFamily: w.chance(1, 4),
		https:     w.chance(1, 3),
		transfer:  []string{"mapped", "mapped", "mapped", "origin", "refuse"}[w.IntN(5)],
	}
	for _, line := range layouts[w.IntN(len(layouts))] {
		var zones, acting []string
		for _, field := range strings.Fields(line) {
			apex, not := strings.CutPrefix(field, "-")
			zones = append(zones, apex)
			if !not {
				acting = append(acting, apex)
			}
		}
		s.blocks, s.acting = append(s.blocks, zones), append(s.acting, acting)
	}
	s.site = w.chance(1, 4)
	s.presence = []string{"off", "1ms", "5s"}[w.IntN(3)]
	return s
}

func (s *shape) apexes() []string {
	var out []string
	for _, zones := range s.blocks {
		out = append(out, zones...)
	}
	return out
}

// block returns the server block that a question for a name goes to.
func (w *world) block(name string) int {
	z := w.zoneOf(name)
	for i, zones := range w.shape.blocks {
		if z != nil && slices.Contains(zones, z.apex) {
			return i
		}
	}
	return -1
}

// acting reports whether some addressmap acts for a name.
func (w *world) acting(name string) bool {
	for _, zones := range w.shape.acting {
		for _, apex := range zones {
			if dns.IsSubDomain(apex, name) {
				return true
			}
		}
	}
	return false
}

// guarded reports whether there is an addressmap where a question goes to. Where
// there is none, a backend such as forward tells what it likes.
func (w *world) guarded(name string) bool {
	block := w.block(dns.CanonicalName(name))
	return w.backing.tells || block >= 0 && len(w.shape.acting[block]) > 0
}

// actsFor reports whether some addressmap acts for names of a backend's zone.
func (w *world) actsFor(apex string) bool {
	return w.acting(apex) || slices.ContainsFunc(slices.Concat(w.shape.acting...), func(zone string) bool { return dns.IsSubDomain(apex, zone) })
}

// corefile prints the Corefile: with addressmap, or without it for what the
// backend says itself. backend prints the lines of a server block that answer
// for its zones.
func (w *world) corefile(mapped bool, backend func(zones []string) string) string {
	var b strings.Builder
	for i, zones := range w.shape.blocks {
		fmt.Fprintf(&b, "%s {\n    bind 127.0.0.1\n", strings.Join(zones, " "))
		switch w.shape.front {
		case "cache":
			fmt.Fprint(&b, "    cache\n")
		case "loadbalance":
			fmt.Fprint(&b, "    loadbalance\n")
		case "dnssec":
			fmt.Fprintf(&b, "    dnssec %s {\n        key file", strings.Join(zones, " "))
			for _, apex := range zones {
				fmt.Fprintf(&b, " K%s", strings.TrimSuffix(apex, "."))
			}
			fmt.Fprint(&b, "\n    }\n")
		}
		if acting := w.shape.acting[i]; mapped && len(acting) > 0 {
			fmt.Fprintf(&b, "    addressmap map.yaml %s {\n        ttl %d\n        transfer %s\n        reload off\n        presence %s\n", strings.Join(acting, " "), mapTTL, w.shape.transfer, w.shape.presence)
			if w.shape.perFamily {
				fmt.Fprint(&b, "        missing_family next\n")
			}
			if w.shape.site {
				fmt.Fprint(&b, "        site here\n")
			}
			if w.shape.https {
				fmt.Fprint(&b, "        https h2\n")
			}
			fmt.Fprint(&b, "    }\n")
		}
		fmt.Fprintf(&b, "%s}\n", backend(zones))
	}
	return b.String()
}

// fromFiles is the backend that reads the zones' files.
func (w *world) fromFiles(zones []string) string {
	var b strings.Builder
	fmt.Fprint(&b, "    transfer {\n        to *\n    }\n")
	for _, apex := range zones {
		fmt.Fprintf(&b, "    file db.%s %s {\n        reload 0\n    }\n", strings.TrimSuffix(apex, "."), apex)
	}
	return b.String()
}
