package addressmap

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// worlds holds worlds of one backing until enough zones were asked. start gives
// the server blocks' lines, for a world that lies in the working directory.
func worlds(t *testing.T, b backing, start func(t *testing.T, w *world) func(zones []string) string) {
	t.Helper()
	var total figures
	for seed := *propertySeed; total.zones < (*propertyZones+3)/4 && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := newWorld(rand.NewPCG(seed, 1), b)
			w.place(t)
			total.add(w.hold(t, start(t, w)))
		})
	}
	t.Log(total)
}

// Nothing leaves, whoever has the zones.
func TestProperty_File(t *testing.T) {
	worlds(t, backing{tells: true, lax: true}, func(_ *testing.T, w *world) func([]string) string { return w.fromFiles })
}

func TestProperty_Hosts(t *testing.T) {
	worlds(t, backing{kinds: []kind{kindHost, kindHost6}, bare: true}, func(t *testing.T, w *world) func([]string) string {
		var text strings.Builder
		for _, z := range w.zones {
			for _, rr := range z.rrs {
				switch rr := rr.(type) {
				case *dns.A:
					fmt.Fprintln(&text, rr.A, rr.Hdr.Name)
				case *dns.AAAA:
					fmt.Fprintln(&text, rr.AAAA, rr.Hdr.Name)
				}
			}
		}
		write(t, "hosts", text.String())
		return func(zones []string) string {
			return fmt.Sprintf("    hosts hosts %s {\n        no_reverse\n        reload 0\n    }\n", strings.Join(zones, " "))
		}
	})
}

func TestProperty_Template(t *testing.T) {
	all := []kind{kindHost, kindHost6, kindAlias, kindText, kindMail, kindService, kindWildHost, kindWildAlias, kindWildText}
	worlds(t, backing{kinds: all}, func(_ *testing.T, w *world) func([]string) string { return w.fromTemplates })
}

// The backend is another CoreDNS, which follows aliases from zone to zone.
func TestProperty_ForwardToCoreDNS(t *testing.T) {
	worlds(t, backing{lax: true}, func(t *testing.T, w *world) func([]string) string {
		var blocks strings.Builder
		for _, z := range w.zones {
			fmt.Fprintf(&blocks, "%s {\n    bind 127.0.0.1\n%s}\n", z.apex, w.fromFiles([]string{z.apex}))
		}
		return forwarding(start(t, blocks.String(), nil).addr("udp"))
	})
}

// The backend is NSD, which knows nothing of CoreDNS's habits.
func TestProperty_ForwardToNSD(t *testing.T) {
	if _, err := exec.LookPath("nsd"); err != nil {
		t.Skip("SKIPPED: nsd is not installed (Debian package nsd): what leaves of its responses is not tested")
	}
	worlds(t, backing{}, func(t *testing.T, w *world) func([]string) string { return forwarding(startNSD(t, w)) })
}

func forwarding(addr string) func([]string) string {
	return func([]string) string { return "    forward . " + addr + "\n" }
}

// startNSD runs NSD with the zones of the world and returns its address.
func startNSD(t testing.TB, w *world) string {
	t.Helper()
	udp, tcp := listen(t)
	addr := tcp.Addr().String()
	udp.Close()
	tcp.Close()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(addr, ":")
	conf := fmt.Sprintf("server:\n  ip-address: 127.0.0.1@%s\n  username: \"\"\n  zonesdir: %q\n  pidfile: \"\"\n  zonelistfile: %q\n  xfrdfile: \"\"\n  database: \"\"\n  verbosity: 0\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\nremote-control:\n  control-enable: no\n",
		port, dir, filepath.Join(dir, "zone.list"))
	for _, z := range w.zones {
		conf += fmt.Sprintf("zone:\n  name: %q\n  zonefile: %q\n  provide-xfr: 127.0.0.1 NOKEY\n", z.apex, z.name())
	}
	write(t, "nsd.conf", conf)
	cmd := exec.Command("nsd", "-d", "-c", filepath.Join(dir, "nsd.conf"))
	out := new(logBuffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	last := w.zones[len(w.zones)-1].apex
	eventually(t, "an answer of NSD", func() bool {
		m, err := dns.Exchange(new(dns.Msg).SetQuestion(last, dns.TypeSOA), addr)
		if err == nil && m.Rcode != dns.RcodeSuccess {
			t.Fatalf("NSD: %s\n%s", m, out)
		}
		return err == nil
	})
	return addr
}

// fromTemplates is the backend that has a template for each RRset. A wildcard's
// are for one label.
func (w *world) fromTemplates(zones []string) string {
	var b strings.Builder
	for _, apex := range zones {
		z := w.zoneOf(apex)
		for _, wild := range []bool{false, true} {
			for _, owner := range z.owners() {
				if strings.HasPrefix(owner, "*.") == wild {
					w.templatesAt(&b, z, owner)
				}
			}
		}
		fmt.Fprintf(&b, "    template ANY ANY %s {\n        rcode NXDOMAIN\n        authority %s\n    }\n", apex, templateText(z.rrs[0]))
	}
	return b.String()
}

func (w *world) templatesAt(b *strings.Builder, z *zone, owner string) {
	match := regexp.MustCompile(`[.]`).ReplaceAllString(owner, "[.]")
	if below, wild := strings.CutPrefix(match, "*"); wild {
		match = "[^.]+" + below
	}
	for _, set := range rrsets(z.at[owner]) {
		t := dns.TypeToString[set[0].Header().Rrtype]
		if t == "CNAME" {
			t = "ANY"
		}
		fmt.Fprintf(b, "    template IN %s %s {\n        match ^%s$\n        fallthrough\n", t, z.apex, match)
		for _, rr := range set {
			rdata := strings.TrimPrefix(rr.String(), rr.Header().String())
			answer := fmt.Sprintf("{{ .Name }} %d IN %s %s", rr.Header().Ttl, dns.TypeToString[rr.Header().Rrtype], rdata)
			fmt.Fprintf(b, "        answer %s\n", strconv.Quote(answer))
			for _, more := range z.beside(rr) {
				fmt.Fprintf(b, "        additional %s\n", templateText(more))
			}
		}
		fmt.Fprint(b, "    }\n")
	}
	fmt.Fprintf(b, "    template ANY ANY %s {\n        match ^%s$\n        authority %s\n        fallthrough\n    }\n", z.apex, match, templateText(z.rrs[0]))
}

func templateText(rr dns.RR) string { return strconv.Quote(strings.ReplaceAll(rr.String(), "\t", " ")) }

// beside returns what an operator may put beside a record: the addresses of its
// target, or the alias there.
func (z *zone) beside(rr dns.RR) []dns.RR {
	target := ""
	switch rr := rr.(type) {
	case *dns.MX:
		target = rr.Mx
	case *dns.SRV:
		target = rr.Target
	}
	var out []dns.RR
	for _, rr := range z.at[dns.CanonicalName(target)] {
		switch rr.(type) {
		case *dns.A, *dns.AAAA, *dns.CNAME:
			out = append(out, rr)
		}
	}
	return out
}
