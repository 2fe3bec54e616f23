package server

import (
	"bytes"
	"crypto"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Keyring checks signatures by the keys that the server itself publishes.
type Keyring struct {
	t      *testing.T
	server *Server
	Strict bool // every record has to have a valid signature
	keys   map[string][]*dns.DNSKEY
}

// Keyring returns a keyring for the zones that the server signs.
func (s *Server) Keyring(t *testing.T, strict bool) *Keyring {
	return &Keyring{t: t, server: s, Strict: strict}
}

// of returns the keys of a zone.
func (k *Keyring) of(zone string) []*dns.DNSKEY {
	if keys, ok := k.keys[zone]; ok {
		return keys
	}
	if k.keys == nil {
		k.keys = make(map[string][]*dns.DNSKEY)
	}
	k.keys[zone] = nil
	for _, rr := range k.server.Ask(k.t, "tcp", new(dns.Msg).SetQuestion(zone, dns.TypeDNSKEY)).Answer {
		if key, ok := rr.(*dns.DNSKEY); ok {
			k.keys[zone] = append(k.keys[zone], key)
		}
	}
	return k.keys[zone]
}

// Verdict tells whether a signature holds for the RRset of its section.
func (k *Keyring) Verdict(section []dns.RR, sig *dns.RRSIG) string {
	set := RRset(section, sig.Hdr.Name, sig.TypeCovered)
	if len(set) == 0 {
		return "over nothing"
	}
	for _, key := range k.of(sig.SignerName) {
		if key.KeyTag() == sig.KeyTag && sig.ValidityPeriod(time.Now()) && sig.Verify(key, set) == nil {
			return "valid"
		}
	}
	return "BOGUS"
}

// Validate complains about a message that a validating resolver would refuse:
// each RRset of answer and authority has a signature that holds, and a negative
// answer has an NSEC at the name that does not list the type (RFC 4035).
func (k *Keyring) Validate(m *dns.Msg) {
	k.t.Helper()
	if opt := m.IsEdns0(); opt == nil || !opt.Do() {
		return
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns} {
		for _, rr := range section {
			h := rr.Header()
			if h.Rrtype == dns.TypeRRSIG || !k.signed(h.Name) || isReferral(m) {
				continue
			}
			valid := slices.ContainsFunc(section, func(s dns.RR) bool {
				sig, ok := s.(*dns.RRSIG)
				return ok && dns.CanonicalName(sig.Hdr.Name) == dns.CanonicalName(h.Name) && sig.TypeCovered == h.Rrtype && k.Verdict(section, sig) == "valid"
			})
			if !valid {
				k.t.Errorf("%v: no valid signature over %s in\n%s", m.Question, rr, m)
			}
		}
	}
	if len(m.Answer) > 0 || isReferral(m) {
		return
	}
	denied := slices.ContainsFunc(m.Ns, func(rr dns.RR) bool {
		nsec, ok := rr.(*dns.NSEC)
		return ok && dns.CanonicalName(nsec.Hdr.Name) == dns.CanonicalName(m.Question[0].Name) &&
			!slices.Contains(nsec.TypeBitMap, m.Question[0].Qtype) && !slices.Contains(nsec.TypeBitMap, dns.TypeCNAME)
	})
	if !denied {
		k.t.Errorf("%v: nothing proves that it does not exist:\n%s", m.Question, m)
	}
}

// signed reports whether a zone around the name has keys.
func (k *Keyring) signed(name string) bool {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if len(k.of(dns.CanonicalName(name[off:]))) > 0 {
			return true
		}
	}
	return false
}

func isReferral(m *dns.Msg) bool {
	return len(m.Answer) == 0 && !m.Authoritative && slices.ContainsFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS })
}

// RRset returns the records of a section with this owner and type.
func RRset(section []dns.RR, owner string, rtype uint16) []dns.RR {
	var out []dns.RR
	for _, rr := range section {
		if h := rr.Header(); h.Rrtype == rtype && dns.CanonicalName(h.Name) == dns.CanonicalName(owner) {
			out = append(out, rr)
		}
	}
	return out
}

// NewKey makes a key of a zone and writes it where the plugin dnssec finds it.
func NewKey(t testing.TB, zone string) (*dns.DNSKEY, crypto.Signer) {
	t.Helper()
	key := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: dns.Fqdn(zone), Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	private, err := key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, "K"+zone+".key", key.String()+"\n")
	WriteFile(t, "K"+zone+".private", key.PrivateKeyString(private))
	return key, private.(crypto.Signer)
}

// SignFile signs a zone file as a signer of zones would: NSEC for each owner, and
// a signature over each RRset of which the zone is the authority.
func SignFile(t testing.TB, path, zone string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	apex := dns.Fqdn(zone)
	key, private := NewKey(t, zone)
	rrs := []dns.RR{key}
	parser := dns.NewZoneParser(bytes.NewReader(text), apex, path)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rrs = append(rrs, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	types := make(map[string][]uint16)
	for _, rr := range rrs {
		if h := rr.Header(); !slices.Contains(types[h.Name], h.Rrtype) {
			types[h.Name] = append(types[h.Name], h.Rrtype)
		}
	}
	owners := slices.SortedFunc(maps.Keys(types), CanonicalOrder)
	for i, owner := range owners {
		types[owner] = append(types[owner], dns.TypeNSEC)
		bitmap := append(slices.Clone(types[owner]), dns.TypeRRSIG)
		slices.Sort(bitmap)
		rrs = append(rrs, &dns.NSEC{
			Hdr:        dns.RR_Header{Name: owner, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300},
			NextDomain: owners[(i+1)%len(owners)], TypeBitMap: bitmap,
		})
	}
	for _, owner := range owners {
		for _, rtype := range types[owner] {
			set := RRset(rrs, owner, rtype)
			sig := &dns.RRSIG{
				Hdr:       dns.RR_Header{Ttl: set[0].Header().Ttl},
				Algorithm: key.Algorithm, KeyTag: key.KeyTag(), SignerName: apex,
				Inception: uint32(time.Now().Add(-time.Hour).Unix()), Expiration: uint32(time.Now().Add(time.Hour).Unix()),
			}
			if err := sig.Sign(private, set); err != nil {
				t.Fatal(err)
			}
			rrs = append(rrs, sig)
		}
	}
	var out strings.Builder
	for _, rr := range rrs {
		out.WriteString(rr.String() + "\n")
	}
	WriteFile(t, path, out.String())
}

// CanonicalOrder compares names label by label from the right (RFC 4034).
func CanonicalOrder(a, b string) int {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}
