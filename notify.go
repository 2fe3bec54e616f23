package addressmap

import (
	"context"
	"sync"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// notifier tells secondaries of zones that a new map changed (R18), through the
// transfer plugin, which knows them. The zero notifier tells nobody. It refers
// to the chain, not to the handler.
type notifier struct {
	mu   sync.Mutex
	xfer *transfer.Transfer
	next plugin.Handler
	wg   sync.WaitGroup
	shut bool
}

// start lets the notifier work. xfer is nil without a transfer plugin.
func (n *notifier) start(xfer *transfer.Transfer, next plugin.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.xfer, n.next = xfer, next
}

// notify tells the secondaries of the backend's zones that the zones of the map
// are in. It returns at once.
func (n *notifier) notify(zones []fqdn.Name) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.xfer == nil || n.shut || len(zones) == 0 {
		return
	}
	xfer, next := n.xfer, n.next
	n.wg.Go(func() {
		done := make(map[string]bool)
		for _, z := range zones {
			apex := apexOf(next, z)
			if apex == "" || done[apex] {
				continue
			}
			done[apex] = true
			if err := xfer.Notify(apex); err != nil {
				log.Warningf("secondaries of %s will see the new map late: %v", apex, err)
			}
		}
	})
}

// close waits for notifications under way and lets no other begin.
func (n *notifier) close() error {
	n.mu.Lock()
	n.shut = true
	n.mu.Unlock()
	n.wg.Wait()
	return nil
}

// apexOf asks the backends which zone of theirs the name is in, or returns "".
func apexOf(next plugin.Handler, name fqdn.Name) string {
	if next == nil {
		return ""
	}
	req := new(dns.Msg)
	req.SetQuestion(string(name), dns.TypeSOA)
	w := nonwriter.New(internalWriter{})
	if _, err := next.ServeDNS(context.Background(), w, req); err != nil || w.Msg == nil {
		return ""
	}
	for _, section := range [][]dns.RR{w.Msg.Answer, w.Msg.Ns} {
		for _, rr := range section {
			if rr.Header().Rrtype == dns.TypeSOA {
				return string(fqdn.Canonical(rr.Header().Name))
			}
		}
	}
	return ""
}
