package addressmap

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// parseZones reads the ZONES of a directive in the server block that has these keys. A
// slip there would be a zone that nobody asks for, and everything else answered with
// its origins.
func parseZones(args, keys []string) ([]string, error) {
	block := blockZones(keys)
	for _, arg := range args {
		if err := checkZone(arg, block); err != nil {
			return nil, err
		}
	}
	return plugin.OriginsFromArgsOrServerBlock(args, keys), nil
}

// blockZones returns the zones of the server block that has these keys.
func blockZones(keys []string) fqdn.Set {
	block := make(fqdn.Set, len(keys))
	for _, z := range plugin.OriginsFromArgsOrServerBlock(nil, keys) {
		if n, err := fqdn.Parse(z); err == nil {
			block[n] = struct{}{}
		}
	}
	return block
}

// isReverse reports whether a zone is the root or a reverse zone: a server block often
// names these for what is not in the map at all.
func isReverse(zone fqdn.Name) bool {
	return zone == "." || zone.In("in-addr.arpa.") || zone.In("ip6.arpa.")
}

// homeZones returns the zones of a server block but the root and reverse zones.
func homeZones(block fqdn.Set) fqdn.Set {
	out := make(fqdn.Set, len(block))
	for z := range block {
		if !isReverse(z) {
			out[z] = struct{}{}
		}
	}
	return out
}

// checkZone checks one of the ZONES. A network is its reverse zone, or several, as
// everywhere in CoreDNS.
func checkZone(arg string, block fqdn.Set) error {
	if _, known := optionParsers[strings.ToLower(arg)]; known {
		return fmt.Errorf("%q is an option and stands where zones do: write it in braces behind them (a zone of that name is written %q)", arg, arg+".")
	}
	if isAddress(arg) {
		return fmt.Errorf("%q is an address: write the name of a zone such as example.org, or the network of a reverse zone such as 192.0.2.0/24", arg)
	}
	names := plugin.Host(arg).NormalizeExact()
	if len(names) == 0 {
		return fmt.Errorf("%q is no name of a zone: write one such as example.org", arg)
	}
	for _, name := range names {
		n, err := fqdn.Parse(name)
		if err != nil {
			return fmt.Errorf("%q is no name of a zone (%w): write one such as example.org", arg, err)
		}
		if n.IsWildcard() {
			zone, _ := n.Parent()
			return fmt.Errorf("%q is a wildcard: write %q, which stands for all names below as well", arg, zone)
		}
		if !block.Encloses(n) && !enclosesAny(n, block) {
			return fmt.Errorf("%q lies neither in nor around a zone of the server block (%s): add it to the block's zones, or leave it out here", arg, fqdn.FirstFew(slices.Sorted(maps.Keys(block))))
		}
	}
	return nil
}

// isAddress reports whether a text is an IP address, with a port or without.
func isAddress(text string) bool {
	host := text
	if _, after, found := strings.Cut(text, "://"); found {
		host = after // of a transport such as tls
	}
	host = strings.TrimSuffix(host, ".")
	if _, err := netip.ParseAddrPort(host); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// enclosesAny reports whether one of the zones lies in zone.
func enclosesAny(zone fqdn.Name, zones fqdn.Set) bool {
	for z := range zones {
		if z.In(zone) {
			return true
		}
	}
	return false
}
