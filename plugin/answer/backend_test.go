package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// testMap has a name of each kind.
const testMap = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    static_ips: [203.0.113.7]
    zones:
      - {name: example.org, proxied: [www, six, flat, gone, "*.wild", {name: api.wild, proxied: false}]}
      - {name: example.net, ipv6: false, proxied: all}
    spectrum_apps:
      - {dns: {name: app.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.7]}}
`

// testNames returns the names of a map, for the zones that it is about.
func testNames(tb testing.TB, text string, tells bool) *Names {
	tb.Helper()
	doc, errs := mapfile.Parse("maps.yaml", []byte(text))
	if err := errs.Err(); err != nil {
		tb.Fatal(err)
	}
	snap, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	if err := errs.Err(); err != nil {
		tb.Fatal(err)
	}
	scope := &Scope{Backend: Forgetful{Opaque{}}, Options: Options{TTL: 300}, Acting: fqdn.NewZones(fqdn.NewSet("example.org.", "example.net."))}
	if tells {
		scope.Backend = Forgetful{telling{}}
	}
	return &Names{snap, scope}
}

// telling is a backend that tells, and shows nothing.
type telling struct{ Opaque }

func (telling) RevealsWildcard(fqdn.Name) bool { return true }

// Remembering returns a backend that remembers for an hour, around zones. It comes from
// outside: a test of this package cannot import presence, which imports it.
var Remembering func(tb testing.TB, z Zones) Backend

// respond answers from what is known, else with the help of a backend.
func respond(req *dns.Msg, names *Names, x Exchange) Outcome {
	q := NewQuery(req, *names)
	if out, ok := q.WithoutBackend(); ok {
		return out
	}
	return q.Ask(x)
}

// script is a backend that answers by the question, written as "owner TYPE". What
// it answers is an rcode, if it is not NOERROR, and records, those of the authority
// section after "|", and of the additional section after another one. It notes what it
// was asked.
type script struct {
	tb      testing.TB
	replies map[string]string
	asked   []string
	stream  bool // the client did not ask over UDP
}

const scriptSOA = "example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5"

// Datagram implements [Exchange].
func (s *script) Datagram() bool { return !s.stream }

func (s *script) Ask(a Ask) Reply {
	s.tb.Helper()
	question := a.Name + " " + dns.TypeToString[a.Type]
	if a.Chase {
		question += " chased"
	}
	if a.Wildcard {
		question += " and wildcard"
	}
	s.asked = append(s.asked, question)
	text, ok := s.replies[question]
	if !ok {
		s.tb.Fatalf("asked %s", question)
	}
	m := new(dns.Msg).SetQuestion(a.Name, a.Type)
	m.Id, m.Response, m.Authoritative = 1, true, true
	rep := Reply{Msg: m}
	section := &m.Answer
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
		case part == "|" && section == &m.Ns:
			section = &m.Extra
		case part == "|":
			section = &m.Ns
		case part == "tc":
			m.Truncated = true
		case part == "noaa":
			m.Authoritative = false
		case part == "notify": // another opcode
			m.Opcode = dns.OpcodeNotify
		case strings.HasPrefix(part, "raw "): // a record of another kind than its type says
			f := strings.Fields(part[4:])
			*section = append(*section, &dns.RFC3597{Hdr: dns.RR_Header{Name: f[0], Rrtype: dns.StringToType[f[1]], Class: dns.ClassINET, Ttl: 60}})
		case part == "tsig":
			*section = append(*section, &dns.TSIG{Hdr: dns.RR_Header{Name: "key.", Rrtype: dns.TypeTSIG, Class: dns.ClassANY}})
		case strings.HasPrefix(part, "opt"): // with the text of an error
			opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
			if text := strings.TrimSpace(part[3:]); text != "" {
				opt.Option = []dns.EDNS0{&dns.EDNS0_EDE{ExtraText: text}}
			}
			*section = append(*section, opt)
		case strings.HasPrefix(part, "gated "): // another directive answered of this owner
			if rep.Gated == nil {
				rep.Gated = make(fqdn.Set)
			}
			rep.Gated[fqdn.Canonical(part[6:])] = struct{}{}
		case strings.HasPrefix(part, "about "): // it repeats another question, or none
			m.Question = m.Question[:0]
			if f := strings.Fields(part[6:]); len(f) == 3 {
				m.Question = append(m.Question, dns.Question{Name: f[0], Qtype: dns.StringToType[f[1]], Qclass: dns.StringToClass[f[2]]})
			}
		case part == "chased":
			rep.Chased = true
		case strings.HasPrefix(part, "from "):
			rep.Wildcard = fqdn.Canonical(part[5:])
		case !strings.Contains(part, " "):
			m.Rcode = dns.StringToRcode[part]
		default:
			rr, err := dns.NewRR(part)
			if err != nil {
				s.tb.Fatalf("%q: %v", part, err)
			}
			*section = append(*section, rr)
		}
	}
	return rep
}
