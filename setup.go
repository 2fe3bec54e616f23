package addressmap

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

const pluginName = "addressmap"

func init() { plugin.Register(pluginName, setup) }

// setup turns a directive of the Corefile into a handler with its map in force.
func setup(c *caddy.Controller) error {
	o, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	config := dnsserver.GetConfig(c)
	o.state, o.drains = under(config.Root, o.state), under(config.Root, o.drains)
	if !fleet.IsMap(o.path) {
		o.path = under(config.Root, o.path)
	}
	for _, file := range []*string{&o.etcd.Connection.Cert, &o.etcd.Connection.Key, &o.etcd.Connection.CA} {
		*file = under(config.Root, *file)
	}
	if o.tlsPlace != "" {
		if err := o.etcd.Connection.CheckFiles(); err != nil {
			return plugin.Error(pluginName, fmt.Errorf("%s - tls: %w", o.tlsPlace, err))
		}
	}
	for i, dir := range o.zoneFiles {
		o.zoneFiles[i] = under(config.Root, dir)
	}
	a := &AddressMap{opt: *o, notifier: new(notifier)}
	zones, err := o.acting()
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	a.scope.Acting, a.scope.Options = fqdn.NewZones(zones), o.answer
	block := blockZones(c.ServerBlockKeys)
	a.scope.Home = homeZones(block)
	cf, number := loadOf(c), c.ServerBlockIndex
	sh, m, err := inForce.join(cf, o)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	sh.use(m, a)
	if nothingToClose(a.current.Snapshot(), block) {
		return plugin.Error(pluginName, fmt.Errorf("%s: a document of %s is refused that may hold any name, and the server block names no zone that could be closed for it: correct the document that the log names, or name the zones of the map", o.place, o.path))
	}
	covered := &coverage{acting: zones, block: block, refuses: o.answer.RefuseUnlisted, current: a.current}
	// CoreDNS makes the chains, one for each zone of the block, after the setup of all
	// directives: what starts then starts last, when backends are not written to any more.
	last := sync.OnceFunc(func() {
		c.OnStartup(func() error {
			sh.cover(m, covered)
			cf.warnOfStale(config, number)
			return a.look(config)
		})
	})
	a.useLane(c.ServerBlockKeys)
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		a.next = next
		last()
		return a
	})
	return nil
}

// nothingToClose reports whether a document may hold names of which nobody knows the zone,
// and the server block, of the zones that the map does not know, names none but the root
// and reverse zones (R26).
func nothingToClose(s *mapset.Snapshot, block fqdn.Set) bool {
	if !s.Closed().All() {
		return false
	}
	_, root := block["."]
	for z := range homeZones(block) {
		if !root || !s.Declares(z) {
			return false
		}
	}
	return true
}

// under returns a path as file does: relative to the directory of the root
// plugin, if there is one.
func under(root, path string) string {
	if path == "" || root == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}
