package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/printable"
	"github.com/addressmap/addressmap/plugin/who"
)

// How many rows of a kind are shown without --all, so that every answer fits a screen.
const (
	maxShownPlaces   = 5
	maxShownAccounts = 3
	maxShownZones    = 3
)

// writeWho prints who is on an address for people.
func writeWho(out io.Writer, a *asked, all bool) error {
	w := whoWriter{bufio.NewWriter(out), all}
	subject := a.Asked
	if a.Name != "" {
		subject = fmt.Sprintf("%s (%s): besides it", a.Name, addressList(a.Addresses, all))
	}
	n := a.Names
	switch {
	case n.All == 0 && a.Name != "":
		w.line("%s no name is on these addresses alone", subject)
	case n.All == 0:
		w.line("%s: nobody is answered with it", subject)
	case a.Name != "":
		w.line("%s %s on these addresses alone, in %s of %s", subject, are(n.All, "name"), many(n.Zones, "zone"), many(n.Accounts, "account"))
	default:
		w.line("%s: %s in %s of %s", subject, many(n.All, "name"), many(n.Zones, "zone"), many(n.Accounts, "account"))
	}
	if n.Throughout > 0 {
		w.line("  all other names of a zone that is proxied throughout count as one: %d", n.Throughout)
	}
	switch {
	case a.Name != "":
		if more := n.WithOthers + n.OtherFamilyOnly; more > 0 {
			w.line("  %s some of these addresses, and others too", have(more))
		}
	case n.All > 0:
		w.line("  with another address besides: %d; only of the other family: %d; with no other: %d", n.WithOthers, n.OtherFamilyOnly, n.WithoutOthers)
	}
	w.server(a)
	w.space(a.Space)
	if len(a.Places) == 0 {
		w.line("on  nothing: no address map, Spectrum application or anycast has it")
	}
	w.places(a.Places, a.site)
	w.accounts(a.Accounts)
	return w.Flush()
}

// whoWriter writes the parts of an answer, with a limit of rows unless all are wanted.
type whoWriter struct {
	*bufio.Writer
	all bool
}

func (w whoWriter) line(format string, args ...any) {
	_, _ = w.WriteString(printable.Line(fmt.Sprintf(format, args...)) + "\n") // Flush returns the error.
}

// rows returns how many rows of n are shown.
func (w whoWriter) rows(n, most int) int {
	if w.all {
		return n
	}
	return min(n, most)
}

// more says how many rows are not shown.
func (w whoWriter) more(indent string, n int, what string) {
	if n > 0 {
		w.line("%s… and %d more %s (--all)", indent, n, what)
	}
}

func (w whoWriter) server(a *asked) {
	if a.Server == nil {
		return
	}
	for _, text := range a.Server.texts(a.Map, a.SHA256) {
		w.line("  %s", text)
	}
}

func (w whoWriter) space(list []who.Space) {
	shown := w.rows(len(list), maxShownPlaces)
	for _, s := range list[:shown] {
		text := strings.ReplaceAll(s.Kind, "_", " ") + " " + s.Prefix + " of account " + s.Account
		if s.Kind == who.KindDelegated {
			text = "prefix " + s.Prefix + " delegated to account " + s.Account
		}
		if s.Withdrawn {
			text += ", WITHDRAWN"
		}
		w.line("in  %s (%s:%d)", text, s.File, s.Line)
	}
	w.more("    ", len(list)-shown, "prefixes and static addresses")
}

func (w whoWriter) places(list []*who.Place, site string) {
	shown := w.rows(len(list), maxShownPlaces)
	for _, p := range list[:shown] {
		text := p.Kind
		switch p.Kind {
		case who.KindMap:
			text = fmt.Sprintf("address map %s of account %s", p.ID, p.Account)
		case who.KindSpectrum:
			text = fmt.Sprintf("Spectrum application %s of account %s", p.ID, p.Account)
		}
		switch {
		case p.Kind == who.KindSite && p.ID == site:
			text = "anycast of this site, " + site
		case p.Kind == who.KindSite:
			text = fmt.Sprintf("anycast of site %s: --site %s says who is on it there", p.ID, p.ID)
		case p.Kind == who.KindGeneral && site != "":
			text = fmt.Sprintf("general anycast: answers for NOBODY at site %s, but a drain of site:%s falls back to it", site, site)
		case p.Kind == who.KindGeneral:
			text = "general anycast: answers for NOBODY, --anycast is in its place"
		case p.Names > 0:
			text += ": " + many(p.Names, "name")
		default:
			text += ": answers for NOBODY, " + whyNobody(p)
		}
		if p.File != "" {
			text += fmt.Sprintf(" (%s:%d)", p.File, p.Line)
		}
		w.line("on  %s", text)
	}
	w.more("    ", len(list)-shown, "places that have it")
}

// whyNobody says why a place answers for no name with an address.
func whyNobody(p *who.Place) string {
	switch {
	case p.Disabled:
		return "it is disabled"
	case len(p.Withdrawn) == len(p.Addresses):
		return "its prefix is withdrawn"
	case len(p.Passed) == 0:
		return "no proxied name takes it"
	}
	o := p.Passed[0]
	text := o.Reason
	if o.By != "" {
		text = o.By + " answers in its place"
	}
	text += " for " + many(o.Names, "name")
	if n := len(p.Passed) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more reasons", n)
	}
	return text
}

func (w whoWriter) accounts(list []*who.Account) {
	shown := w.rows(len(list), maxShownAccounts)
	for _, a := range list[:shown] {
		w.line("account %s: %s in %s", a.ID, many(a.Names, "name"), many(len(a.Zones), "zone"))
		zones := w.rows(len(a.Zones), maxShownZones)
		for _, z := range a.Zones[:zones] {
			w.zone(z)
		}
		w.more("  ", len(a.Zones)-zones, "zones")
	}
	w.more("", len(list)-shown, "accounts")
}

func (w whoWriter) zone(z *who.Zone) {
	names := make([]string, 0, len(z.List)+1)
	for _, n := range z.List {
		names = append(names, string(n))
	}
	if z.Throughout {
		names = append(names, "all other names")
	}
	if n := z.Names - len(names); n > 0 {
		names = append(names, fmt.Sprintf("… and %d more", n))
	}
	steps := strings.Join(z.Steps, ", ")
	if !w.all {
		steps = firstOf(z.Steps)
	}
	head := fmt.Sprintf("  %s %d by %s", z.Name, z.Names, steps)
	if !w.all {
		w.line("%s: %s", head, strings.Join(names, " "))
		return
	}
	w.line("%s", head)
	for _, n := range names {
		w.line("    %s", n)
	}
}

// addressList is the first of some addresses, or all.
func addressList(list []string, all bool) string {
	shown := slices.Clone(list)
	if more := len(list) - maxShownNames; more > 0 && !all {
		shown = append(shown[:maxShownNames], fmt.Sprintf("… and %d more", more))
	}
	return strings.Join(shown, " ")
}

// many is a number of things.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func are(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return many(n, thing) + " are"
}

func have(n int) string {
	if n == 1 {
		return "1 name has"
	}
	return many(n, "name") + " have"
}
