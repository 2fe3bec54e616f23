package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of the memory limit of its cgroup the process may take before
// garbage is collected all the time. The rest is for what Go does not count: the pages
// of the binary, and the buffers of the system.
const memoryShare = 0.9

// limitMemory sets Go's memory limit by that of the cgroup, unless GOMEMLIMIT is set or
// the cgroup has none. With a limit the plugin refuses a map that would have the process
// killed. A limit that cannot be read is said, and is no reason not to start.
func limitMemory(cgroup memlimit.Provider, stderr io.Writer) {
	_, err := memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(cgroup))
	if err != nil && !errors.Is(err, memlimit.ErrNoCgroup) && !errors.Is(err, memlimit.ErrCgroupsNotSupported) {
		fmt.Fprintln(stderr, "coredns: the memory limit of the cgroup is not known, set GOMEMLIMIT to have one:", err)
	}
}
