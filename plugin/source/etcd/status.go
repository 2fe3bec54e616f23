package etcd

import (
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Status is how the source is. The zero value is that of one that was never reached.
type Status struct {
	Up   bool  // etcd answers
	Push int64 // number of the last push that was handed over; 0 for none
	// Back is why what the store holds is not handed over; nil if it is.
	Back error
}

// Status returns how the source is.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// errAway ends a session whose connection is away. The next one says why.
var errAway = errors.New("no connection")

// down notes that etcd does not answer, and why. That it is lost is said once, and once more
// if it is there again and refuses this server: somebody has to do something about that.
func (s *Source) down(err error) {
	switch refusal := isRefusal(err); {
	case errors.Is(err, errAway), s.saidRefusal, s.saidLost && !refusal:
	case s.saidLost:
		s.opt.Log("%s: etcd at %s refuses this server, and is tried again until it is back: %v", s.opt.Map, s.opt.Connection, err)
		s.saidRefusal = true
	default:
		s.opt.Log("%s: etcd at %s is lost, what is in force stays, and it is tried again until it is back: %v", s.opt.Map, s.opt.Connection, err)
		s.saidLost, s.saidRefusal = true, refusal
	}
	s.mu.Lock()
	s.err = fmt.Errorf("etcd at %s: %w", s.opt.Connection, err)
	if s.lists != nil {
		close(s.lists)
		s.lists = nil
	}
	s.mu.Unlock()
	s.setStatus(func(st *Status) { st.Up = false })
}

// isRefusal reports whether an error is an answer, of the kind that stays the same until
// somebody changes certificates, passwords or rights.
func isRefusal(err error) bool {
	code := status.Code(err)
	if refusal := (rpctypes.EtcdError{}); errors.As(err, &refusal) {
		code = refusal.Code()
	}
	switch code {
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.FailedPrecondition:
		return true
	}
	return strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "handshake")
}

// up notes that etcd answers.
func (s *Source) up() {
	if s.saidLost {
		s.opt.Log("%s: etcd at %s is back", s.opt.Map, s.opt.Connection)
	}
	s.saidLost, s.saidRefusal, s.pause = false, false, 0
	s.setStatus(func(st *Status) { st.Up = true })
}

// listing notes that etcd answers and is being listed.
func (s *Source) listing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists == nil {
		s.lists = make(chan struct{})
	}
}

// setStatus changes the status, and has it taken if it is another one.
func (s *Source) setStatus(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.status
	if change(&s.status); s.status != before {
		s.signal()
	}
}

func (s *Source) signal() {
	select {
	case s.changes <- struct{}{}:
	default:
	}
}
