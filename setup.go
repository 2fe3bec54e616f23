package addressmap

import (
	"path/filepath"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/presence"
)

const pluginName = "addressmap"

var log = clog.NewWithPlugin(pluginName)

func init() { plugin.Register(pluginName, setup) }

// setup turns a directive of the Corefile into a handler with its map in force.
func setup(c *caddy.Controller) error {
	o, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	config := dnsserver.GetConfig(c)
	o.path, o.state = under(config.Root, o.path), under(config.Root, o.state)
	a := &AddressMap{opt: *o}
	if a.zones, err = o.acting(); err != nil {
		return plugin.Error(pluginName, err)
	}
	a.notifier = new(notifier)
	if o.presence > 0 {
		a.memory = presence.New(o.presence)
	}
	if a.store, err = live.Open(o.live(a.notifier, a.memory)); err != nil {
		a.memory.Close()
		return plugin.Error(pluginName, err)
	}
	a.closeWhenForgotten()
	c.OnShutdown(a.store.Close)
	c.OnShutdown(a.notifier.close)
	c.OnShutdown(func() error { a.memory.Close(); return nil })
	c.OnStartup(func() error { return a.look(config) })
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		a.next = next
		return a
	})
	return nil
}

// under returns a path as file does: relative to the directory of the root
// plugin, if there is one.
func under(root, path string) string {
	if path == "" || root == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}
