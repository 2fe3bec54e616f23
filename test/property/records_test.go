package property

import (
	"net"

	"github.com/miekg/dns"
)

const zoneTTL = 3600

func (w *world) header(owner string, t uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: t, Class: dns.ClassINET, Ttl: zoneTTL}
}

// fill makes up the records of a planned zone.
func (w *world) fill(z *zone) {
	z.add(&dns.SOA{Hdr: w.header(z.apex, dns.TypeSOA), Ns: "ns." + z.apex, Mbox: "hostmaster." + z.apex,
		Serial: 1 + w.Uint32N(1000), Refresh: 7200, Retry: 3600, Expire: 1209600, Minttl: 600})
	z.add(&dns.NS{Hdr: w.header(z.apex, dns.TypeNS), Ns: "ns." + z.apex})
	w.addresses(z, "ns."+z.apex, 1, 1)
	if w.chance(1, 2) {
		z.add(&dns.NS{Hdr: w.header(z.apex, dns.TypeNS), Ns: w.target(z)})
	}
	if w.chance(2, 3) {
		w.addresses(z, z.apex, 1, w.IntN(2))
		w.companions(z, z.apex)
	}
	for _, p := range z.plan {
		w.records(z, p)
	}
	if z.signed {
		z.sign(w.Rand)
	}
}

func (z *zone) add(rrs ...dns.RR) { z.rrs = append(z.rrs, rrs...) }

// records makes up what stands at a planned owner.
func (w *world) records(z *zone, p planned) {
	switch p.kind {
	case kindHost, kindWildHost:
		w.addresses(z, p.owner, 1+w.IntN(2), w.IntN(3))
		w.companions(z, p.owner)
	case kindHost6:
		w.addresses(z, p.owner, 0, 1+w.IntN(2))
	case kindAlias, kindWildAlias:
		z.add(&dns.CNAME{Hdr: w.header(p.owner, dns.TypeCNAME), Target: w.target(z)})
	case kindText, kindWildText:
		w.text(z, p.owner)
	case kindMail:
		w.mail(z, p.owner)
		if w.chance(1, 2) {
			w.text(z, p.owner)
		}
	case kindService:
		w.service(z, p.owner, false)
	case kindRedirect:
		z.add(&dns.DNAME{Hdr: w.header(p.owner, dns.TypeDNAME), Target: w.target(z)})
		if w.chance(1, 3) {
			w.addresses(z, p.owner, 1, 0)
		}
	case kindCut:
		w.delegate(z, p.owner)
	}
}

func (w *world) addresses(z *zone, owner string, v4, v6 int) {
	for range v4 {
		z.add(&dns.A{Hdr: w.header(owner, dns.TypeA), A: w.next().v4()})
	}
	for range v6 {
		z.add(&dns.AAAA{Hdr: w.header(owner, dns.TypeAAAA), AAAA: w.next().v6()})
	}
}

// companions are records that stand beside addresses.
func (w *world) companions(z *zone, owner string) {
	if w.chance(1, 3) {
		w.text(z, owner)
	}
	if w.chance(1, 3) {
		w.mail(z, owner)
	}
	if w.chance(1, 2) {
		w.service(z, owner, true)
	}
}

func (w *world) text(z *zone, owner string) {
	z.add(&dns.TXT{Hdr: w.header(owner, dns.TypeTXT), Txt: []string{"v=spf1 mx -all"}})
	if w.chance(1, 3) {
		z.add(&dns.CAA{Hdr: w.header(owner, dns.TypeCAA), Tag: "issue", Value: "ca.example"})
	}
}

func (w *world) mail(z *zone, owner string) {
	for i := range 1 + w.IntN(2) {
		z.add(&dns.MX{Hdr: w.header(owner, dns.TypeMX), Preference: uint16(i), Mx: w.target(z)})
	}
	if w.chance(1, 2) {
		z.add(&dns.SRV{Hdr: w.header(owner, dns.TypeSRV), Port: 443, Target: w.target(z)})
	}
}

// service adds HTTPS or SVCB records in service mode or, if there are no
// addresses beside them, in alias mode.
func (w *world) service(z *zone, owner string, beside bool) {
	for i := range 1 + w.IntN(2) {
		svcb := dns.SVCB{Priority: uint16(i + 1), Target: "."}
		if !beside || w.chance(1, 2) {
			svcb.Target = w.target(z)
		}
		if !beside && i == 0 && w.chance(1, 3) {
			svcb.Priority = 0 // alias mode (RFC 9460, section 2.4.2)
		} else {
			svcb.Value = w.parameters()
		}
		if w.chance(1, 2) {
			svcb.Hdr = w.header(owner, dns.TypeSVCB)
			z.add(&svcb)
		} else {
			svcb.Hdr = w.header(owner, dns.TypeHTTPS)
			z.add(&dns.HTTPS{SVCB: svcb})
		}
		if svcb.Priority == 0 {
			return
		}
	}
}

// parameters makes up the parameters of a service, hints among them.
func (w *world) parameters() []dns.SVCBKeyValue {
	var out []dns.SVCBKeyValue
	var keys []dns.SVCBKey
	maybe := func(p dns.SVCBKeyValue) {
		if w.chance(2, 3) {
			out = append(out, p)
			if w.chance(1, 3) {
				keys = append(keys, p.Key())
			}
		}
	}
	maybe(&dns.SVCBAlpn{Alpn: []string{"h2", "h3"}})
	maybe(&dns.SVCBPort{Port: 8443})
	maybe(&dns.SVCBIPv4Hint{Hint: []net.IP{w.next().v4(), w.next().v4()}})
	maybe(&dns.SVCBECHConfig{ECH: []byte("a key")})
	maybe(&dns.SVCBIPv6Hint{Hint: []net.IP{w.next().v6()}})
	if len(keys) > 0 {
		out = append([]dns.SVCBKeyValue{&dns.SVCBMandatory{Code: keys}}, out...)
	}
	return out
}

// delegate adds a zone cut: name servers inside the child with glue, beside it,
// and elsewhere.
func (w *world) delegate(z *zone, owner string) {
	inside := "ns." + owner
	z.add(&dns.NS{Hdr: w.header(owner, dns.TypeNS), Ns: inside})
	w.addresses(z, inside, 1, w.IntN(2))
	if w.chance(1, 2) {
		z.add(&dns.NS{Hdr: w.header(owner, dns.TypeNS), Ns: w.target(z)})
	}
	if w.chance(1, 3) {
		z.add(&dns.NS{Hdr: w.header(owner, dns.TypeNS), Ns: owner})
		w.addresses(z, owner, 1, 0)
	}
}
