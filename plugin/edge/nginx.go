package edge

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// hashMaxSize is nginx's default for map_hash_max_size.
const hashMaxSize = 2048

// hashBucketSize has room for the longest host name, and for several usual ones, in the
// whole cache lines that nginx wants.
const hashBucketSize = 512

// hashSize is the map_hash_max_size for a number of hosts, a power of two.
func hashSize(n int) int {
	size := hashMaxSize
	for size < n {
		size *= 2
	}
	return size
}

// WriteNginxSNI prints a map from the address of a connection to the name of
// its certificate, for the context http or stream of nginx.
func WriteNginxSNI(w io.Writer, list []SNI) error {
	var b strings.Builder
	b.WriteString("# The certificate name of connections without SNI.\n")
	if size := hashSize(len(list)); size > hashMaxSize {
		fmt.Fprintf(&b, "# So many need \"map_hash_max_size %d;\" or more in the same context.\n", size)
	}
	b.WriteString("map $server_addr $addressmap_sni {\n    default \"\";\n")
	for _, s := range list {
		fmt.Fprintf(&b, "    %s %q;\n", s.Address, s.Name)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteNginxOrigins prints a map from the host of a request to the argument of
// proxy_pass, for the context http of nginx: an address with its port, the name of an
// upstream for several addresses, or a host name with the port, which needs a resolver.
// Hosts that are not in list have "".
func WriteNginxOrigins(w io.Writer, list []OriginServer, o Upstream) error {
	var head, upstreams, b strings.Builder
	head.WriteString("# Where the origin of a host is.\n")
	hosts := 0
	b.WriteString("map $host $addressmap_origin {\n    hostnames;\n    default \"\";\n")
	for _, s := range list {
		hosts += 1 + len(s.Except)
		at := fmt.Sprintf("%s:%d", s.Host, o.Port)
		switch len(s.Addresses) {
		case 0:
		case 1:
			at = hostPort(s.Addresses[0], o.Port)
		default:
			at = blockName(s.Name)
			fmt.Fprintf(&upstreams, "upstream %s {\n", at)
			for _, ip := range s.Addresses {
				fmt.Fprintf(&upstreams, "    server %s;\n", hostPort(ip, o.Port))
			}
			upstreams.WriteString("}\n")
		}
		fmt.Fprintf(&b, "    %s %s;\n", mapKey(s.Name), at)
		for _, name := range s.Except {
			fmt.Fprintf(&b, "    %s \"\";\n", mapKey(name))
		}
	}
	b.WriteString("}\n")
	sizes := fmt.Sprintf("map_hash_max_size %d;\nmap_hash_bucket_size %d;\n", hashSize(hosts), hashBucketSize)
	if o.HashSizes {
		head.WriteString("# These two may stand only once in http, before the first map: include this file first.\n" + sizes)
	} else {
		head.WriteString("# It needs these or more, before the first map in http:\n# " + strings.Replace(strings.TrimSuffix(sizes, "\n"), "\n", "\n# ", 1) + "\n")
	}
	switch n := needsResolver(list); {
	case n > 0 && len(o.Resolvers) == 0:
		fmt.Fprintf(&head, "# Names of which the origin is a host name, %d of them, need a resolver in http.\n", n)
	case len(o.Resolvers) > 0:
		head.WriteString("resolver")
		for _, ip := range o.Resolvers {
			head.WriteString(" " + bracketed(ip))
		}
		head.WriteString(";\n")
	}
	_, err := io.WriteString(w, head.String()+upstreams.String()+b.String())
	return err
}

// ResolverWarning is what there is to say of origins that nginx cannot look up, or "".
func ResolverWarning(list []OriginServer, o Upstream) string {
	n := needsResolver(list)
	if n == 0 || len(o.Resolvers) > 0 {
		return ""
	}
	return fmt.Sprintf("origins known by a host name, %d of them, are asked for of the resolver of nginx: give --resolver, or write it in http", n)
}

// mapKey escapes a host without a dot, so that it is no parameter of nginx's map.
func mapKey(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return `\` + name
}

// hostPort is an address with its port; IPv6 in brackets.
func hostPort(ip netip.Addr, port int) string {
	return netip.AddrPortFrom(ip, uint16(port)).String()
}

// bracketed is an address; IPv6 in brackets.
func bracketed(ip netip.Addr) string {
	if ip.Is6() {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}
