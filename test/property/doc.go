// Package property makes up zones, maps and Corefiles, asks a CoreDNS everything about
// every name, with addressmap and without, and finds what must never be answered.
// README.md tells how to read, run and mend it.
package property
