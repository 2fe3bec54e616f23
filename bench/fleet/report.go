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
	fmt.Fprintf(&b, "\n%s\n%s", r.coldTable(), r.memoryTable())
	if r.warnings > 0 {
		fmt.Fprintf(&b, "\nThe sources warned %d times at the cold start, first: %s\n", r.warnings, r.warning)
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

func (r *result) coldTable() *rig.Table {
	t := &rig.Table{Head: []string{"cold start of all at once", ""}}
	t.Add("first source has listed after", seconds(r.listed[0]))
	t.Add("median", seconds(rig.Median(r.listed)))
	t.Add("last", seconds(r.listed[len(r.listed)-1]))
	t.Add("CPU time of etcd", seconds(r.cold.etcd))
	t.Add("CPU time of a source", milli(r.cold.sources/time.Duration(r.sources)))
	t.Add("sent by etcd", mega(r.cold.sent))
	t.Add("of it documents, each to each source once", mega(float64(r.octets)*float64(r.sources)))
	for _, method := range slices.Sorted(maps.Keys(r.cold.requests)) {
		t.Add("requests: "+method, fmt.Sprintf("%.0f", r.cold.requests[method]))
	}
	t.Add("of all requests failed", fmt.Sprintf("%.0f", r.cold.failed))
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
