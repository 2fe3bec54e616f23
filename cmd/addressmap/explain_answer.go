package main

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// typeAnswer is what a query of one type gets, if the backend has the name.
type typeAnswer struct {
	Type      string        `json:"type"`
	Addresses []string      `json:"addresses,omitempty"`
	Records   []string      `json:"records,omitempty"` // made by the map, of the type HTTPS
	Text      string        `json:"text,omitempty"`    // in place of addresses, or beside them
	Server    *serverAnswer `json:"server,omitempty"`

	possible []string // every answer that the map allows, as textOf; none if the backend decides
	own      bool     // the backend's own records of the type are answered too
}

// responder gives the answers of the plugin's own code for one name.
type responder struct {
	names    answer.Names
	name     fqdn.Name
	decision mapset.Decision
}

func newResponder(s *mapset.Snapshot, name fqdn.Name, opt answer.Options) *responder {
	return &responder{
		names: answer.Names{Snapshot: s, Scope: &answer.Scope{
			Backend: answer.Forgetful{Zones: answer.Opaque{}}, Options: opt, Acting: fqdn.NewZones(fqdn.NewSet("."))}},
		name: name, decision: s.Lookup(name),
	}
}

// answerOf says what a query of one type gets. What the plugin answers hangs on what the
// backend has at the name: its code is asked beside each backend that makes a difference.
func (r *responder) answerOf(typ string) typeAnswer {
	a := typeAnswer{Type: typ}
	t := dns.StringToType[typ]
	switch {
	case t == dns.TypeAXFR, t == dns.TypeIXFR:
		a.Text = "a transfer of the zone, by the option transfer: with mapped addresses (R18), as the backend has it, or REFUSED (R19)"
		return a
	case !r.decision.Proxied():
		a.Text = "as the backend has it" + unproxiedBut[t]
		return a
	}
	with := r.beside(t, "A 192.0.0.8", "AAAA 100::")
	bare := r.beside(t, "A 192.0.0.8")
	alias := r.beside(t, "CNAME origin.invalid.")
	for _, m := range []*dns.Msg{with, bare, alias} {
		a.possible = append(a.possible, textOf(m))
	}
	for _, rr := range with.Answer {
		if value := valueOf(rr); t == dns.TypeHTTPS {
			a.Records = append(a.Records, value)
		} else {
			a.Addresses = append(a.Addresses, value)
		}
	}
	a.own = t != dns.TypeA && t != dns.TypeAAAA && t != dns.TypeCNAME && t != dns.TypeANY
	a.Text = r.remark(t, a.possible)
	return a
}

// unproxiedBut says what is replaced in the backend's answer about an unproxied name.
var unproxiedBut = map[uint16]string{
	dns.TypeA:     "; an alias of a proxied name ends in its mapped addresses (R7)",
	dns.TypeAAAA:  "; an alias of a proxied name ends in its mapped addresses (R7)",
	dns.TypeANY:   "; of an alias of a proxied name the alias alone (R28)",
	dns.TypeHTTPS: "; hints of a proxied target are its mapped addresses (R9)",
	dns.TypeSVCB:  "; hints of a proxied target are its mapped addresses (R9)",
}

// remark is the text beside the addresses and records of an answer, or in their place.
// Texts has the answer beside a backend with A and AAAA, with A alone, and with an alias.
func (r *responder) remark(t uint16, texts []string) string {
	needsAAAA := ""
	if texts[0] != texts[1] {
		needsAAAA = "only if the backend has an AAAA there (ipv6: false)"
	}
	switch t {
	case dns.TypeA:
		return r.missing(texts[0], mapset.IPv4)
	case dns.TypeAAAA:
		return needsAAAA + r.missing(texts[0], mapset.IPv6)
	case dns.TypeANY:
		if texts[0] == noData {
			return noData
		}
		return strings.TrimSuffix("one RRset in place of all (R14), "+needsAAAA, ", ")
	case dns.TypeCNAME:
		return texts[0] + ": an alias of a proxied name is never shown (R6)"
	case dns.TypeRRSIG:
		return "the backend's signatures, but none over A, AAAA, CNAME, HTTPS or SVCB (R15); else " + texts[0]
	case dns.TypeHTTPS:
		if texts[0] != noData {
			if needsAAAA != "" {
				needsAAAA = "; ipv6hint " + needsAAAA
			}
			return "if the backend has none (R10); else the backend's, with the mapped addresses as hints (R9)" + needsAAAA
		}
		fallthrough
	case dns.TypeSVCB:
		return "the backend's, with the mapped addresses as hints (R9); else " + texts[0]
	}
	return "the backend's records of that type; NODATA if it has none, or has an alias there and shows nothing beside it (R6, R13)"
}

// missing says why a proxied name has no address of a family, or "" if it has one.
func (r *responder) missing(text string, f mapset.Family) string {
	if text != noData {
		return ""
	}
	family, other := "IPv4", "ipv6_only"
	if f == mapset.IPv6 {
		family, other = "IPv6", "ipv4_only"
	}
	for _, reason := range r.decision.Reasons(r.name) {
		if reason.Answers() {
			for _, ip := range reason.Addrs() {
				if ip.Is4() == (f == mapset.IPv4) {
					return noData + ": the mark is " + other
				}
			}
			return noData + ": the step that answers has no usable " + family + " address"
		}
	}
	return noData + ": no step has a usable address"
}

// beside returns what the plugin answers beside a backend that has these records at the
// name, each written as type and value.
func (r *responder) beside(qtype uint16, has ...string) *dns.Msg {
	b := &supposed{name: r.name, zone: r.decision.Zone()}
	for _, text := range has {
		if rr, err := dns.NewRR(string(r.name) + " 300 IN " + text); err == nil {
			b.has = append(b.has, rr)
		}
	}
	req := new(dns.Msg).SetQuestion(string(r.name), qtype)
	q := answer.NewQuery(req, r.names)
	out, ok := q.WithoutBackend()
	if !ok {
		out = q.Ask(b)
	}
	if m := out.Msg(); m != nil {
		return m
	}
	return new(dns.Msg).SetRcode(req, dns.RcodeServerFailure)
}

// supposed is a backend as it might be: with records at one name, and the declared zone
// around it. It tells nothing of wildcards.
type supposed struct {
	name, zone fqdn.Name
	has        []dns.RR
}

// Datagram implements [answer.Exchange].
func (b *supposed) Datagram() bool { return false }

// Ask implements [answer.Exchange].
func (b *supposed) Ask(a answer.Ask) answer.Reply {
	m := new(dns.Msg).SetReply(new(dns.Msg).SetQuestion(a.Name, a.Type))
	m.Authoritative = true
	owner := fqdn.Canonical(a.Name)
	for _, rr := range b.has {
		if t := rr.Header().Rrtype; owner == b.name && (t == a.Type || t == dns.TypeCNAME) {
			m.Answer = append(m.Answer, rr)
		}
	}
	if len(m.Answer) == 0 {
		soa := &dns.SOA{Hdr: dns.RR_Header{Name: string(b.zone), Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: "."}
		if a.Type == dns.TypeSOA && owner == b.zone {
			m.Answer = []dns.RR{soa}
		} else {
			m.Ns = []dns.RR{soa}
		}
	}
	return answer.Reply{Msg: m}
}

// noData is the answer that a name exists without records of the type (RFC 2308).
const noData = "NODATA"

// textOf is an answer in one line, whatever the order of its records: the records with
// their types, or NODATA, or the name of the rcode. Signatures do not count, but where
// there is nothing else.
func textOf(m *dns.Msg) string {
	if m.Rcode != dns.RcodeSuccess {
		return dns.RcodeToString[m.Rcode]
	}
	var texts, signatures []string
	for _, rr := range m.Answer {
		text := dns.TypeToString[rr.Header().Rrtype] + " " + valueOf(rr)
		if rr.Header().Rrtype == dns.TypeRRSIG {
			signatures = append(signatures, text)
		} else {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		texts = signatures
	}
	if len(texts) == 0 {
		return noData
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// valueOf is the RDATA of a record as people write it.
func valueOf(rr dns.RR) string { return strings.TrimPrefix(rr.String(), rr.Header().String()) }
