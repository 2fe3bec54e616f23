package addressmap

import (
	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/live"
)

// resolver is the seam between queries and data: it hands a query the snapshot
// in force, which is then the only one that the query sees.
type resolver struct {
	current *live.Current
	scope   answer.Scope
}

// names takes the snapshot once.
func (r *resolver) names() answer.Names {
	return answer.Names{Snapshot: r.current.Snapshot(), Scope: &r.scope}
}
