package addressmap

import (
	"sync"
	"time"
)

// shutdownTime is how long a load of the Corefile may take to close what it holds.
// CoreDNS gives its servers five seconds to end, and calls its plugins before that or
// after it, one after the other.
const shutdownTime = 2 * time.Second

// together runs functions at the same time, and returns when all have.
func together(parts []func()) {
	var wg sync.WaitGroup
	for _, part := range parts {
		wg.Go(part)
	}
	wg.Wait()
}

// shutdown ends the load: its servers have stopped, or are about to for good. It returns
// when what the load held is closed or shutdownTime is over. A part may wait for what
// nobody can interrupt: a backend that does not answer, the three attempts of the
// transfer plugin to reach a secondary, the load of a large map. It then closes later,
// or ends with the process. That is no error: for an error, caddy takes a restart to have
// failed when the new server answers already.
func (cf *corefile) shutdown() error {
	inForce.look()
	closed := make(chan struct{})
	go func() {
		cf.end()
		close(closed)
	}()
	over := time.NewTimer(shutdownTime)
	defer over.Stop()
	select {
	case <-closed:
	case <-over.C:
		log.Warningf("a backend or a secondary that does not answer, or the load of a large map, is not waited for any longer: %s are over", shutdownTime)
	}
	return nil
}
