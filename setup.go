package addressmap

import (
	"path/filepath"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
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
	a := &AddressMap{opt: *o, notifier: new(notifier)}
	zones, err := o.acting()
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	a.scope.Acting, a.scope.Options, a.scope.Depth = fqdn.NewZones(zones), o.answer, new(answer.Apexes)
	all, block := sharesOf(c), c.ServerBlockIndex
	sh, err := all.open(o)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	sh.join(a)
	end := shutdownOf(c)
	end.parts = append(end.parts, sh.close, a.notifier.close)
	c.OnRestartFailed(func() error {
		closeAbandoned()
		sh.goOn(o.path)
		return nil
	})
	covered := &coverage{acting: zones, block: blockZones(c.ServerBlockKeys), refuses: o.answer.RefuseUnlisted}
	c.OnStartup(func() error {
		sh.cover(o.path, covered)
		all.warnOfStale(config, block)
		return a.look(config)
	})
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
