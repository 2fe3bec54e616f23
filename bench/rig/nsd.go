package rig

import (
	"fmt"
	"strings"
)

// NSD returns the configuration of an NSD that serves zones, each from the file of
// its name, with one process on a port of the loopback interface. It keeps what it
// has to keep in dir. Limits of the rate of answers are off: there is one client.
func NSD(dir, port string, zones map[string]string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `server:
  ip-address: 127.0.0.1@%s
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  username: ""
  chroot: ""
  zonesdir: "%s"
  database: ""
  pidfile: "%[2]s/nsd.pid"
  xfrdfile: "%[2]s/xfrd.state"
  xfrdir: "%[2]s"
  zonelistfile: "%[2]s/zone.list"
remote-control:
  control-enable: no
`, port, dir)
	for name, file := range zones {
		fmt.Fprintf(&b, "zone:\n  name: %s\n  zonefile: %s\n", name, file)
	}
	return []byte(b.String())
}
