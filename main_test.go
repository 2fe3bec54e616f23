package addressmap

import (
	"flag"
	"io"
	golog "log"
	"os"
	"slices"
	"testing"

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

// faultChildVar names the variable that makes the test binary a CoreDNS with the Corefile
// of which it holds the path, and faultChild is what runs that.
const faultChildVar = "ADDRESSMAP_FAULTS_COREFILE"

var faultChild func(corefile string)

var update = flag.Bool("update", false, "write what the server says into the dialogues of testdata/answer")

func TestMain(m *testing.M) {
	place := slices.Index(dnsserver.Directives, "minimal") + 1
	if err := dnsserver.SetDirectives(slices.Insert(slices.Clone(dnsserver.Directives), place, pluginName, neighbourName)); err != nil {
		golog.Fatal(err)
	}
	dnsserver.Quiet, caddy.Quiet = true, true
	if corefile := os.Getenv(faultChildVar); corefile != "" {
		golog.SetOutput(os.Stderr)
		faultChild(corefile)
	}
	golog.SetOutput(io.Discard)
	os.Exit(m.Run())
}
