package main

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// workOrder is the order in which a change is made at the edge and in DNS, so that nobody
// is sent to an address that nobody listens at. It is about addresses of the map alone,
// never about origins.
type workOrder struct {
	Bind   []string `json:"bind"`   // before the map is in force: they begin to be answered
	Unbind []string `json:"unbind"` // after the wait: nobody is answered with them any more
	// StillListed are those of Unbind that the map has all the same, on a disabled address
	// map or in a withdrawn prefix: the exports for the edge go on with them.
	StillListed []string   `json:"still_listed"`
	Enter       int        `json:"names_enter"` // become proxied
	Leave       int        `json:"names_leave"` // are proxied no longer
	WaitSeconds int64      `json:"wait_seconds"`
	Wait        []waitPart `json:"wait"`
}

// newWorkOrder returns the order of work of a change that does groups to names, or nil if
// the change begins and ends no address, and no name enters or leaves.
func newWorkOrder(old, next *mapset.Snapshot, groups []mapset.Group, w waiting) *workOrder {
	was, is := answeredBy(old), answeredBy(next)
	o := &workOrder{Bind: without(is, was), Unbind: without(was, is), StillListed: []string{}}
	for _, g := range groups {
		switch {
		case !g.OldProxied:
			o.Enter += len(g.Names)
		case !g.NewProxied:
			o.Leave += len(g.Names)
		}
	}
	if len(o.Bind)+len(o.Unbind)+o.Enter+o.Leave == 0 {
		return nil
	}
	listed := make(map[string]bool)
	for l := range next.Listings() {
		for _, ip := range l.Written {
			listed[ip.String()] = true
		}
	}
	for _, ip := range next.Anycast() {
		listed[ip.String()] = true
	}
	for _, ip := range o.Unbind {
		if listed[ip] {
			o.StillListed = append(o.StillListed, ip)
		}
	}
	o.Wait = w.parts()
	for _, p := range o.Wait {
		o.WaitSeconds += p.Seconds
	}
	return o
}

// answeredBy returns the addresses that any name may be answered with, at any site: which
// names anycast is left for, and so that of each site, is not looked into.
func answeredBy(s *mapset.Snapshot) map[netip.Addr]struct{} {
	out := s.Answered()
	for _, doc := range s.Documents() {
		for _, site := range doc.Sites {
			for _, ip := range site.Anycast {
				out[ip.IP] = struct{}{}
			}
		}
	}
	return out
}

// without returns the addresses of one set that the other one lacks, in order.
func without(these, those map[netip.Addr]struct{}) []string {
	out := []string{}
	for _, ip := range slices.SortedFunc(maps.Keys(these), netip.Addr.Compare) {
		if _, is := those[ip]; !is {
			out = append(out, ip.String())
		}
	}
	return out
}

// lines is the order of work for people.
func (o *workOrder) lines(all bool) (out []string) {
	step := func(format string, args ...any) {
		out = append(out, fmt.Sprintf("%d. ", len(out)+1)+fmt.Sprintf(format, args...))
	}
	if len(o.Bind) > 0 {
		step("bind at the edge: %s", addressList(o.Bind, all))
	}
	if o.Leave > 0 {
		step("have the origins of %s ready for clients that come straight to them", theNames(o.Leave, "leave"))
	}
	step("put the map into force")
	if len(o.Unbind)+o.Enter+o.Leave == 0 {
		return out
	}
	step("wait %s", waitText(o.WaitSeconds, o.Wait))
	var then []string
	if len(o.Unbind) > 0 {
		text := "unbind at the edge: " + addressList(o.Unbind, all)
		if n := len(o.StillListed); n > 0 {
			text += fmt.Sprintf(" (the map still has %d of them: addressmap export addresses goes on with these)", n)
		}
		then = append(then, text)
	}
	if o.Leave > 0 {
		then = append(then, fmt.Sprintf("take %s off the edge", theNames(o.Leave, "leave")))
	}
	if o.Enter > 0 {
		then = append(then, fmt.Sprintf("close the origins of %s to others than the edge, if the TTL of the backend is over too", theNames(o.Enter, "enter")))
	}
	step("%s", strings.Join(then, "\n   "))
	return out
}

// theNames is a number of names that leave or enter, which is to be proxied no longer, or
// from now on.
func theNames(n int, verb string) string {
	if n == 1 {
		return fmt.Sprintf("the name that %ss proxying", verb)
	}
	return fmt.Sprintf("the %d names that %s proxying", n, verb)
}

// ofStage returns the order for a change of a stage alone, or nil: the other servers go on
// with what the stage leaves.
func (o *workOrder) ofStage() *workOrder {
	if o == nil || len(o.Bind)+o.Enter == 0 {
		return nil
	}
	out := *o
	out.Unbind, out.StillListed, out.Leave = []string{}, []string{}, 0
	return &out
}
