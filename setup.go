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
	if err := claimState(c, o.state); err != nil {
		return plugin.Error(pluginName, err)
	}
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

// stateKey finds the state directories in use by one Corefile.
type stateKey struct{}

// claimState refuses a second directive with the same state directory in one
// Corefile. Another process, or another map, is refused by the directory itself.
func claimState(c *caddy.Controller, dir string) error {
	if dir == "" {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	used, _ := c.Get(stateKey{}).(map[string]bool)
	if used == nil {
		used = make(map[string]bool)
		c.Set(stateKey{}, used)
	}
	if used[dir] {
		return c.Errf("state: another addressmap of this Corefile keeps its state in %q: give each a directory of its own", dir)
	}
	used[dir] = true
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
