package property

import (
	"crypto"
	"crypto/ecdsa"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// zoneKey makes the key that the zones in files are signed with, once.
var zoneKey = sync.OnceValues(func() (*dns.DNSKEY, crypto.Signer) {
	key := &dns.DNSKEY{Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	private, err := key.Generate(256)
	if err != nil {
		panic(err)
	}
	return key, private.(*ecdsa.PrivateKey)
})

// sign signs the zone with NSEC, as a signer that writes a zone file does.
func (z *zone) sign(r *rand.Rand) {
	k, private := zoneKey()
	key := *k
	key.Hdr = dns.RR_Header{Name: z.apex, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: zoneTTL}
	z.add(&key)
	z.index()
	owners := slices.SortedFunc(maps.Keys(z.at), server.CanonicalOrder)
	owners = slices.DeleteFunc(owners, func(owner string) bool { return z.cutAbove(parentIn(owner, z.apex)) != "" })
	for _, owner := range owners {
		if z.cutAbove(owner) != "" && r.IntN(2) == 0 {
			ds := key.ToDS(dns.SHA256)
			ds.Hdr.Name = owner
			z.add(ds)
		}
	}
	z.index()
	var sigs []dns.RR
	for i, owner := range owners {
		bitmap := []uint16{dns.TypeRRSIG, dns.TypeNSEC}
		for _, rr := range z.at[owner] {
			bitmap = append(bitmap, rr.Header().Rrtype)
		}
		slices.Sort(bitmap)
		nsec := &dns.NSEC{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 600},
			NextDomain: owners[(i+1)%len(owners)], TypeBitMap: slices.Compact(bitmap)}
		z.add(nsec)
		isCut := z.cutAbove(owner) != ""
		for _, set := range rrsets(append(z.at[owner], nsec)) {
			if t := set[0].Header().Rrtype; !isCut || t == dns.TypeDS || t == dns.TypeNSEC {
				sigs = append(sigs, signature(set, &key, private))
			}
		}
	}
	z.add(sigs...)
}

// parentIn returns the name one label up, within the zone.
func parentIn(name, apex string) string {
	if name == apex {
		return apex
	}
	return parent(name)
}

func signature(set []dns.RR, key *dns.DNSKEY, private crypto.Signer) dns.RR {
	now := time.Now()
	sig := &dns.RRSIG{Hdr: dns.RR_Header{Ttl: set[0].Header().Ttl}, Algorithm: key.Algorithm, KeyTag: key.KeyTag(), SignerName: key.Hdr.Name,
		Inception: uint32(now.Add(-time.Hour).Unix()), Expiration: uint32(now.Add(24 * time.Hour).Unix())}
	if err := sig.Sign(private, set); err != nil {
		panic(err)
	}
	return sig
}

// rrsets sorts records of one owner by their type.
func rrsets(rrs []dns.RR) [][]dns.RR {
	var out [][]dns.RR
next:
	for _, rr := range rrs {
		for i := range out {
			if out[i][0].Header().Rrtype == rr.Header().Rrtype {
				out[i] = append(out[i], rr)
				continue next
			}
		}
		out = append(out, []dns.RR{rr})
	}
	return out
}
