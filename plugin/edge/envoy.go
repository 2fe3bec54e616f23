package edge

import (
	"encoding/json"
	"io"
	"net/netip"
	"slices"
)

// object is a message of Envoy's API as JSON.
type object = map[string]any

// typed returns the message of a type of Envoy's API, after "envoy.".
func typed(name string, fields object) object {
	fields["@type"] = "type.googleapis.com/envoy." + name
	return fields
}

// writeEnvoy prints resources in the form of Envoy's files of xDS.
func writeEnvoy(w io.Writer, resources []object) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(object{"resources": resources})
}

func socketAddress(host string, port int) object {
	return object{"socket_address": object{"address": host, "port_value": port}}
}

// WriteEnvoySNI prints a listener for Envoy's file of LDS that binds each address, also
// before the machine has it. By SNI, a connection gets the certificate of that name;
// without one, that of the address, and none where the address has no default SNI. The
// routes come from the file t.Routes. Without a certificate there is no listener.
func WriteEnvoySNI(w io.Writer, addresses []Address, list []SNI, t TLS) error {
	all := forRequests(addresses)
	names := slices.Clone(t.Names)
	byName := make(map[string][]netip.Addr)
	for _, s := range list {
		names = append(names, s.Name)
		byName[s.Name] = append(byName[s.Name], s.Address)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(all) == 0 || len(names) == 0 {
		return writeEnvoy(w, []object{})
	}
	bound := make([]netip.Addr, len(all))
	for i, a := range all {
		bound[i] = a.Address
	}
	chains := []object{t.envoyChain("sni", bound, names, names)}
	for _, name := range names {
		if at := byName[name]; len(at) > 0 {
			chains = append(chains, t.envoyChain("no sni "+name, at, nil, []string{name}))
		}
	}
	listener := typed("config.listener.v3.Listener", object{
		"name":             "addressmap",
		"address":          socketAddress(bound[0].String(), t.Port),
		"freebind":         true,
		"listener_filters": []object{{"name": "envoy.filters.listener.tls_inspector", "typed_config": typed("extensions.filters.listener.tls_inspector.v3.TlsInspector", object{})}},
		"filter_chains":    chains,
	})
	var more []object
	for _, ip := range bound[1:] {
		more = append(more, object{"address": socketAddress(ip.String(), t.Port)})
	}
	if len(more) > 0 {
		listener["additional_addresses"] = more
	}
	return writeEnvoy(w, []object{listener})
}

// envoyChain is a filter chain for connections to some addresses, with one of these names
// in their SNI if there are any.
func (t TLS) envoyChain(chain string, at []netip.Addr, sni, certificates []string) object {
	ranges := make([]object, len(at))
	for i, ip := range at {
		ranges[i] = object{"address_prefix": ip.String(), "prefix_len": ip.BitLen()}
	}
	match := object{"prefix_ranges": ranges}
	if len(sni) > 0 {
		match["server_names"] = sni
	}
	files := make([]object, len(certificates))
	for i, name := range certificates {
		files[i] = object{"certificate_chain": object{"filename": t.path(name, ".pem")}, "private_key": object{"filename": t.path(name, ".key")}}
	}
	routes := t.Routes
	if routes == "" {
		routes = "routes.json"
	}
	return object{
		"name":               chain,
		"filter_chain_match": match,
		"transport_socket": object{"name": "envoy.transport_sockets.tls", "typed_config": typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext",
			object{"common_tls_context": object{"tls_certificates": files}})},
		"filters": []object{{"name": "envoy.filters.network.http_connection_manager", "typed_config": typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", object{
			"stat_prefix":  "addressmap",
			"rds":          object{"route_config_name": "addressmap", "config_source": object{"path_config_source": object{"path": routes}}},
			"http_filters": []object{{"name": "envoy.filters.http.router", "typed_config": typed("extensions.filters.http.router.v3.Router", object{})}},
		})}},
	}
}

// WriteEnvoyOrigins prints a cluster for each origin, for Envoy's file of CDS.
func WriteEnvoyOrigins(w io.Writer, list []OriginServer, o Upstream) error {
	clusters := make([]object, 0, len(list))
	for _, s := range list {
		kind := "STATIC"
		hosts := make([]string, len(s.Addresses))
		for i, ip := range s.Addresses {
			hosts[i] = ip.String()
		}
		if len(hosts) == 0 {
			kind, hosts = "STRICT_DNS", []string{s.Host}
		}
		endpoints := make([]object, len(hosts))
		for i, host := range hosts {
			endpoints[i] = object{"endpoint": object{"address": socketAddress(host, o.Port)}}
		}
		name := blockName(s.Name)
		cluster := typed("config.cluster.v3.Cluster", object{
			"name":            name,
			"type":            kind,
			"connect_timeout": "5s",
			"load_assignment": object{"cluster_name": name, "endpoints": []object{{"lb_endpoints": endpoints}}},
		})
		if kind == "STRICT_DNS" && len(o.Resolvers) > 0 {
			cluster["typed_dns_resolver_config"] = o.envoyResolvers()
		}
		if o.TLS {
			o.addEnvoyTLS(cluster)
		}
		clusters = append(clusters, cluster)
	}
	return writeEnvoy(w, clusters)
}

func (o Upstream) envoyResolvers() object {
	list := make([]object, len(o.Resolvers))
	for i, ip := range o.Resolvers {
		list[i] = socketAddress(ip.String(), 53)
	}
	return object{"name": "envoy.network.dns_resolver.cares", "typed_config": typed("extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig", object{"resolvers": list})}
}

// addEnvoyTLS has a cluster speak TLS, with the host of the request as its SNI and as the
// name that must stand in the origin's certificate.
func (o Upstream) addEnvoyTLS(cluster object) {
	common := object{}
	if o.CA != "" {
		common["validation_context"] = object{"trusted_ca": object{"filename": o.CA}}
	}
	cluster["transport_socket"] = object{"name": "envoy.transport_sockets.tls", "typed_config": typed("extensions.transport_sockets.tls.v3.UpstreamTlsContext",
		object{"common_tls_context": common})}
	options := object{"auto_sni": true}
	if o.CA != "" {
		options["auto_san_validation"] = true
	}
	cluster["typed_extension_protocol_options"] = object{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed("extensions.upstreams.http.v3.HttpProtocolOptions", object{
		"upstream_http_protocol_options": options,
		"explicit_http_config":           object{"http_protocol_options": object{}},
	})}
}

// WriteEnvoyRoutes prints the routes from hosts to the clusters of [WriteEnvoyOrigins], for
// Envoy's file of RDS. All other hosts get 421 Misdirected Request (RFC 9110, section
// 15.5.20).
func WriteEnvoyRoutes(w io.Writer, list []OriginServer) error {
	var hosts []object
	others := []string{"*"}
	all := object{"prefix": "/"}
	for _, s := range list {
		name := blockName(s.Name)
		hosts = append(hosts, object{"name": name, "domains": []string{s.Name}, "routes": []object{{"match": all, "route": object{"cluster": name}}}})
		others = append(others, s.Except...)
	}
	hosts = append(hosts, object{"name": "addressmap", "domains": others, "routes": []object{{"match": all, "direct_response": object{"status": 421}}}})
	return writeEnvoy(w, []object{typed("config.route.v3.RouteConfiguration", object{
		"name": "addressmap", "ignore_port_in_host_matching": true, "virtual_hosts": hosts,
	})})
}
