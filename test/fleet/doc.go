// Package fleet tests servers whose map is in etcd, with real etcd processes: see
// README.md.
package fleet
