package mapset

import (
	"net/netip"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// room is where what the accounts of one document come to has its place, all of a
// kind in one piece: the collector of garbage then finds a few things for each
// document, and not a dozen for each account.
type room struct {
	maps    []addressMap
	addrs   []netip.Addr
	members []string
	pools   []Pool // not as many as there may be
}

func roomFor(doc *mapfile.Document) room {
	var maps, addrs, members int
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Maps {
			maps++
			addrs += len(doc.Accounts[i].Maps[j].IPs)
			members += len(doc.Accounts[i].Maps[j].Members)
		}
	}
	return room{
		maps:    make([]addressMap, maps),
		addrs:   make([]netip.Addr, addrs),
		members: make([]string, members),
		pools:   make([]Pool, maps),
	}
}

// cut takes n from the front of what is left.
func cut[T any](left *[]T, n int) []T {
	taken := (*left)[:n:n]
	*left = (*left)[n:]
	return taken
}

// pool returns an empty one.
func (r *room) pool() *Pool {
	if len(r.pools) == 0 {
		return new(Pool)
	}
	return &cut(&r.pools, 1)[0]
}
