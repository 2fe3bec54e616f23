package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// serverAnswer is what a running server says, beside what the map says.
type serverAnswer struct {
	Answer  string  `json:"answer"`
	Verdict verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"`
}

// verdict says how a server's answer and the map go together.
type verdict string

// The verdicts.
const (
	same      verdict = "same"
	possible  verdict = "possible"  // it hangs on the backend
	different verdict = "different" // the map as it is given does not make this answer
)

// askServer asks a server about each type, and compares.
func (e *explanation) askServer(addr string) error {
	e.server = serverAddress(addr)
	for i := range e.Answers {
		a := &e.Answers[i]
		switch a.Type {
		case "AXFR", "IXFR":
			a.Server = &serverAnswer{Answer: "not asked", Verdict: possible, Why: "a transfer is no query"}
			continue
		}
		m, err := ask(e.server, e.Name, dns.StringToType[a.Type])
		if err != nil {
			return fmt.Errorf("asking %s for %s %s: %w", addr, e.Name, a.Type, err)
		}
		if a.Server = e.compare(a, m); a.Server.Verdict == different {
			e.differs = true
		}
	}
	return nil
}

// otherThere is what may make a server answer differently.
const otherThere = "another version of the map or other drains may be in force there (--drains), the directive may have other options (anycast, missing_family, https), or another plugin answers"

// compare judges a server's answer by what the map allows.
func (e *explanation) compare(a *typeAnswer, m *dns.Msg) *serverAnswer {
	out := &serverAnswer{Answer: textOf(m), Verdict: possible}
	isNone := out.Answer == noData || out.Answer == dns.RcodeToString[dns.RcodeNameError]
	shown := e.originIn(m)
	switch {
	case slices.Contains(a.possible, out.Answer):
		out.Verdict = same
	case shown != "":
		out.Verdict, out.Why = different, shown+": "+otherThere
	case len(a.possible) == 0:
		out.Why = "the backend decides"
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		out.Why = "the backend fails, or the server does: its log says more (R23)"
	case a.own && isNone && e.Closed != "":
		out.Why = "the backend's own records (R26)"
	case e.Closed == "" && isNone && !e.spectrum && !hasAddress(e.server, e.Name):
		out.Why = "right for a name of which the backend has no address and no alias (R4)"
	case a.own && len(m.Answer) > 0 && m.Answer[0].Header().Rrtype != dns.TypeCNAME:
		out.Why = "the backend's own records (R13)"
	default:
		for _, other := range e.Alternatives {
			if !other.Proxied || slices.Contains(other.answers(), out.Answer) {
				out.Why = "right if " + other.If + " (R8)"
				return out
			}
		}
		out.Verdict, out.Why = different, otherThere
	}
	return out
}

// answers returns the answers that an alternative allows for addresses.
func (a alternative) answers() []string {
	var v4, v6 []string
	for _, ip := range a.Addresses {
		if strings.Contains(ip, ":") {
			v6 = append(v6, "AAAA "+ip)
		} else {
			v4 = append(v4, "A "+ip)
		}
	}
	slices.Sort(v4)
	slices.Sort(v6)
	return []string{strings.Join(v4, ", "), strings.Join(v6, ", ")}
}

// originIn says which record of an answer is origin data of a name that is proxied for
// certain, "" if none is.
func (e *explanation) originIn(m *dns.Msg) string {
	for _, rr := range m.Answer {
		owner, bad := fqdn.Canonical(rr.Header().Name), ""
		switch rr := rr.(type) {
		case *dns.A, *dns.AAAA:
			bad = e.unmapped(owner, m, valueOf(rr))
		case *dns.CNAME:
			bad = e.unmapped(owner, m, "an alias")
		case *dns.HTTPS:
			bad = e.unmappedHint(owner, m, &rr.SVCB)
		case *dns.SVCB:
			bad = e.unmappedHint(owner, m, rr)
		}
		if bad != "" {
			return bad
		}
	}
	return ""
}

// unmappedHint is unmapped of the hints of a record for its effective target.
func (e *explanation) unmappedHint(owner fqdn.Name, m *dns.Msg, rr *dns.SVCB) string {
	if rr.Target != "." {
		owner = fqdn.Canonical(rr.Target)
	}
	for _, param := range rr.Value {
		if key := param.Key(); key != dns.SVCB_IPV4HINT && key != dns.SVCB_IPV6HINT {
			continue
		}
		for ip := range strings.SplitSeq(param.String(), ",") {
			if bad := e.unmapped(owner, m, ip); bad != "" {
				return bad
			}
		}
	}
	return ""
}

// unmapped says that a value in an answer is none of the mapped addresses of its owner,
// "" if it is or may be right. Whether a wildcard's mark covers the owner, the server's
// answers for the wildcard tell: one that shows its origin does not have the mark.
func (e *explanation) unmapped(owner fqdn.Name, m *dns.Msg, value string) string {
	d := e.checked.Snapshot.Lookup(owner)
	bad := fmt.Sprintf("%s at %s is no mapped address", value, owner)
	if !d.Proxied() || slices.Contains(addressesOf(d), value) {
		return ""
	}
	covered := true
	for _, other := range alternatives(e.checked, owner, d) {
		if slices.Contains(other.Addresses, value) {
			return ""
		}
		covered = covered && other.Proxied
	}
	if covered {
		return bad
	}
	for _, t := range []uint16{m.Question[0].Qtype, dns.TypeA, dns.TypeAAAA} {
		if w, err := ask(e.server, string(e.checked.Snapshot.MarkOf(owner)), t); err == nil {
			if bad := e.originIn(w); bad != "" {
				return bad
			}
		}
	}
	return ""
}

// serverAddress adds the port of DNS to an address or host name without one.
func serverAddress(addr string) string {
	if ip, err := netip.ParseAddr(addr); err == nil {
		return net.JoinHostPort(ip.String(), "53")
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return net.JoinHostPort(addr, "53")
	}
	return addr
}

// A query is sent this often, and each time the answer is waited for so long, as dig does.
const (
	askTimes    = 3
	askPatience = 5 * time.Second
)

// ask sends one query, over UDP, and over TCP if the answer is truncated.
func ask(addr, name string, qtype uint16) (m *dns.Msg, err error) {
	req := new(dns.Msg).SetQuestion(name, qtype)
	req.SetEdns0(dns.DefaultMsgSize, qtype == dns.TypeRRSIG)
	c := &dns.Client{Timeout: askPatience}
	for range askTimes {
		m, _, err = c.Exchange(req, addr)
		if lost := net.Error(nil); !errors.As(err, &lost) || !lost.Timeout() {
			break
		}
	}
	if err == nil && m.Truncated {
		c.Net = "tcp"
		m, _, err = c.Exchange(req, addr)
	}
	return m, err
}

// hasAddress reports whether a server answers for a name with an address.
func hasAddress(addr, name string) bool {
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		if m, err := ask(addr, name, t); err == nil && len(m.Answer) > 0 {
			return true
		}
	}
	return false
}

// String is the server's answer in one line, with the verdict.
func (s *serverAnswer) String() string {
	switch {
	case s.Verdict == different:
		return "server: " + s.Answer + " is " + strong.Sprint("DIFFERENT") + ": " + s.Why
	case s.Why != "":
		return "server: " + s.Answer + ", " + s.Why
	}
	return "server: " + s.Answer + ", " + good.Sprint("the same")
}
