package addressmap

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
)

// A directive acts for zones in or around those of its server block.
func TestCorefile_Zones(t *testing.T) {
	for _, c := range []struct{ keys, zones, want string }{
		{"example.org.:53 example.net.:53", "", "example.org. example.net."},
		{"dns://example.org.:53", "example.org", "example.org."},
		{"example.org.:53", "shop.EXAMPLE.org", "shop.example.org."},
		{"shop.example.org.:53", "example.org", "example.org."},
		{"example.org.:53", ".", "."},
		{".:53", "example.org ttl.", "example.org. ttl."},
		{"tls://example.org.:853", "tls://example.org:853", "example.org."},
		{"2.0.192.in-addr.arpa.:53", "192.0.2.0/24", "2.0.192.in-addr.arpa."},
		{"192.0.2.0/24", "192.0.2.0/24", "2.0.192.in-addr.arpa."},
		{"192.in-addr.arpa.:53", "192.0.2.0/23", "2.0.192.in-addr.arpa. 3.0.192.in-addr.arpa."},
		{"2.0.192.in-addr.arpa.:53", "192.0.2.8/32", "8.2.0.192.in-addr.arpa."},
		{"2.0.192.in-addr.arpa.:53", "192.0.0.0/16", "0.192.in-addr.arpa."},
		{".:53", "2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa."},
	} {
		t.Run(c.keys+" "+c.zones, func(t *testing.T) {
			got, err := parseZones(strings.Fields(c.zones), strings.Fields(c.keys))
			if want := strings.Fields(c.want); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}

// What can only be a slip is no zone. The error names its line and the remedy.
func TestCorefile_WrongZones(t *testing.T) {
	for _, c := range []struct{ key, zones, want string }{
		{".:53", "ttl 30", `"ttl" is an option and stands where zones do: write it in braces behind them (a zone of that name is written "ttl.")`},
		{".:53", "example.org https", `"https" is an option`},
		{".:53", "HTTPS", `"HTTPS" is an option`},
		{".:53", "anycast 192.0.2.1", `"anycast" is an option`},
		{".:53", "192.0.2.1", `"192.0.2.1" is an address: write the name of a zone such as example.org, or the network of a reverse zone such as 192.0.2.0/24`},
		{".:53", "192.0.2.1:53", `"192.0.2.1:53" is an address`},
		{".:53", "192.0.2.1.", `"192.0.2.1." is an address`},
		{".:53", "dns://192.0.2.1", `"dns://192.0.2.1" is an address`},
		{".:53", "2001:db8::1", `"2001:db8::1" is an address`},
		{".:53", "[2001:db8::1]:53", `"[2001:db8::1]:53" is an address`},
		{".:53", "[2001:db8::1]", `"[2001:db8::1]" is an address`},
		{".:53", "fe80::1%eth0", `"fe80::1%eth0" is an address`},
		{".:53", "*.example.org", `"*.example.org" is a wildcard: write "example.org.", which stands for all names below as well`},
		{".:53", "*", `"*" is a wildcard: write ".", which stands`},
		{".:53", `\042.example.org`, `is a wildcard`},
		{"example.org.:53", "example.net", `"example.net" lies neither in nor around a zone of the server block (example.org.): add it to the block's zones, or leave it out here`},
		{"example.org.:53", "xexample.org", `lies neither in nor around`},
		{"example.org.:53", "30", `"30" lies neither in nor around`},
		{"example.org.:53", "192.0.2.0/24", `"192.0.2.0/24" lies neither in nor around`},
		{"2.0.192.in-addr.arpa.:53", "192.0.2.0/23", `"192.0.2.0/23" lies neither in nor around`},
		{"example.org.:53", `""`, `"" is no name of a zone: write one such as example.org`},
		{".:53", "a..b", `"a..b" is no name of a zone`},
		{".:53", strings.Repeat("a", 64), `is no name of a zone`},
	} {
		t.Run(c.zones, func(t *testing.T) {
			ctl := caddy.NewTestController("dns", "\naddressmap maps.yaml "+c.zones+" {\n reload off\n}")
			ctl.ServerBlockKeys = []string{c.key}
			_, err := parse(ctl)
			if err == nil || !strings.HasPrefix(err.Error(), "Testfile:2 - ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant line 2 and %s", err, c.want)
			}
		})
	}
}
