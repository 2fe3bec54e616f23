package judge

import (
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Secret is a value that must not leave.
type Secret struct {
	Addr  netip.Addr // an address, or
	Label string     // a label that stands nowhere else, of six octets at least
	Names []string   // names that hold the label, for their hashes
	Of    string     // the proxied owner whose data this is
	Rule  string     // the rule that is broken if it leaves, if not the one above all
	// Glue is the owner at which the address is true glue (R12), "" if at none.
	Glue string
	// KnownBy are labels: who asks for a name with one of them knows of the
	// secret's owner, which is not proxied itself, and is told by R1.
	KnownBy []string
	// Told: the value stands in what a faulty backend says beside its records,
	// which may leave where R1 applies.
	Told bool
	// Public: an unproxied owner has the value too, under this name.
	Public string
}

// String names the secret as it stands in a zone file.
func (s *Secret) String() string {
	if s.Addr.IsValid() {
		return s.Addr.String()
	}
	return s.Label
}

// pattern is one spelling of a secret.
type pattern struct {
	octets []byte
	secret *Secret
	form   string
	digits bool // must not be followed or led by another digit
}

// index finds the spellings of all secrets of a world in a message. It is keyed
// by the first four octets of a spelling.
type index struct {
	raw, lower map[uint32][]pattern
	v6         map[netip.Addr]*Secret
}

func four(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func (x *index) add(fold bool, octets []byte, s *Secret, form string, digits bool) {
	if len(octets) < 4 {
		return
	}
	m := x.raw
	if fold {
		m = x.lower
		octets = []byte(strings.ToLower(string(octets)))
	}
	k := four(octets)
	m[k] = append(m[k], pattern{octets, s, form, digits})
}

// Index makes the spellings of the world's secrets ready. It must be called
// once, before the world is judged by several goroutines.
func (w *World) Index() {
	x := &index{raw: map[uint32][]pattern{}, lower: map[uint32][]pattern{}, v6: map[netip.Addr]*Secret{}}
	for i := range w.Secrets {
		s := &w.Secrets[i]
		if s.Addr.IsValid() {
			x.addAddr(s)
		} else {
			x.addLabel(s)
		}
	}
	w.index = x
}

func (x *index) addAddr(s *Secret) {
	b := s.Addr.AsSlice()
	x.add(false, b, s, "octets", false)
	hexed := hex.EncodeToString(b)
	x.add(true, []byte(hexed), s, "hex", false)
	// The first characters of base64 and base32 stand for whole octets only.
	x.add(false, []byte(strings.TrimRight(base64.StdEncoding.EncodeToString(b), "=")), s, "base64", false)
	x.add(true, []byte(strings.TrimRight(base32.HexEncoding.EncodeToString(b), "=")), s, "base32hex", false)
	text := s.Addr.String()
	x.add(true, []byte(text), s, "text", true)
	x.add(true, []byte(strings.NewReplacer(".", "-", ":", "-").Replace(text)), s, "text with hyphens", true)
	if s.Addr.Is6() {
		x.v6[s.Addr] = s
		x.add(true, []byte(s.Addr.StringExpanded()), s, "expanded text", false)
	}
	if rev, err := dns.ReverseAddr(text); err == nil {
		x.add(true, []byte(rev[:len(rev)-1]), s, "reversed text", true)
		x.add(true, wire(rev), s, "reversed name", false)
	}
}

func (x *index) addLabel(s *Secret) {
	x.add(true, []byte(s.Label), s, "label", false)
	b := []byte(s.Label)
	x.add(true, []byte(hex.EncodeToString(b)), s, "hex", false)
	for _, name := range s.Names {
		w := wire(strings.ToLower(name))
		x.add(true, []byte(hex.EncodeToString(w)), s, "hex of the name", false)
		x.add(true, []byte(strings.TrimRight(base32.HexEncoding.EncodeToString(w), "=")), s, "base32hex of the name", false)
		sum := sha1.Sum(w)
		x.add(false, sum[:], s, "sha1 of the name", false)
		for iterations := uint16(0); iterations < 3; iterations++ {
			hash := dns.HashName(name, dns.SHA1, iterations, "")
			x.add(true, []byte(hash), s, fmt.Sprintf("NSEC3 hash, %d iterations", iterations), false)
		}
	}
}

// wire returns the name in wire form without the root's octet.
func wire(name string) []byte {
	buf := make([]byte, 256)
	n, err := dns.PackDomainName(dns.Fqdn(name), buf, 0, nil, false)
	if err != nil {
		return nil
	}
	return buf[:n-1]
}

// hit is one place of a message at which a secret stands.
type hit struct {
	at     int
	secret *Secret
	form   string
}

// scan finds all secrets in a message, whether or not it can be unpacked.
func (x *index) scan(msg []byte) []hit {
	var hits []hit
	if len(msg) < 12 {
		return nil
	}
	lower := make([]byte, len(msg))
	for i, c := range msg {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	for i := 2; i+4 <= len(msg); i++ { // the ID is the client's
		for _, p := range x.raw[four(msg[i:])] {
			if matches(msg[i:], p.octets) {
				hits = append(hits, hit{i, p.secret, p.form})
			}
		}
		for _, p := range x.lower[four(lower[i:])] {
			if !matches(lower[i:], p.octets) {
				continue
			}
			end := i + len(p.octets)
			if p.digits && (end < len(lower) && wordlike(lower[end]) || wordlike(lower[i-1])) {
				continue
			}
			hits = append(hits, hit{i, p.secret, p.form})
		}
	}
	return append(hits, x.scanV6(lower)...)
}

func matches(b, p []byte) bool { return len(b) >= len(p) && string(b[:len(p)]) == string(p) }

func wordlike(c byte) bool { return '0' <= c && c <= '9' }

// scanV6 finds IPv6 addresses in text, in whatever spelling.
func (x *index) scanV6(lower []byte) []hit {
	var hits []hit
	isV6 := func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || c == ':' || c == '.' }
	for i := 0; i < len(lower); i++ {
		if !isV6(lower[i]) {
			continue
		}
		end, colons := i, 0
		for end < len(lower) && isV6(lower[end]) {
			if lower[end] == ':' {
				colons++
			}
			end++
		}
		for from := i; colons >= 2 && from < end && from < i+4; from++ { // a length octet may look like text
			for to := end; to > from && (to == end || lower[to] == '.' || lower[to] == ':'); to-- {
				if a, err := netip.ParseAddr(string(lower[from:to])); err == nil && x.v6[a] != nil {
					hits = append(hits, hit{from, x.v6[a], "text"})
				}
			}
		}
		i = end
	}
	return hits
}
