package addressmap

import (
	"errors"
	"time"

	"github.com/coredns/caddy"
)

// shutdownTime is how long all directives of one load of the Corefile may take to
// close, together. CoreDNS gives its servers five seconds to end, and calls its plugins
// before that or after it, one after the other.
const shutdownTime = 2 * time.Second

// shutdown closes what the directives of one load of the Corefile have set up.
type shutdown struct{ parts []func() error }

// shutdownKey finds the shutdown in the storage of a Corefile.
type shutdownKey struct{}

func shutdownOf(c *caddy.Controller) *shutdown {
	s, ok := c.Get(shutdownKey{}).(*shutdown)
	if !ok {
		s = new(shutdown)
		c.Set(shutdownKey{}, s)
		c.OnShutdown(s.close)
	}
	return s
}

// close closes all parts at once, and returns when they are closed or shutdownTime is
// over. A part may wait for what nobody can interrupt: a backend that does not answer,
// the three attempts of the transfer plugin to reach a secondary, the load of a large
// map. It then closes later, or ends with the process. That is no error: for an error,
// caddy takes a restart to have failed when the new server answers already.
func (s *shutdown) close() error {
	closed := make(chan error, len(s.parts))
	for _, part := range s.parts {
		go func() { closed <- part() }()
	}
	over := time.NewTimer(shutdownTime)
	defer over.Stop()
	var errs []error
	for left := len(s.parts); left > 0; left-- {
		select {
		case err := <-closed:
			errs = append(errs, err)
		case <-over.C:
			log.Warningf("a backend or a secondary that does not answer, or the load of a large map, is not waited for any longer: %s are over", shutdownTime)
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}
