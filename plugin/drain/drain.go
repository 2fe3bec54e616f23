// Package drain reads files of drains: facts of the hour that take addresses out of
// answers, as if their prefix were withdrawn. A drain only ever takes addresses away,
// and ends by itself. What it does to an address map is the business of plugin/mapset.
package drain

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// MaxFile is the size of the largest file of drains that is read, in bytes: as much as etcd
// takes under one key.
const MaxFile = 1 << 20

// Drain is one entry of a file. Exactly one of Addresses, Site and Map is set.
type Drain struct {
	Source    string         // file and line, for the log
	Addresses []netip.Prefix // masked; a single address has its full length
	Site      string         // the anycast addresses of that site
	Map       string         // the address map of that id
	Reason    string
	By        string    // "" if nobody is named
	Since     time.Time // zero: always
	Until     time.Time
}

// InForce reports whether the drain is in force at a time.
func (d *Drain) InForce(at time.Time) bool { return !at.Before(d.Since) && at.Before(d.Until) }

// InForce returns those of the drains that are in force at a time, in their order. It is
// nil if none is.
func InForce(drains []Drain, at time.Time) []Drain {
	var out []Drain
	for _, d := range drains {
		if d.InForce(at) {
			out = append(out, d)
		}
	}
	return out
}

// String says what is drained, why and by whom, for the log.
func (d Drain) String() string {
	what := "site " + d.Site
	switch {
	case d.Map != "":
		what = "map " + d.Map
	case d.Site == "":
		const shown = 5
		first := Texts(d.Addresses[:min(shown, len(d.Addresses))])
		if what = strings.Join(first, ", "); len(d.Addresses) > shown {
			what += fmt.Sprintf(" and %d more", len(d.Addresses)-shown)
		}
	}
	by := ""
	if d.By != "" {
		by = fmt.Sprintf(", by %q", d.By)
	}
	return fmt.Sprintf("%s, reason %q%s", what, d.Reason, by)
}

// Texts returns prefixes as people write them: an address without its length.
func Texts(space []netip.Prefix) []string {
	out := make([]string, len(space))
	for i, p := range space {
		if out[i] = p.String(); p.IsSingleIP() {
			out[i] = p.Addr().String()
		}
	}
	return out
}
