package judge

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	_ "github.com/addressmap/addressmap/test/judge/opt"
)

// The world of these tests: www has the address 10.66.0.1 and flat is an alias
// of zqabcdef, which has 10.66.0.9; both are proxied. ns.cut is a name server
// below a cut, proxied too, so that its address 10.66.0.53 leaves only as glue.
func testWorld() *World {
	p := netip.MustParseAddr
	v4, v6 := []netip.Addr{p("192.0.2.1")}, []netip.Addr{p("2001:db8::1")}
	w := &World{
		Zones:   []Zone{{Name: "example.org.", Declared: true, ActedFor: true, Served: true}},
		Options: Options{TTL: 300, Transfer: "mapped"}, Front: "none", Backend: "file",
		Names: map[string]*Name{},
		Secrets: []Secret{
			{Addr: p("10.66.0.1"), Of: "www"},
			{Addr: p("2001:db8:66::1"), Of: "www"},
			{Label: "zqabcdef", Names: []string{"zqabcdef.example.org."}, Of: "flat"},
			{Addr: p("10.66.0.9"), Of: "flat", KnownBy: []string{"zqabcdef"}},
			{Addr: p("10.66.0.53"), Of: "ns.cut", Glue: "ns.cut.example.org."},
			{Label: "zqserver", Of: "upstream", Rule: "R30", Told: true},
		},
	}
	for _, name := range []string{"www", "flat", "ns.cut", "gone", "one", "two"} {
		w.Names[name+".example.org."] = &Name{Name: name + ".example.org.", Status: Proxied, V4: v4, V6: v6, Beside: map[uint16][]dns.RR{}}
	}
	w.Names["one.example.org."].V6 = nil
	w.Names["two.example.org."].V4 = append(v4[:1:1], p("192.0.2.2"))
	for _, name := range []string{"example.org.", "plain.example.org.", "alias.example.org.", "svc.example.org.", "host.cut.example.org.", "zqabcdef.example.org.", "mail.example.org."} {
		w.Names[name] = &Name{Name: name, Status: Unproxied}
	}
	w.Index()
	return w
}

const testSOA = "example.org. 3600 IN SOA ns1.example.org. host.example.org. 1 2 3 4 5"

// backend answers from a table: "name TYPE" → sections. What is not in the
// table is NODATA with the SOA, "gone" does not exist.
type backend map[string]string

func (b backend) Ask(name string, qtype uint16) *dns.Msg {
	m := message(b[strings.TrimSuffix(name, ".example.org.")+" "+dns.Type(qtype).String()])
	m.Authoritative = true
	if strings.HasPrefix(name, "gone.") {
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, rr(testSOA))
	}
	return m
}

var testBackend = backend{
	"www A": "www.example.org. 60 IN A 10.66.0.1", "www AAAA": "www.example.org. 60 IN AAAA 2001:db8:66::1", "www TXT": `www.example.org. 60 IN TXT "text"`,
	"two A":     "two.example.org. 60 IN A 10.66.0.1",
	"one A":     "one.example.org. 60 IN A 10.66.0.1",
	"flat A":    "flat.example.org. 60 IN CNAME zqabcdef.example.org.\nzqabcdef.example.org. 60 IN A 10.66.0.9",
	"flat AAAA": "flat.example.org. 60 IN CNAME zqabcdef.example.org.", "flat CNAME": "flat.example.org. 60 IN CNAME zqabcdef.example.org.",
	"flat TXT":         "flat.example.org. 60 IN CNAME zqabcdef.example.org.",
	"plain A":          "plain.example.org. 60 IN A 198.51.100.1",
	"alias A":          "alias.example.org. 60 IN CNAME www.example.org.\nwww.example.org. 60 IN A 10.66.0.1",
	"svc HTTPS":        "svc.example.org. 60 IN HTTPS 1 www.example.org. alpn=h2 ipv4hint=10.66.0.1",
	"mail MX":          "mail.example.org. 60 IN MX 10 www.example.org.\n++ www.example.org. 60 IN A 10.66.0.1",
	"example.org. SOA": testSOA,
	"zqabcdef A":       "zqabcdef.example.org. 60 IN A 10.66.0.9",
}

func rr(s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		panic(s + ": " + err.Error())
	}
	return rr
}

// message makes a message of lines: records of the answer section, of the
// authority section after "+ ", of the additional section after "++ "; and
// "rcode N", "tc", "ede TEXT".
func message(text string) *dns.Msg {
	m := new(dns.Msg)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "rcode "):
			m.Rcode = dns.StringToRcode[line[6:]]
		case line == "tc":
			m.Truncated = true
		case line == "noaa":
			m.Authoritative = false
		case strings.HasPrefix(line, "ede "):
			o := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
			o.Option = append(o.Option, &dns.EDNS0_EDE{ExtraText: line[4:]})
			m.Extra = append(m.Extra, o)
		case strings.HasPrefix(line, "++ "):
			m.Extra = append(m.Extra, rr(line[3:]))
		case strings.HasPrefix(line, "+ "):
			m.Ns = append(m.Ns, rr(line[2:]))
		case line != "":
			m.Answer = append(m.Answer, rr(line))
		}
	}
	return m
}

// ask makes the octets of a question "name TYPE [CLASS]".
func ask(question string, opcode int) *dns.Msg {
	f := strings.Fields(question)
	q := new(dns.Msg)
	q.SetQuestion(f[0]+".example.org.", dns.StringToType[f[1]])
	if f[0] == "@" {
		q.Question[0].Name = "example.org."
	}
	if len(f) > 2 {
		q.Question[0].Qclass = dns.StringToClass[f[2]]
	}
	q.Opcode = opcode
	return q
}

func pack(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func TestJudge_Verdicts(t *testing.T) {
	const mapped = "www.example.org. 300 IN A 192.0.2.1\n"
	for _, tc := range []struct {
		name, question, response string
		kind                     Kind
		rule                     string
		opcode                   int
		transport                string
		fault                    string
	}{
		{name: "mapped", question: "www A", response: mapped},
		{name: "two", question: "two A", response: "two.example.org. 300 IN A 192.0.2.1\ntwo.example.org. 300 IN A 192.0.2.2"},
		{name: "another order", question: "two A", response: "two.example.org. 300 IN A 192.0.2.2\ntwo.example.org. 300 IN A 192.0.2.1", kind: Wrong, rule: "R22"},
		{name: "one of two", question: "two A", response: "two.example.org. 300 IN A 192.0.2.2", kind: Wrong, rule: "R2"},
		{name: "origin", question: "www A", response: "www.example.org. 60 IN A 10.66.0.1", kind: Leak, rule: "R2"},
		{name: "origin beside", question: "www A", response: mapped + "+ www.example.org. 60 IN A 10.66.0.1", kind: Leak, rule: "one rule"},
		{name: "an address of nobody's", question: "www A", response: "www.example.org. 300 IN A 192.0.2.7", kind: Wrong, rule: "R2"},
		{name: "the TTL", question: "www A", response: "www.example.org. 60 IN A 192.0.2.1", kind: Wrong, rule: "R2"},
		{name: "no answer", question: "www A", response: "+ " + testSOA, kind: Wrong, rule: "R2"},
		{name: "no such name", question: "www A", response: "rcode NXDOMAIN\n+ " + testSOA, kind: Wrong, rule: "R2"},
		{name: "needless", question: "www A", response: "rcode SERVFAIL", kind: Closed, rule: "R2"},
		{name: "records beside", question: "www A", response: mapped + "+ example.org. 60 IN NS ns1.example.org.", kind: Wrong, rule: "R2"},
		{name: "AA lost", question: "www A", response: mapped + "noaa", kind: Wrong, rule: "R2"},
		{name: "needless TC", question: "www A", response: "tc", kind: Closed, rule: "R22"},
		{name: "TC over TCP", question: "www A", response: "tc", transport: "tcp", kind: Wrong, rule: "R23"},

		{name: "family", question: "one AAAA", response: "+ " + testSOA},
		{name: "family without SOA", question: "one AAAA", kind: Wrong, rule: "R27"},
		{name: "gone", question: "gone A", response: "rcode NXDOMAIN\n+ " + testSOA},
		{name: "gone, answered", question: "gone A", response: "gone.example.org. 300 IN A 192.0.2.1", kind: Wrong, rule: "R4"},

		{name: "flat", question: "flat A", response: "flat.example.org. 300 IN A 192.0.2.1"},
		{name: "flat, alias", question: "flat A", response: "flat.example.org. 60 IN CNAME plain.example.org.", kind: Leak, rule: "R5"},
		{name: "flat, target", question: "flat CNAME", response: "flat.example.org. 60 IN CNAME zqABCdef.example.org.", kind: Leak, rule: "R5"},
		{name: "flat, behind", question: "flat A", response: "flat.example.org. 300 IN A 10.66.0.9", kind: Leak, rule: "R2"},
		{name: "flat, text", question: "flat TXT", response: "+ " + testSOA},
		{name: "flat, text behind", question: "flat TXT", response: `flat.example.org. 60 IN TXT "behind"`, kind: Wrong, rule: "R6"},
		{name: "flat, SRV", question: "flat SRV", response: "flat.example.org. 60 IN SRV 0 0 1 zqabcdef.example.org.", kind: Leak, rule: "R6"},
		{name: "the target itself", question: "zqabcdef A", response: "zqabcdef.example.org. 60 IN A 10.66.0.9"},

		{name: "chain", question: "alias A", response: "alias.example.org. 60 IN CNAME www.example.org.\n" + mapped},
		{name: "chain only", question: "alias A", response: "alias.example.org. 60 IN CNAME www.example.org.", kind: Wrong, rule: "R7"},
		{name: "plain", question: "plain A", response: "plain.example.org. 60 IN A 198.51.100.1"},
		{name: "plain altered", question: "plain A", response: "plain.example.org. 60 IN A 192.0.2.1", kind: Wrong, rule: "R1"},
		{name: "plain, needless", question: "plain A", response: "rcode REFUSED", kind: Closed, rule: "R1"},
		{name: "plain, added", question: "plain A", response: "plain.example.org. 60 IN A 198.51.100.1\n++ www.example.org. 60 IN TXT x", kind: Wrong, rule: "R1"},
		{name: "TXT", question: "www TXT", response: `www.example.org. 60 IN TXT "text"`},
		{name: "TXT lost", question: "www TXT", response: "+ " + testSOA, kind: Wrong, rule: "R13"},

		{name: "hints", question: "svc HTTPS", response: "svc.example.org. 60 IN HTTPS 1 www.example.org. alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
		{name: "hints lost", question: "svc HTTPS", response: "svc.example.org. 60 IN HTTPS 1 www.example.org. alpn=h2", kind: Wrong, rule: "R9"},
		{name: "hints kept", question: "svc HTTPS", response: "svc.example.org. 60 IN HTTPS 1 www.example.org. alpn=h2 ipv4hint=10.66.0.1", kind: Leak, rule: "R9"},
		{name: "hints of others", question: "svc HTTPS", response: "svc.example.org. 60 IN HTTPS 1 www.example.org. alpn=h2 ipv4hint=192.0.2.8", kind: Wrong, rule: "R9"},
		{name: "additional", question: "mail MX", response: "mail.example.org. 60 IN MX 10 www.example.org.\n++ www.example.org. 300 IN A 192.0.2.1", transport: "tcp"},
		{name: "additional kept", question: "mail MX", response: "mail.example.org. 60 IN MX 10 www.example.org.\n++ www.example.org. 60 IN A 10.66.0.1", kind: Leak, rule: "R11"},
		{name: "additional lost", question: "mail MX", response: "mail.example.org. 60 IN MX 10 www.example.org.", transport: "tcp", kind: Wrong, rule: "R11"},

		{name: "glue", question: "host.cut A", response: "noaa\n+ cut.example.org. 60 IN NS ns.cut.example.org.\n++ ns.cut.example.org. 60 IN A 10.66.0.53", fault: "servfail"},
		{name: "no glue", question: "host.cut A", response: "host.cut.example.org. 60 IN A 10.66.0.53", kind: Leak, rule: "R2"},
		{name: "glue in authority", question: "host.cut A", response: "+ ns.cut.example.org. 60 IN A 10.66.0.53", kind: Leak, rule: "one rule"},
		{name: "glue asked for", question: "ns.cut A", response: "ns.cut.example.org. 60 IN A 10.66.0.53", kind: Leak, rule: "R2"},

		{name: "signature", question: "www RRSIG", response: "www.example.org. 60 IN RRSIG A 13 3 60 20800101000000 20200101000000 1 example.org. aGlkZGVu", kind: Wrong, rule: "R15"},
		{name: "NOTIFY", question: "www A", opcode: 4},
		{name: "NOTIFY with a record", question: "plain A", opcode: 4, response: "plain.example.org. 60 IN A 198.51.100.1", kind: Wrong, rule: "R21"},
		{name: "NOTIFY with an origin", question: "www A", opcode: 4, response: "www.example.org. 60 IN A 10.66.0.1", kind: Leak, rule: "R21"},
		{name: "CHAOS", question: "www A CH", response: "rcode REFUSED"},
		{name: "CHAOS answered", question: "www A CH", response: "+ " + testSOA, kind: Wrong, rule: "R25"},
		{name: "CHAOS with an origin", question: "www A CH", response: "www.example.org. 60 CH A 10.66.0.1", kind: Leak, rule: "R25"},
		{name: "EDE", question: "www A", response: "rcode SERVFAIL\nede asked zqserver.example.com in vain", fault: "ede", kind: Leak, rule: "R30"},
		{name: "EDE at a plain name", question: "plain A", response: "rcode SERVFAIL\nede asked zqserver.example.com in vain", fault: "ede"},
		{name: "EDE with an address", question: "plain A", response: "rcode SERVFAIL\nede 2001:DB8:66:0::1 does not answer", kind: Leak, rule: "R30"},
		{name: "failure told as NODATA", question: "www A", response: "+ " + testSOA, fault: "servfail", kind: Wrong, rule: "R23"},
		{name: "failure told as NXDOMAIN", question: "www A", response: "rcode NXDOMAIN\n+ " + testSOA, fault: "tcempty", kind: Wrong, rule: "R23"},
		{name: "failure told", question: "www A", response: "rcode SERVFAIL", fault: "servfail"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := testWorld()
			if tc.fault != "" {
				w.Fault = &Fault{Kind: tc.fault}
			}
			q := ask(tc.question, tc.opcode)
			m := message(tc.response)
			m.Id, m.Opcode, m.Response, m.Question = q.Id, q.Opcode, true, q.Question
			m.Authoritative = !strings.Contains(tc.response, "noaa")
			c := &Case{World: w, Query: pack(q), Responses: [][]byte{pack(m)}, Transport: "udp", Backend: testBackend}
			if tc.transport != "" {
				c.Transport = tc.transport
			}
			check(t, c.Judge(), tc.kind, tc.rule)
		})
	}
}

func TestJudge_Unlisted(t *testing.T) {
	for response, kind := range map[string]Kind{"rcode SERVFAIL": OK, "www.example.com. 60 IN A 198.51.100.1": Wrong, "rcode REFUSED": Wrong} {
		w := testWorld()
		w.Options.Unlisted = true
		w.Zones = append(w.Zones, Zone{Name: "example.com.", Served: true})
		q := new(dns.Msg)
		q.SetQuestion("www.example.com.", dns.TypeA)
		m := message(response)
		m.Id, m.Response, m.Question = q.Id, true, q.Question
		c := &Case{World: w, Query: pack(q), Responses: [][]byte{pack(m)}, Transport: "udp", Backend: testBackend}
		rule := ""
		if kind != OK {
			rule = "R29"
		}
		check(t, c.Judge(), kind, rule)
	}
}

func check(t *testing.T, v Verdict, kind Kind, rule string) {
	t.Helper()
	if v.Kind != kind || v.Rule != rule {
		t.Errorf("want %v %q, got %v %q: %s\ngot  %s\nwant %s", kind, rule, v.Kind, v.Rule, v.Place, v.Got, v.Want)
	}
}

// A secret is found in any spelling, and where the message cannot be unpacked.
func TestScan_Spellings(t *testing.T) {
	w := testWorld()
	hash := dns.HashName("zqabcdef.example.org.", dns.SHA1, 0, "")
	for _, text := range []string{
		"10.66.0.1", "at 10.66.0.1:53", "10-66-0-1", "0a420001", "0A420001", "1.0.66.10.in-addr.arpa", "2001:db8:66::1", "2001:DB8:66:0:0::1",
		"2001:0db8:0066:0000:0000:0000:0000:0001", "[2001:db8:66::1]:53", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.6.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		"zqabcdef", "x.ZQABCDEF.example.com", hex.EncodeToString([]byte("zqabcdef")), hash, strings.ToLower(hash), "CkIAAQ==",
	} {
		t.Run(text, func(t *testing.T) {
			m := message("")
			m.SetQuestion("plain.example.org.", dns.TypeTXT)
			m.Response = true
			q := pack(ask("plain TXT", 0))
			m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: "plain.example.org.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{text}}}
			whole := pack(m)
			c := &Case{World: w, Query: q, Responses: [][]byte{whole}, Transport: "udp"}
			if v := c.Judge(); v.Kind != Leak {
				t.Errorf("want a leak, got %v", v)
			}
			c.Responses = [][]byte{append(whole[:12:12], append(whole[12:len(whole):len(whole)], 0xc0)...)}
			c.Responses[0][7] = 9 // more records than there are
			if v := c.Judge(); v.Kind != Leak {
				t.Errorf("unpackable: want a leak, got %v", v)
			}
		})
	}
	for _, text := range []string{"10.66.0.11", "110.66.0.1", "2001:db8:66::11", "zqabcdeg", "0a420002", "192.0.2.1"} {
		if hits := w.index.scan(append(make([]byte, 12), text...)); len(hits) > 0 {
			t.Errorf("%q: want no secret, got %v", text, hits[0].secret)
		}
	}
}

func TestScan_ReversedName(t *testing.T) {
	w := testWorld()
	m := message("plain.example.org. 60 IN PTR 1.0.66.10.IN-ADDR.arpa.")
	m.SetQuestion("plain.example.org.", dns.TypePTR)
	m.Response = true
	c := &Case{World: w, Query: pack(ask("plain PTR", 0)), Responses: [][]byte{pack(m)}, Transport: "udp"}
	if v := c.Judge(); v.Kind != Leak {
		t.Errorf("want a leak, got %v", v)
	}
}

func TestJudge_Octets(t *testing.T) {
	w := testWorld()
	good := pack(ask("www A", 0))
	answer := message("www.example.org. 300 IN A 192.0.2.1")
	answer.SetReply(ask("www A", 0))
	two := ask("www A", 0)
	two.Question = append(two.Question, two.Question[0])
	reply := message("plain.example.org. 60 IN A 198.51.100.1")
	reply.Response, reply.Question = true, two.Question
	qr := append([]byte(nil), good...)
	qr[2] |= 0x80
	for _, tc := range []struct {
		name      string
		query     []byte
		responses [][]byte
		kind      Kind
		rule      string
	}{
		{"rubbish", good, [][]byte{{1, 2, 3}}, Wrong, "form"},
		{"silence", good, nil, Closed, "form"},
		{"silence to a response", qr, nil, OK, ""},
		{"two questions", pack(two), [][]byte{pack(reply)}, Wrong, "R21"},
		{"another question", good, [][]byte{pack(new(dns.Msg).SetReply(ask("plain A", 0)))}, Wrong, "form"},
		{"a question as the answer", good, [][]byte{good}, Wrong, "form"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &Case{World: w, Query: tc.query, Responses: tc.responses, Transport: "udp", Backend: testBackend}
			check(t, c.Judge(), tc.kind, tc.rule)
		})
	}
}

func TestJudge_Transfers(t *testing.T) {
	was := message(testSOA + "\nwww.example.org. 60 IN A 10.66.0.1\nflat.example.org. 60 IN CNAME zqabcdef.example.org.\n" +
		"zqabcdef.example.org. 60 IN A 10.66.0.9\nplain.example.org. 60 IN A 198.51.100.1\nns.cut.example.org. 60 IN A 10.66.0.53\n" + testSOA).Answer
	const both = ".example.org. 300 IN A 192.0.2.1\n"
	const right = testSOA + "\nwww" + both + "www.example.org. 300 IN AAAA 2001:db8::1\nflat" + both + "flat.example.org. 300 IN AAAA 2001:db8::1\n" +
		"zqabcdef.example.org. 60 IN A 10.66.0.9\nplain.example.org. 60 IN A 198.51.100.1\nns.cut.example.org. 60 IN A 10.66.0.53\n"
	for _, tc := range []struct {
		name, option, response string
		kind                   Kind
		rule                   string
	}{
		{"mapped", "mapped", right + testSOA, OK, ""},
		{"a name missing", "mapped", strings.Replace(right, "plain.example.org. 60 IN A 198.51.100.1\n", "", 1) + testSOA, Wrong, "R18"},
		{"a name too many", "mapped", right + "mail.example.org. 60 IN A 192.0.2.99\n" + testSOA, Wrong, "R18"},
		{"an origin", "mapped", right + "www.example.org. 60 IN A 10.66.0.1\n" + testSOA, Leak, "R18"},
		{"an alias", "mapped", right + "flat.example.org. 60 IN CNAME zqabcdef.example.org.\n" + testSOA, Leak, "R18"},
		{"refused", "refuse", "rcode REFUSED", OK, ""},
		{"not refused", "refuse", right + testSOA, Wrong, "R19"},
		{"as it is", "origin", strings.Join(lines(was), "\n"), OK, ""},
		{"not as it is", "origin", right + testSOA, Wrong, "R19"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := testWorld()
			w.Options.Transfer = tc.option
			q := ask("@ AXFR", 0)
			m := message(tc.response)
			m.Id, m.Response, m.Question, m.Authoritative = q.Id, true, q.Question, true
			c := &Case{World: w, Query: pack(q), Responses: [][]byte{pack(m)}, Transport: "tcp", Backend: testBackend, Transfer: was}
			check(t, c.Judge(), tc.kind, tc.rule)
		})
	}
}

// A name with addresses of its own, that the backend answers for from a wildcard, stands in
// the transfer: from the wildcard's mark a secondary would answer with others.
func TestJudge_TransferOfANameBesideItsWildcard(t *testing.T) {
	const wild = "*.wild.example.org. 60 IN TXT \"for all\"\n"
	was := message(testSOA + "\n*.wild.example.org. 60 IN A 10.66.0.7\n" + wild + testSOA).Answer
	const without = testSOA + "\n*.wild.example.org. 300 IN A 192.0.2.1\n*.wild.example.org. 300 IN AAAA 2001:db8::1\n" + wild
	const addresses = "x.wild.example.org. 300 IN A 192.0.2.2\nx.wild.example.org. 300 IN AAAA 2001:db8::2\n"
	const text = "x.wild.example.org. 60 IN TXT \"for all\"\n"
	for _, tc := range []struct {
		name, response string
		kind           Kind
	}{
		{"written out", without + addresses + text + testSOA, OK},
		{"left out", without + testSOA, Wrong},
		{"without the wildcard's text", without + addresses + testSOA, Wrong},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := testWorld()
			w.Options.Transfer = "mapped"
			w.Names["*.wild.example.org."] = &Name{Name: "*.wild.example.org.", Status: Proxied, V4: w.Names["www.example.org."].V4, V6: w.Names["www.example.org."].V6}
			w.Names["x.wild.example.org."] = &Name{Name: "x.wild.example.org.", Status: Proxied, Own: true,
				V4: []netip.Addr{netip.MustParseAddr("192.0.2.2")}, V6: []netip.Addr{netip.MustParseAddr("2001:db8::2")}}
			q := ask("@ AXFR", 0)
			m := message(tc.response)
			m.Id, m.Response, m.Question, m.Authoritative = q.Id, true, q.Question, true
			c := &Case{World: w, Query: pack(q), Responses: [][]byte{pack(m)}, Transport: "tcp", Backend: testBackend, Transfer: was}
			check(t, c.Judge(), tc.kind, map[Kind]string{Wrong: "R18"}[tc.kind])
		})
	}
}

func lines(rrs []dns.RR) []string {
	var out []string
	for _, rr := range rrs {
		out = append(out, rr.String())
	}
	return out
}
