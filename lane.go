package addressmap

import (
	"errors"
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
	"github.com/coredns/coredns/plugin/pkg/edns"
	transports "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"
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

// useLane has CoreDNS's servers opened by openLane, and warns of what keeps the lane off in
// every server block of a directive that says lane on.
func (a *AddressMap) useLane(keys []string) {
	if a.opt.lane == laneOff {
		return
	}
	err := hookLane()
	if err == nil && !slices.ContainsFunc(keys, func(key string) bool {
		proto, _ := transports.Transport(key)
		return proto == transport.DNS
	}) {
		err = errors.New("the server block has no plain DNS")
	}
	if err != nil && a.opt.lane == laneOn {
		log.Warningf("%s: lane off, although the Corefile says lane on: %v", a.opt.place, err)
	}
}

// hookLane says what keeps the lane off in this process.
var hookLane = sync.OnceValue(func() error {
	if runtime.GOOS != "linux" {
		return errors.New("the lane is for Linux")
	}
	return lane.Hook(openLane)
})

// laneLogged is what was logged last of the lane of each server, so that it is said once for
// all the sockets of multisocket.
var laneLogged sync.Map // :: server address → text

// openLane returns the table of a server that begins to serve, and says of its server
// blocks whether the lane is on.
func openLane(s *dnsserver.Server, zones map[string][]*dnsserver.Config) *lane.Table {
	t := &lane.Table{Zones: make(map[string]*lane.Zone, len(zones)), Cookies: !edns.SupportedOption(dns.EDNS0COOKIE)}
	all := laneObstacle(zones)
	var on []string
	off := make(map[string][]string)    // :: reason → zones
	wanted := make(map[string][]string) // the same, of directives that say lane on
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		configs := zones[name]
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
	text := fmt.Sprint(on, off, wanted) // maps are printed in order
	if last, _ := laneLogged.Swap(s.Addr, text); last != text {
		logLane(s.Addr, on, off, wanted)
	}
	if len(on) == 0 {
		return nil
	}
	counts, answered, batches := countersOf(s.Addr), laneTotal.WithLabelValues(s.Addr), laneBatches.WithLabelValues(s.Addr)
	t.Count = func(n *lane.Tally) {
		var sum uint32
		for step := range n {
			for f, count := range n[step] {
				if sum += count; count > 0 {
					counts[step][f].Add(float64(count))
				}
			}
		}
		answered.Add(float64(sum))
		batches.Inc()
	}
	return t
}

// logLane says of the zones of a server for which the lane is on, and what keeps it off for
// the others: a warning if the Corefile wants it on.
func logLane(server string, on []string, off, wanted map[string][]string) {
	if len(on) > 0 {
		log.Infof("lane on at %s for %s", server, someOf(on))
	}
	for _, reason := range slices.Sorted(maps.Keys(off)) {
		log.Infof("lane off at %s for %s: %s", server, someOf(off[reason]), reason)
	}
	for _, reason := range slices.Sorted(maps.Keys(wanted)) {
		log.Warningf("lane off at %s for %s, although the Corefile says lane on: %s", server, someOf(wanted[reason]), reason)
	}
}

// someOf names zones, which are sorted: the first few of many.
func someOf(zones []string) string {
	const most = 5
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
				return "proxyproto, in a server block at this address, reads the packets"
			case c.UDPDecorateWriterFunc != nil:
				return "a plugin of a server block at this address, such as shed, has to see what is written"
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
	for _, z := range m.ZoneNames() {
		if z != name && fqdn.Canonical(z).In(fqdn.Name(name)) {
			return nil
		}
	}
	zone := plugin.Zones(m.ZoneNames()).Matches(name)
	if zone == "" {
		zone = "."
	}
	const view, proto = "", "udp"
	// Each is looked up when it is first needed: else it would be shown before that, as 0.
	var requests [2][2]func() prometheus.Counter // :: family of the client, of the addresses
	for client := range requests {
		for f, qtype := range []string{"A", "AAAA"} {
			requests[client][f] = sync.OnceValue(func() prometheus.Counter {
				return vars.RequestCount.WithLabelValues(server, zone, view, proto, []string{"1", "2"}[client], qtype)
			})
		}
	}
	do := sync.OnceValue(func() prometheus.Counter { return vars.RequestDo.WithLabelValues(server, zone, view) })
	rcode := sync.OnceValue(func() prometheus.Counter {
		return vars.ResponseRcode.WithLabelValues(server, zone, view, "NOERROR", next)
	})
	duration := sync.OnceValue(func() prometheus.Observer { return vars.RequestDuration.WithLabelValues(server, zone, view) })
	requestSize := sync.OnceValue(func() prometheus.Observer { return vars.RequestSize.WithLabelValues(server, zone, view, proto) })
	responseSize := sync.OnceValue(func() prometheus.Observer { return vars.ResponseSize.WithLabelValues(server, zone, view, proto) })
	return func(a *lane.Answer) {
		client := 0
		if udp, ok := a.Client.(*net.UDPAddr); ok && udp.IP.To4() == nil {
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
