package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// What a question costs: which questions the backend is asked for it, in order. An
// answer waits for nothing else; above all, nobody is asked for the target of a
// proxied alias (R5).
func TestQuestionsToTheBackend(t *testing.T) {
	const nodata = "|; " + scriptSOA
	for _, c := range []struct {
		question string
		asked    []string
		replies  []string // to asked
		says     string   // rcode, types of the answer, and the verdict
	}{
		{"www.example.org. A",
			[]string{"www.example.org. A"}, []string{"www.example.org. 60 IN A 10.66.0.1"},
			"NOERROR A substituted"},
		{"www.example.org. AAAA", // the origin has an A: that is enough
			[]string{"www.example.org. A"}, []string{"www.example.org. 60 IN A 10.66.0.1"},
			"NOERROR AAAA substituted"},
		{"six.example.org. A", // no A, so that AAAA is asked for
			[]string{"six.example.org. A", "six.example.org. AAAA"}, []string{nodata, "six.example.org. 60 IN AAAA 2001:db8:66::1"},
			"NOERROR A substituted"},
		{"six.example.org. AAAA",
			[]string{"six.example.org. A", "six.example.org. AAAA"}, []string{nodata, "six.example.org. 60 IN AAAA 2001:db8:66::1"},
			"NOERROR AAAA substituted"},
		{"gone.example.org. A", // does not exist: no second question
			[]string{"gone.example.org. A"}, []string{"NXDOMAIN; " + nodata},
			"NXDOMAIN passed"},
		{"gone.example.org. AAAA",
			[]string{"gone.example.org. A"}, []string{"NXDOMAIN; " + nodata},
			"NXDOMAIN passed"},
		{"gone.example.org. A",
			[]string{"gone.example.org. A", "gone.example.org. CNAME"}, []string{"SERVFAIL", "SERVFAIL"},
			"SERVFAIL passed"},
		{"flat.example.org. A", // R5: the aliases end in a loop
			[]string{"flat.example.org. A", "flat.example.org. CNAME"}, []string{"SERVFAIL", "flat.example.org. 60 IN CNAME flat.example.org."},
			"NOERROR A substituted"},
		{"six.example.org. A", // R23: the answer depends on AAAA
			[]string{"six.example.org. A", "six.example.org. AAAA"}, []string{nodata, "SERVFAIL"},
			"SERVFAIL withheld"},
		{"six.example.org. AAAA",
			[]string{"six.example.org. A", "six.example.org. AAAA"}, []string{nodata, "SERVFAIL"},
			"SERVFAIL passed"},
		{"www.example.net. AAAA", // ipv6: false
			[]string{"www.example.net. A", "www.example.net. AAAA"}, []string{"www.example.net. 60 IN A 10.66.0.1", "www.example.net. 60 IN AAAA 2001:db8:66::1"},
			"NOERROR AAAA substituted"},
		{"www.example.net. A",
			[]string{"www.example.net. A"}, []string{"www.example.net. 60 IN A 10.66.0.1"},
			"NOERROR A substituted"},
		{"flat.example.org. A", // and not chased
			[]string{"flat.example.org. A"}, []string{"chased; flat.example.org. 60 IN CNAME hidden.example.com."},
			"NOERROR A substituted"},
		{"flat.example.org. TXT", // the SOA beside an alias may be that of the target
			[]string{"flat.example.org. TXT", "flat.example.org. SOA", "example.org. SOA"}, []string{"chased; flat.example.org. 60 IN CNAME hidden.example.com.; |; example.com. 60 IN SOA ns.hidden. h.hidden. 1 2 3 4 5", "chased; flat.example.org. 60 IN CNAME hidden.example.com.", scriptSOA},
			"NOERROR SOA substituted"},
		{"www.example.org. TXT",
			[]string{"www.example.org. TXT"}, []string{`www.example.org. 60 IN TXT "text"`},
			"NOERROR TXT passed"},
		{"www.example.org. ANY", // never ANY
			[]string{"www.example.org. A"}, []string{"www.example.org. 60 IN A 10.66.0.1"},
			"NOERROR A substituted"},
		{"plain.example.org. A",
			[]string{"plain.example.org. A"}, []string{"plain.example.org. 60 IN A 198.51.100.1"},
			"NOERROR A passed"},
		{"plain.example.org. ANY",
			[]string{"plain.example.org. ANY"}, []string{"plain.example.org. 60 IN A 198.51.100.1"},
			"NOERROR A passed"},
		{"app.example.org. A", // a Spectrum application needs no backend
			nil, nil,
			"NOERROR A substituted"},
		{"app.example.org. TXT",
			[]string{"app.example.org. TXT"}, []string{"NXDOMAIN; " + nodata},
			"NOERROR SOA substituted"},
		{"alias.example.org. A", // each owner of a chain by itself
			[]string{"alias.example.org. A", "www.example.org. A"}, []string{"alias.example.org. 60 IN CNAME www.example.org.; www.example.org. 60 IN A 10.66.0.1", "www.example.org. 60 IN A 10.66.0.1"},
			"NOERROR CNAME A substituted"},
		{"out.example.org. A", // an alias that is not proxied is chased as ever
			[]string{"out.example.org. A", "out.example.org. A chased"}, []string{"chased; out.example.org. 60 IN CNAME www.example.com.", "out.example.org. 60 IN CNAME www.example.com.; www.example.com. 60 IN A 198.51.100.1"},
			"NOERROR CNAME A passed"},
		{"any.wild.example.org. A",
			[]string{"any.wild.example.org. A and wildcard"}, []string{"from *.wild.example.org.; any.wild.example.org. 60 IN A 10.66.0.1"},
			"NOERROR A substituted"},
		{"own.wild.example.org. A", // told not to be of the wildcard: the answer is at hand
			[]string{"own.wild.example.org. A and wildcard"}, []string{"own.wild.example.org. 60 IN A 198.51.100.1"},
			"NOERROR A passed"},
		{"own.wild.example.org. AAAA",
			[]string{"own.wild.example.org. A and wildcard", "own.wild.example.org. AAAA"}, []string{"own.wild.example.org. 60 IN A 198.51.100.1", nodata},
			"NOERROR SOA passed"},
		{"api.wild.example.org. A", // a mark of its own needs no wildcard
			[]string{"api.wild.example.org. A"}, []string{"api.wild.example.org. 60 IN A 198.51.100.1"},
			"NOERROR A passed"},
		{"gone.example.org. HTTPS",
			[]string{"gone.example.org. HTTPS"}, []string{"NXDOMAIN; " + nodata},
			"NXDOMAIN passed"},
		{"flat.example.org. MX", // what stands beside an alias is looked up in memory, or not at all
			[]string{"flat.example.org. MX", "flat.example.org. SOA"}, []string{"flat.example.org. 60 IN CNAME hidden.example.com.; flat.example.org. 60 IN MX 10 mail.example.org.", nodata},
			"NOERROR SOA substituted"},
		{"toown.example.org. A", // an alias to a name that the wildcard's mark does not cover
			[]string{"toown.example.org. A", "own.wild.example.org. A and wildcard"}, []string{"toown.example.org. 60 IN CNAME own.wild.example.org.; own.wild.example.org. 60 IN A 198.51.100.1", "own.wild.example.org. 60 IN A 198.51.100.1"},
			"NOERROR CNAME A passed"},
		{"a.wild.example.org. A", // aliases in a circle, each by itself: given up after a few
			slices.Repeat([]string{"a.wild.example.org. A and wildcard", "b.wild.example.org. A and wildcard"}, 5)[:9],
			slices.Repeat([]string{"a.wild.example.org. 60 IN CNAME b.wild.example.org.", "b.wild.example.org. 60 IN CNAME a.wild.example.org."}, 5)[:9],
			"SERVFAIL withheld"},
		{"any.wild.example.org. MX", // an address where no rule has one, of the name in question
			[]string{"any.wild.example.org. MX and wildcard"}, []string{"from *.wild.example.org.; any.wild.example.org. 60 IN MX 10 any.wild.example.org.; any.wild.example.org. 60 IN A 10.66.0.1"},
			"SERVFAIL withheld"},
		{"www.sub.example.net. A", // a referral says all that there is to know
			[]string{"www.sub.example.net. A"}, []string{"|; sub.example.net. 60 IN NS ns.sub.example.net."},
			"NOERROR NS passed"},
		{"six.example.org. A", // but not NS beside an SOA (RFC 2308, section 2.2)
			[]string{"six.example.org. A", "six.example.org. AAAA"}, []string{"|; example.org. 60 IN NS ns.example.org.; " + scriptSOA, "six.example.org. 60 IN AAAA 2001:db8:66::1"},
			"NOERROR A substituted"},
		{"www.example.org. HTTPS", // synthesized, see the options below
			[]string{"www.example.org. HTTPS", "www.example.org. A"}, []string{nodata, "www.example.org. 60 IN A 10.66.0.1"},
			"NOERROR HTTPS substituted"},
	} {
		t.Run(c.question, func(t *testing.T) {
			holdAnswer(t, testNames(t, testMap, true), c.question, c.asked, c.replies, c.says)
		})
	}
}

// holdAnswer holds what the backend is asked for an answer, and what it says to what
// the backend replies: its rcode, the types in it, and the verdict.
func holdAnswer(t *testing.T, names *Names, question string, asked, replies []string, want string) {
	t.Helper()
	backend := &script{tb: t, replies: make(map[string]string)}
	for i, q := range asked {
		backend.replies[q] = replies[i]
	}
	name, qtype, _ := strings.Cut(question, " ")
	names.ALPN = []string{"h2"}
	req := new(dns.Msg).SetQuestion(name, dns.StringToType[qtype])
	out := respond(req, names, backend)
	if !slices.Equal(backend.asked, asked) {
		t.Errorf("asked %q\nwant  %q", backend.asked, asked)
	}
	says := []string{dns.RcodeToString[out.Msg().Rcode]}
	for _, rr := range slices.Concat(out.Msg().Answer, out.Msg().Ns) {
		if rtype := dns.TypeToString[rr.Header().Rrtype]; out.Msg().Rcode == dns.RcodeSuccess && !slices.Contains(says, rtype) {
			says = append(says, rtype)
		}
	}
	says = append(says, []string{"passed", "substituted", "withheld", "truncated"}[out.Verdict])
	if got := strings.Join(says, " "); got != want {
		t.Errorf("says %s, want %s:\n%v", got, want, out.Msg())
	}
}

// etcd makes all records of a name from its services: there is an alias beside other
// types, or there is none where it leads nowhere (R5).
func TestR6_AliasesOfServices(t *testing.T) {
	const nodata = "|; " + scriptSOA
	for _, c := range []struct {
		question string
		asked    []string
		replies  []string // to asked
		says     string
	}{
		{"flat.example.org. AAAA", // R5: the alias first, of which A and AAAA may not tell
			[]string{"flat.example.org. CNAME"},
			[]string{"flat.example.org. 60 IN CNAME hidden.example.com."},
			"NOERROR AAAA substituted"},
		{"flat.example.org. SRV", // R6: a record would be made up from the alias
			[]string{"flat.example.org. CNAME", "flat.example.org. SOA"},
			[]string{"flat.example.org. 60 IN CNAME hidden.example.com.", nodata},
			"NOERROR SOA substituted"},
		{"flat.example.org. PTR", // the first service is an address
			[]string{"flat.example.org. CNAME", "flat.example.org. A", "flat.example.org. SOA"},
			[]string{nodata, "flat.example.org. 60 IN A 10.66.0.1; flat.example.org. 60 IN CNAME hidden.example.com.", nodata},
			"NOERROR SOA substituted"},
		{"www.example.org. SRV", // R13
			[]string{"www.example.org. CNAME", "www.example.org. A", "www.example.org. SRV"},
			[]string{nodata, "www.example.org. 60 IN A 10.66.0.1", "www.example.org. 60 IN SRV 10 100 0 sip.example.org."},
			"NOERROR SRV passed"},
		{"www.example.org. TXT", // R23: nobody knows whether there is an alias
			[]string{"www.example.org. CNAME", "www.example.org. TXT"},
			[]string{"SERVFAIL", `www.example.org. 60 IN TXT "text"`},
			"SERVFAIL withheld"},
		{"www.example.org. TXT", // R23: nor anything else
			[]string{"www.example.org. CNAME", "www.example.org. TXT"},
			[]string{"REFUSED", "REFUSED"},
			"REFUSED passed"},
		{"plain.example.org. SRV", // what it looked up elsewhere is no alias
			[]string{"plain.example.org. SRV", "plain.example.org. SRV chased"},
			[]string{"chased; plain.example.org. 60 IN SRV 10 100 0 sip.example.com.", "plain.example.org. 60 IN SRV 10 100 0 sip.example.com."},
			"NOERROR SRV passed"},
	} {
		t.Run(c.question, func(t *testing.T) {
			holdAnswer(t, testNames(t, testMap, false), c.question, c.asked, c.replies, c.says)
		})
	}
}

// What the backend said of a name twice, a moment ago, is not asked again.
func TestQuestionsToTheBackend_Remembered(t *testing.T) {
	names := testNames(t, testMap, true)
	names.Backend = Remembering(t, names.Backend)
	for _, c := range []struct {
		reply string
		qtype uint16
		asked []int // how many questions the first, second, … time
	}{
		{"www.example.org. 60 IN A 10.66.0.1", dns.TypeA, []int{1, 1, 0, 0}},
		{"www.example.org. 60 IN A 10.66.0.1", dns.TypeAAAA, []int{0}},
		{"www.example.org. 60 IN A 10.66.0.1", dns.TypeANY, []int{0}},
		{"flat.example.org. 60 IN CNAME hidden.example.com.", dns.TypeA, []int{1, 1, 0}},
		{"any.wild.example.org. 60 IN A 10.66.0.1; from *.wild.example.org.", dns.TypeA, []int{1, 1, 0}},
		{"own.wild.example.org. 60 IN A 198.51.100.1", dns.TypeA, []int{1, 1, 1}},
		{"plain.example.org. 60 IN A 198.51.100.1", dns.TypeA, []int{1, 1, 1}},
		{"www.example.net. 60 IN A 10.66.0.1", dns.TypeA, []int{1, 1, 0}},
	} {
		name, _, _ := strings.Cut(c.reply, " ")
		backend := &script{tb: t, replies: map[string]string{name + " A": c.reply, name + " A and wildcard": c.reply}}
		for i, want := range c.asked {
			backend.asked = nil
			out := respond(new(dns.Msg).SetQuestion(name, c.qtype), names, backend)
			if len(backend.asked) != want || len(out.Msg().Answer) != 1 || !out.Msg().Authoritative {
				t.Errorf("%s %s, time %d: asked %q, want %d questions; got\n%v", name, dns.TypeToString[c.qtype], i+1, backend.asked, want, out.Msg())
			}
		}
	}
}

// The same question, map and replies give the same answer, and leave the question
// and the replies as they were.
func TestRespond_IsPure(t *testing.T) {
	names := testNames(t, testMap, true)
	replies := map[string]string{
		"example.org. MX":        "example.org. 60 IN MX 10 www.example.org.",
		"www.example.org. A":     "www.example.org. 60 IN A 10.66.0.1",
		"www.example.org. HTTPS": `www.example.org. 60 IN HTTPS 1 . mandatory="ipv6hint" ipv4hint="10.66.0.1" ipv6hint="2001:db8:66::1"`,
		"flat.example.org. TXT":  "flat.example.org. 60 IN CNAME hidden.example.com.",
		"flat.example.org. SOA":  "flat.example.org. 60 IN CNAME hidden.example.com.",
		"example.org. SOA":       scriptSOA,
	}
	for _, q := range []struct {
		name  string
		qtype uint16
	}{{"example.org.", dns.TypeMX}, {"www.example.org.", dns.TypeA}, {"www.example.org.", dns.TypeHTTPS}, {"flat.example.org.", dns.TypeTXT}} {
		req := new(dns.Msg).SetQuestion(q.name, q.qtype)
		before := req.Copy()
		kept := &keeping{script: &script{tb: t, replies: replies}}
		first := respond(req, names, kept)
		second := respond(req, names, kept)
		if first.Msg().String() != second.Msg().String() || first.Verdict != second.Verdict {
			t.Errorf("%v: got\n%v\nand then\n%v", q, first.Msg(), second.Msg())
		}
		if req.String() != before.String() {
			t.Errorf("%v: the question was written to", q)
		}
		for i, m := range kept.given {
			if m.String() != kept.copies[i].String() {
				t.Errorf("%v: a reply was written to, now\n%v", q, m)
			}
		}
	}
}

// keeping is a script that keeps what it gave, and copies of it.
type keeping struct {
	*script
	given, copies []*dns.Msg
}

func (k *keeping) Ask(a Ask) Reply {
	rep := k.script.Ask(a)
	k.given, k.copies = append(k.given, rep.Msg), append(k.copies, rep.Msg.Copy())
	return rep
}
