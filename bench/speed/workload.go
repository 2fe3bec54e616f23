package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/bench/rig"
)

// workload is a set of zones, the questions about them, and the servers that
// answer.
type workload struct {
	name       string
	title      string
	fleet      rig.Fleet
	first      bool // each name is asked for once
	marked     bool // zone files have the marks, the map names the files
	contenders []*contender

	dir string
}

// firstRate is how many names a second there are for a workload in which no name
// is asked for twice: more than any CoreDNS answers here.
const firstRate = 70_000

// workloads returns all there are. The longer a turn, the more names are needed
// to never ask for one twice.
func workloads(seconds int) []*workload {
	names := firstRate * seconds
	return []*workload{
		{name: "W1", title: "10,000 zones of one host, a server block each",
			fleet: rig.Fleet{Zones: 10_000, Hosts: 1}, contenders: contenders()},
		{name: "W2", title: "one zone of 100,000 hosts",
			fleet: rig.Fleet{Zones: 1, Hosts: 100_000}, contenders: contenders()},
		{name: "W1-first", title: fmt.Sprintf("10,000 zones of %d hosts, a server block each, every host asked for once", names/10_000),
			fleet: rig.Fleet{Zones: 10_000, Hosts: names / 10_000}, first: true, contenders: newcomers()},
		{name: "W2-first", title: fmt.Sprintf("one zone of %d hosts, every host asked for once", names),
			fleet: rig.Fleet{Zones: 1, Hosts: names}, first: true, contenders: newcomers()},
		{name: "auto", title: "10,000 zones of one host in one server block, marked in the zone files",
			fleet: rig.Fleet{Zones: 10_000, Hosts: 1}, marked: true, contenders: autos()},
	}
}

// choose leaves only the servers whose name matches, and what they are compared
// to.
func (w *workload) choose(only *regexp.Regexp) {
	wanted := make(map[string]bool)
	for _, c := range w.contenders {
		if only.MatchString(c.name) {
			wanted[c.name], wanted[c.base] = true, true
		}
	}
	w.contenders = slices.DeleteFunc(w.contenders, func(c *contender) bool { return !wanted[c.name] })
}

// double adds to each CoreDNS with addressmap one with the binary of -against.
func (w *workload) double() {
	var all []*contender
	for _, c := range w.contenders {
		all = append(all, c)
		if strings.HasPrefix(c.name, "addressmap") {
			other := *c
			other.name, other.like = c.name+", against", c
			all = append(all, &other)
		}
	}
	w.contenders = all
}

// Files of a workload, in its folder.
const (
	randomList = "random"    // questions drawn at random
	allList    = "all"       // each question once
	oneMap     = "all.yaml"  // the whole map
	noMap      = "none.yaml" // a map of the same size that marks other names
)

func zoneFile(zone string) string { return "zones/db." + zone }
func edgeFile(zone string) string { return "edge/db." + zone }
func hostFile(zone string) string { return "hosts/" + zone }

// mapOf is the document of one account, for its zones' server blocks.
func mapOf(folder string, account int) string { return fmt.Sprintf("%s/%05d.yaml", folder, account) }

// write writes all files that a server of the workload may need.
func (w *workload) write(dir string, s *settings) error {
	w.dir = filepath.Join(dir, w.name)
	f := w.fleet
	comment, marks := "", rig.Marks(f.Proxied)
	if w.marked {
		comment = "cf_tags=cf-proxied:true"
		marks = func(zone int) ([]string, string) { return nil, zoneFile(f.Zone(zone)) }
	}
	files := map[string]func() []byte{
		oneMap: func() []byte { return f.Document(marks).YAML() },
		noMap:  func() []byte { return f.Document(f.Others).YAML() },
	}
	for zone := range f.Zones {
		name := f.Zone(zone)
		files[zoneFile(name)] = func() []byte { return f.ZoneFile(zone, f.Hidden, comment) }
		if w.first {
			continue
		}
		files[edgeFile(name)] = func() []byte { return f.ZoneFile(zone, f.EdgeOf, "") }
		files[hostFile(name)] = func() []byte { return f.HostsFile(zone) }
	}
	if !w.marked {
		for account := range f.Accounts() {
			for folder, marks := range map[string]rig.Marks{"maps": f.Proxied, "others": f.Others} {
				files[mapOf(folder, account)] = func() []byte {
					return (&rig.Document{Accounts: []rig.Account{f.Account(account, 0, marks)}}).YAML()
				}
			}
		}
	}
	if w.first {
		files[randomList] = func() []byte { return f.Once(f.Names()) }
	} else {
		files[randomList] = func() []byte { return f.Random(4 * 100_000) }
		files[allList] = f.All
	}
	for name, content := range files {
		if err := rig.WriteFile(w.dir, name, content()); err != nil {
			return err
		}
	}
	for _, c := range w.contenders {
		c.oneMap = s.oneMap
	}
	return nil
}
