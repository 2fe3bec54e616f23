package addressmap

import (
	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/presence"
)

// resolver is the seam between queries and data: it hands a query the snapshot
// in force, which is then the only one that the query sees.
type resolver struct {
	store *live.Store
	zones fqdn.Set
	only  fqdn.Name // of the zones, if there is just one
	tells bool      // the backends tell which wildcard a record was made from

	memory  *presence.View // nil: the backend is asked each time
	held    answer.Zones   // the backend's zones; nil if they cannot be looked into
	serials bool           // secondaries follow the serial, which the map then counts up
}

// names takes the snapshot once.
func (r *resolver) names() answer.Names {
	return answer.Names{
		Snapshot: r.store.Snapshot(),
		Acting:   r.zones,
		Only:     r.only,
		Tells:    r.tells,
		Serials:  r.serials,
		Memory:   r.memory,
		Zones:    r.held,
	}
}

// actFor has the handler act for zones.
func (r *resolver) actFor(zones fqdn.Set) {
	r.zones, r.only = zones, ""
	if len(zones) == 1 {
		for z := range zones {
			r.only = z
		}
	}
}
