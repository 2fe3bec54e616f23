package server

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A Dialogue is a text of questions and what is said to each:
//
//	# A remark.
//	> www.example.org. AAAA +do
//	NOERROR aa
//	answer: www.example.org. 300 IN AAAA 2001:db8::1
//
// A question is a name as spelled, a class if it is not IN, a type, and what
// [ParseQuestion] lists. What is said is the rcode and the flags AA, RA and TC, then
// each record with the section it is in, then an Extended DNS Error (RFC 8914).
type Dialogue []Line

// Line is a question and what is expected, or a remark or empty line without.
type Line struct {
	remark   string
	Question string
	Want     string
}

// ParseDialogue reads a dialogue. Any text is one.
func ParseDialogue(text string) Dialogue {
	var d Dialogue
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		switch {
		case strings.HasPrefix(l, "> "):
			d = append(d, Line{Question: strings.TrimSpace(l[2:])})
		case l == "" || l[0] == '#' || len(d) == 0 || d[len(d)-1].Question == "":
			d = append(d, Line{remark: l})
		default:
			d[len(d)-1].Want += l + "\n"
		}
	}
	return d
}

func (d Dialogue) String() string {
	var b strings.Builder
	for _, l := range d {
		if l.Question == "" {
			b.WriteString(l.remark + "\n")
			continue
		}
		b.WriteString("> " + l.Question + "\n" + l.Want)
	}
	return b.String()
}

// Question is a message to send, and the network to send it over.
type Question struct {
	Msg     *dns.Msg
	Network string
}

// ParseQuestion reads a question of a dialogue.
func ParseQuestion(text string) (Question, error) {
	q := Question{Network: "udp", Msg: new(dns.Msg)}
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return q, fmt.Errorf("%q: a question has a name and a type", text)
	}
	asked := dns.Question{Name: fields[0], Qclass: dns.ClassINET}
	rest := fields[1:]
	if class, ok := dns.StringToClass[rest[0]]; ok && rest[0] != "ANY" {
		asked.Qclass, rest = class, rest[1:]
	}
	var ok bool
	if number, unknown := strings.CutPrefix(rest[0], "TYPE"); unknown { // RFC 3597
		n, err := strconv.ParseUint(number, 10, 16)
		asked.Qtype, ok = uint16(n), err == nil
	} else {
		asked.Qtype, ok = dns.StringToType[rest[0]]
	}
	if !ok {
		return q, fmt.Errorf("%q: %q is no type", text, rest[0])
	}
	q.Msg.SetQuestion(asked.Name, asked.Qtype)
	q.Msg.Question[0] = asked
	for _, option := range rest[1:] {
		switch option {
		case "+tcp":
			q.Network = "tcp"
		case "+edns":
			q.Msg.SetEdns0(1232, false)
		case "+do": // and EDNS
			q.Msg.SetEdns0(4096, true)
		case "+cd":
			q.Msg.CheckingDisabled = true
		default:
			return q, fmt.Errorf("%q: unknown option %q", text, option)
		}
	}
	return q, nil
}

// Printed is what a message says, as a dialogue holds it. verdict prints what
// has to be said of a signature in place of its bytes, which change.
func Printed(m *dns.Msg, verdict func(section []dns.RR, sig *dns.RRSIG) string) string {
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	for _, flag := range []struct {
		name string
		set  bool
	}{{"aa", m.Authoritative}, {"ra", m.RecursionAvailable}, {"tc", m.Truncated}} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	b.WriteString("\n")
	for _, section := range []struct {
		name string
		rrs  []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, rr := range inOrder(section.rrs) {
			text := ""
			switch rr := rr.(type) {
			case *dns.OPT:
				for _, option := range rr.Option {
					if ede, ok := option.(*dns.EDNS0_EDE); ok {
						text += fmt.Sprintf("error: %d %s\n", ede.InfoCode, ede.ExtraText)
					}
				}
				b.WriteString(text)
				continue
			case *dns.RRSIG:
				text = fmt.Sprintf("%s %d IN RRSIG %s of %s %s", rr.Hdr.Name, rr.Hdr.Ttl, dns.TypeToString[rr.TypeCovered], rr.SignerName, verdict(section.rrs, rr))
			case *dns.DNSKEY:
				text = fmt.Sprintf("%s %d IN DNSKEY %d", rr.Hdr.Name, rr.Hdr.Ttl, rr.Flags)
			default:
				text = strings.ReplaceAll(rr.String(), "\t", " ")
			}
			b.WriteString(section.name + ": " + text + "\n")
		}
	}
	return b.String()
}

// inOrder puts each signature right after the RRset that it covers, and those over
// nothing at the end: dnssec writes them in a different order each time.
func inOrder(section []dns.RR) []dns.RR {
	type key struct {
		owner string
		rtype uint16
	}
	of := func(rr dns.RR) (k key, signature bool) {
		k = key{dns.CanonicalName(rr.Header().Name), rr.Header().Rrtype}
		if sig, ok := rr.(*dns.RRSIG); ok {
			return key{k.owner, sig.TypeCovered}, true
		}
		return k, false
	}
	last := make(map[key]int)
	for i, rr := range section {
		if k, signature := of(rr); !signature {
			last[k] = i
		}
	}
	out := make([]dns.RR, 0, len(section))
	signatures := func(want func(key) bool) {
		for _, rr := range section {
			if k, signature := of(rr); signature && want(k) {
				out = append(out, rr)
			}
		}
	}
	for i, rr := range section {
		k, signature := of(rr)
		if signature {
			continue
		}
		out = append(out, rr)
		if last[k] == i {
			signatures(func(s key) bool { return s == k })
		}
	}
	signatures(func(s key) bool { _, covers := last[s]; return !covers })
	return out
}
