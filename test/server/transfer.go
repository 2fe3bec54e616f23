package server

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Transfer asks the server for all of a zone.
func (s *Server) Transfer(zone string) ([]dns.RR, error) {
	return ReceiveTransfer(new(dns.Transfer), s.Addr("tcp"), new(dns.Msg).SetAxfr(dns.Fqdn(zone)))
}

// ReceiveTransfer returns the records of all messages of a transfer.
func ReceiveTransfer(tr *dns.Transfer, addr string, req *dns.Msg) ([]dns.RR, error) {
	tr.DialTimeout, tr.ReadTimeout = Patience, Patience
	envelopes, err := tr.In(req, addr)
	if err != nil {
		return nil, err
	}
	var rrs []dns.RR
	for e := range envelopes {
		if e.Error != nil {
			err = cmp.Or(err, e.Error)
		}
		rrs = append(rrs, e.RR...)
	}
	return rrs, err
}

// TransferText is what a transfer says, as an archive holds it.
func TransferText(t *testing.T, rrs []dns.RR, err error) string {
	t.Helper()
	if err != nil {
		var refused *dns.Error
		if errors.As(err, &refused) && len(rrs) == 0 {
			return refused.Error() + "\n"
		}
		t.Fatalf("%v\n%v", err, rrs)
	}
	last := len(rrs) - 1
	if last < 1 || !dns.IsDuplicate(rrs[0], rrs[last]) || rrs[0].Header().Rrtype != dns.TypeSOA {
		t.Fatalf("want the SOA first and last, got\n%v", rrs)
	}
	sorted := slices.Clone(rrs[1:last])
	slices.SortStableFunc(sorted, func(a, b dns.RR) int { // the order within an RRset tells something
		return cmp.Or(cmp.Compare(reversed(a.Header().Name), reversed(b.Header().Name)), cmp.Compare(setOf(a), setOf(b)))
	})
	var text strings.Builder
	for _, rr := range slices.Insert(sorted, 0, rrs[0]) {
		switch rr := rr.(type) {
		case *dns.RRSIG, *dns.DNSKEY:
			text.WriteString(rr.Header().Name + " " + setOf(rr) + "\n")
		default:
			text.WriteString(strings.ReplaceAll(rr.String(), "\t", " ") + "\n")
		}
	}
	return text.String()
}

// setOf names the RRset of its owner that a record is in, or signs.
func setOf(rr dns.RR) string {
	name := dns.TypeToString[rr.Header().Rrtype]
	if sig, ok := rr.(*dns.RRSIG); ok {
		name += " of " + dns.TypeToString[sig.TypeCovered]
	}
	return name
}

// reversed writes the labels of a name from the right, so that names sort as
// zones do.
func reversed(name string) string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return strings.Join(labels, " ")
}

// SerialOf returns the serial of an SOA.
func SerialOf(t testing.TB, rr dns.RR) uint32 {
	t.Helper()
	soa, ok := rr.(*dns.SOA)
	if !ok {
		t.Fatalf("want an SOA, got %v", rr)
	}
	return soa.Serial
}

// Serial returns the serial that the server answers with for a zone.
func (s *Server) Serial(t testing.TB, zone string) uint32 {
	t.Helper()
	m := s.Lookup(t, zone, dns.TypeSOA)
	if len(m.Answer) == 0 {
		t.Fatalf("no SOA for %s:\n%s", zone, m)
	}
	return SerialOf(t, m.Answer[0])
}
