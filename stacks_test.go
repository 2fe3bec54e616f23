package addressmap

import (
	"runtime"
	"testing"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

// A panic of a backend comes to where CoreDNS recovers, as it would without us, and
// queries go on.
func TestBackendPanics(t *testing.T) {
	for _, known := range []bool{true, false} {
		bad := true
		a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
			if bad {
				panic("a mistake in the backend")
			}
			m := new(dns.Msg).SetReply(r)
			m.Answer = []dns.RR{test.A("www.example.org. 60 IN A 10.66.0.1")}
			return dns.RcodeSuccess, w.WriteMsg(m)
		}), nil)
		a.scope.Tells = known
		for range 100 { // more often than there are stacks
			func() {
				defer func() {
					if got := recover(); got != "a mistake in the backend" {
						t.Errorf("recovered %v", got)
					}
				}()
				ask(t, a, "www.example.org.", dns.TypeA)
			}()
		}
		bad = false
		if m := ask(t, a, "www.example.org.", dns.TypeA); len(m.Answer) != 2 {
			t.Errorf("after a panic, got\n%v", m)
		}
	}
}

// A backend that is not known may keep its thread to itself, and goes on on it. It
// would end the process if it were asked by a coroutine.
func TestBackendLocksItsThread(t *testing.T) {
	a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
		runtime.LockOSThread()
		m := new(dns.Msg).SetReply(r)
		m.Answer = []dns.RR{test.A("www.example.org. 60 IN A 10.66.0.1")}
		return dns.RcodeSuccess, w.WriteMsg(m)
	}), nil)
	a.scope.Tells = false
	done := make(chan *dns.Msg)
	go func() { done <- ask(t, a, "www.example.org.", dns.TypeA) }() // its thread ends with it
	if m := <-done; len(m.Answer) != 2 {
		t.Errorf("got\n%v", m)
	}
}
