package rig

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// Ask asks a server over UDP and returns the addresses in its answer, in their
// order. No answer within a tenth of a second is an error, as is any rcode but
// NOERROR.
func Ask(addr, name string, qtype uint16) ([]netip.Addr, error) {
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	client := dns.Client{Timeout: 100 * time.Millisecond}
	reply, _, err := client.Exchange(q, addr)
	if err != nil {
		return nil, err
	}
	if reply.Rcode != dns.RcodeSuccess {
		return nil, fmt.Errorf("%s: %s", name, dns.RcodeToString[reply.Rcode])
	}
	var ips []netip.Addr
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			ip, _ := netip.AddrFromSlice(rr.A)
			ips = append(ips, ip.Unmap())
		case *dns.AAAA:
			ip, _ := netip.AddrFromSlice(rr.AAAA)
			ips = append(ips, ip)
		}
	}
	return ips, nil
}

// Answers asks for both families of a name and returns an error unless the
// answers are those wanted, in any order.
func Answers(addr, name string, want Addresses) error {
	for qtype, family := range map[uint16][]netip.Addr{dns.TypeA: want.V4, dns.TypeAAAA: want.V6} {
		got, err := Ask(addr, name, qtype)
		if err != nil {
			return err
		}
		slices.SortFunc(got, netip.Addr.Compare)
		if !slices.Equal(got, family) {
			return fmt.Errorf("%s: want %v, got %v", name, family, got)
		}
	}
	return nil
}
