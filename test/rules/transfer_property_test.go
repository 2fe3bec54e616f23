package rules

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

var transferSeeds = flag.Uint64("transferseeds", 80, "how many random zones and maps secondaries are compared on")

// A secondary that serves transferred zones answers as the primary does, whatever
// the zones and the map. It cannot
//   - answer HTTPS of its own making (R10), ANY as R14 has it, or what else is no
//     data of the zone;
//   - know of an application at or below a zone cut, which the primary answers for;
//   - tell a name above an application from any empty non-terminal: it says NODATA
//     where the primary has the backend's NXDOMAIN;
//   - have a name without addresses in the map, see [TestR18_NoAddress].
func TestR18_SecondaryAnswersAlike(t *testing.T) {
	asked := 0
	seeds := *transferSeeds
	if testing.Short() {
		seeds /= 4
	}
	for seed := range seeds {
		s := &sketch{Rand: rand.New(rand.NewPCG(seed, 18))}
		s.draw()
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { asked += s.compare(t) })
		if !ok {
			break
		}
	}
	t.Logf("%d zones and maps, %d answers compared", seeds, asked)
}

// A name without addresses in the map is no name of the transfer, if it has no
// other records: the primary says NODATA, a secondary NXDOMAIN.
func TestR18_NoAddress(t *testing.T) {
	c := server.Start(t, serialCorefile, map[string]string{
		"maps.yaml":      "anycast: [192.0.2.1, \"2001:db8::1\"]\naccounts:\n  - {id: acme, zones: [{name: example.org, ipv6: false, proxied: [{name: www, ipv6_only: true}]}]}\n",
		"db.example.org": serialZone(1),
	})
	if m := c.Lookup(t, "www.example.org.", dns.TypeA); m.Rcode != dns.RcodeSuccess || len(m.Answer) > 0 {
		t.Errorf("want NODATA, got\n%s", m)
	}
	rrs, err := c.Transfer("example.org")
	if err != nil || len(rrs) != 2 {
		t.Errorf("want nothing but the SOA, got %v, %v", rrs, err)
	}
}

// sketch is random zones and a map over them. The few labels make names meet.
type sketch struct {
	*rand.Rand
	zones map[string][]dns.RR // :: apex → records, the SOA first
	text  string              // the map
	apps  []string
}

var (
	sketchLabels = []string{"a", "b", "c"}
	sketchApexes = []string{"example.org.", "example.net."}
)

// name makes up a name of a zone.
func (s *sketch) name(apex string, wildcards bool) string {
	name := apex
	for range s.IntN(4) {
		name = sketchLabels[s.IntN(len(sketchLabels))] + "." + name
	}
	if wildcards && s.IntN(4) == 0 {
		name = "*." + name
	}
	return name
}

func (s *sketch) anyName() string { return s.name(sketchApexes[s.IntN(2)], false) }

// draw makes up everything.
func (s *sketch) draw() {
	s.zones = make(map[string][]dns.RR)
	for i, apex := range sketchApexes {
		s.zones[apex] = []dns.RR{parsed(fmt.Sprintf("%s 3600 IN SOA ns.%s h.%s %d 7200 3600 1209600 3600", apex, apex, apex, i+1))}
		s.zones[apex] = append(s.zones[apex], parsed(fmt.Sprintf("%s 3600 IN NS ns.%s", apex, apex)))
		aliased := make(map[string]bool)
		taken := make(map[string]bool)
		for n := range 4 + s.IntN(14) {
			owner := s.name(apex, true)
			if aliased[owner] {
				continue
			}
			record := s.record(owner, n, owner != apex && !taken[owner])
			aliased[owner] = strings.Contains(record, " CNAME ")
			taken[owner] = true
			rr := parsed(record)
			if !slices.ContainsFunc(s.zones[apex], func(other dns.RR) bool { return dns.IsDuplicate(other, rr) }) {
				s.zones[apex] = append(s.zones[apex], rr)
			}
		}
	}
	s.drawMap()
}

// record makes up a record; cname says that it may be an alias.
func (s *sketch) record(owner string, n int, cname bool) string {
	address := fmt.Sprintf("10.66.%d.%d", s.IntN(200), n)
	kinds := []string{
		"A " + address, "A " + address, "AAAA 2001:db8:66::" + fmt.Sprint(n), "TXT text" + fmt.Sprint(n),
		"MX 10 " + s.anyName(),
		fmt.Sprintf("HTTPS 1 . alpn=h2 ipv4hint=%s", address),
		fmt.Sprintf("HTTPS 1 %s mandatory=ipv4hint,ipv6hint ipv4hint=%s ipv6hint=2001:db8:66::%d", s.anyName(), address, n),
		fmt.Sprintf("SVCB 2 %s port=1 ipv6hint=2001:db8:66::%d", s.anyName(), n),
	}
	if cname {
		kinds = append(kinds, "CNAME "+s.anyName(), "CNAME "+s.anyName(), "CNAME hidden.example.edu.")
		if s.IntN(8) == 0 && !strings.HasPrefix(owner, "*") {
			return fmt.Sprintf("%s 3600 IN NS ns.%s", owner, owner)
		}
	}
	kind := kinds[s.IntN(len(kinds))]
	if kind == "CNAME "+owner {
		kind = "TXT loop" // which file does not even serve
	}
	return fmt.Sprintf("%s 3600 IN %s", owner, kind)
}

// drawMap makes up a map: zones in and above those of the backend, one in the
// other, marks, applications, address maps.
func (s *sketch) drawMap() {
	var b strings.Builder
	b.WriteString("anycast: [192.0.2.1, 192.0.2.2, \"2001:db8::1\"]\naccounts:\n")
	b.WriteString("  - id: acme\n    static_ips: [203.0.113.1, 203.0.113.7, \"2001:db8:0:1::1\"]\n    zones:\n")
	zones := map[string]bool{sketchApexes[0]: true}
	if s.IntN(2) == 0 {
		zones[sketchApexes[1]] = true
	}
	for range s.IntN(3) {
		zones[s.anyName()] = true
	}
	if s.IntN(4) == 0 {
		zones["net."] = true
	}
	apexes := slices.Sorted(maps.Keys(zones))
	for _, apex := range apexes {
		fmt.Fprintf(&b, "      - {name: %s, ipv6: %t, proxied: %s}\n", apex, s.IntN(3) > 0, s.marks(apex))
	}
	fmt.Fprintf(&b, "    address_maps:\n      - {enabled: true, ips: [203.0.113.1, \"2001:db8:0:1::1\"], memberships: [{kind: zone, identifier: %s}]}\n", apexes[s.IntN(len(apexes))])
	for i := range s.IntN(3) {
		app := s.anyName()
		if slices.Contains(s.apps, app) || s.delegated(app) || !slices.ContainsFunc(apexes, func(apex string) bool { return dns.IsSubDomain(apex, app) }) {
			continue
		}
		if i == 0 {
			b.WriteString("    spectrum_apps:\n")
		} else if len(s.apps) == 0 {
			continue
		}
		s.apps = append(s.apps, app)
		fmt.Fprintf(&b, "      - {dns: {name: %s, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.7]}}\n", app)
	}
	s.text = b.String()
}

// delegated reports whether a name lies at or below a zone cut.
func (s *sketch) delegated(name string) bool {
	for apex, rrs := range s.zones {
		for _, rr := range rrs {
			if h := rr.Header(); h.Rrtype == dns.TypeNS && h.Name != apex && dns.IsSubDomain(h.Name, name) {
				return true
			}
		}
	}
	return false
}

func (s *sketch) marks(apex string) string {
	if s.IntN(3) == 0 {
		return "all"
	}
	var marks []string
	seen := make(map[string]bool)
	for range s.IntN(8) {
		name := s.name(apex, true)
		if seen[name] {
			continue
		}
		seen[name] = true
		flag := []string{"", "", "", ", proxied: false", ", ipv4_only: true"}[s.IntN(5)]
		marks = append(marks, fmt.Sprintf("{name: %q%s}", name, flag))
	}
	return "[" + strings.Join(marks, ", ") + "]"
}

func parsed(text string) dns.RR {
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	return rr
}

func zoneText(rrs []dns.RR) string {
	var b strings.Builder
	for _, rr := range rrs {
		b.WriteString(rr.String() + "\n")
	}
	return b.String()
}

// compare asks both servers everything and returns how much that was.
func (s *sketch) compare(t *testing.T) int {
	files := map[string]string{"maps.yaml": s.text}
	corefile := strings.Join(sketchApexes, " ") + " {\ntransfer {\nto *\n}\naddressmap maps.yaml\n"
	plain := strings.Join(sketchApexes, " ") + " {\n"
	for _, apex := range sketchApexes {
		files["db."+apex] = zoneText(s.zones[apex])
		corefile += "file db." + apex + " " + apex + "\n"
		plain += "file copy." + apex + " " + apex + "\n"
	}
	primary := server.Start(t, corefile+"}\n", files)
	names := s.names()
	for _, apex := range sketchApexes {
		rrs, err := primary.Transfer(apex)
		if err != nil {
			t.Fatalf("%s: %v\n%s", apex, err, s)
		}
		server.WriteFile(t, "copy."+apex, zoneText(rrs[:len(rrs)-1]))
	}
	copied := server.Start(t, plain+"}\n", nil)
	one, other := &phone{c: primary}, &phone{c: copied}
	defer one.hangUp()
	defer other.hangUp()
	for _, name := range names {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeTXT, dns.TypeMX, dns.TypeHTTPS, dns.TypeSVCB, dns.TypeNS} {
			want, got := one.lookup(t, name, qtype), other.lookup(t, name, qtype)
			if why := s.same(want, got); why != "" {
				t.Fatalf("%s %s: %s: the primary says\n%s\nthe secondary\n%s\n%s\ntransferred:\n%s", name, dns.TypeToString[qtype], why, want, got, s, transfersText(t, primary))
			}
		}
	}
	return 8 * len(names)
}

// phone is a TCP connection for many questions: no datagram is lost and waited for.
type phone struct {
	c     *server.Server
	conn  *dns.Conn
	asked int
}

func (p *phone) lookup(t testing.TB, name string, qtype uint16) *dns.Msg {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: server.Patience}
	if p.asked%100 == 0 { // the server hangs up after 128
		p.hangUp()
		var err error
		if p.conn, err = client.Dial(p.c.Addr("tcp")); err != nil {
			t.Fatal(err)
		}
	}
	p.asked++
	m, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion(name, qtype), p.conn)
	if err != nil {
		t.Fatalf("%s %s: %v", name, dns.TypeToString[qtype], err)
	}
	return m
}

func (p *phone) hangUp() {
	if p.conn != nil {
		p.conn.Close()
	}
}

func transfersText(t *testing.T, c *server.Server) string {
	text := ""
	for _, apex := range sketchApexes {
		rrs, err := c.Transfer(apex)
		text += server.TransferText(t, rrs, err)
	}
	return text
}

func (s *sketch) String() string {
	text := s.text
	for _, apex := range sketchApexes {
		text += zoneText(s.zones[apex])
	}
	return text
}

// names returns all names that anything is known of, and some around them.
func (s *sketch) names() []string {
	set := make(map[string]bool)
	add := func(name string) {
		for _, n := range []string{name, "x." + name, "a." + name, "x.y." + name} {
			set[n] = true
		}
	}
	for _, apex := range sketchApexes {
		add(apex)
		for _, one := range sketchLabels {
			add(one + "." + apex)
			for _, two := range sketchLabels {
				add(two + "." + one + "." + apex)
			}
		}
		for _, rr := range s.zones[apex] {
			set[rr.Header().Name] = true
		}
	}
	for _, app := range s.apps {
		add(app)
	}
	return slices.Sorted(maps.Keys(set))
}

// same says what of two responses differs that should not.
func (s *sketch) same(want, got *dns.Msg) string {
	text := func(rrs []dns.RR, types ...uint16) string {
		var lines []string
		for _, rr := range rrs {
			if len(types) == 0 || slices.Contains(types, rr.Header().Rrtype) {
				lines = append(lines, rr.String())
			}
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	if want.Rcode == dns.RcodeServerFailure && got.Rcode == dns.RcodeServerFailure {
		return "" // aliases that never end
	}
	if text(want.Answer) != text(got.Answer) {
		return "another answer"
	}
	last := want.Question[0].Name
	for _, rr := range want.Answer {
		if alias, ok := rr.(*dns.CNAME); ok {
			last = alias.Target
		}
	}
	above := slices.ContainsFunc(s.apps, func(app string) bool { return app != last && dns.IsSubDomain(last, app) })
	if want.Rcode != got.Rcode && !(above && want.Rcode == dns.RcodeNameError && got.Rcode == dns.RcodeSuccess) {
		return "another rcode"
	}
	// In authority, file adds its name servers to addresses, and the primary
	// does not (R2). At the end of an alias into another zone, file has the SOA of
	// the zone where it began, and the primary that where it ends (RFC 2308).
	if len(want.Answer) == 0 && text(want.Ns, dns.TypeSOA) != text(got.Ns, dns.TypeSOA) {
		return "another SOA"
	}
	if last != want.Question[0].Name {
		return "" // file adds nothing at the end of an alias into another zone
	}
	// Of what was an alias, or is an application, only the secondary has addresses
	// at hand to add; and glue is glue to a secondary, whoever asks.
	for line := range strings.Lines(text(want.Extra, dns.TypeA, dns.TypeAAAA)) {
		if !s.delegated(strings.Fields(line)[0]) && !strings.Contains(text(got.Extra)+"\n", strings.TrimSpace(line)+"\n") {
			return "fewer additional records"
		}
	}
	return ""
}
