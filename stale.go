package addressmap

import (
	"bytes"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
)

// warnOfStale warns of a cache in front that answers with what has expired: of a name
// that has just become proxied, that is its origin. block is the number of the server
// block in the Corefile.
func (cf *corefile) warnOfStale(config *dnsserver.Config, block int) {
	if !inFront(config.Handlers(), "cache") {
		return
	}
	if d := cf.stale()[block]; d > 0 {
		log.Warningf("cache in the server block of %q has serve_stale: a name that has just become proxied may be answered with its origin for %s after the cached answer expired; take serve_stale out, or cache backends elsewhere",
			config.Zone, d)
	}
}

// inFront reports whether a plugin stands before ours.
func inFront(handlers []plugin.Handler, name string) bool {
	for _, h := range handlers {
		switch h.Name() {
		case name:
			return true
		case pluginName:
			return false
		}
	}
	return false
}

// readStale returns for how long the cache of each server block answers with what has
// expired, by the numbers of the blocks. The plugin does not tell, but its lines in the
// Corefile do; what can no longer be read is left out.
func (cf *corefile) readStale() map[int]time.Duration {
	corefile := cf.text()
	if corefile == nil {
		return nil
	}
	blocks, err := caddyfile.Parse(corefile.Path(), bytes.NewReader(corefile.Body()), dnsserver.Directives)
	if err != nil {
		return nil
	}
	out := make(map[int]time.Duration)
	for i, b := range blocks {
		if d := serveStale(corefile.Path(), b.Tokens["cache"]); d > 0 {
			out[i] = d
		}
	}
	return out
}

// text returns what was loaded, or nil.
func (cf *corefile) text() caddy.Input {
	if i := listed()[cf]; i != nil {
		return i.Caddyfile()
	}
	return nil
}

// staleDefault is what serve_stale means without a duration.
const staleDefault = time.Hour

// serveStale returns the duration of serve_stale in the lines of a cache plugin, 0 for
// none. They are good: the plugin has read them.
func serveStale(path string, lines []caddyfile.Token) (d time.Duration) {
	c := caddyfile.NewDispenserTokens(path, lines)
	for c.Next() {
		c.RemainingArgs()
		for c.NextBlock() {
			option, args := c.Val(), c.RemainingArgs()
			if option != "serve_stale" {
				continue
			}
			d = staleDefault
			if len(args) > 0 {
				d, _ = time.ParseDuration(args[0])
			}
		}
	}
	return d
}
