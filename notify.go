package addressmap

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
	"weak"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// notifier tells secondaries of zones that a new map changed (R18), through the
// transfer plugin, which knows them. The zero notifier tells nobody.
type notifier struct {
	mu     sync.Mutex
	tail   weak.Pointer[tail]
	acting fqdn.Set
	hinted map[fqdn.Name]fqdn.Set // :: apex of a zone of the backend → see [answer.Hinted]
	wg     sync.WaitGroup
	pace   pace
	ctx    context.Context // done once nobody is told any more
	cancel context.CancelFunc
}

// tail is what comes after a handler in its chain. The transfer plugin in it
// refers back to the handler: a notifier, which a store refers to, must not keep
// it alive.
type tail struct {
	xfer     *transfer.Transfer
	next     plugin.Handler
	backends backends
}

// atOnce is how many zones are told of at the same time. A secondary that does
// not answer takes seconds for each.
const atOnce = 16

// start lets the notifier work.
func (n *notifier) start(t *tail, acting fqdn.Set) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tail, n.acting = weak.Make(t), acting
	n.hinted = make(map[fqdn.Name]fqdn.Set)
	n.ctx, n.cancel = context.WithCancel(context.Background())
}

// learn takes note of a zone of the backend, of which these are the records.
func (n *notifier) learn(apex fqdn.Name, rrs []dns.RR) {
	hinted := answer.Hinted(rrs, apex)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hinted != nil {
		n.hinted[apex] = hinted
	}
}

// related returns the zones of the backend with hints for names of the zones
// that a new map changes. It knows those that were transferred and those that the
// directive acts for by name.
func (n *notifier) related(changed []fqdn.Name) []fqdn.Name {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tail.Value()
	if t == nil {
		return nil
	}
	for apex := range n.acting {
		if _, known := n.hinted[apex]; known {
			continue
		}
		if rrs, err := t.backends.zone(string(apex)); err == nil {
			n.hinted[apex] = answer.Hinted(rrs, apex)
		}
	}
	var out []fqdn.Name
	set := fqdn.NewSet(changed...)
	for apex, names := range n.hinted {
		if _, itself := set[apex]; itself {
			continue
		}
		for name := range names {
			if set.Encloses(name) {
				out = append(out, apex)
				break
			}
		}
	}
	return out
}

// notify tells the secondaries of the backend's zones that share names with these
// zones of the map. It returns at once.
func (n *notifier) notify(zones []fqdn.Name) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tail.Value()
	if t == nil || n.ctx.Err() != nil || len(zones) == 0 {
		return
	}
	set := fqdn.NewSet(zones...)
	names := fqdn.NewSet(zones...)
	for _, known := range []fqdn.Set{n.acting, fqdn.NewSet(slices.Collect(maps.Keys(n.hinted))...)} {
		for apex := range known {
			if set.Encloses(apex) {
				names[apex] = struct{}{}
			}
		}
	}
	n.wg.Go(func() { n.notifyAll(n.ctx, t, names) })
}

// perSecond is how many zones are told of in a second: their secondaries come for them.
const perSecond = 100

// pace is when the next zone may be told of.
type pace struct {
	mu   sync.Mutex
	next time.Time
}

// wait waits for a turn, and reports false if ctx is done before.
func (p *pace) wait(ctx context.Context) bool {
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(time.Second / perSecond)
	p.mu.Unlock()
	turn := time.NewTimer(at.Sub(now))
	defer turn.Stop()
	select {
	case <-turn.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// notifyAll sends a NOTIFY for each zone of the backend that one of the names is in,
// some zones at the same time, until ctx is done.
func (n *notifier) notifyAll(ctx context.Context, t *tail, names fqdn.Set) {
	turn := make(chan struct{}, atOnce)
	done := make(map[string]bool)
	for name := range names {
		if ctx.Err() != nil {
			return // A backend that does not answer takes seconds for each name.
		}
		apex := apexOf(ctx, t.next, name)
		if apex == "" || done[apex] {
			continue
		}
		done[apex] = true
		if !n.pace.wait(ctx) {
			return
		}
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return
		}
		n.wg.Go(func() {
			defer func() { <-turn }()
			if ctx.Err() != nil {
				return
			}
			if err := t.xfer.Notify(apex); err != nil {
				log.Warningf("secondaries of %s will see the new map late: %v", apex, err)
			}
		})
	}
}

// close lets no other notification begin, and waits for those under way, which cannot
// be interrupted: [corefile.shutdown] does not wait for ever.
func (n *notifier) close() {
	n.mu.Lock()
	if n.cancel != nil {
		n.cancel()
	}
	n.mu.Unlock()
	n.wg.Wait()
}

// apexOf asks the backends which zone of theirs the name is in, or returns "". A
// backend that knows ctx gives up when that is done.
func apexOf(ctx context.Context, next plugin.Handler, name fqdn.Name) string {
	if next == nil {
		return ""
	}
	req := new(dns.Msg)
	req.SetQuestion(string(name), dns.TypeSOA)
	w := nonwriter.New(internalWriter{})
	if _, err := next.ServeDNS(ctx, w, req); err != nil || w.Msg == nil {
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
