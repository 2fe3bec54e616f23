package world

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/test/judge"
	"github.com/miekg/dns"
)

// files writes the map, the zones and whatever else the Corefile names.
func (w *World) files() error {
	for _, z := range []string{Main, Net, Com, Far, Nest} {
		rrs := w.zoneRecords(z)
		if len(rrs) == 0 {
			continue
		}
		if w.Spec["backend"] == "signed" && z == Main {
			var err error
			if rrs, err = sign(z, rrs); err != nil {
				return err
			}
		}
		var b strings.Builder
		for _, rr := range rrs {
			b.WriteString(rr.String() + "\n")
		}
		w.Files["zones/db."+strings.TrimSuffix(z, ".")] = b.String()
	}
	w.Files["marks"] = w.marksFile()
	w.Files["maps.yaml"] = w.mapFile()
	w.Files["hosts"] = w.hostsFile()
	w.Files["resolv.conf"] = "search example.org example.net\n"
	if w.Spec["front"] == "dnssec" {
		return w.makeKey()
	}
	return nil
}

// tagged says what the zone file's comment says of a name, "" for no tag.
func (w *World) tagged(name string) string {
	switch w.marks[name] {
	case "true", "false":
		return w.marks[name]
	}
	return ""
}

// marksFile is the zone file that marks are read from.
func (w *World) marksFile() string {
	var b strings.Builder
	for _, rr := range w.zoneRecords(Main) {
		line := rr.String()
		t := rr.Header().Rrtype
		if tag := w.tagged(dns.CanonicalName(rr.Header().Name)); tag != "" && (t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeCNAME) {
			line += " ; note cf_tags=team:web,cf-proxied:" + tag
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// list writes the marks of a zone as the map has them.
func (w *World) list(zone string, takes func(name string) bool) string {
	var out []string
	for name, how := range w.marks {
		if !dns.IsSubDomain(zone, name) || zone == Main && w.Spec["nested"] != "none" && dns.IsSubDomain(Nest, name) || !takes(name) {
			continue
		}
		q := fmt.Sprintf("%q", name)
		out = append(out, map[string]string{
			"true": q, "false": "{name: " + q + ", proxied: false}", "v4": "{name: " + q + ", ipv4_only: true}", "v6": "{name: " + q + ", ipv6_only: true}",
		}[how])
	}
	slices.Sort(out)
	return "[" + strings.Join(out, ", ") + "]"
}

// mapFile is the map document.
func (w *World) mapFile() string {
	hasAddress := map[string]bool{}
	for _, rr := range w.Records {
		switch rr.Header().Rrtype {
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
			hasAddress[dns.CanonicalName(rr.Header().Name)] = true
		}
	}
	all := func(string) bool { return true }
	untagged := func(name string) bool { return w.tagged(name) == "" || !hasAddress[name] }
	zone := "name: example.org"
	if w.Spec["family"] == "noipv6" {
		zone += ", ipv6: false"
	}
	switch w.Spec["marks"] {
	case "list":
		zone += ", proxied: " + w.list(Main, all)
	case "all":
		zone += ", proxied: all"
	case "zone_file":
		zone += ", zone_file: marks, proxied: " + w.list(Main, untagged)
	case "zone_file_default":
		zone += ", zone_file: marks, proxied_default: true"
	}
	ips := map[string]string{
		"both": `203.0.113.10, 203.0.113.11, "2001:db8:100::10"`, "noipv6": `203.0.113.10, 203.0.113.11, "2001:db8:100::10"`,
		"v4": `203.0.113.10, 203.0.113.11`, "v6": `"2001:db8:100::10"`,
	}[w.Spec["family"]]
	nest := ""
	if w.Spec["nested"] != "none" {
		nest = "      - {name: nest.example.org, proxied: [www, flat]}\n"
	}
	names := ""
	if list := w.memberships(); list != "" {
		names = `      - {id: m2, enabled: true, ips: [203.0.113.20, "2001:db8:100::20"], memberships: [` + list + "]}\n"
	}
	return `anycast: [192.0.2.1, "2001:db8::1"]
sites: {fra: {anycast: [192.0.2.65]}, ams: {anycast: ["2001:db8::129"]}}
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, "2001:db8:100::/48"]
    static_ips: [198.51.100.7, "2001:db8:7::7"]
    zones:
      - {` + zone + `}
` + nest + `      - {name: example.net, proxied: ` + w.list(Net, all) + `}
    address_maps:
      - {id: m1, enabled: true, ips: [` + ips + `], memberships: [{kind: zone, identifier: example.org}]}
` + names + `    spectrum_apps:
      - {dns: {name: spec.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.7, "2001:db8:7::7"]}}
      - {dns: {name: specin.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.7, "2001:db8:7::7"]}}
      - {dns: {name: specdyn.example.org, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv4}}
`
}

// simple says whether a backend without zones can have the name.
func simple(name string) bool {
	return !strings.Contains(name, "*") && !strings.HasSuffix(name, "cut."+Main) && !strings.HasSuffix(name, ".dn."+Main)
}

// loops says whether the name is an alias that ends in a loop, which template
// would follow for seconds.
func loops(name string) bool {
	switch strings.TrimSuffix(name, "."+Main) {
	case "alloop", "alloop2", "alself", "flatself", "flatloop":
		return true
	}
	return false
}

func (w *World) hostsFile() string {
	var b strings.Builder
	for i, rr := range w.Records {
		if !simple(rr.Header().Name) || strings.Contains(w.Spec["backend"], "+") && i%2 == 0 {
			continue
		}
		switch rr := rr.(type) {
		case *dns.A:
			fmt.Fprintf(&b, "%s %s\n", rr.A, rr.Hdr.Name)
		case *dns.AAAA:
			fmt.Fprintf(&b, "%s %s\n", rr.AAAA, rr.Hdr.Name)
		}
	}
	return b.String()
}

// templates are the lines of the plugin template for the names; the rest falls
// through if next is set, else does not exist.
func (w *World) templates(zones []string, takes func(name string) bool, next bool) string {
	var b strings.Builder
	byName := map[string]map[uint16][]dns.RR{}
	var names []string
	for _, rr := range w.Records {
		name := dns.CanonicalName(rr.Header().Name)
		if loops(name) || !takes(name) || !slices.ContainsFunc(zones, func(z string) bool { return dns.IsSubDomain(z, name) }) {
			continue
		}
		if byName[name] == nil {
			byName[name] = map[uint16][]dns.RR{}
			names = append(names, name)
		}
		t := rr.Header().Rrtype
		byName[name][t] = append(byName[name][t], rr)
	}
	stanza := func(qtype, match, body string) {
		fmt.Fprintf(&b, "\ttemplate IN %s {\n\t\tmatch %s\n%s\t\tfallthrough\n\t}\n", qtype, match, body)
	}
	for _, name := range names {
		match := `(?i)^` + regexp.QuoteMeta(name) + `$`
		for _, t := range slices.Sorted(maps.Keys(byName[name])) {
			rrs := byName[name][t]
			if t >= 65280 || t == dns.TypeDNAME || t == dns.TypeNAPTR {
				continue
			}
			body := ""
			for _, rr := range rrs {
				text := strings.Join(strings.Fields(rr.String()), " ")
				text = "{{ .Name }}" + strings.TrimPrefix(text, rr.Header().Name)
				body += "\t\tanswer \"" + strings.ReplaceAll(text, `"`, `\"`) + "\"\n"
			}
			qtype := dns.TypeToString[t]
			if t == dns.TypeCNAME {
				qtype = "ANY"
			}
			stanza(qtype, match, body)
		}
	}
	if next {
		return b.String()
	}
	for _, zone := range zones {
		soa := "\t\tauthority \"" + zone + " 3600 IN SOA ns1." + zone + " host." + zone + " 1 7200 3600 1209600 300\"\n"
		for _, name := range names {
			if dns.IsSubDomain(zone, name) {
				stanza("ANY", `(?i)^`+regexp.QuoteMeta(name)+`$`, "\t\trcode NOERROR\n"+soa)
			}
		}
		fmt.Fprintf(&b, "\ttemplate IN ANY %s {\n\t\trcode NXDOMAIN\n%s\t}\n", zone, soa)
	}
	return b.String()
}

// Corefile returns the server blocks, once the ports are set. dir is the
// directory of all worlds.
func (w *World) Corefile(dir string) string {
	p := w.Ports
	keys := func(zones []string, control bool) string {
		var out []string
		for _, z := range zones {
			z = strings.TrimSuffix(z, ".")
			if control {
				out = append(out, fmt.Sprintf("dns://%s:%d", z, p.Control))
				continue
			}
			out = append(out, fmt.Sprintf("dns://%s:%d tls://%s:%d https://%s:%d quic://%s:%d grpc://%s:%d", z, p.DNS, z, p.TLS, z, p.HTTPS, z, p.QUIC, z, p.GRPC))
		}
		return strings.Join(out, " ")
	}
	var b strings.Builder
	block := func(zones []string, control bool, view, ttl string) {
		fmt.Fprintf(&b, "%s {\n\troot %s/%s\n\tbind 127.0.0.1\n", keys(zones, control), dir, w.ID)
		if view != "" {
			fmt.Fprintf(&b, "\tview v%s {\n\t\texpr incidr(client_ip(), '127.0.0.2/32')\n\t}\n", w.ID)
		}
		if !control {
			b.WriteString("\ttls ../cert.pem ../key.pem\n" + w.front(dir, zones) + w.directive(ttl))
		}
		b.WriteString("\ttransfer {\n\t\tto *\n\t}\n" + w.backend(zones, control) + "}\n")
	}
	zones := slices.DeleteFunc(w.served(), func(z string) bool { return z == Nest })
	ttl := map[string]string{"default": "300"}[w.Spec["ttl"]]
	if ttl == "" {
		ttl = w.Spec["ttl"]
	}
	other := fmt.Sprint(otherTTL)
	switch w.Spec["blocks"] {
	case "one":
		block(zones, false, "", ttl)
	case "split", "splitdiff":
		if w.Spec["blocks"] == "split" {
			other = ttl
		}
		rest := slices.DeleteFunc(slices.Clone(zones), func(z string) bool { return z == Net })
		block(rest, false, "", ttl)
		block([]string{Net}, false, "", other)
		block(rest, true, "", "")
		block([]string{Net}, true, "", "")
		return b.String()
	case "view":
		block(zones, false, "second", ttl)
		block(zones, false, "", ttl)
	case "viewdiff":
		block(zones, false, "second", other)
		block(zones, false, "", ttl)
	}
	block(zones, true, "", "")
	return b.String()
}

// Status returns the status that the judge is told, for tests.
func (w *World) Status(name string) judge.Status {
	if n := w.Judge.Find(name); n != nil {
		return n.Status
	}
	return judge.Unsure
}
