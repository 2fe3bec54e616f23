package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
)

// directive is the word of a Corefile that this binary adds to CoreDNS's.
const directive = "addressmap"

// predecessor is the directive that addressmap comes right after. What stands
// up to it (dnssec, cache, log, …) sees substituted answers; what stands after
// it (transfer and the backends) is asked by addressmap.
const predecessor = "minimal"

// withAddressmap returns a copy of CoreDNS's directives, in execution order,
// with addressmap in its place. The list is taken from CoreDNS at run time, so
// that a newer CoreDNS needs no list of ours to be merged by hand. A list
// without the predecessor is an error: a guessed place could put addressmap
// behind a backend, where origin addresses would pass it by.
func withAddressmap(directives []string) ([]string, error) {
	if slices.Contains(directives, directive) {
		return nil, fmt.Errorf("this CoreDNS already has a directive %q: remove it from its plugin.cfg or use its own binary", directive)
	}
	i := slices.Index(directives, predecessor)
	if i < 0 {
		return nil, errors.New("CoreDNS's directive list has no \"" + predecessor + "\" to put " + directive + " after: use the CoreDNS version that go.mod names")
	}
	return slices.Insert(slices.Clone(directives), i+1, directive), nil
}

// registerLeftOut lets a directive that this flavour leaves out be an error of the
// Corefile that says which flavour has it.
func registerLeftOut() {
	for name := range leftOut {
		plugin.Register(name, refuseLeftOut(name))
	}
}

func refuseLeftOut(name string) func(*caddy.Controller) error {
	return func(c *caddy.Controller) error {
		c.Next()
		return c.Errf("this binary is built without the plugin %s, as %s: build it with -tags full", name, leftOut[name])
	}
}

// ownVersion returns the version of this module as the go command recorded it
// in the binary: a release, a pseudo-version, or "(devel)".
func ownVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
