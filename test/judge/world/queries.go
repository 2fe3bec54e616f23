package world

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Query is one question as it is sent.
type Query struct {
	Octets    []byte
	Transport string
	Client    string // the address it is sent from
	Text      string // as one would type it for dig
	Slow      bool   // a fault may keep it waiting
	Odd       bool   // malformed or of another opcode: perhaps nobody answers
	Name      string
	Type      uint16
}

// Transfer says whether the answer may be of several messages.
func (q Query) Transfer() bool {
	return (q.Type == dns.TypeAXFR || q.Type == dns.TypeIXFR) && (q.Transport == "tcp" || q.Transport == "tls")
}

// owner returns the full name of an owner of the list Owners.
func (w *World) owner(o string, rng *rand.Rand) string {
	if o == "hidden" && len(w.Hidden) > 0 {
		return w.Hidden[rng.IntN(len(w.Hidden))]
	}
	return full(o)
}

// tsigSecret is that of the key judge.key.
const tsigSecret = "NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk="

// Query makes the question of a row of either array.
func (w *World) Query(dims []Dimension, row Row, rng *rand.Rand) (q Query) {
	s := SpecOf(dims, row)
	q = Query{Transport: s["transport"], Client: s["client"]}
	name := w.owner(s["owner"], rng)
	if s["case"] == "mixed" {
		name = strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' && rng.IntN(2) == 0 {
				return r - 'a' + 'A'
			}
			return r
		}, name)
	}
	q.Name = dns.CanonicalName(name)
	q.Type = dns.StringToType[s["qtype"]]
	if n, ok := strings.CutPrefix(s["qtype"], "TYPE"); ok && q.Type == 0 {
		t, _ := strconv.Atoi(n)
		q.Type = uint16(t)
	}
	m := new(dns.Msg)
	m.SetQuestion(name, q.Type)
	if q.Type == dns.TypeIXFR {
		soa, _ := dns.NewRR(name + " 0 IN SOA . . 0 0 0 0 0")
		m.Ns = append(m.Ns, soa)
	}
	m.Id = uint16(rng.IntN(0xffff) + 1)
	if q.Transport == "quic" {
		m.Id = 0
	}
	m.RecursionDesired = s["rd"] != "0"
	m.CheckingDisabled = s["cd"] == "1"
	if size, err := strconv.Atoi(s["edns"]); err == nil {
		m.SetEdns0(uint16(size), s["do"] == "1")
	}
	if opt := m.IsEdns0(); opt != nil {
		switch s["option"] {
		case "cookie":
			opt.Option = append(opt.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "24a5ac1223344556"})
		case "nsid":
			opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID})
		case "ecs":
			opt.Option = append(opt.Option, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IP{198, 51, 100, 0}})
		}
	}
	class := uint16(dns.ClassINET)
	if s["class"] != "" && s["class"] != "IN" {
		if c, ok := dns.StringToClass[s["class"]]; ok {
			class = c
		} else {
			c, _ := strconv.Atoi(strings.TrimPrefix(s["class"], "CLASS"))
			class = uint16(c)
		}
	}
	m.Question[0].Qclass = class
	if s["malformed"] == "twoquestions" {
		m.Question = append(m.Question, dns.Question{Name: full("www"), Qtype: dns.TypeA, Qclass: dns.ClassINET})
	}
	if s["malformed"] == "noquestion" {
		m.Question = nil
	}
	q.Odd = s["malformed"] != "" && (s["malformed"] != "no" || s["opcode"] != "0")
	q.Octets, _ = m.Pack()
	if w.Spec["front"] == "tsig" && !q.Odd && rng.IntN(3) == 0 {
		m.SetTsig("judge.key.", dns.HmacSHA256, 300, time.Now().Unix())
		if signed, _, err := dns.TsigGenerate(m, tsigSecret, "", false); err == nil {
			q.Octets = signed
			defer func() { q.Text += " signed" }()
		}
	}
	op, _ := strconv.Atoi(s["opcode"])
	flags := binary.BigEndian.Uint16(q.Octets[2:])&^(0xf<<11) | uint16(op)<<11
	switch s["malformed"] {
	case "qr":
		flags |= 0x8000
	case "truncated":
		q.Octets = q.Octets[:len(q.Octets)-3]
	case "trailing":
		q.Octets = append(q.Octets, 0, 1, 2, 3)
	}
	binary.BigEndian.PutUint16(q.Octets[2:], flags)
	q.Text = fmt.Sprintf("%s %s %s +%s", name, s["class"], s["qtype"], q.Transport)
	for _, d := range []string{"edns", "option", "do", "cd", "rd", "opcode", "malformed"} {
		if v := s[d]; v != "" && v != "none" && v != "no" && !(d == "opcode" && v == "0") {
			q.Text += fmt.Sprintf(" %s=%s", d, v)
		}
	}
	if q.Client != "127.0.0.1" {
		q.Text += " from " + q.Client
	}
	q.Slow = w.Plan != nil && (w.Plan.Kind == "silence" || w.Plan.Kind == "garbage")
	return q
}
