// Package server starts CoreDNS in the process of a test, asks it, and reads its log and
// its metrics. The tests in the folders beside it, and the root package's, share it. It
// knows addressmap by the name of its directive only: a test imports the root package.
package server

import (
	"io"
	golog "log"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	// What the Corefiles of the tests use, and no more: all plugins of CoreDNS
	// take minutes to build under the race detector.
	_ "github.com/coredns/coredns/plugin/any"
	_ "github.com/coredns/coredns/plugin/auto"
	_ "github.com/coredns/coredns/plugin/autopath"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/chaos"
	_ "github.com/coredns/coredns/plugin/dns64"
	_ "github.com/coredns/coredns/plugin/dnssec"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/rewrite"
	_ "github.com/coredns/coredns/plugin/root"
	_ "github.com/coredns/coredns/plugin/secondary"
	_ "github.com/coredns/coredns/plugin/shed"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/tsig"
	_ "github.com/coredns/coredns/plugin/view"
)

// Setup makes this CoreDNS know directives, which stand behind minimal in the order of
// plugins as in cmd/coredns. It is called once, before the tests run. What CoreDNS logs
// is dropped until a server starts.
func Setup(directives ...string) {
	behind := slices.Index(dnsserver.Directives, "minimal") + 1
	if err := dnsserver.SetDirectives(slices.Insert(slices.Clone(dnsserver.Directives), behind, directives...)); err != nil {
		golog.Fatal(err)
	}
	dnsserver.Quiet, caddy.Quiet = true, true
	golog.SetOutput(io.Discard)
}
