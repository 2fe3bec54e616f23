package world

import (
	"net/netip"

	"github.com/addressmap/addressmap/test/judge"
)

// services are HTTPS and SVCB records with hints.
func (b *builder) services() {
	svc := func(o, rrtype, target, more, hintOf string) {
		b.plain(o)
		var hint netip.Addr
		if hintOf == "" {
			hint = b.v4()
		} else {
			hint = b.hint(hintOf)
		}
		b.rr("%s 3600 IN %s 1 %s alpn=h2 ipv4hint=%s%s", full(o), rrtype, target, hint, more)
	}
	svc("svc", "HTTPS", full("www"), "", "www")
	svc("svcal", "HTTPS", full("al2"), "", "www")
	svc("svcout", "HTTPS", "www."+Net, "", "www."+Net)
	plainHint := ""
	if b.everything() {
		plainHint = "plain"
	}
	svc("svcplain", "HTTPS", full("plain"), "", plainHint)
	svc("svcfar", "HTTPS", "t."+Far, "", "")
	svc("svcmand", "HTTPS", full("v4only"), " mandatory=alpn,ipv4hint,ipv6hint ipv6hint=2001:db8:66::ffff", "v4only")
	b.secrets = append(b.secrets, judge.Secret{Addr: netip.MustParseAddr("2001:db8:66::ffff"), Of: full("v4only"), Rule: "R9"})
	svc("svcb", "SVCB", full("a4"), "", "a4")
	svc("svcflat", "HTTPS", full("flat"), "", "flat")
	svc("svcalnet", "HTTPS", full("alnet"), "", "www."+Net)
	svc("svcwild", "HTTPS", full("x.wild"), "", "x.wild")
	svc("svcgone", "HTTPS", full("gone"), "", "gone")
	b.plain("svc0")
	b.rr("%s 3600 IN HTTPS 0 www.%s", full("svc0"), Main)
}

// wildcards are wildcards, names that they answer for, and names beside them.
func (b *builder) wildcards() {
	b.proxied("*.wild", "true")
	b.a("*.wild")
	b.rr("*.wild.%s 3600 IN TXT \"for all\"", Main)
	b.rr("*.wild.%s 3600 IN HTTPS 1 . alpn=h2 ipv4hint=%s", Main, b.hint("*.wild"))
	b.covered("x.wild")
	b.covered("a.b.wild")
	b.proxied("*.walias", "true")
	b.alias("*.walias", Com)
	b.covered("y.walias")
	b.proxied("*.deep.wild", "true")
	b.a("*.deep.wild")
	b.covered("z.deep.wild")
	for _, o := range []string{"own.wild", "own.deep.wild"} {
		switch {
		case b.everything() || b.tells():
			b.plain(o)
		case b.spec["marks"] == "zone_file":
			b.name(full(o), judge.Unsure) // the file has the name, without a mark
		case b.spec["backend"] == "hosts+file" || b.spec["backend"] == "template+file":
			b.name(full(o), judge.Unsure)
		default:
			b.name(full(o), judge.Proxied) // the mark covers what nobody tells of
		}
		b.a(o)
	}
	b.name(full("ex.wild"), judge.Unproxied)
	b.marks[full("ex.wild")] = "false"
	if b.spec["marks"] == "all" {
		delete(b.marks, full("ex.wild"))
		b.name(full("ex.wild"), judge.Proxied)
	}
	b.a("ex.wild")
}

// covered is a name that exists only by a wildcard.
func (b *builder) covered(owner string) { b.name(full(owner), judge.Proxied) }

// cuts are zone cuts with glue and names below them.
func (b *builder) cuts() {
	b.rr("%s 3600 IN NS ns.cut.%s", full("cut"), Main)
	b.rr("%s 3600 IN NS www.%s", full("cut"), Main)
	b.plain("ns.cut")
	for _, addr := range []netip.Addr{b.a("ns.cut"), b.aaaa("ns.cut")} {
		for i := range b.secrets {
			if b.secrets[i].Addr == addr {
				b.secrets[i].Glue = full("ns.cut")
			}
		}
	}
	b.plain("cut")
	b.plain("host.cut")
	b.proxied("occ.cut", "true")
	b.a("occ.cut") // occluded: the zone's file has it below the cut
	b.rr("%s 3600 IN NS www.%s", full("pcut"), Main)
	b.plain("pcut")
	b.plain("host.pcut")
}

// otherZones are the nested zone and those beside the main one.
func (b *builder) otherZones() {
	switch b.spec["nested"] {
	case "none":
		b.plain("www.nest")
		b.plain("nest")
		b.plain("flat.nest")
	default:
		b.name(Nest, judge.Unproxied)
		b.marks["www."+Nest], b.marks["flat."+Nest] = "true", "true"
		b.name("www."+Nest, judge.Proxied)
		b.name("flat."+Nest, judge.Proxied)
	}
	b.name("nx."+Nest, judge.Unproxied)
	if b.spec["nested"] == "none" {
		b.plain("nx." + Nest)
	}
	if b.spec["nested"] == "cut" {
		b.rr("%s 3600 IN SOA ns1.%s host.%s 1 7200 3600 1209600 300", Nest, Nest, Nest)
		b.rr("%s 3600 IN NS ns1.%s", Nest, Com)
	}
	b.a("www.nest")
	if b.names["flat."+Nest].Status == judge.Proxied {
		b.alias("flat.nest", Com)
	} else {
		b.rr("flat.%s 3600 IN CNAME plain.%s", Nest, Main)
	}

	for _, o := range []string{"www.", "flat."} {
		b.marks[o+Net] = "true"
		b.name(o+Net, judge.Proxied).Elsewhere = b.split()
	}
	b.a("www." + Net)
	b.aaaa("www." + Net)
	b.rr("www.%s 3600 IN HTTPS 1 . alpn=h2 ipv4hint=%s", Net, b.hint("www."+Net))
	b.alias("flat."+Net, Com)
	for _, n := range []string{Net, "plain." + Net, "back." + Net} {
		b.name(n, judge.Unproxied).Elsewhere = b.split()
	}
	b.a("plain." + Net)
	b.rr("back.%s 3600 IN CNAME www.%s", Net, Main)

	for _, n := range []string{Com, "www." + Com, "hop." + Com, Far, "t." + Far} {
		b.name(n, judge.Unproxied)
	}
	b.a("www." + Com)
	b.rr("hop.%s 3600 IN CNAME www.%s", Com, Main)
	b.a("t." + Far)
}

func (b *builder) split() bool { return b.spec["blocks"] == "split" || b.spec["blocks"] == "splitdiff" }

// applications are Spectrum applications.
func (b *builder) applications() {
	p := netip.MustParseAddr
	for _, o := range []string{"spec", "specin"} {
		n := b.name(full(o), judge.Proxied)
		n.Spectrum, n.AAAAOnly = true, false
		n.V4, n.V6 = []netip.Addr{p("198.51.100.7")}, []netip.Addr{p("2001:db8:7::7")}
	}
	b.alias("specin", Com)
	n := b.name(full("specdyn"), judge.Proxied)
	n.Spectrum, n.AAAAOnly = true, false
	n.V4, n.V6 = []netip.Addr{b.anycast4()}, nil
	if b.spec["missing_family"] == "next" {
		n.Status = judge.Unsure
	}
}
