package addressmap

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// coverage is where the zones of one directive and those of its map do not meet, and
// whether the map knows the directive's site. A share refers to it: like a notifier, it must not refer to the handler.
type coverage struct {
	acting  fqdn.Set // the zones that the directive acts for
	block   fqdn.Set // those of its server block
	refuses bool     // unlisted refuse
	current *live.Current

	unlisted []fqdn.Name // as they were last warned of, sorted
	leftOut  leftOut     // the same, for names
	site     string      // the same, for the site: the warning
}

// coverages are those of the directives of a share. They are safe for concurrent use.
type coverages struct {
	mu       sync.Mutex
	all      []*coverage
	unlisted tally
}

// tally counts the directives by the zones that the map does not know.
type tally map[fqdn.Name]int

// replace counts other zones of a directive.
func (t tally) replace(old, now []fqdn.Name) {
	for _, zone := range now {
		t[zone]++
	}
	for _, zone := range old {
		if t[zone]--; t[zone] == 0 {
			delete(t, zone)
		}
	}
}

// size returns how many zones the map does not know.
func (cs *coverages) size() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.unlisted)
}

// remove ends the warnings of a directive.
func (cs *coverages) remove(c *coverage) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.unlisted.replace(c.unlisted, nil)
	cs.all = remove(cs.all, c)
}

// add lets a directive be warned of from now on. With ten thousand of them on one map,
// the others are not looked at for it.
func (cs *coverages) add(name string, c *coverage) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.all = append(cs.all, c)
	if cs.unlisted == nil {
		cs.unlisted = make(tally)
	}
	c.check(name, cs.unlisted)
}

// check warns of what is new where the map called name is concerned. It reports
// whether any directive has started yet.
func (cs *coverages) check(name string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, c := range cs.all {
		c.check(name, cs.unlisted)
	}
	return len(cs.all) > 0
}

// check logs a line for each of the two sets, and for the site, that is another than when
// it was last checked.
func (c *coverage) check(name string, t tally) {
	snapshot := c.current.Snapshot()
	if now := c.unlistedIn(snapshot); !slices.Equal(now, c.unlisted) {
		t.replace(c.unlisted, now)
		c.unlisted = now
		c.warnOfUnlisted(name)
	}
	if now := c.leftOutIn(snapshot); now.count != c.leftOut.count || now.sum != c.leftOut.sum {
		c.leftOut = now
		c.warnOfLeftOut(name)
	}
	if now := snapshot.SiteWarning(); now != c.site {
		c.site = now
		if now == "" {
			log.Infof("%s knows the site of its addressmap again", name)
		} else {
			log.Warningf("%s: %s", name, now)
		}
	}
}

func (c *coverage) warnOfUnlisted(name string) {
	fate := "left to the backend"
	switch {
	case c.current.Snapshot().Closed().All():
		fate = "closed for as long as a document of the map cannot be read for certain"
	case c.refuses:
		fate = "refused"
	}
	if len(c.unlisted) == 0 {
		log.Infof("%s knows all zones that its addressmap acts for again", name)
		return
	}
	log.Warningf("%s does not know zones that its addressmap acts for, %d in all: %s; what it does not declare there is %s: declare them in the map, or take them out of the server block",
		name, len(c.unlisted), fqdn.FirstFew(c.unlisted), fate)
}

func (c *coverage) warnOfLeftOut(name string) {
	if c.leftOut.count == 0 {
		log.Infof("the zones of its addressmap cover all names of the server block that %s proxies again", name)
		return
	}
	log.Warningf("%s proxies names of the server block that no zone of its addressmap covers, %d in all: %s; they are answered with their origins: add their zones to the addressmap's line",
		name, c.leftOut.count, fqdn.FirstFew(c.leftOut.first))
}

// unlistedIn returns the zones of the directive that the map does not know (R29),
// sorted. The root and reverse zones are not among them: a server block often names
// them for what is not in the map at all.
func (c *coverage) unlistedIn(s *mapset.Snapshot) []fqdn.Name {
	var out []fqdn.Name
	for zone := range c.acting {
		if !isReverse(zone) && !s.Declares(zone) && !s.IsClosed(zone) {
			out = append(out, zone)
		}
	}
	slices.Sort(out)
	return out
}

// leftOut is a set of names, of which there may be millions.
type leftOut struct {
	count int
	sum   uint64      // of their hashes: two sets with the same are the same
	first []fqdn.Name // one more than are shown, in their order
}

var leftOutSeed = maphash.MakeSeed()

// leftOutIn returns the names of the server block that the map proxies and the
// directive does not act for.
func (c *coverage) leftOutIn(s *mapset.Snapshot) leftOut {
	var out leftOut
	if !slices.ContainsFunc(slices.Collect(maps.Keys(c.block)), func(zone fqdn.Name) bool { return !c.acting.Encloses(zone) }) {
		return out // ZONES are seldom less than the server block
	}
	for n := range s.Outside(c.block, c.acting) {
		out.count++
		out.sum += maphash.String(leftOutSeed, string(n))
		if i, _ := slices.BinarySearch(out.first, n); i <= fqdn.Few {
			own := fqdn.Name(strings.Clone(string(n))) // not the snapshot's, which would stay with it
			out.first = slices.Insert(out.first, i, own)
			out.first = out.first[:min(len(out.first), fqdn.Few+1)]
		}
	}
	return out
}
