package judge

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Kind is how bad a verdict is.
type Kind int

// A leak is worse than a wrong answer, which is worse than a needless refusal.
const (
	OK Kind = iota
	Closed
	Wrong
	Leak
)

func (k Kind) String() string {
	return [...]string{"ok", "CLOSED-WITHOUT-NEED", "WRONG", "LEAK"}[k]
}

// Verdict is what the judge says of one case.
type Verdict struct {
	Kind  Kind
	Rule  string // R1 to R30, "one rule", or "form" of a DNS message
	Place string // what is wrong and where, the same for all cases of one kind
	Got   string
	Want  string
}

func wrong(rule, place, got, want string) Verdict {
	return Verdict{Wrong, rule, place, got, want}
}

// query is the client's question as the judge reads it.
type query struct {
	msg       dns.Msg
	malformed string // why it is no plain question, "" if it is one
	opcode    int
	name      string // as it is spelled in the question
	qtype     uint16
	class     uint16
	transfer  bool
	size      int // the largest UDP response
	trailing  bool
	do        bool
}

func readQuery(octets []byte) query {
	q := query{size: 512}
	if len(octets) < 12 {
		q.malformed = "shorter than a header"
		return q
	}
	q.opcode = int(octets[2]>>3) & 0xf
	count := binary.BigEndian.Uint16(octets[4:])
	err := q.msg.Unpack(octets)
	switch {
	case octets[2]&0x80 != 0:
		q.malformed = "QR is set"
	case count != 1:
		q.malformed = fmt.Sprintf("%d questions", count)
	case err != nil:
		q.malformed = "cannot be unpacked: " + err.Error()
	}
	l := walk(octets)
	q.trailing = l.err == nil && len(octets) > max(l.questionEnd, l.end())
	if len(q.msg.Question) > 0 {
		q.name, q.qtype, q.class = q.msg.Question[0].Name, q.msg.Question[0].Qtype, q.msg.Question[0].Qclass
		q.transfer = q.qtype == dns.TypeAXFR || q.qtype == dns.TypeIXFR
	}
	if opt := q.msg.IsEdns0(); opt != nil {
		q.size, q.do = max(512, int(opt.UDPSize())), opt.Do()
	}
	return q
}

// Judge says what the rules make of the case. The worst finding counts.
func (c *Case) Judge() Verdict {
	q := readQuery(c.Query)
	var messages []*dns.Msg
	for _, raw := range c.Responses {
		if v := c.leak(&q, raw); v.Kind != OK {
			return v
		}
	}
	for _, raw := range c.Responses {
		m := new(dns.Msg)
		if err := m.Unpack(raw); err != nil {
			return wrong("form", "the response cannot be unpacked", err.Error(), "a DNS message")
		}
		messages = append(messages, m)
	}
	if len(messages) == 0 {
		return c.silence(&q)
	}
	for _, step := range []func(*query, []*dns.Msg) Verdict{c.form, c.others, c.invariants, c.meaning} {
		if v := step(&q, messages); v.Kind != OK {
			return v
		}
	}
	return Verdict{}
}

// silence judges that no response came.
func (c *Case) silence(q *query) Verdict {
	if q.malformed != "" || q.trailing || q.opcode != dns.OpcodeQuery || c.Closed && c.Transport != "udp" && q.transfer {
		return Verdict{}
	}
	if c.World.Fault != nil && c.World.Fault.Kind == "silence" {
		return Verdict{}
	}
	return Verdict{Closed, "form", "no response at all", fmt.Sprintf("closed %v", c.Closed), "a response"}
}

// form judges what holds for every response.
func (c *Case) form(q *query, messages []*dns.Msg) Verdict {
	for i, m := range messages {
		if !m.Response && (q.opcode == dns.OpcodeQuery || len(records(m)) > 0) { // CoreDNS's gRPC returns a question that nobody answers
			return wrong("form", "QR is not set in a response", "QR=0", "QR=1")
		}
		if n := c.World.Find(q.name); m.Truncated && c.Transport != "udp" && n != nil && n.Status == Proxied && !(q.transfer && c.World.Options.Transfer == "origin") {
			if c.Transport == "quic" && len(c.Responses[i]) > q.size/2 {
				continue // CoreDNS cuts DoQ to the client's UDP size, before and after us
			}
			return wrong("R23", "TC over "+c.Transport, "TC", "SERVFAIL or the whole answer: TC is for UDP alone")
		}
		if c.Transport == "udp" && len(c.Responses[i]) > q.size && c.World.Front != "tsig" { // which signs what was cut
			return wrong("form", "larger than the client takes", fmt.Sprint(len(c.Responses[i])), fmt.Sprint(q.size))
		}
	}
	return Verdict{}
}

// others judges responses to what is no question of class IN.
func (c *Case) others(q *query, messages []*dns.Msg) Verdict {
	if q.malformed == "" && q.opcode == dns.OpcodeQuery {
		if q.class != dns.ClassINET && c.World.ActsFor(q.name) {
			return c.otherClass(q, messages[0])
		}
		return Verdict{}
	}
	if q.qtype == dns.TypeANY && slices.Contains([]string{"any", "many"}, c.World.Front) {
		return Verdict{} // the plugin any answers ANY itself, whatever the opcode is
	}
	for _, m := range messages {
		rrs := records(m)
		if len(rrs) == 0 {
			continue
		}
		what := "a record in the response to opcode " + opcodeClass(q.opcode)
		if q.malformed != "" {
			what = "a record in the response to a malformed question"
		}
		return wrong("R21", what, rrs[0].String(), "header, question, OPT and TSIG only")
	}
	return Verdict{}
}

func opcodeClass(op int) string {
	if s, ok := dns.OpcodeToString[op]; ok {
		return s
	}
	return "unassigned"
}

func (c *Case) otherClass(q *query, m *dns.Msg) Verdict {
	if c.World.Front == "any" && q.qtype == dns.TypeANY || c.World.Front == "local" {
		return Verdict{}
	}
	if c.World.Front == "chaos" && q.class == dns.ClassCHAOS && q.qtype == dns.TypeTXT {
		return Verdict{}
	}
	if c.World.Front == "autopath" && m.Rcode == dns.RcodeServerFailure {
		return Verdict{} // it asks for other names; at an apex for one with an empty label
	}
	if m.Rcode != dns.RcodeRefused {
		return wrong("R25", "another class at a name that the directive acts for", summary(m), "REFUSED")
	}
	if rrs := records(m); len(rrs) > 0 {
		return wrong("R25", "REFUSED with records", rrs[0].String(), "no record")
	}
	return Verdict{}
}

// records returns all records but OPT and TSIG.
func records(m *dns.Msg) []dns.RR {
	var out []dns.RR
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if t := rr.Header().Rrtype; t != dns.TypeOPT && t != dns.TypeTSIG {
				out = append(out, rr)
			}
		}
	}
	return out
}

// summary says in one line what a response holds.
func summary(m *dns.Msg) string {
	flags := ""
	if m.Authoritative {
		flags += " aa"
	}
	if m.Truncated {
		flags += " tc"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s %d/%d/%d", dns.RcodeToString[m.Rcode], flags, len(m.Answer), len(m.Ns), len(m.Extra))
	for i, rr := range records(m) {
		if i == 6 {
			b.WriteString("; …")
			break
		}
		b.WriteString("; " + strings.Join(strings.Fields(rr.String()), " "))
	}
	return b.String()
}
