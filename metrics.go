package addressmap

import (
	"context"
	"sync"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func opts(name, help string) prometheus.Opts {
	return prometheus.Opts{Namespace: plugin.Namespace, Subsystem: pluginName, Name: name, Help: help}
}

var (
	responsesTotal = promauto.NewCounterVec(prometheus.CounterOpts(opts("responses_total",
		"Counter of responses in which a proxied name was substituted.")), []string{"server", "step", "family"})
	laneTotal = promauto.NewCounterVec(prometheus.CounterOpts(opts("lane_responses_total",
		"Counter of responses given where the packet was read; they count in responses_total too.")), []string{"server"})
	laneBatches = promauto.NewCounterVec(prometheus.CounterOpts(opts("lane_batches_total",
		"Counter of reads of packets of which one or more were answered there.")), []string{"server"})
	failuresTotal = promauto.NewCounterVec(prometheus.CounterOpts(opts("failures_total",
		"Counter of responses refused rather than risk an origin address.")), []string{"server", "reason"})
	reloadsTotal = promauto.NewCounterVec(prometheus.CounterOpts(opts("reloads_total",
		"Counter of loads of the map.")), []string{"map", "result"})
	reloadDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: plugin.Namespace, Subsystem: pluginName, Name: "reload_duration_seconds",
		Help:                        "Histogram of the time from noticing a change to its being in force.",
		Buckets:                     []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor: plugin.NativeHistogramBucketFactor,
	}, []string{"map"})
	lastSuccess = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("last_reload_success_timestamp_seconds",
		"Time of the last load that left what is on disk in force, in seconds since 1970.")), []string{"map"})
	degraded = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("degraded",
		"1 while the map on disk is not what is in force, or what is in force is not in the state.")), []string{"map"})
	sourceUp = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("source_up",
		"1 while etcd answers, which the map is in.")), []string{"map"})
	sourceRevision = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("source_revision",
		"Number of the newest push to etcd that is wholly in force.")), []string{"map"})
	entries = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("entries",
		"Size of what is in force.")), []string{"map", "kind"})
	drainedAddresses = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("drained_addresses",
		"Number of addresses that drains take out of answers.")), []string{"map"})
	drainsIgnored = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("drains_ignored",
		"Number of steps of the fallback for which a drain is ignored, since it would leave them no address of a family.")), []string{"map"})
	info = promauto.NewGaugeVec(prometheus.GaugeOpts(opts("info",
		"1 for the content that is in force.")), []string{"map", "sha256"})
)

// counters keeps the counters of each server at hand: to look one up by its labels
// costs more than to count. All handlers share it, so that it stays near.
var counters sync.Map // :: server address → *serverCounters

// The families of responses_total.
const (
	familyIPv4 = iota
	familyIPv6
	familyOther
	families
)

type serverCounters [mapset.Steps][families]prometheus.Counter

func countersOf(server string) *serverCounters {
	if sc, ok := counters.Load(server); ok {
		return sc.(*serverCounters)
	}
	sc := new(serverCounters)
	for step := range sc {
		for f, name := range []string{"ipv4", "ipv6", "other"} {
			sc[step][f] = responsesTotal.WithLabelValues(server, mapset.Step(step).String(), name)
		}
	}
	first, _ := counters.LoadOrStore(server, sc)
	return first.(*serverCounters)
}

// count counts a response that was substituted or withheld.
func count(ctx context.Context, out *answer.Outcome) {
	switch out.Verdict {
	case answer.Withheld:
		failuresTotal.WithLabelValues(metrics.WithServer(ctx), out.Reason).Inc()
	case answer.Substituted:
		countSubstituted(ctx, out.Decision, out.Type)
	}
}

// countSubstituted counts a response that was substituted.
func countSubstituted(ctx context.Context, d mapset.Decision, qtype uint16) {
	family, f := familyOther, mapset.IPv4
	switch qtype {
	case dns.TypeA:
		family = familyIPv4
	case dns.TypeAAAA:
		family, f = familyIPv6, mapset.IPv6
	}
	countersOf(metrics.WithServer(ctx))[d.Step(f)][family].Inc()
}

// countLoad counts a load of the map called name.
func countLoad(name string, l live.Load) {
	if l.Result == live.NoLoad {
		return
	}
	reloadDuration.WithLabelValues(name).Observe(l.Duration.Seconds())
	if !l.Degraded {
		lastSuccess.WithLabelValues(name).SetToCurrentTime()
	}
	reloadsTotal.WithLabelValues(name, string(l.Result)).Inc()
	if l.Refused && l.Result != live.Refused {
		reloadsTotal.WithLabelValues(name, string(live.Refused)).Inc()
	}
}

// hide ends the metrics about the map called name.
func hide(name string) {
	of := prometheus.Labels{"map": name}
	for _, v := range []interface{ DeletePartialMatch(prometheus.Labels) int }{degraded, info, entries, drainedAddresses, drainsIgnored, sourceUp, sourceRevision} {
		v.DeletePartialMatch(of)
	}
}

// show shows what is in force of the map called name after a load.
func show(name string, l live.Load) {
	degraded.WithLabelValues(name).Set(0)
	if l.Degraded {
		degraded.WithLabelValues(name).Set(1)
	}
	if l.Source != nil {
		sourceUp.WithLabelValues(name).Set(0)
		if l.Source.Up {
			sourceUp.WithLabelValues(name).Set(1)
		}
		sourceRevision.WithLabelValues(name).Set(float64(l.Source.Push))
	}
	drainedAddresses.WithLabelValues(name).Set(float64(l.DrainedAddresses))
	drainsIgnored.WithLabelValues(name).Set(float64(l.DrainsIgnored))
	info.DeletePartialMatch(prometheus.Labels{"map": name})
	info.WithLabelValues(name, l.SHA256).Set(1)
	st := l.InForce.Stats()
	for kind, n := range map[string]int{
		"accounts": st.Accounts, "zones": st.Zones, "proxied_names": st.ProxiedNames,
		"address_maps": st.AddressMaps, "addresses": st.Addresses,
	} {
		entries.WithLabelValues(name, kind).Set(float64(n))
	}
}
