package edge

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// WriteNginxSNI prints a map from the address of a connection to the name of
// its certificate, for the context http or stream of nginx.
func WriteNginxSNI(w io.Writer, list []SNI) error {
	var b strings.Builder
	b.WriteString("# The certificate name of connections without SNI.\nmap $server_addr $addressmap_sni {\n    default \"\";\n")
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
func WriteNginxOrigins(w io.Writer, list []OriginServer, port int) error {
	var upstreams, b strings.Builder
	b.WriteString("# Where the origin of a host is. Large maps need a larger map_hash_max_size, and\n" +
		"# long names a larger map_hash_bucket_size.\nmap $host $addressmap_origin {\n    hostnames;\n    default \"\";\n")
	for _, o := range list {
		at := fmt.Sprintf("%s:%d", o.Host, port)
		switch len(o.Addresses) {
		case 0:
		case 1:
			at = hostPort(o.Addresses[0], port)
		default:
			at = blockName(o.Name)
			fmt.Fprintf(&upstreams, "upstream %s {\n", at)
			for _, ip := range o.Addresses {
				fmt.Fprintf(&upstreams, "    server %s;\n", hostPort(ip, port))
			}
			upstreams.WriteString("}\n")
		}
		fmt.Fprintf(&b, "    %s %s;\n", mapKey(o.Name), at)
		for _, name := range o.Except {
			fmt.Fprintf(&b, "    %s \"\";\n", mapKey(name))
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, upstreams.String()+b.String())
	return err
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
