// Command coredns is CoreDNS with all of its own plugins and addressmap among
// them.
package main

import (
	"fmt"
	"os"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/core/plugin" // all of CoreDNS's own plugins
	"github.com/coredns/coredns/coremain"

	_ "github.com/addressmap/addressmap" // registers the directive
)

func main() {
	directives, err := withAddressmap(dnsserver.Directives)
	if err == nil {
		err = dnsserver.SetDirectives(directives)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "coredns:", err)
		os.Exit(1)
	}
	caddy.AppVersion += " addressmap-" + ownVersion()
	coremain.Run()
}
