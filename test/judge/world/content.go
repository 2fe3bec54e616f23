package world

import (
	"fmt"
	"slices"

	"github.com/addressmap/addressmap/test/judge"
)

// chainLengths are the lengths of the alias chains to www.
const longest = 20

// Owners are the names that queries ask for, relative to Main unless they end
// in a dot. "hidden" stands for a name behind a proxied alias, "nxname" for
// one that does not exist.
var Owners = owners()

func owners() []string {
	list := []string{
		"@", "www", "a4", "a6", "v4only", "v6only", "flat", "flatout", "flatgone", "flatself", "flatloop", "flatchain", "beside",
		"gone", "text", "plain", "alflat", "alnet", "alcom", "alplain", "alloop", "alself", "alwild", "algone", "alcut", "alfar", "alspec", "alnest",
		"www.dn", "www.dn2", "www.new", "dn", "mail", "_sip._tcp", "svc", "svcal", "svcout", "svcplain", "svcfar", "svc0", "svcmand", "svcb", "svcflat",
		"svcalnet", "svcwild", "svcgone", "_8443._https.www", "x.wild", "a.b.wild", "own.wild", "ex.wild", "y.walias", "z.deep.wild", "own.deep.wild",
		"cut", "host.cut", "occ.cut", "ns.cut", "pcut", "host.pcut", "ent", "b.ent", "ptr", "naptr", "www.nest", "nest", "flat.nest", "nx.nest",
		"spec", "specin", "specdyn", "hidden", "nxname", "rw",
		Net, "www." + Net, "flat." + Net, "plain." + Net, "back." + Net, Com, "www." + Com, "hop." + Com, "t." + Far, "*.wild",
	}
	for i := 1; i <= longest; i++ {
		if i <= 4 || i >= 6 && i <= 11 || i == 15 || i == longest {
			list = append(list, fmt.Sprintf("al%d", i))
		}
	}
	return list
}

// fill fills the zones.
func (b *builder) fill() {
	for _, z := range []string{Main, Net, Com, Far} {
		b.rr("%s 3600 IN SOA ns1.%s host.%s 1 7200 3600 1209600 300", z, z, z)
		b.rr("%s 3600 IN NS ns1.%s", z, z)
		b.plain("ns1." + z)
		b.a("ns1." + z)
	}
	b.proxied("@", "true")
	b.a("@")
	b.rr("%s 3600 IN TXT \"apex\"", Main)
	b.rr("%s 3600 IN MX 10 www.%s", Main, Main)
	b.addressed()
	b.flattened()
	b.plainNames()
	b.services()
	b.wildcards()
	b.cuts()
	b.otherZones()
	b.applications()
	for _, o := range []string{"nxname", "rw"} {
		b.plain(o)
	}
	b.members()
}

// addressed are proxied names with addresses.
func (b *builder) addressed() {
	for _, o := range []string{"www", "a4", "a6", "v4only", "v6only", "www.new"} {
		how := map[string]string{"v4only": "v4", "v6only": "v6"}[o]
		if how == "" || b.everything() || b.spec["family"] == "v4" || b.spec["family"] == "v6" {
			how = "true"
		}
		b.proxied(o, how)
		if o != "a6" {
			b.a(o)
		}
		if o != "a4" && o != "www.new" {
			b.aaaa(o)
		}
	}
	b.a("www")
	w := full("www")
	b.rr("%s 3600 IN TXT \"text of www\"", w)
	b.rr("%s 3600 IN MX 10 plain.%s", w, Main)
	b.rr("%s 3600 IN CAA 0 issue \"ca.example\"", w)
	b.rr("%s 3600 IN TYPE65280 \\# 2 abcd", w)
	b.rr("%s 3600 IN HTTPS 1 . alpn=h2 ipv4hint=%s", w, b.hint("www"))
	b.rr("_8443._https.%s 3600 IN HTTPS 1 www.%s alpn=h2 ipv4hint=%s", w, Main, b.hint("www"))
	b.plain("_8443._https.www")
	b.proxied("gone", "true")
	b.proxied("text", "true")
	b.rr("%s 3600 IN TXT \"no address\"", full("text"))
}

// flattened are proxied names with aliases.
func (b *builder) flattened() {
	for _, o := range []string{"flat", "flatout", "flatgone", "flatself", "flatloop", "flatchain", "beside"} {
		b.proxied(o, "true")
	}
	in := Main
	if b.spec["backend"] == "signed" {
		in = Com // so that no NSEC shows what is hidden
	}
	b.alias("flat", in)
	b.alias("flatout", Far)
	b.alias("beside", Com)
	if b.beside {
		rr := b.rr("%s 3600 IN TXT \"beside the alias\"", full("beside"))
		if b.inMemory() { // R6: of other backends NODATA
			b.names[full("beside")].Beside[rr.Header().Rrtype] = append(b.names[full("beside")].Beside[rr.Header().Rrtype], rr)
		}
	}
	b.rr("%s 3600 IN CNAME %s", full("flatgone"), b.secretTarget("flatgone", in))
	b.rr("%s 3600 IN CNAME %s", full("flatself"), full("flatself"))
	back := b.secretTarget("flatloop", in)
	b.rr("%s 3600 IN CNAME %s", full("flatloop"), back)
	b.rr("%s 3600 IN CNAME %s", back, full("flatloop"))
	b.name(back, judge.Unsure)
	at := full("flatchain")
	for range 4 {
		next := b.secretTarget("flatchain", in)
		b.rr("%s 3600 IN CNAME %s", at, next)
		b.name(next, judge.Unsure)
		at = next
	}
	b.rr("%s 3600 IN CNAME %s", at, b.hidden("flatchain", in))
}

// plainNames are names that are not marked.
func (b *builder) plainNames() {
	b.plain("plain")
	b.a("plain")
	b.aaaa("plain")
	b.rr("%s 3600 IN TXT \"plain text\"", full("plain"))
	for i, target := 1, "www"; i <= longest; i++ {
		o := fmt.Sprintf("al%d", i)
		b.link(o, full(target))
		target = o
	}
	for o, target := range map[string]string{
		"alflat": full("flat"), "alnet": "www." + Net, "alcom": "hop." + Com, "alplain": full("plain"), "alwild": full("x.wild"), "algone": full("gone"),
		"alcut": full("host.cut"), "alfar": "t." + Far, "alspec": full("spec"), "alnest": full("www.nest"), "alloop": full("alloop2"), "alloop2": full("alloop"), "alself": full("alself"),
	} {
		b.link(o, target)
	}
	if !b.everything() {
		for _, o := range []string{"alloop", "alloop2", "alself"} {
			b.name(full(o), judge.Unsure)
		}
	}
	b.rr("%s 3600 IN DNAME %s", full("dn"), Net)
	b.rr("%s 3600 IN DNAME new.%s", full("dn2"), Main)
	b.plain("dn")
	for _, o := range []string{"www.dn", "www.dn2"} {
		if !b.everything() {
			b.plain(o)
		}
	}
	b.rr("%s 3600 IN PTR www.%s", full("ptr"), Main)
	b.rr("%s 3600 IN NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" www.%s", full("naptr"), Main)
	b.rr("_sip._tcp.%s 3600 IN SRV 0 0 5060 a4.%s", Main, Main)
	b.rr("_sip._tcp.%s 3600 IN SRV 0 0 5060 plain.%s", Main, Main)
	for i, o := range []string{"www", "plain", "flat", "v4only", "ns.cut", "x.wild"} {
		b.rr("%s 3600 IN MX %d %s", full("mail"), i, full(o))
	}
	for _, o := range []string{"ptr", "naptr", "_sip._tcp", "mail", "ent", "b.ent"} {
		b.plain(o)
	}
	b.a("b.ent")
}

// link makes an alias at a name that is not marked.
func (b *builder) link(owner, target string) {
	b.plain(owner)
	b.rr("%s 3600 IN CNAME %s", full(owner), target)
}

// inMemory says whether the backend holds its zones in memory, and answers for every
// name in them.
func (b *builder) inMemory() bool {
	return slices.Contains([]string{"file", "auto", "secondary", "signed", "hosts+file", "file+forward"}, b.spec["backend"])
}
