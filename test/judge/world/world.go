package world

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/test/judge"
	"github.com/addressmap/addressmap/test/judge/upstream"
	"github.com/miekg/dns"
)

// Ports are those of one world, all on 127.0.0.1.
type Ports struct {
	DNS, TLS, HTTPS, QUIC, GRPC int // the judged server
	Control                     int // the same backend without addressmap
	Clean, CleanGRPC            int // our upstream
	Fault, FaultGRPC            int // our upstream that makes mistakes
}

// PortCount is how many ports a world takes.
const PortCount = 10

// World is one world: files, records, and what the judge is told.
type World struct {
	ID      string
	Spec    Spec
	Ports   Ports
	Files   map[string]string // by path, relative to the directory of all worlds
	Blocks  string            // of the Corefile
	Zones   *upstream.Zones
	Plan    *upstream.Plan
	Judge   *judge.World // for clients at 127.0.0.1
	Second  *judge.World // for clients at 127.0.0.2: the other view
	Hidden  []string     // names behind proxied aliases
	Records []dns.RR
	// EtcdEndpoint and EtcdPath are where the backend etcd has the main zone.
	EtcdEndpoint, EtcdPath string

	marks   map[string]string
	keyFile string
}

// New makes the world of a spec. Directory id is its own.
func New(id string, spec Spec, rng *rand.Rand) (*World, error) {
	b := &builder{spec: spec, rng: rng, used: map[string]bool{}, names: map[string]*judge.Name{}, marks: map[string]string{}}
	b.beside = spec["backend"] == "forward" || spec["backend"] == "grpc"
	b.fill()
	w := &World{ID: id, Spec: spec, Files: map[string]string{}, Records: b.records, Hidden: b.targets, marks: b.marks}
	w.Zones = upstream.New(b.records, spec["chase"] == "yes")
	fault := w.fault(b)
	w.Judge = &judge.World{
		ID: id, Names: b.names, Secrets: b.secrets, Front: spec["front"], Backend: spec["backend"],
		Fault: fault, Signed: spec["backend"] == "signed", Options: options(spec),
	}
	for _, z := range w.served() {
		declared := z == Main || z == Net || z == Nest && spec["nested"] != "none"
		w.Judge.Zones = append(w.Judge.Zones, judge.Zone{Name: z, Declared: declared, ActedFor: declared, Served: true})
	}
	if spec["nested"] == "nocut" {
		w.Judge.Zones = append(w.Judge.Zones, judge.Zone{Name: Nest, Declared: true, ActedFor: true})
	}
	if spec["unlisted"] == "refuse" {
		w.Judge.Options.Unlisted = true
		for name, n := range b.names {
			// Aliases into a refused zone end there, in ways that no rule tells.
			if name == full("alcom") || name == full("alfar") || name == full("svcfar") || n.Status == judge.Unproxied && (dns.IsSubDomain(Com, name) || dns.IsSubDomain(Far, name)) {
				n.Status = judge.Unsure
			}
		}
	}
	w.Judge.Index()
	w.Second = w.Judge
	switch spec["blocks"] {
	case "viewdiff":
		second := *w.Judge
		second.Options.TTL = otherTTL
		w.Second = &second
	case "splitdiff":
		w.Judge.Options.OtherTTL = otherTTL
	}
	return w, w.files()
}

// otherTTL is that of the directive whose options differ.
const otherTTL = 99

func options(spec Spec) judge.Options {
	o := judge.Options{TTL: 300, Transfer: spec["transfer"]}
	switch spec["ttl"] {
	case "0":
		o.TTL = 0
	case "77":
		o.TTL = 77
	}
	switch spec["https"] {
	case "on":
		o.ALPN = []string{"h2"}
	case "h3h2":
		o.ALPN = []string{"h3", "h2"}
	}
	return o
}

// fault works out what the upstream does wrong, nil if nothing.
func (w *World) fault(b *builder) *judge.Fault {
	kind := w.Spec["fault"]
	if kind == "none" {
		return nil
	}
	f := &judge.Fault{Kind: kind, Names: map[string]bool{}}
	var names []string
	for name := range b.names {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if b.rng.IntN(2) == 0 {
			f.Names[name] = true
		}
	}
	switch t := w.Spec["faulton"]; t {
	case "any":
	case "other":
		f.Types = []uint16{dns.TypeTXT, dns.TypeMX, dns.TypeRRSIG, dns.TypeSRV, dns.TypeCAA}
	default:
		f.Types = []uint16{dns.StringToType[t]}
	}
	var others []dns.RR
	for _, rr := range b.records {
		n := b.names[dns.CanonicalName(rr.Header().Name)]
		if strings.HasPrefix(dns.CanonicalName(rr.Header().Name), "zq") {
			continue // who volunteers a hidden name himself cannot hide it
		}
		if t := rr.Header().Rrtype; n != nil && n.Status == judge.Proxied && !strings.Contains(n.Name, "*") && (t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeCNAME) {
			others = append(others, rr)
		}
	}
	b.rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	label, lie := b.label(), b.v4()
	b.secrets = append(b.secrets,
		judge.Secret{Label: label, Of: "the upstream's EDE or option", Rule: "R30", Told: true},
		judge.Secret{Addr: lie, Of: "the upstream's lie", Told: true})
	w.Plan = &upstream.Plan{
		Kind: kind, Hits: f.Hits, Others: others[:min(2, len(others))],
		Text: fmt.Sprintf("no answer from %s.example.com at %s", label, lie), Lie: net.IP(lie.AsSlice()),
	}
	return f
}

// served are the zones that the server block's backend has.
func (w *World) served() []string {
	zones := []string{Main, Net, Com}
	if w.Spec["nested"] == "cut" {
		zones = append(zones, Nest)
	}
	if Faulty(w.Spec["backend"]) {
		zones = append(zones, Far)
	}
	return zones
}

// zoneRecords are the records of one zone's file, with its delegations.
func (w *World) zoneRecords(zone string) []dns.RR {
	var out []dns.RR
	for _, rr := range w.Records {
		name := dns.CanonicalName(rr.Header().Name)
		if !dns.IsSubDomain(zone, name) {
			continue
		}
		if zone == Main && w.Spec["nested"] == "cut" && dns.IsSubDomain(Nest, name) {
			if name != Nest || rr.Header().Rrtype != dns.TypeNS {
				continue
			}
		}
		out = append(out, rr)
	}
	slices.SortStableFunc(out, func(a, b dns.RR) int { // the SOA first
		return int(boolInt(b.Header().Rrtype == dns.TypeSOA) - boolInt(a.Header().Rrtype == dns.TypeSOA))
	})
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
