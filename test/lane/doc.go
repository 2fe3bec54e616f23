// Package lane holds the lane to the octets that CoreDNS sends without it, and to the
// addresses, reloads and metrics that an operator expects. README.md tells how to read,
// run and mend it.
package lane
