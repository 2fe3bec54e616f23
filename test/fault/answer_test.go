package fault

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
)

// question is one that clients ask.
type question struct {
	zone  int
	label string // as the model knows it
	qtype uint16
}

// questions are all of them.
var questions = func() (out []question) {
	for z := range zoneCount {
		for _, label := range []string{"@", "www", "*.wild", "plain", "b0", "b1", "b2", "b3", "app"} {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
				out = append(out, question{z, label, qtype})
			}
		}
	}
	return out
}()

func (q question) message() *dns.Msg {
	name := zoneName(q.zone) + "."
	switch q.label {
	case "@":
	case "*.wild":
		name = "any.wild." + name
	default:
		name = q.label + "." + name
	}
	return new(dns.Msg).SetQuestion(name, q.qtype)
}

// answerOf is what the model compares: the code, and the data of the records.
func answerOf(rcode int, rdata ...string) string {
	slices.Sort(rdata)
	return dns.RcodeToString[rcode] + " " + strings.Join(rdata, " ")
}

// readAnswer brings a response into that form. The TTL is that of what the map has
// substituted, 0 if nothing was.
func readAnswer(m *dns.Msg) (answer string, ttl uint32) {
	var rdata []string
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			rdata = append(rdata, rr.A.String())
		case *dns.AAAA:
			rdata = append(rdata, rr.AAAA.String())
		default:
			rdata = append(rdata, rr.String())
		}
		if rr.Header().Ttl != 60 {
			ttl = rr.Header().Ttl
		}
	}
	return answerOf(m.Rcode, rdata...), ttl
}

// expect returns the answer while the account holds the zone, or nobody does.
func (q question) expect(a account) string {
	switch {
	case a.shut:
		return answerOf(dns.RcodeServerFailure)
	case q.label == "app" && a.claims(q.zone) && a.tenant == tenantPlain && q.zone == tenantPlain:
		if q.qtype == dns.TypeA {
			return answerOf(dns.RcodeSuccess, a.app())
		}
		return answerOf(dns.RcodeSuccess)
	case q.label == "app":
		return answerOf(dns.RcodeNameError)
	case !a.claims(q.zone) || !slices.Contains(a.owners(q.zone), q.label):
		return q.backend()
	}
	ips := a.addresses(a.version, 3)
	if q.zone == secondZone && a.kept && !a.disabled {
		ips = a.addresses(16000+a.keptIPs, 1)
	}
	return answerOf(dns.RcodeSuccess, slices.DeleteFunc(ips, func(ip string) bool {
		return strings.Contains(ip, ":") != (q.qtype == dns.TypeAAAA)
	})...)
}

// backend returns the answer of the backend.
func (q question) backend() string {
	var rdata []string
	if q.label == "www" {
		rdata = append(rdata, fmt.Sprintf("www.%[1]s.\t60\tIN\tCNAME\t%[1]s.", zoneName(q.zone)))
	}
	if q.qtype == dns.TypeA {
		net := "198.51.100"
		if q.label == "plain" {
			net = "192.0.2"
		}
		rdata = append(rdata, fmt.Sprintf("%s.%d", net, q.zone+1))
	}
	return answerOf(dns.RcodeSuccess, rdata...)
}

// allowance is what may be answered at a time: for each zone, the versions of
// the account that holds it. It never changes; the next one follows.
type allowance struct {
	held [zoneCount][]account
	ttls []uint32
	lax  atomic.Bool // the writer was held up: half a document may be in force
	next atomic.Pointer[allowance]
}

// judge complains of an answer that was asked for while a was the allowance, and
// arrived while last was.
func (a *allowance) judge(last *allowance, q question, m *dns.Msg) error {
	got, ttl := readAnswer(m)
	var want []string
	for ; a != nil; a = a.next.Load() {
		if a.lax.Load() {
			return nil
		}
		for _, holder := range a.held[q.zone] {
			if q.expect(holder) == got && (ttl == 0 || slices.Contains(a.ttls, ttl)) {
				return nil
			}
			want = append(want, q.expect(holder))
		}
		if a == last {
			break
		}
	}
	slices.Sort(want)
	return fmt.Errorf("%s %s of %s: got %q with TTL %d, which is none of %q", q.label, dns.TypeToString[q.qtype], zoneName(q.zone), got, ttl, slices.Compact(want))
}
