package edge

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
)

// TLS has the directory of the certificates and the port to listen on, for servers
// that are configured with both. The certificate of a name is
// Certs/NAME.pem with its key in the same file for HAProxy, and in
// Certs/NAME.key for Envoy; a "*" in the name is written "_".
type TLS struct {
	Certs string
	Port  int
}

func (t TLS) path(name, suffix string) string {
	return path.Join(t.Certs, strings.Replace(name, "*", "_", 1)+suffix)
}

// WriteHAProxySNI prints a frontend of HAProxy with a bind line for each address:
// its first certificate is that of connections without SNI.
func WriteHAProxySNI(w io.Writer, list []SNI, t TLS) error {
	var b strings.Builder
	b.WriteString("# On each address, the first certificate is for connections without SNI. The\n" +
		"# backend addressmap is yours to write.\nfrontend addressmap\n    mode http\n")
	for _, s := range list {
		ip := s.Address.String()
		if s.Address.Is6() {
			ip = "[" + ip + "]"
		}
		fmt.Fprintf(&b, "    bind %s:%d ssl crt %s crt %s/\n", ip, t.Port, t.path(s.Name, ".pem"), strings.TrimSuffix(t.Certs, "/"))
	}
	b.WriteString("    default_backend addressmap\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteEnvoySNI prints a listener for Envoy's file-based LDS with a filter chain
// for each address. Envoy takes the certificate that matches the SNI, and the first
// certificate without SNI. Its routes come from the file routes.json beside it.
func WriteEnvoySNI(w io.Writer, list []SNI, t TLS) error {
	type m = map[string]any
	certificate := func(name string) m {
		return m{"certificate_chain": m{"filename": t.path(name, ".pem")}, "private_key": m{"filename": t.path(name, ".key")}}
	}
	var names []string
	for _, s := range list {
		names = appendUnique(names, s.Name)
	}
	chains := []m{}
	for _, s := range list {
		certificates := []m{certificate(s.Name)}
		for _, name := range names {
			if name != s.Name {
				certificates = append(certificates, certificate(name))
			}
		}
		chains = append(chains, m{
			"name":               s.Address.String(),
			"filter_chain_match": m{"prefix_ranges": []m{{"address_prefix": s.Address.String(), "prefix_len": s.Address.BitLen()}}},
			"transport_socket": m{"name": "envoy.transport_sockets.tls", "typed_config": m{
				"@type":              "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
				"common_tls_context": m{"tls_certificates": certificates},
			}},
			"filters": []m{{"name": "envoy.filters.network.http_connection_manager", "typed_config": m{
				"@type":        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
				"stat_prefix":  "addressmap",
				"rds":          m{"route_config_name": "addressmap", "config_source": m{"path_config_source": m{"path": "routes.json"}}},
				"http_filters": []m{{"name": "envoy.filters.http.router", "typed_config": m{"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}},
			}}},
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(m{"resources": []m{{
		"@type":            "type.googleapis.com/envoy.config.listener.v3.Listener",
		"name":             "addressmap",
		"address":          m{"socket_address": m{"address": "::", "port_value": t.Port, "ipv4_compat": true}},
		"listener_filters": []m{{"name": "envoy.filters.listener.tls_inspector", "typed_config": m{"@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}}},
		"filter_chains":    chains,
	}}})
}

// appendUnique appends s unless the list has it.
func appendUnique(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// WriteList prints the addresses one a line.
func WriteList(w io.Writer, list []Address) error {
	var b strings.Builder
	for _, a := range list {
		b.WriteString(a.Address.String() + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteNftables prints sets for nft -f, which replaces their content in one
// transaction: addressmap4 and addressmap6 of the table inet addressmap.
func WriteNftables(w io.Writer, list []Address) error {
	var b strings.Builder
	b.WriteString("#!/usr/sbin/nft -f\n# The addresses that the edge accepts: \"ip daddr @addressmap4\".\nadd table inet addressmap\n")
	for _, family := range []struct {
		set, kind string
		is6       bool
	}{{"addressmap4", "ipv4_addr", false}, {"addressmap6", "ipv6_addr", true}} {
		fmt.Fprintf(&b, "add set inet addressmap %s { type %s; }\nflush set inet addressmap %[1]s\n", family.set, family.kind)
		var elements []string
		for _, a := range list {
			if a.Address.Is6() == family.is6 {
				elements = append(elements, a.Address.String())
			}
		}
		if len(elements) > 0 {
			fmt.Fprintf(&b, "add element inet addressmap %s {\n    %s\n}\n", family.set, strings.Join(elements, ",\n    "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
