package world

import (
	"slices"

	"github.com/addressmap/addressmap/test/judge/upstream"
)

// Backends are what may stand behind addressmap.
var Backends = []string{"file", "auto", "secondary", "hosts", "template", "forward", "grpc", "hosts+file", "template+file", "file+forward", "signed"}

// Fronts are the plugins that may stand before it.
var Fronts = []string{
	"none", "cache", "stale", "rewrite", "dns64", "dnssec", "minimal", "any", "loadbalance", "acl", "header",
	"loop", "errors", "log", "autopath", "metadata", "nsid", "bufsize", "tsig", "chaos", "local", "cancel", "many",
}

// WorldDimensions are the ways in which servers differ.
var WorldDimensions = []Dimension{
	{"backend", Backends},
	{"front", Fronts},
	{"marks", []string{"list", "all", "zone_file", "zone_file_default"}},
	{"https", []string{"off", "on", "h3h2"}},
	{"missing_family", []string{"nodata", "next"}},
	{"transfer", []string{"mapped", "origin", "refuse"}},
	{"ttl", []string{"default", "0", "77"}},
	{"presence", []string{"default", "off", "1h"}},
	{"blocks", []string{"one", "split", "splitdiff", "view", "viewdiff"}},
	{"family", []string{"both", "v4", "v6", "noipv6"}},
	{"nested", []string{"none", "cut", "nocut"}},
	{"members", []string{"none", "names", "wildcard"}},
	{"site", []string{"none", "fra", "unknown"}},
	{"fault", append([]string{"none"}, upstream.Kinds...)},
	{"faulton", []string{"any", "A", "AAAA", "CNAME", "SOA", "HTTPS", "other"}},
	{"chase", []string{"no", "yes"}},
}

// AddUnlisted adds the dimension of the option unlisted, which servers before
// rule R29 do not know. It must be called before any world is made.
func AddUnlisted() {
	WorldDimensions = append(WorldDimensions, Dimension{"unlisted", []string{"absent", "pass", "refuse"}})
}

// ForbiddenWorld states which values of world dimensions exclude each other.
func ForbiddenWorld(dimA, a, dimB, b string) bool {
	switch dimA + " " + dimB {
	case "backend fault":
		return b != "none" && !Faulty(a)
	case "backend faulton":
		return b != "any" && !Faulty(a)
	case "backend chase":
		return b == "yes" && !Faulty(a)
	case "fault faulton":
		return a == "none" && b != "any"
	case "front blocks":
		// autopath asks its own server block about the names of the other one,
		// for which that block's directive does not act.
		return a == "autopath" && (b == "split" || b == "splitdiff")
	case "backend marks":
		return a == "etcd" && b != "all" && b != "zone_file_default"
	case "backend nested":
		return a == "etcd" && b != "none"
	case "backend front":
		// dnssec does not sign what is signed already.
		return a == "signed" && b == "dnssec"
	}
	return false
}

// Faulty says whether the backend is a server of ours that can make mistakes.
func Faulty(backend string) bool {
	return backend == "forward" || backend == "grpc" || backend == "file+forward"
}

// Transports are the ways in which queries come.
var Transports = []string{"udp", "tcp", "tls", "https", "quic", "grpc"}

// Types are the query types.
var Types = []string{
	"A", "AAAA", "CNAME", "ANY", "RRSIG", "DNAME", "NAPTR", "HTTPS", "SVCB", "SOA", "NS", "MX", "SRV", "PTR", "TXT",
	"CAA", "DS", "DNSKEY", "NSEC", "AXFR", "IXFR", "TYPE65280", "LOC", "HINFO",
}

// QueryDimensions are the ways in which plain questions differ. The owners are
// those that every world has.
func QueryDimensions() []Dimension {
	return []Dimension{
		{"owner", Owners},
		{"qtype", Types},
		{"transport", Transports},
		{"edns", []string{"none", "512", "1232", "4096"}},
		{"do", []string{"0", "1"}},
		{"cd", []string{"0", "1"}},
		{"rd", []string{"1", "0"}},
		{"case", []string{"lower", "mixed"}},
		{"option", []string{"none", "cookie", "nsid", "ecs"}},
		{"client", []string{"127.0.0.1", "127.0.0.2"}},
	}
}

// OddDimensions are those of questions that are not of class IN and opcode
// QUERY, or malformed. They are an array of their own, since the server looks
// at one oddity first and would hide another.
func OddDimensions() []Dimension {
	return []Dimension{
		{"owner", []string{
			"@", "www", "flat", "flatout", "plain", "al2", "alnet", "gone", "x.wild", "cut", "host.cut", "mail", "svc", "spec", "specin",
			"www.nest", "nxname", "www.dn", "hidden", "www." + Net, "www." + Com,
		}},
		{"qtype", Types},
		{"transport", Transports},
		{"edns", []string{"none", "512", "1232", "4096"}},
		{"opcode", []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"}},
		{"class", []string{"IN", "CH", "HS", "NONE", "ANY", "CLASS4660"}},
		{"malformed", []string{"no", "noquestion", "twoquestions", "qr", "truncated", "trailing"}},
		{"client", []string{"127.0.0.1", "127.0.0.2"}},
	}
}

// ForbiddenQuery states which values of query dimensions exclude each other.
func ForbiddenQuery(dimA, a, dimB, b string) bool {
	switch dimA + " " + dimB {
	case "edns option":
		return a == "none" && b != "none"
	case "edns do":
		return a == "none" && b == "1"
	case "transport client":
		return b != "127.0.0.1" && a != "udp" && a != "tcp"
	case "transport malformed":
		// What cannot be unpacked ends the connection of these.
		return b == "truncated" && slices.Contains([]string{"https", "quic", "grpc"}, a)
	}
	return false
}

// Spec is a row of a world array by the names of its values.
type Spec map[string]string

// SpecOf names the values of a row.
func SpecOf(dims []Dimension, row Row) Spec {
	s := Spec{}
	for i, d := range dims {
		s[d.Name] = d.Values[row[i]]
	}
	return s
}
