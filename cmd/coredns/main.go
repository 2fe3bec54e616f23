// Command coredns is CoreDNS with addressmap among its plugins. Without a build tag it is
// the slim flavour, for an authoritative edge; with the tag full it has all plugins of
// CoreDNS, and takes its place anywhere.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/addressmap/addressmap" // registers the directive
)

// threadsOnOneCore is how many threads run Go code where the process has one processor:
// while a large map is loaded, queries then wait for the kernel's scheduler and not for
// a time slice of Go's and one of its garbage collector's. A saturated core gives about
// 5 % for that (both in bench/README.md, "One core").
const threadsOnOneCore = 4

func main() {
	if runtime.GOMAXPROCS(0) == 1 && os.Getenv("GOMAXPROCS") == "" {
		os.Setenv("GOMAXPROCS", strconv.Itoa(threadsOnOneCore)) // coremain asks the environment
		runtime.GOMAXPROCS(threadsOnOneCore)
	}
	limitMemory(memlimit.FromCgroup, os.Stderr)
	registerLeftOut()
	tellSystemd()
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
