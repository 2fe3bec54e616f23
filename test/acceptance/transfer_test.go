package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

const transferKey = "dGhlIHNlY3JldCBvZiB0aGUgYWNjZXB0YW5jZSBydW4="

var (
	secondaries = map[string]string{"dig": "bind9-dnsutils", "nsd": "nsd", "knotd": "knot"}
	// originData is where the archives keep what must not leave.
	originData = regexp.MustCompile(`\b10\.66\.|hidden`)
	soaSerial  = regexp.MustCompile(`\bSOA \S+ \S+ (\d+) `)
)

// peers is a CoreDNS and its two secondaries.
type peers struct{ primary, nsd, knot *server }

// lay puts the files of an archive of testdata/peers into a folder of their
// own, with values in place of $WORDS. $DIR is the folder.
func lay(t *testing.T, archive string, values map[string]string) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(repository, "testdata", "peers", archive))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		text := os.Expand(string(f.Data), func(word string) string {
			switch value, known := values[word]; {
			case word == "DIR":
				return dir
			case known:
				return value
			}
			return "$" + word // as in $TTL
		})
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startPeers starts all three and waits until the secondaries have the zones.
func startPeers(t *testing.T) *peers {
	t.Helper()
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"KEY": transferKey}
	at := func(name string) *server {
		s := &server{port: freePort(t), log: new(logBuffer)}
		values[name] = s.port
		return s
	}
	p := &peers{primary: at("ADDRESSMAP"), nsd: at("NSD"), knot: at("KNOT")}
	dir := lay(t, "transfer.txtar", values)
	for _, s := range []*server{p.primary, p.nsd, p.knot} {
		s.dir = filepath.Join(dir, s.port)
		if err := os.Mkdir(s.dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.primary.dir = dir
	start := func(s *server, name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		s.run(t, cmd, "example.org", "SOA")
	}
	start(p.primary, binary, "-conf", "Corefile")
	start(p.nsd, "nsd", "-d", "-c", filepath.Join(dir, "nsd.conf"))
	start(p.knot, "knotd", "-c", filepath.Join(dir, "knot.conf"))
	return p
}

// each calls f for both secondaries.
func (p *peers) each(f func(name string, s *server)) {
	f("NSD", p.nsd)
	f("Knot", p.knot)
}

// serial returns the serial that a server answers with, or "".
func (s *server) serial(zone string) string {
	out, err := s.dig("+tries=1", "+time=2", zone, "SOA")
	if err != nil {
		return ""
	}
	if m := soaSerial.FindStringSubmatch(strings.Join(parseDig(out).answer, "\n")); m != nil {
		return m[1]
	}
	return ""
}

// follow waits until both secondaries have the serial of the primary and answer
// the question so, and says what was seen.
func (p *peers) follow(t *testing.T, question, want string) {
	t.Helper()
	begin := time.Now()
	name, _, _ := strings.Cut(question, " ")
	zone := strings.Join(strings.Split(name, ".")[strings.Count(name, ".")-1:], ".")
	p.each(func(which string, s *server) {
		for {
			got := strings.Join(s.ask(t, question).answer, "\n")
			if serial := s.serial(zone); got == want && serial == p.primary.serial(zone) {
				t.Logf("%s: %s serial %s after %v: %s", which, zone, serial, time.Since(begin).Round(10*time.Millisecond), strings.ReplaceAll(want, "\n", "; "))
				return
			}
			if time.Since(begin) > patience {
				t.Fatalf("%s: want %q with serial %s, got %q with %s\n%s\nthe primary:\n%s", which, want, p.primary.serial(zone), got, s.serial(zone), s.log, p.primary.log)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// axfr transfers a zone and returns its records, sorted, as dig prints them.
func (s *server) axfr(t *testing.T, zone string, options ...string) []string {
	t.Helper()
	out, err := s.dig(append([]string{"+onesoa", "+nocmd", "+nostats", "+nocomments", zone, "AXFR"}, options...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var records []string
	for line := range strings.Lines(out) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && line[0] != ';' && !strings.Contains(line, " ANY TSIG ") {
			records = append(records, line)
		}
	}
	slices.Sort(records)
	return records
}

// NSD and Knot load mapped zones with TSIG, follow a change of the map and one of
// the zone at once, past the end of the serials, and never have origin data.
func TestR18_Secondaries(t *testing.T) {
	needs(t, secondaries)
	p := startPeers(t)
	p.follow(t, "www.example.org A", "www.example.org. 300 IN A 192.0.2.1")
	p.follow(t, "svc.example.net HTTPS", `svc.example.net. 3600 IN HTTPS 1 www.example.org. alpn="h2" ipv4hint=192.0.2.1 ipv6hint=2001:db8::1`)
	p.same(t, "at first")

	for i := 2; i <= 4; i++ { // by rename, as all edits here
		p.primary.edit(t, edit{"maps.yaml", fmt.Sprintf("192.0.2.%d", i-1), fmt.Sprintf("192.0.2.%d", i)})
		p.follow(t, "www.example.org A", fmt.Sprintf("www.example.org. 300 IN A 192.0.2.%d", i))
	}
	// The hint of example.net is for a name of example.org.
	p.follow(t, "svc.example.net HTTPS", `svc.example.net. 3600 IN HTTPS 1 www.example.org. alpn="h2" ipv4hint=192.0.2.4 ipv6hint=2001:db8::1`)
	p.same(t, "after three changes of the map")

	p.primary.edit(t, edit{"db.example.org", "beside", "beside, later"}) // which file sees with another serial only
	p.primary.edit(t, edit{"db.example.org", "4294967290", "4294967291"})
	p.follow(t, "www.example.org TXT", `www.example.org. 3600 IN TXT "beside, later"`)
	p.primary.edit(t, edit{"maps.yaml", "[\"@\", www,", "[\"@\", www, mail,"})
	p.follow(t, "mail.example.org A", "mail.example.org. 300 IN A 192.0.2.4")
	p.primary.edit(t, edit{"db.example.org", "4294967291", "4294967295"})
	p.primary.edit(t, edit{"maps.yaml", "192.0.2.4", "192.0.2.5"})
	p.follow(t, "www.example.org A", "www.example.org. 300 IN A 192.0.2.5")
	p.same(t, "after both, past the end of the serials")

	for _, question := range []string{"any.shop.example.org A", "out.shop.example.org A", "x.out.shop.example.org A", "flat.example.org A", "flat.example.org CNAME", "app.example.org A", "alias.example.org A", "svc.example.org HTTPS", "example.org MX"} {
		want := p.primary.ask(t, question)
		p.each(func(which string, s *server) {
			got := s.ask(t, question)
			if got.status != want.status || !slices.Equal(got.answer, want.answer) {
				t.Errorf("%s: %s: want %s %q, got %s %q", which, question, want.status, want.answer, got.status, got.answer)
			}
			if originData.MatchString(got.all()) {
				t.Errorf("%s: origin data left:\n%s", which, got.all())
			}
		})
	}
}

// same compares all records of all three. Of two edits, the secondaries may have
// followed the first alone so far: they have time for the other.
func (p *peers) same(t *testing.T, when string) {
	t.Helper()
	for _, zone := range []string{"example.org", "example.net"} {
		p.each(func(which string, s *server) {
			var want, got []string
			for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
				want = p.primary.axfr(t, zone, "-y", "hmac-sha256:xfr:"+transferKey)
				got = s.axfr(t, zone)
				if originData.MatchString(strings.Join(got, "\n")) {
					t.Errorf("%s has origin data:\n%s", which, strings.Join(got, "\n"))
				}
				if slices.Equal(got, want) || time.Since(begin) > patience {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: want\n%s\ngot\n%s", which, strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
			t.Logf("%s %s, the primary and %s:\n%s", zone, when, which, strings.Join(want, "\n"))
		})
	}
	if out, err := p.primary.dig("example.org", "AXFR"); err != nil || !strings.Contains(out, "Transfer failed") {
		t.Errorf("want no transfer without the key, got %v\n%s", err, out)
	}
}
