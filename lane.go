package addressmap

import (
	"fmt"
	"maps"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/metrics/vars"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/lane"
)

// laneMode is what the Corefile says of the lane.
type laneMode uint8

const (
	laneAuto laneMode = iota // where it is possible
	laneOn
	laneOff
)

// hookLane has CoreDNS's servers opened by openLane. What keeps it from that is said once.
var hookLane = sync.OnceFunc(func() {
	if runtime.GOOS != "linux" {
		log.Infof("lane off: it is for Linux")
		return
	}
	if err := lane.Hook(openLane); err != nil {
		log.Warningf("lane off: %v", err)
	}
})

// openLane returns the table of a server that begins to serve, and says of its server
// blocks whether the lane is on.
func openLane(s *dnsserver.Server, zones map[string][]*dnsserver.Config) *lane.Table {
	counts, answered := countersOf(s.Addr), laneTotal.WithLabelValues(s.Addr)
	t := &lane.Table{Zones: make(map[string]*lane.Zone, len(zones)), Count: func(n *lane.Tally) {
		var all uint32
		for step := range n {
			for f, count := range n[step] {
				if all += count; count > 0 {
					counts[step][f].Add(float64(count))
				}
			}
		}
		answered.Add(float64(all))
	}}
	all := laneObstacle(zones)
	var on []string
	off := make(map[string][]string)    // :: reason → zones
	wanted := make(map[string][]string) // the same, of directives that say lane on
	for name, configs := range zones {
		t.Zones[name] = nil
		z, mode, reason := laneOf(s, name, configs, all)
		switch {
		case z != nil:
			t.Zones[name], t.Timed = z, t.Timed || z.Observe != nil
			on = append(on, name)
		case mode == laneOn:
			wanted[reason] = append(wanted[reason], name)
		case reason != "":
			off[reason] = append(off[reason], name)
		}
	}
	if len(on) > 0 {
		log.Infof("lane on at %s for %s", s.Addr, someOf(on))
	}
	for _, reason := range slices.Sorted(maps.Keys(off)) {
		log.Infof("lane off at %s for %s: %s", s.Addr, someOf(off[reason]), reason)
	}
	for _, reason := range slices.Sorted(maps.Keys(wanted)) {
		log.Warningf("lane off at %s for %s, although the Corefile says lane on: %s", s.Addr, someOf(wanted[reason]), reason)
	}
	if len(on) == 0 {
		return nil
	}
	return t
}

// someOf names zones, the first few of many.
func someOf(zones []string) string {
	const most = 5
	slices.Sort(zones)
	if n := len(zones) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(zones[:most], ", "), n)
	}
	return strings.Join(zones, ", ")
}

// laneObstacle says what keeps the lane off in all of a server's zones, if anything does: what
// reads its packets or sees what is written stands in one server block and is for all.
func laneObstacle(zones map[string][]*dnsserver.Config) string {
	for _, configs := range zones {
		for _, c := range configs {
			switch {
			case c.ProxyProtoConnPolicy != nil:
				return "proxyproto reads the packets"
			case c.UDPDecorateWriterFunc != nil:
				return "a plugin, such as shed, has to see what is written"
			}
		}
	}
	return ""
}

// laneOf returns how a zone of a server answers from the lane, or why it does not: all says
// what keeps it off in every zone, or some plugin before the directive has to see its
// answers, or is not known to do without. There is no reason where there is no directive.
func laneOf(s *dnsserver.Server, name string, configs []*dnsserver.Config, all string) (_ *lane.Zone, mode laneMode, reason string) {
	var a *AddressMap
	for _, c := range configs {
		if h, ok := c.Handler(pluginName).(*AddressMap); ok {
			a = h
		}
	}
	if a == nil {
		return nil, laneOff, ""
	}
	c := configs[0]
	switch {
	case a.opt.lane == laneOff:
		return nil, laneOff, "the Corefile says lane off"
	case len(configs) > 1, len(c.FilterFuncs) > 0, c.ViewName != "":
		return nil, a.opt.lane, "view chooses the server block of each query"
	case all != "":
		return nil, a.opt.lane, all
	case a.memory == nil:
		return nil, a.opt.lane, "presence off has the backend asked each time"
	case len(c.Plugin) != len(c.Handlers()):
		return nil, a.opt.lane, "a plugin goes by another name than its directive"
	}
	z := &lane.Zone{Names: a.names}
	handlers := c.Handlers()
	for i, h := range handlers {
		switch h := h.(type) {
		case *AddressMap:
			return z, a.opt.lane, ""
		case *metrics.Metrics:
			if z.Observe = observeLane(s.Addr, name, h, handlers[i+1].Name()); z.Observe == nil {
				return nil, a.opt.lane, "prometheus counts by zones below"
			}
			continue
		}
		if h.Name() != "errors" { // it logs errors alone
			return nil, a.opt.lane, h.Name() + " has to see the answers"
		}
	}
	return nil, a.opt.lane, "addressmap is not in its place"
}

// observeLane returns what does of an answer of the lane in a zone what the prometheus
// plugin does of one that passes it, which it takes for that of the next plugin; nil if
// answers of the zone do not all count for one zone of the plugin.
func observeLane(server, name string, m *metrics.Metrics, next string) func(*lane.Answer) {
	counted := make(fqdn.Set)
	for _, z := range m.ZoneNames() {
		counted[fqdn.Canonical(z)] = struct{}{}
	}
	zones := fqdn.NewZones(counted)
	if zones.AnyBelow(fqdn.Name(name)) {
		return nil
	}
	zone := plugin.Zones(m.ZoneNames()).Matches(name)
	if zone == "" {
		zone = "."
	}
	const view, proto = "", "udp"
	once := func(child func() prometheus.Counter) func() prometheus.Counter { return sync.OnceValue(child) }
	observer := func(child func() prometheus.Observer) func() prometheus.Observer { return sync.OnceValue(child) }
	var requests [2][2]func() prometheus.Counter // :: family of the client, of the addresses
	for client := range requests {
		for f, qtype := range []string{"A", "AAAA"} {
			requests[client][f] = once(func() prometheus.Counter {
				return vars.RequestCount.WithLabelValues(server, zone, view, proto, []string{"1", "2"}[client], qtype)
			})
		}
	}
	do := once(func() prometheus.Counter { return vars.RequestDo.WithLabelValues(server, zone, view) })
	rcode := once(func() prometheus.Counter {
		return vars.ResponseRcode.WithLabelValues(server, zone, view, "NOERROR", next)
	})
	duration := observer(func() prometheus.Observer { return vars.RequestDuration.WithLabelValues(server, zone, view) })
	requestSize := observer(func() prometheus.Observer { return vars.RequestSize.WithLabelValues(server, zone, view, proto) })
	responseSize := observer(func() prometheus.Observer { return vars.ResponseSize.WithLabelValues(server, zone, view, proto) })
	return func(a *lane.Answer) {
		client := 0
		if a.Client.(*net.UDPAddr).IP.To4() == nil {
			client = 1
		}
		if a.DO {
			do().Inc()
		}
		requests[client][a.Family]().Inc()
		duration().Observe(a.Elapsed.Seconds())
		responseSize().Observe(float64(a.Response))
		requestSize().Observe(float64(a.Request))
		rcode().Inc()
	}
}
