package world

import (
	"crypto"
	"crypto/ecdsa"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// directive is the line of addressmap.
func (w *World) directive(ttl string) string {
	var b strings.Builder
	b.WriteString("\taddressmap maps.yaml {\n\t\tttl " + ttl + "\n\t\tmissing_family " + w.Spec["missing_family"] + "\n\t\ttransfer " + w.Spec["transfer"] + "\n")
	switch w.Spec["https"] {
	case "on":
		b.WriteString("\t\thttps\n")
	case "h3h2":
		b.WriteString("\t\thttps h3 h2\n")
	}
	if p := w.Spec["presence"]; p != "default" {
		b.WriteString("\t\tpresence " + p + "\n")
	}
	if s := w.Spec["site"]; s == "fra" || s == "unknown" {
		b.WriteString("\t\tsite " + s + "\n")
	}
	if u := w.Spec["unlisted"]; u == "pass" || u == "refuse" {
		b.WriteString("\t\tunlisted " + u + "\n")
	}
	b.WriteString("\t}\n")
	return b.String()
}

// front are the lines of the plugin before addressmap.
func (w *World) front(dir string, zones []string) string {
	switch f := w.Spec["front"]; f {
	case "none":
		return ""
	case "cache":
		return "\tcache 30\n"
	case "stale":
		return "\tcache 5 {\n\t\tserve_stale 1h\n\t}\n"
	case "rewrite":
		return "\trewrite name exact rw.example.org www.example.org\n"
	case "dnssec":
		if !slices.Contains(zones, Main) {
			return ""
		}
		return "\tdnssec example.org {\n\t\tkey file " + w.keyFile + "\n\t}\n"
	case "acl":
		return "\tacl {\n\t\tblock type CAA\n\t}\n"
	case "header":
		return "\theader {\n\t\tresponse set ra\n\t}\n"
	case "log":
		return "\tlog . \"{name} {type} {rcode}\" {\n\t\tclass error\n\t}\n"
	case "autopath":
		return "\tautopath " + dir + "/" + w.ID + "/resolv.conf\n"
	case "nsid":
		return "\tnsid judge\n"
	case "bufsize":
		return "\tbufsize 1232\n"
	case "tsig":
		return "\ttsig {\n\t\tsecret judge.key. " + tsigSecret + "\n\t\trequire none\n\t}\n"
	case "chaos":
		return "\tchaos CoreDNS-judge somebody\n"
	case "many":
		return "\tcache 30\n\tloadbalance\n\tminimal\n\terrors\n\tmetadata\n"
	default:
		return "\t" + f + "\n"
	}
}

// backend are the lines of what comes after addressmap.
func (w *World) backend(zones []string, control bool) string {
	p := w.Ports
	up, upGRPC := p.Clean, p.CleanGRPC
	if !control && w.Plan != nil {
		up, upGRPC = p.Fault, p.FaultGRPC
	}
	if slices.Contains(zones, Main) && w.Spec["nested"] == "cut" {
		zones = append(slices.Clone(zones), Nest)
	}
	bare := func(z string) string { return strings.TrimSuffix(z, ".") }
	var list []string
	var files strings.Builder
	for _, z := range zones {
		list = append(list, bare(z))
		fmt.Fprintf(&files, "\tfile zones/db.%s %s {\n\t\treload 0\n\t}\n", bare(z), bare(z))
	}
	all := strings.Join(list, " ")
	timeout := ""
	if !control && w.Spec["fault"] == "silence" {
		timeout = "\t\tread_timeout 400ms\n"
	}
	forward := fmt.Sprintf("\tforward . 127.0.0.1:%d {\n\t\tmax_fails 0\n%s\t}\n", up, timeout)
	switch w.Spec["backend"] {
	case "file", "signed":
		return files.String()
	case "auto":
		pattern := strings.ReplaceAll(strings.Join(list, "|"), ".", `\.`)
		return "\tauto " + all + " {\n\t\tdirectory zones db\\.(" + pattern + ") {1}\n\t\treload 0\n\t}\n"
	case "secondary":
		return fmt.Sprintf("\tsecondary %s {\n\t\ttransfer from 127.0.0.1:%d\n\t}\n", all, p.Clean)
	case "hosts":
		return "\thosts hosts " + all + " {\n\t\treload 0\n\t}\n"
	case "template":
		return w.templates(zones, simple, false)
	case "forward":
		return forward
	case "grpc":
		return fmt.Sprintf("\tgrpc . 127.0.0.1:%d\n", upGRPC)
	case "hosts+file":
		return "\thosts hosts " + all + " {\n\t\treload 0\n\t\tfallthrough\n\t}\n" + files.String()
	case "template+file":
		i := 0
		return w.templates(zones, func(name string) bool { i++; return simple(name) && len(name)%3 == 0 }, true) + files.String()
	case "file+forward":
		var some strings.Builder
		for _, z := range zones {
			if z != Net && z != Far {
				fmt.Fprintf(&some, "\tfile zones/db.%s %s {\n\t\treload 0\n\t}\n", bare(z), bare(z))
			}
		}
		return some.String() + forward
	}
	if w.Spec["backend"] == "etcd" {
		lines := strings.ReplaceAll(files.String(), "file zones/db.example.org example.org {", "etcd example.org {\n\t\tpath /"+w.EtcdPath+"\n\t\tendpoint "+w.EtcdEndpoint+"\n\t}\n\tfile zones/db.none none.invalid {")
		return strings.ReplaceAll(lines, "\tfile zones/db.none none.invalid {\n\t\treload 0\n\t}\n", "")
	}
	panic("no such backend: " + w.Spec["backend"])
}

func newKey(zone string) (*dns.DNSKEY, crypto.PrivateKey, error) {
	k := &dns.DNSKEY{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600}, Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	priv, err := k.Generate(256)
	return k, priv, err
}

// makeKey writes a key for the plugin dnssec.
func (w *World) makeKey() error {
	k, priv, err := newKey(Main)
	if err != nil {
		return err
	}
	w.keyFile = fmt.Sprintf("Kexample.org.+%03d+%05d", k.Algorithm, k.KeyTag())
	w.Files[w.keyFile+".key"] = k.String() + "\n"
	w.Files[w.keyFile+".private"] = k.PrivateKeyString(priv)
	return nil
}

// sign signs a zone with NSEC, as a signer of files does.
func sign(zone string, rrs []dns.RR) ([]dns.RR, error) {
	k, priv, err := newKey(zone)
	if err != nil {
		return nil, err
	}
	rrs = append(slices.Clone(rrs), k)
	sets := map[string]map[uint16][]dns.RR{}
	for _, rr := range rrs {
		name := dns.CanonicalName(rr.Header().Name)
		if sets[name] == nil {
			sets[name] = map[uint16][]dns.RR{}
		}
		sets[name][rr.Header().Rrtype] = append(sets[name][rr.Header().Rrtype], rr)
	}
	occluded := func(name string) bool {
		return strings.HasSuffix(name, ".cut."+zone) || strings.HasSuffix(name, ".pcut."+zone) || strings.HasSuffix(name, "."+Nest) && len(sets[Nest]) > 0
	}
	var names []string
	for name := range sets {
		if !occluded(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Compare(reversed(a), reversed(b)) })
	for i, name := range names {
		var types []uint16
		for t := range sets[name] {
			types = append(types, t)
		}
		types = append(types, dns.TypeRRSIG, dns.TypeNSEC)
		slices.Sort(types)
		nsec := &dns.NSEC{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300}, NextDomain: names[(i+1)%len(names)], TypeBitMap: types}
		sets[name][dns.TypeNSEC] = []dns.RR{nsec}
		rrs = append(rrs, nsec)
	}
	signer, ok := priv.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %T", priv)
	}
	for _, name := range names {
		for t, set := range sets[name] {
			if t == dns.TypeNS && name != zone {
				continue // a delegation is not signed
			}
			sig := &dns.RRSIG{Algorithm: k.Algorithm, KeyTag: k.KeyTag(), SignerName: zone,
				Inception: uint32(time.Now().Add(-time.Hour).Unix()), Expiration: uint32(time.Now().Add(240 * time.Hour).Unix())}
			if err := sig.Sign(signer, set); err != nil {
				return nil, err
			}
			rrs = append(rrs, sig)
		}
	}
	return rrs, nil
}

func reversed(name string) []string {
	l := dns.SplitDomainName(name)
	slices.Reverse(l)
	return l
}
