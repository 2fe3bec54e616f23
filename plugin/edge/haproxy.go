package edge

import (
	"fmt"
	"io"
	"net/netip"
	"path"
	"strings"
)

// TLS is what a server needs to answer on the mapped addresses. The certificate of a name
// is Certs/NAME.pem with its key in the same file for HAProxy, and in Certs/NAME.key for
// Envoy; a "*" in the name is written "_".
type TLS struct {
	Certs  string
	Port   int
	Routes string   // file of [WriteHAProxyRoutes] or [WriteEnvoyRoutes]; may be ""
	Names  []string // of more certificates, for Envoy, which reads no directory
}

func (t TLS) path(name, suffix string) string {
	return path.Join(t.Certs, strings.Replace(name, "*", "_", 1)+suffix)
}

// forRequests returns the addresses that requests of HTTP come to: not those that only
// Spectrum applications have, at which other servers listen.
func forRequests(list []Address) (out []Address) {
	for _, a := range list {
		if a.Anycast || len(a.Maps) > 0 {
			out = append(out, a)
		}
	}
	return out
}

// byAddress returns the certificate names by address.
func byAddress(list []SNI) map[netip.Addr]string {
	out := make(map[netip.Addr]string, len(list))
	for _, s := range list {
		out[s.Address] = s.Name
	}
	return out
}

// maxBelow is how many labels below a wildcard's parent HAProxy looks for the wildcard.
const maxBelow = 10

// WriteHAProxySNI prints a frontend of HAProxy with a bind line for each address. The
// first certificate is that of connections without SNI; an address without a default SNI
// refuses them. With routes, requests go to the backends of [WriteHAProxyOrigins].
func WriteHAProxySNI(w io.Writer, addresses []Address, list []SNI, t TLS) error {
	var b strings.Builder
	b.WriteString(`# On each address, the first certificate is for connections without SNI; with
# strict-sni there is none for them. The backend addressmap is yours to write: it gets
# the requests that no other backend is for. An address that the machine does not have
# yet can be bound with net.ipv4.ip_nonlocal_bind=1 and net.ipv6.ip_nonlocal_bind=1.
frontend addressmap
    mode http
`)
	names := byAddress(list)
	for _, a := range forRequests(addresses) {
		all := haproxyWord(strings.TrimSuffix(t.Certs, "/") + "/")
		certs := fmt.Sprintf("crt %s strict-sni", all)
		if name, ok := names[a.Address]; ok {
			certs = fmt.Sprintf("crt %s crt %s", haproxyWord(t.path(name, ".pem")), all)
		}
		fmt.Fprintf(&b, "    bind %s ssl %s\n", hostPort(a.Address, t.Port), certs)
	}
	if t.Routes != "" {
		writeHAProxyLookup(&b, t.Routes)
	}
	b.WriteString("    default_backend addressmap\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeHAProxyLookup prints the rules that look up a host and the wildcards above it,
// the nearest one first.
func writeHAProxyLookup(b *strings.Builder, routes string) {
	if strings.ContainsAny(routes, haproxySpecial+",()") { // Arguments in parentheses are unquoted once more.
		routes = haproxyWord(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(routes) + `"`)
	}
	fmt.Fprintf(b, `    http-request set-var(txn.host) req.hdr(host),field(1,:),lower
    http-request set-var(txn.origin) var(txn.host),map_str(%s)
`, routes)
	for level := 1; level <= maxBelow; level++ {
		fmt.Fprintf(b, "    http-request set-var(txn.origin) var(txn.host),field(%d,.,0),regsub(^[^.]*,*),map_str(%s) unless { var(txn.origin) -m found }\n", level, routes)
	}
	b.WriteString("    use_backend %[var(txn.origin)] if { var(txn.origin) -m found }\n")
}

// Upstream is how the edge speaks to origins.
type Upstream struct {
	Port int
	TLS  bool
	CA   string // file of the authorities that an origin's certificate must be signed by; "" for any certificate
	// Resolvers look up origins that are known by name; where there are none, those of
	// the system do, except with nginx, which asks nobody then.
	Resolvers []netip.Addr
	// HashSizes has nginx's hashes sized for the map, by directives that may stand once and
	// before the first map. Without them, one long name would stop nginx's next reload.
	HashSizes bool
}

// WriteHAProxyOrigins prints a backend of HAProxy for each origin.
func WriteHAProxyOrigins(w io.Writer, list []OriginServer, o Upstream) error {
	var b strings.Builder
	b.WriteString("# A backend for each proxied name. The format haproxy-routes says which host has which.\n")
	if needsResolver(list) > 0 {
		b.WriteString("resolvers addressmap\n")
		for i, ip := range o.Resolvers {
			fmt.Fprintf(&b, "    nameserver %d %s\n", i+1, hostPort(ip, 53))
		}
		if len(o.Resolvers) == 0 {
			b.WriteString("    parse-resolv-conf\n")
		}
	}
	tls := ""
	switch {
	case o.TLS && o.CA != "":
		tls = " ssl verify required ca-file " + haproxyWord(o.CA) + " sni req.hdr(host),field(1,:),lower"
	case o.TLS:
		tls = " ssl verify none sni req.hdr(host),field(1,:),lower"
	}
	for _, s := range list {
		fmt.Fprintf(&b, "backend %s\n    mode http\n", blockName(s.Name))
		for i, ip := range s.Addresses {
			fmt.Fprintf(&b, "    server %d %s%s\n", i+1, hostPort(ip, o.Port), tls)
		}
		if len(s.Addresses) == 0 {
			fmt.Fprintf(&b, "    server 1 %s:%d%s resolvers addressmap init-addr none\n", s.Host, o.Port, tls)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteHAProxyRoutes prints a map file of HAProxy from hosts, and wildcards such as
// *.example.org, to backends. The backend "-" is none: the host is not proxied.
func WriteHAProxyRoutes(w io.Writer, list []OriginServer) error {
	var b strings.Builder
	b.WriteString("# The backend of each host.\n")
	for _, s := range list {
		fmt.Fprintf(&b, "%s %s\n", s.Name, blockName(s.Name))
		for _, name := range s.Except {
			fmt.Fprintf(&b, "%s -\n", name)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// haproxySpecial has the characters that a backslash makes plain in a word of HAProxy's
// configuration; before any other, it would stand for itself.
const haproxySpecial = "\\\"'# "

// haproxyWord writes a path as one word of HAProxy's configuration.
func haproxyWord(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if strings.IndexByte(haproxySpecial, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// needsResolver returns how many origins are known by name only.
func needsResolver(list []OriginServer) (n int) {
	for _, s := range list {
		if len(s.Addresses) == 0 {
			n++
		}
	}
	return n
}
