package live_test

import (
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
)

// A tenant moves from one document to another: the first one lets go of it, the second one
// takes it a moment later. It is never out of force, or its origins would be answered.
func TestDirectory_MovedByEdits(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(r *rig, file, text string){
		"renamed":  (*rig).rename,
		"in place": (*rig).write,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := threeTenants(t)
			live.AwaitMove(r.Store, time.Hour)
			edit(r, "maps/b.yaml", tenant("d", "192.0.2.4"))
			r.until("it is waited for the other one", func() bool { return strings.Contains(live.Moving(r.Store), "b.yaml") })
			r.check("www.b.example.", "192.0.2.2", "www.d.example.", "")
			edit(r, "maps/a.yaml", tenant("a", "192.0.2.1")+strings.TrimPrefix(tenant("b", "192.0.2.22"), "accounts:\n"))
			r.untilTold("www.d.example.", "192.0.2.4")
			r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.22")
			for _, l := range r.all() {
				if !l.InForce.Lookup("www.b.example.").Proxied() {
					t.Errorf("the tenant was out of force: %+v", l)
				}
			}
			if l := r.last(); l.Degraded || len(r.logged("error")) > 0 {
				t.Errorf("%+v, log %q", l, r.logged("error"))
			}
		})
	}
}

// What nobody takes is let go of, soon.
func TestDirectory_LetGoByAnEdit(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.rename("maps/b.yaml", tenant("d", "192.0.2.4"))
	r.untilTold("www.d.example.", "192.0.2.4")
	r.check("www.b.example.", "")
	r.until("all is well", func() bool { return !r.last().Degraded })
	if got := live.Moving(r.Store); got != "" {
		t.Errorf("it is still waited for %q", got)
	}
}

// Tenants that move on in a row wait together for the last one to be taken.
func TestDirectory_MovedInARow(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	live.AwaitMove(r.Store, time.Hour)
	r.rename("maps/a.yaml", tenant("d", "192.0.2.4"))
	r.rename("maps/b.yaml", tenant("a", "192.0.2.11"))
	r.until("both are waiting", func() bool { return strings.Count(live.Moving(r.Store), ".yaml") == 2 })
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2", "www.d.example.", "")
	r.rename("maps/c.json", tenant("c", "192.0.2.3")+strings.TrimPrefix(tenant("b", "192.0.2.22"), "accounts:\n"))
	r.untilTold("www.d.example.", "192.0.2.4")
	r.check("www.a.example.", "192.0.2.11", "www.b.example.", "192.0.2.22")
	for _, l := range r.all() {
		for _, name := range []fqdn.Name{"www.a.example.", "www.b.example."} {
			if !l.InForce.Lookup(name).Proxied() {
				t.Errorf("%s was out of force: %+v", name, l)
			}
		}
	}
}
