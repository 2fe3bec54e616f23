package property

import (
	"net"

	"github.com/miekg/dns"
)

// reach gathers the tokens that may leave in the response to a question: those
// that it leads to without passing through a proxied name's addresses or alias.
// The backend may put any of them in the response or none.
type reach struct {
	w    *world
	may  map[token]bool
	seen map[string]bool
}

// mayLeave returns the tokens that may leave in responses about a name.
func (w *world) mayLeave(name string) map[token]bool {
	r := reach{w: w, may: make(map[token]bool), seen: make(map[string]bool)}
	r.visit(dns.CanonicalName(name))
	return r.may
}

func (r *reach) let(b []byte) {
	for _, v := range tokensIn(b) {
		r.may[v] = true
	}
}

func (r *reach) letIPs(ips ...net.IP) {
	for _, ip := range ips {
		r.let(ip)
	}
}

// visit follows what the backend has at a name.
func (r *reach) visit(name string) {
	if r.seen[name] {
		return
	}
	r.seen[name] = true
	r.let([]byte(name))
	for _, z := range r.w.zones { // a question for DS goes to the parent zone
		if dns.IsSubDomain(z.apex, name) {
			r.visitIn(z, name)
		}
	}
}

// visitIn follows what one zone has at a name.
func (r *reach) visitIn(z *zone, name string) {
	r.nameServers(z, z.apex)
	if cut := z.cutAbove(name); cut != "" {
		r.nameServers(z, cut)
		return
	}
	proxied := r.w.proxied(name)
	if target, ok := z.aliasOf(name); ok && !proxied {
		if d := z.redirected(name); d != nil {
			r.let([]byte(d.Target))
		}
		r.let([]byte(target))
		r.visit(target)
	}
	for _, rr := range z.at[z.source(name)] {
		r.record(rr, name, proxied)
	}
}

// record lets the tokens of one record at a name leave.
func (r *reach) record(rr dns.RR, name string, proxied bool) {
	switch rr := rr.(type) {
	case *dns.A:
		if !proxied {
			r.let(rr.A)
		}
	case *dns.AAAA:
		if !proxied {
			r.let(rr.AAAA)
		}
	case *dns.MX:
		r.visit(dns.CanonicalName(rr.Mx))
	case *dns.SRV:
		r.visit(dns.CanonicalName(rr.Target))
	case *dns.DNAME:
		r.let([]byte(rr.Target))
	case *dns.SVCB, *dns.HTTPS:
		r.service(svcbIn(rr), name)
	}
}

// service lets the target and, if the target does not lead to a proxied name,
// the hints leave.
func (r *reach) service(svcb *dns.SVCB, name string) {
	target := effective(svcb, name)
	r.visit(target)
	if !r.w.hidesHints(name, target) {
		for _, p := range svcb.Value {
			switch p := p.(type) {
			case *dns.SVCBIPv4Hint:
				r.letIPs(p.Hint...)
			case *dns.SVCBIPv6Hint:
				r.letIPs(p.Hint...)
			}
		}
	}
}

func svcbIn(rr dns.RR) *dns.SVCB {
	switch rr := rr.(type) {
	case *dns.SVCB:
		return rr
	case *dns.HTTPS:
		return &rr.SVCB
	}
	return nil
}

// effective returns the name that a service is found at (RFC 9460, section 2.5.2).
func effective(svcb *dns.SVCB, owner string) string {
	if svcb.Target == "." {
		return owner
	}
	return dns.CanonicalName(svcb.Target)
}

// nameServers lets the servers of a zone leave, with their glue.
func (r *reach) nameServers(z *zone, apex string) {
	for _, rr := range z.at[apex] {
		ns, ok := rr.(*dns.NS)
		if !ok {
			continue
		}
		server := dns.CanonicalName(ns.Ns)
		r.visit(server)
		if z.cutAbove(server) != "" && r.w.glue(z, server) {
			for _, rr := range z.at[server] {
				r.record(rr, server, false)
			}
		}
	}
}

// glue reports whether a name at or below a zone cut has its addresses left
// alone (R12): it is not proxied, or it is a name server of a cut that it lies at or
// below.
func (w *world) glue(z *zone, name string) bool {
	if !w.proxied(name) {
		return true
	}
	for cut := name; cut != z.apex; cut = parent(cut) {
		for _, rr := range z.at[cut] {
			if ns, ok := rr.(*dns.NS); ok && dns.CanonicalName(ns.Ns) == name {
				return true
			}
		}
	}
	return false
}

// mayTransfer returns the tokens that may leave in a transfer of a zone.
func (w *world) mayTransfer(z *zone) map[token]bool {
	r := reach{w: w, may: make(map[token]bool), seen: make(map[string]bool)}
	for owner, rrs := range z.at {
		r.let([]byte(owner))
		proxied := w.proxied(owner)
		if z.cutAbove(owner) != "" {
			proxied = !w.glue(z, owner)
		}
		for _, rr := range rrs {
			r.transferred(rr, owner, proxied)
		}
	}
	for name := range w.apps {
		r.exception(z, name)
	}
	for name := range w.pools {
		r.exception(z, name)
	}
	for _, m := range w.mapZones {
		r.exception(z, m.apex)
		if m.file != nil {
			for name := range m.file.at {
				r.exception(z, name)
			}
		}
		for name := range m.marks {
			r.exception(z, name)
		}
	}
	return r.may
}

// exception lets a name that the map knows leave and, if the zone answers for it
// or for those above it from a wildcard whose mark is not theirs, the wildcard's
// records: they stand there in a transfer.
func (r *reach) exception(z *zone, name string) {
	r.let([]byte(name))
	for n := name; dns.IsSubDomain(z.apex, n); n = parent(n) {
		if source := z.sourceIn(n); source != n && !r.w.proxied(n) {
			for _, rr := range z.at[source] {
				r.transferred(rr, n, false)
			}
		}
	}
}

// sourceIn is source for a name that may lie outside the zone or below a cut.
func (z *zone) sourceIn(name string) string {
	if !dns.IsSubDomain(z.apex, name) || z.cutAbove(name) != "" {
		return ""
	}
	return z.source(name)
}

// transferred lets the tokens of one record leave, and nothing that it leads to.
func (r *reach) transferred(rr dns.RR, owner string, proxied bool) {
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA:
		r.record(rr, owner, proxied)
	case *dns.CNAME:
		if !proxied {
			r.let([]byte(rr.Target))
		}
	case *dns.SVCB, *dns.HTTPS:
		svcb := svcbIn(rr)
		r.let([]byte(svcb.Target))
		(&reach{w: r.w, may: r.may, seen: map[string]bool{effective(svcb, owner): true}}).service(svcb, owner)
	case *dns.NS:
		r.let([]byte(rr.Ns))
	case *dns.MX:
		r.let([]byte(rr.Mx))
	case *dns.SRV:
		r.let([]byte(rr.Target))
	case *dns.DNAME:
		r.let([]byte(rr.Target))
	}
}
