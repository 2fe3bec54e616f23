package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

// String prints all of it in Markdown.
func (r *result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %d sources in one process, %d documents of %s together, %d nodes of etcd on the same cores; announced: %t\n\n",
		r.sources, r.documents, mega(float64(r.octets)), r.nodes, r.announce)
	b.WriteString(r.changeTable().String())
	fmt.Fprintf(&b, "\n%s\n%s", r.herdTable(), r.memoryTable())
	for _, c := range []struct {
		when string
		cost
	}{{"At the cold start", r.cold}, {"Since", r.again}} {
		for _, text := range slices.Sorted(maps.Keys(c.warnings)) {
			fmt.Fprintf(&b, "\n%s, %d warnings: %s\n", c.when, c.warnings[text], text)
		}
	}
	return b.String()
}

func (r *result) changeTable() *rig.Table {
	t := &rig.Table{Head: []string{"from writing to Take", "p50", "p99", "slowest", "last server, median", "CPU of etcd", "CPU of a source", "sent by etcd", "requests"}}
	for _, k := range r.kinds {
		n := time.Duration(len(k.last))
		t.Add(k.title, milli(rig.Quantile(k.came, 0.5)), milli(rig.Quantile(k.came, 0.99)), milli(slices.Max(k.came)), milli(rig.Median(k.last)),
			milli(k.cost.etcd/n), micro(k.cost.sources/n/time.Duration(r.sources)), mega(k.cost.sent/float64(n)), fmt.Sprintf("%.0f", k.cost.all()/float64(n)))
	}
	return t
}

// herdTable is what all sources at once have done.
func (r *result) herdTable() *rig.Table {
	t := &rig.Table{Head: []string{"all at once", "cold start", "restart of etcd"}}
	row := func(title string, cell func(times []time.Duration, c cost) string) {
		t.Add(title, cell(r.listed, r.cold), cell(r.back, r.again))
	}
	row("first source has listed, or has the next put", func(times []time.Duration, _ cost) string { return seconds(times[0]) })
	row("median", func(times []time.Duration, _ cost) string { return seconds(rig.Median(times)) })
	row("last", func(times []time.Duration, _ cost) string { return seconds(times[len(times)-1]) })
	row("CPU time of etcd", func(_ []time.Duration, c cost) string { return seconds(c.etcd) })
	row("sent by etcd", func(_ []time.Duration, c cost) string { return mega(c.sent) })
	t.Add("of it documents, each to each source once", mega(float64(r.octets)*float64(r.sources)))
	t.Add("CPU time of a source", milli(r.cold.sources/time.Duration(r.sources)))
	for _, method := range slices.Sorted(maps.Keys(r.cold.requests)) {
		row("requests: "+method, func(_ []time.Duration, c cost) string { return fmt.Sprintf("%.0f", c.requests[method]) })
	}
	row("of all requests failed", func(_ []time.Duration, c cost) string { return fmt.Sprintf("%.0f", c.failed) })
	return t
}

func (r *result) memoryTable() *rig.Table {
	t := &rig.Table{Head: []string{"memory", ""}}
	for i, when := range []string{"documents and no source", "all sources", "all changes done"} {
		t.Add("etcd, "+when, mega(float64(r.etcd[i].Resident)))
	}
	t.Add("etcd, at most", mega(float64(r.etcd[2].Peak)))
	t.Add("etcd, database on disk", mega(r.database))
	t.Add("a source, with its connection", fmt.Sprintf("%.1f MB", float64(r.source)/1e6))
	t.Add("all sources, at most, with garbage", mega(float64(r.peak)))
	t.Add("time of the first push", seconds(r.seeding))
	return t
}

// all is the number of all requests.
func (c *counters) all() (sum float64) {
	for _, n := range c.requests {
		sum += n
	}
	return sum
}

func milli(d time.Duration) string   { return fmt.Sprintf("%.0f ms", float64(d)/1e6) }
func micro(d time.Duration) string   { return fmt.Sprintf("%.0f µs", float64(d)/1e3) }
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// mega prints octets in millions.
func mega(octets float64) string { return fmt.Sprintf("%.1f MB", octets/1e6) }
