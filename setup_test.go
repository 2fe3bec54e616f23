package addressmap

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"

	"github.com/addressmap/addressmap/plugin/answer"
)

// controller returns a controller that stands before a directive in the server
// block of two zones.
func controller(directive string) *caddy.Controller {
	c := caddy.NewTestController("dns", directive)
	c.ServerBlockKeys = []string{"example.org.:53", "example.net.:53"}
	return c
}

// plain is what a directive without options says, with changes.
func plain(change func(*options)) *options {
	o := &options{
		path:     "maps.yaml",
		zones:    []string{"example.org.", "example.net."},
		answer:   answer.Options{TTL: 300},
		transfer: transferMapped,
		poll:     30 * time.Second,
		presence: 5 * time.Second,
	}
	if change != nil {
		change(o)
	}
	return o
}

func TestCorefile_Options(t *testing.T) {
	addrs := func(list ...string) []netip.Addr {
		var out []netip.Addr
		for _, a := range list {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	for _, c := range []struct {
		directive string
		want      *options
	}{
		{"addressmap maps.yaml", plain(nil)},
		{"addressmap maps.yaml {\n}", plain(nil)},
		{"addressmap maps.yaml shop.example.org EXAMPLE.net", plain(func(o *options) { o.zones = []string{"shop.example.org.", "example.net."} })},
		{"addressmap maps.yaml .", plain(func(o *options) { o.zones = []string{"."} })},
		{"addressmap maps.yaml {\n anycast 192.0.2.1\n}", plain(func(o *options) { o.compile.Anycast = addrs("192.0.2.1") })},
		{"addressmap maps.yaml {\n anycast 192.0.2.2 2001:db8::1 192.0.2.1\n}", plain(func(o *options) { o.compile.Anycast = addrs("192.0.2.2", "2001:db8::1", "192.0.2.1") })},
		{"addressmap maps.yaml {\n site fra\n}", plain(func(o *options) { o.compile.Site = "fra" })},
		{"addressmap maps.yaml {\n ttl 0\n}", plain(func(o *options) { o.answer.TTL = 0 })},
		{"addressmap maps.yaml {\n ttl 2147483647\n}", plain(func(o *options) { o.answer.TTL = 2147483647 })},
		{"addressmap maps.yaml {\n missing_family nodata\n}", plain(nil)},
		{"addressmap maps.yaml {\n missing_family next\n}", plain(func(o *options) { o.compile.PerFamily = true })},
		{"addressmap maps.yaml {\n https\n}", plain(func(o *options) { o.answer.ALPN = []string{"h2"} })},
		{"addressmap maps.yaml {\n https h3 h2\n}", plain(func(o *options) { o.answer.ALPN = []string{"h3", "h2"} })},
		{"addressmap maps.yaml {\n transfer mapped\n}", plain(nil)},
		{"addressmap maps.yaml {\n transfer origin\n}", plain(func(o *options) { o.transfer = transferBackend })},
		{"addressmap maps.yaml {\n transfer refuse\n}", plain(func(o *options) { o.transfer = transferRefuse })},
		{"addressmap maps.yaml {\n reload 1m30s\n}", plain(func(o *options) { o.poll = 90 * time.Second })},
		{"addressmap maps.yaml {\n reload 100ms\n}", plain(func(o *options) { o.poll = 100 * time.Millisecond })},
		{"addressmap maps.yaml {\n reload off\n}", plain(func(o *options) { o.poll = 0 })},
		{"addressmap maps.yaml {\n state /var/lib/addressmap\n}", plain(func(o *options) { o.state = "/var/lib/addressmap" })},
		{"addressmap maps.yaml {\n guard 20%\n}", plain(func(o *options) { o.guard = 20 })},
		{"addressmap maps.yaml {\n guard 100%\n}", plain(func(o *options) { o.guard = 100 })},
		{"addressmap maps.yaml {\n presence 2s\n}", plain(func(o *options) { o.presence = 2 * time.Second })},
		{"addressmap maps.yaml {\n presence off\n}", plain(func(o *options) { o.presence = 0 })},
		{"addressmap maps.yaml {\n unlisted pass\n}", plain(nil)},
		{"addressmap maps.yaml {\n unlisted refuse\n}", plain(func(o *options) { o.answer.RefuseUnlisted = true })},
		{"addressmap maps.yaml {\n zone_files zones\n}", plain(func(o *options) { o.zoneFiles = []string{"zones"} })},
		{"addressmap maps.yaml {\n drains drains/\n drain_last next\n}", plain(func(o *options) { o.drains, o.compile.DrainNext = "drains", true })},
		{"addressmap maps.yaml {\n drain_last keep\n}", plain(nil)},
		{"addressmap maps.yaml {\n zone_files zones/ /srv/zones .\n}", plain(func(o *options) { o.zoneFiles = []string{"zones", "/srv/zones", "."} })},
		{"addressmap maps.yaml {\n ttl 60\n https\n reload off\n}", plain(func(o *options) { o.answer = answer.Options{TTL: 60, ALPN: []string{"h2"}}; o.poll = 0 })},
	} {
		t.Run(strings.ReplaceAll(c.directive, "\n", ""), func(t *testing.T) {
			got, err := parse(controller(c.directive))
			if err != nil {
				t.Fatal(err)
			}
			got.place = "" // says where it stands, not how it reads
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got:\n%+v\nwant:\n%+v", got, c.want)
			}
		})
	}
}

// many returns so many addresses.
func many(n int, format string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i>>8, i&255))
	}
	return strings.Join(all, " ")
}

// The limit of V16 is that of each family.
func TestV16_CorefileAnycast(t *testing.T) {
	o, err := parse(controller("addressmap maps.yaml {\n anycast " + many(1000, "10.0.%d.%d") + " " + many(1000, "2001:db8::%x:%x") + "\n}"))
	if err != nil || len(o.compile.Anycast) != 2000 {
		t.Errorf("1000 of each family: %v", err)
	}
}

// A wrong directive is refused with the line that it stands in, and says what would
// be right. The option of each case stands in line 3.
func TestCorefile_WrongOptions(t *testing.T) {
	for _, c := range []struct{ option, want string }{
		{"anycats 192.0.2.1", `unknown option "anycats": did you mean anycast? known are announce, anycast, credentials, drain_last, drains, endpoint, guard, https, lane, missing_family, presence, reload, site, stage, state, tls, transfer, ttl, unlisted, zone_files`},
		{"fallthrough", `unknown option "fallthrough"`},
		{"site", `site: takes one argument, not 0`},
		{`site ""`, `site: the site has no name: write one that stands under sites in the map`},
		{"site fra\n anycast 192.0.2.1", `site and anycast together: keep anycast to answer these addresses here, or site to answer those that the map has for it`},
		{"anycast 192.0.2.1\n site fra", `site and anycast together`},
		{"anycast", `anycast: write at least one address`},
		{"anycast 192.0.2", `anycast: "192.0.2" is no IP address`},
		{"anycast 192.0.2.1/32", `"192.0.2.1/32" is no IP address`},
		{"anycast fe80::1%eth0", `"fe80::1%eth0" is no IP address`},
		{"anycast ::ffff:192.0.2.1", `"::ffff:192.0.2.1" is an IPv4-mapped IPv6 address: write 192.0.2.1`},
		{"anycast 0.0.0.0", `"0.0.0.0" is no unicast address`},
		{"anycast ::", `"::" is no unicast address`},
		{"anycast 224.0.0.1", `"224.0.0.1" is no unicast address`},
		{"anycast ff02::1", `"ff02::1" is no unicast address`},
		{"anycast 255.255.255.255", `"255.255.255.255" is no unicast address: write that of an edge server`},
		{"anycast 192.0.2.1 \"\"", `"" is no IP address`},
		{"anycast 192.0.2.1 192.0.2.1", `"192.0.2.1" stands twice`},
		{"anycast 2001:db8::1 2001:DB8:0::1", `"2001:DB8:0::1" stands twice`},
		{"ttl", `ttl: takes one argument, not 0`},
		{"ttl 60 60", `ttl: takes one argument, not 2`},
		{"ttl -1", `"-1" is no TTL: write seconds, 0 to 2147483647`},
		{"ttl 2147483648", `"2147483648" is no TTL`},
		{"ttl 5m", `"5m" is no TTL`},
		{"ttl +5", `"+5" is no TTL`},
		{"missing_family", `missing_family: takes one argument, not 0`},
		{"missing_family fallback", `"fallback" is neither nodata nor next`},
		{"https " + strings.Repeat("x", 256), `is longer than 255 octets`},
		{`https ""`, `https: an ALPN is empty: write one such as h2, or none at all for h2`},
		{`https h3 ""`, `https: an ALPN is empty`},
		{"https h3 h2 h3", `https: the ALPN "h3" stands twice: keep one of the two`},
		{"transfer", `transfer: takes one argument, not 0`},
		{"transfer to *", `transfer: takes one argument, not 2`},
		{"transfer raw", `"raw" is none of mapped, origin and refuse`},
		{"reload", `reload: takes one argument, not 0`},
		{"reload 30", `"30" is no duration: write one such as 30s, or off`},
		{"reload 0s", `"0s" is no duration`},
		{"reload -1s", `"-1s" is no duration`},
		{"reload 1ns", `reload: "1ns" is too often: write 100ms or more, or off`},
		{"reload 99ms", `reload: "99ms" is too often`},
		{"state", `state: takes one argument, not 0`},
		{"state a b", `state: takes one argument, not 2`},
		{`state ""`, `state: the directory has no name: write its path`},
		{"guard", `guard: takes one argument, not 0`},
		{"guard 0%", `"0%" is no percentage: write one from 1% to 100%, as in 10%`},
		{"guard 10", `"10" is no percentage: write one from 1% to 100%, as in 10%`},
		{"stage canary", `stage: it is for a map in etcd, and "maps.yaml" is a file: write etcd:PATH for the map, or take stage out`},
		{"endpoint localhost:2379", `endpoint: "localhost:2379" is no endpoint: write one such as http://localhost:2379`},
		{"endpoint http://a http://a", `endpoint: "http://a" stands twice`},
		{"credentials me", `credentials: write a user name and a password`},
		{"tls a b c d", `tls: takes CERT KEY CA, CERT KEY, CA or nothing, not 4 arguments`},
		{"announce a/b", `announce: the name "a/b": write letters`},
		{"guard 101%", `"101%" is no percentage`},
		{"guard +5", `"+5" is no percentage`},
		{"guard -5%", `"-5%" is no percentage`},
		{"guard 5%%", `"5%%" is no percentage`},
		{"guard 5.5%", `"5.5%" is no percentage`},
		{"guard 10% 20%", `guard: takes one argument, not 2`},
		{"guard half", `"half" is no percentage`},
		{"presence", `presence: takes one argument, not 0`},
		{"presence 5", `"5" is no duration`},
		{"presence 0s", `"0s" is no duration`},
		{"presence 5s 5s", `presence: takes one argument, not 2`},
		{"unlisted", `unlisted: takes one argument, not 0`},
		{"unlisted servfail", `unlisted: "servfail" is neither pass nor refuse`},
		{"anycast " + many(1001, "10.0.%d.%d"), `anycast: 1001 addresses of one family are more than 1000: an answer with them does not fit a DNS message`},
		{"anycast " + many(1001, "2001:db8::%x:%x"), `anycast: 1001 addresses of one family are more than 1000`},
		{"anycast ::ffff:255.255.255.255", `is an IPv4-mapped IPv6 address`},
		{"anycast 2001:db8::1%0", `"2001:db8::1%0" is no IP address`},
		{"ttl 1e3", `"1e3" is no TTL`},
		{`ttl ""`, `"" is no TTL`},
		{"missing_family NEXT", `"NEXT" is neither nodata nor next`},
		{"https h2 h2", `https: the ALPN "h2" stands twice: keep one of the two`},
		{"https h2 " + strings.Repeat("x", 256), `https: the ALPN "xxxx`},
		{`transfer ""`, `"" is none of mapped, origin and refuse`},
		{"reload 99999999h", `"99999999h" is no duration`},
		{"reload OFF", `"OFF" is no duration: write one such as 30s, or off`},
		{`reload ""`, `"" is no duration`},
		{"reload 1s 1s", `reload: takes one argument, not 2`},
		{"guard 256%", `"256%" is no percentage`},
		{"guard 18446744073709551617", `"18446744073709551617" is no percentage`},
		{"guard %", `"%" is no percentage`},
		{`guard ""`, `"" is no percentage`},
		{"presence -5s", `"-5s" is no duration`},
		{"presence soon", `"soon" is no duration: write one such as 30s, or off`},
		{"unlisted pass refuse", `unlisted: takes one argument, not 2`},
		{"drains", `drains: takes one argument, not 0`},
		{"drains a.yaml b.yaml", `drains: takes one argument, not 2`},
		{`drains ""`, `drains: the file has no name: write its path, or that of a directory`},
		{"drains maps.yaml", `drains: "maps.yaml" and the map "maps.yaml" are in one place: keep drains in a directory of their own`},
		{"drains .", `drains: "." and the map "maps.yaml" are in one place`},
		{"drains maps.yaml/drains.yaml", `are in one place`},
		{"drain_last maybe", `drain_last: "maybe" is neither keep nor next`},
		{"drain_last", `drain_last: takes one argument, not 0`},
		{"zone_files", `zone_files: write at least one directory`},
		{`zone_files zones ""`, `zone_files: a directory has no name: write its path`},
		{"zone_files zones zones", `zone_files: "zones" stands twice: keep one of the two`},
		{"zone_files zones ./zones/", `zone_files: "./zones/" stands twice: keep one of the two`},
		{"zone_files zones\n zone_files more", `zone_files stands twice: keep one of the two`},
		{"ttl 60\n ttl 60", `ttl stands twice: keep one of the two`},
	} {
		t.Run(c.option, func(t *testing.T) {
			_, err := parse(controller("\naddressmap maps.yaml {\n " + c.option + "\n}"))
			if err == nil {
				t.Fatal("it is accepted")
			}
			line := 3 + strings.Count(c.option, "\n")
			if got := err.Error(); !strings.Contains(got, c.want) || !strings.HasPrefix(got, fmt.Sprintf("Testfile:%d - ", line)) {
				t.Errorf("got:\n%s\nwant line %d and:\n%s", got, line, c.want)
			}
		})
	}
}

func TestCorefile_WrongDirectives(t *testing.T) {
	for _, c := range []struct{ name, directive, want string }{
		{"no map", "addressmap", "Testfile:1 - Error during parsing: the map is missing: write addressmap MAP [ZONES...]"},
		{"no name of a map", `addressmap ""`, "Testfile:1 - Error during parsing: the map is missing"},
		{"twice", "addressmap maps.yaml\naddressmap more.yaml", "Testfile:2 - Error during parsing: only one addressmap may stand in a server block"},
		{"no zone", "addressmap maps.yaml example.org a..b", `Testfile:1 - Error during parsing: "a..b" is no name of a zone: write one such as example.org`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parse(controller(c.directive)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// A file of certificates that is missing, or is none, is an error of the option that names
// it, and no etcd is asked.
func TestCorefile_CertificateFiles(t *testing.T) {
	dir := t.TempDir()
	none := filepath.Join(dir, "none.pem")
	if err := os.WriteFile(none, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ files, want string }{
		{filepath.Join(dir, "missing.pem"), "missing.pem"},
		{none, "certificates for etcd cannot be used"},
		{filepath.Join(dir, "cert.pem") + " " + filepath.Join(dir, "key.pem") + " " + none, "cert.pem"},
	} {
		err := setup(controller("\naddressmap etcd:/m {\n endpoint http://127.0.0.1:1\n tls " + c.files + "\n state " + dir + "\n}"))
		if err == nil || !strings.Contains(err.Error(), "Testfile:4 - tls: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.files, err)
		}
	}
}
