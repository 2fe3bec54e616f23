package addressmap

import (
	"sync"

	"github.com/coredns/caddy"
)

// pending are the shares of all Corefiles that are not known to be gone. Nobody
// tells a plugin that the rest of its Corefile failed to load: what it set up would
// watch its map, and write its state, beside the server that goes on.
var pending sync.Map // :: *shares → struct{}

func init() {
	caddy.RegisterEventHook(pluginName, func(event caddy.EventName, _ any) error {
		if event == caddy.InstanceStartupEvent {
			closeAbandoned()
		}
		return nil
	})
}

// closeAbandoned closes the shares of those Corefiles that failed to load: a
// [caddy.Instance] that failed is off the list.
func closeAbandoned() {
	loaded := make(map[*shares]bool)
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		if s, ok := i.Storage[sharesKey{}].(*shares); ok {
			loaded[s] = true
		}
		i.StorageMu.RUnlock()
	}
	pending.Range(func(key, _ any) bool {
		if s := key.(*shares); !loaded[s] {
			s.close()
		}
		return true
	})
}

// close closes what is open yet of the shares.
func (s *shares) close() {
	pending.Delete(s)
	for _, sh := range s.maps {
		_ = sh.close() // nobody is there to be told of an error
	}
}
