package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var validators = map[string]string{"dig": "bind9-dnsutils", "delv": "bind9-dnsutils", "unbound": "unbound", "unbound-host": "unbound-host"}

// signedZones are those of dnssec.txtar.
var signedZones = []string{"example.org", "example.net"}

// signed is a CoreDNS that signs on line, and an unbound that validates.
type signed struct {
	primary, unbound *server
	dir              string
}

// startSigned starts both, with something before the plugin dnssec.
func startSigned(t *testing.T, algorithm uint8, before string) *signed {
	t.Helper()
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600}, Flags: 257, Protocol: 3, Algorithm: algorithm}
	private, err := key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	s := &signed{primary: &server{port: freePort(t), log: new(logBuffer)}, unbound: &server{port: freePort(t), log: new(logBuffer)}}
	forUnbound, forDelv := "", "trust-anchors {\n"
	for _, zone := range signedZones {
		forUnbound += fmt.Sprintf("    trust-anchor: \"%s. DNSKEY 257 3 %d %s\"\n", zone, algorithm, key.PublicKey)
		forDelv += fmt.Sprintf("%s. static-key 257 3 %d \"%s\";\n", zone, algorithm, key.PublicKey)
	}
	s.dir = lay(t, "dnssec.txtar", map[string]string{"ADDRESSMAP": s.primary.port, "UNBOUND": s.unbound.port, "BEFORE": before, "ANCHORS": forUnbound})
	s.primary.dir = s.dir
	for name, text := range map[string]string{"anchors": forDelv + "};\n", "Kpeers.key": key.String() + "\n", "Kpeers.private": key.PrivateKeyString(private)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "-conf", "Corefile")
	cmd.Dir = s.dir
	s.primary.run(t, cmd, "example.org", "DNSKEY")
	s.unbound.run(t, exec.Command("unbound", "-d", "-c", filepath.Join(s.dir, "unbound.conf")), "example.org", "DNSKEY")
	return s
}

// delv asks the server and validates by the anchors alone.
func (s *signed) delv(question string) string {
	name, qtype, _ := strings.Cut(question, " ")
	zone := zoneOf(name)
	out, _ := exec.Command("delv", "@127.0.0.1", "-p", s.primary.port, "-a", filepath.Join(s.dir, "anchors"), "+root="+zone, name, qtype).CombinedOutput()
	return strings.TrimSpace(string(out))
}

// unboundHost resolves and validates with the configuration of the resolver.
func (s *signed) unboundHost(question string) string {
	name, qtype, _ := strings.Cut(question, " ")
	out, _ := exec.Command("unbound-host", "-C", filepath.Join(s.dir, "unbound.conf"), "-v", "-t", qtype, name).CombinedOutput()
	return strings.TrimSpace(string(out))
}

// zoneOf returns the zone that a name is in: its last two labels.
func zoneOf(name string) string {
	labels := strings.Split(name, ".")
	return strings.Join(labels[len(labels)-2:], ".")
}

// signedQuestions are about names that the map says something of, and others, with
// a part of the answer; nothing of a negative one.
var signedQuestions = []struct{ question, want string }{
	{"example.org A", "192.0.2.1"},
	{"www.example.org A", "192.0.2.1"},
	{"www.example.org AAAA", "2001:db8::1"},
	{"www.example.org TXT", "beside"},
	{"wWw.ExAmple.org A", "192.0.2.1"},
	{"flat.example.org A", "192.0.2.1"},
	{"boots.shop.example.org A", "192.0.2.1"},
	{"boots.shop.example.org TXT", "shop"},
	{"out.shop.example.org A", "198.51.100.4"},
	{"alias.example.org A", "192.0.2.1"},
	{"toflat.example.org AAAA", "2001:db8::1"},
	{"alias.example.net A", "192.0.2.1"},
	{"svc.example.org HTTPS", "ipv4hint=192.0.2.1"},
	{"svc.example.net HTTPS", "ipv4hint=192.0.2.1"},
	{"www.example.org HTTPS", "ipv4hint=192.0.2.1"}, // synthesized
	{"app.example.org A", "203.0.113.7"},
	{"example.org MX", "mail.example.org."}, // with addresses in additional
	{"example.org SOA", "hostmaster.example.org. 10 "},
	{"mail.example.org A", "198.51.100.25"},
	{"v4.example.org AAAA", ""},
	{"app.example.org AAAA", ""},
	{"app.example.org TXT", ""},
	{"www.example.org MX", ""},
	{"flat.example.org CNAME", ""},
	{"flat.example.org TXT", ""},
	{"text.example.org A", ""},
	{"boots.shop.example.org MX", ""},
	{"nothing.example.org A", ""},
	{"nothing.www.example.org AAAA", ""},
	{"nothing.example.net A", ""},
}

// Everything that dnssec signs on line validates, with delv and with unbound as a
// validating resolver. What cache keeps validates too.
func TestR16_Validates(t *testing.T) {
	needs(t, validators)
	for name, algorithm := range map[string]uint8{"ECDSA P-256": dns.ECDSAP256SHA256, "Ed25519": dns.ED25519} {
		for _, before := range []string{"", "cache"} {
			t.Run(strings.TrimSpace(name+" "+before), func(t *testing.T) {
				s := startSigned(t, algorithm, before)
				for _, tc := range signedQuestions {
					s.validates(t, tc.question, tc.want)
				}
				if before != "" { // asked again
					for _, tc := range signedQuestions {
						s.validates(t, tc.question, tc.want)
					}
				}
				// The serial goes up with the map, and the SOA is signed anew.
				s.primary.edit(t, edit{"maps.yaml", "192.0.2.1,", "192.0.2.2,"})
				for n := 0; !strings.Contains(s.primary.ask(t, fmt.Sprintf("new%d.shop.example.org A", n)).all(), "192.0.2.2"); n++ {
				}
				s.validates(t, "fresh.shop.example.org A", "192.0.2.2")
				s.validates(t, "fresh.shop.example.org MX", "")
				if before == "" {
					s.validates(t, "example.org SOA", "hostmaster.example.org. 11 ")
				}
			})
		}
	}
}

// validates wants an answer validated by all.
func (s *signed) validates(t *testing.T, question, want string) {
	t.Helper()
	delv, host := s.delv(question), s.unboundHost(question)
	t.Logf("delv %s\n%s\nunbound-host:\n%s", question, delv, host)
	verdict := "; fully validated"
	if want == "" {
		verdict = "; negative response, fully validated"
	}
	if !strings.Contains(delv, verdict) || !strings.Contains(delv, want) {
		t.Errorf("delv %s: want %q and %q, got\n%s", question, verdict, want, delv)
	}
	r := s.unbound.ask(t, "+dnssec "+question)
	// What it has cached may be from before a change of the map.
	if r.status != "NOERROR" || !strings.Contains(r.flags, "ad") || want == "" != (len(r.answer) == 0) {
		t.Errorf("unbound, %s: want it with AD, got %s %q\n%s\n%s", question, r.status, r.flags, r.all(), s.unbound.log)
	}
	if !strings.Contains(host, "(secure)") || strings.Contains(host, "BOGUS") || strings.Contains(host, "(insecure)") || !strings.Contains(host, strings.TrimSuffix(want, ".")) {
		t.Errorf("unbound-host %s: want %q, secure, got\n%s", question, want, host)
	}
	for _, text := range []string{delv, r.all(), host} {
		if originData.MatchString(text) {
			t.Errorf("%s: origin data left:\n%s", question, text)
		}
	}
}

// A zone that is signed in its file never tells origin data. What is substituted
// has no signature any more, what is not keeps its own, and the log says once what
// to do.
func TestR17_SignedInFile(t *testing.T) {
	needs(t, map[string]string{"dig": "bind9-dnsutils", "delv": "bind9-dnsutils", "ldns-keygen": "ldnsutils", "ldns-signzone": "ldnsutils"})
	s := startSigned(t, dns.ED25519, "")
	ldns := func(args ...string) string {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = s.dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		return strings.TrimSpace(string(out))
	}
	key := ldns("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", "example.org")
	ldns("ldns-signzone", "-f", "db.signed", "-o", "example.org", "db.example.org", key)
	public, err := os.ReadFile(filepath.Join(s.dir, key+".key"))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(public))
	anchor := fmt.Sprintf("trust-anchors {\nexample.org. static-key 257 3 13 \"%s\";\n};\n", fields[6])
	corefile := "example.org:$PORT {\nbind 127.0.0.1\nerrors\ntransfer {\nto *\n}\naddressmap maps.yaml\nfile db.signed\n}\n"
	s.primary = &server{dir: s.dir, port: freePort(t), log: new(logBuffer)}
	for name, text := range map[string]string{"anchors": anchor, "Corefile": strings.Replace(corefile, "$PORT", s.primary.port, 1)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-conf", "Corefile")
	cmd.Dir = s.dir
	s.primary.run(t, cmd, "example.org", "SOA")

	for _, name := range []string{"example.org", "www.example.org", "flat.example.org", "svc.example.org", "boots.shop.example.org", "alias.example.org", "toflat.example.org", "v4.example.org", "nothing.example.org", "text.example.org", "mail.example.org"} {
		for _, qtype := range []string{"A", "AAAA", "CNAME", "HTTPS", "TXT", "MX", "ANY", "RRSIG", "NSEC"} {
			for _, how := range []string{"+dnssec", "+dnssec +tcp", ""} {
				r := s.primary.ask(t, how+" "+name+" "+qtype)
				if originData.MatchString(r.all()) {
					t.Errorf("%s %s %s: origin data left:\n%s", how, name, qtype, r.all())
				}
			}
		}
	}
	if records := strings.Join(s.primary.axfr(t, "example.org"), "\n"); originData.MatchString(records) {
		t.Errorf("origin data left in a transfer:\n%s", records)
	}
	for question, valid := range map[string]bool{"mail.example.org A": true, "www.example.org TXT": true, "www.example.org A": false, "flat.example.org A": false} {
		got := s.delv(question)
		t.Logf("delv %s\n%s", question, got)
		if strings.Contains(got, "; fully validated") != valid {
			t.Errorf("delv %s: want it valid %t, got\n%s", question, valid, got)
		}
	}
	warned := strings.Count(s.primary.log.String(), "is signed in its file")
	t.Logf("%s", s.primary.awaitLog(t, "is signed in its file"))
	if warned != 1 {
		t.Errorf("want one warning, got %d:\n%s", warned, s.primary.log)
	}
}
