package live_test

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// tenant is a document of one account with one zone, id.example, of which www is
// told this address.
func tenant(id, address string) string {
	return fmt.Sprintf(`accounts:
  - id: %[1]s
    static_ips: [%[2]s]
    zones: [{name: %[1]s.example, proxied: [www]}]
    address_maps: [{enabled: true, ips: [%[2]s], memberships: [{kind: account, identifier: %[1]s}]}]
`, id, address)
}

// threeTenants is a directory of the tenants a, b and c.
func threeTenants(t *testing.T) *rig {
	t.Helper()
	return newRig(t, map[string]string{
		"maps/a.yaml":  tenant("a", "192.0.2.1"),
		"maps/b.yaml":  tenant("b", "192.0.2.2"),
		"maps/c.json":  tenant("c", "192.0.2.3"),
		"maps/README":  "no document",
		"maps/.d.yaml": broken,
	}, "maps", live.Options{})
}

func TestLife_Directory(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2", "www.c.example.", "192.0.2.3")
	r.checkDegraded(live.OK, false)
	r.rename("maps/b.yaml", tenant("b", "192.0.2.22"))
	r.untilTold("www.b.example.", "192.0.2.22")
	r.rename("maps/d.yml", tenant("d", "192.0.2.4"))
	r.untilTold("www.d.example.", "192.0.2.4")
	r.remove("maps/c.json")
	r.untilTold("www.c.example.", "")
	r.until("that is reported", func() bool { return r.last().InForce == r.Snapshot() })
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.22", "www.d.example.", "192.0.2.4")
	r.checkDegraded(live.OK, false)
	if st := r.Snapshot().Stats(); st.Accounts != 3 || st.Zones != 3 {
		t.Errorf("in force: %+v", st)
	}
	want := []string{"accounts: 1 changed; zones: 1 changed; maps: 1 changed; names: 1 changed; addresses: 1 added, 1 removed",
		"accounts: 1 added; zones: 1 added; maps: 1 added; names: 1 added; addresses: 1 added",
		"accounts: 1 removed; zones: 1 removed; maps: 1 removed; names: 1 removed; addresses: 1 removed"}
	got := slices.DeleteFunc(r.logged("info"), func(line string) bool {
		return strings.Contains(line, " is gone: ") || strings.Contains(line, " again, after ")
	})
	if len(got) != 4 {
		t.Fatalf("log %q", got)
	}
	for i, w := range want {
		if !strings.HasSuffix(got[i+1], "…: "+w) {
			t.Errorf("log %q, want %q", got[i+1], w)
		}
	}
}

// One tenant's mistake is not another's outage.
func TestLife_OneBadDocument(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.rename("maps/a.yaml", strings.Replace(tenant("a", "192.0.2.11"), "static_ips", "static_ipz", 1))
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	r.rename("maps/b.yaml", tenant("b", "192.0.2.22"))
	r.untilTold("www.b.example.", "192.0.2.22")
	r.check("www.a.example.", "192.0.2.1", "www.c.example.", "192.0.2.3")
	r.until("that is reported", func() bool { return r.last().InForce == r.Snapshot() })
	r.checkDegraded(live.OK, true)
	got := r.logged("error")
	if len(got) != 1 || !strings.HasPrefix(got[0], "error: maps/a.yaml is refused, its last good version stays in force: maps/a.yaml:3:5: V1: ") {
		t.Errorf("log %q, want one line about a.yaml", got)
	}
	r.rename("maps/a.yaml", tenant("a", "192.0.2.11"))
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// A start does not fail because one of many documents is bad.
func TestLife_StartWithOneBadDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{
		"maps/a.yaml": broken,
		"maps/b.yaml": tenant("b", "192.0.2.2"),
		"maps/c.yaml": "anycast: [",
	}, "maps", live.Options{})
	r.check("www.b.example.", "192.0.2.2")
	if !r.last().Degraded || len(r.logged("error")) != 2 || !strings.Contains(r.logged("error")[0], "and nothing of it is in force") {
		t.Errorf("load %+v, log %q", r.last(), r.logged("error"))
	}
	r.rename("maps/a.yaml", tenant("a", "192.0.2.1"))
	r.untilTold("www.a.example.", "192.0.2.1")
	r.remove("maps/c.yaml")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// The document in force keeps its claim, whatever the order of the names. Once it
// gives it up, the other one comes into force without being touched.
func TestLife_Conflict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, claim string }{
		{"zone", "V4", strings.Replace(tenant("a", "192.0.2.9"), "name: a.example", "name: b.example", 1)},
		{"account", "V4", strings.Replace(tenant("b", "192.0.2.9"), "name: b.example", "name: z.example", 1)},
		{"static address", "V6", tenant("a", "192.0.2.2")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, map[string]string{"maps/b.yaml": tenant("b", "192.0.2.2")}, "maps", live.Options{})
			r.rename("maps/a.yaml", c.claim)
			r.untilLoads(2)
			r.checkDegraded(live.Refused, true)
			r.check("www.b.example.", "192.0.2.2")
			if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], c.rule+": ") || !strings.Contains(got[0], "maps/b.yaml:") {
				t.Errorf("log %q, want where the claim is", got)
			}
			r.rename("maps/b.yaml", tenant("other", "192.0.2.3"))
			r.untilTold("www.other.example.", "192.0.2.3")
			r.until("a.yaml is in force", func() bool { return r.Snapshot().Stats().Accounts == 2 })
			r.until("all is well", func() bool { return !r.last().Degraded })
		})
	}
}

// At a cold start, the first in the order of the names has the claim.
func TestLife_ConflictAtStart(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{
		"maps/b.yaml": strings.Replace(tenant("b", "192.0.2.2"), "name: b.example", "name: a.example", 1),
		"maps/a.yaml": tenant("a", "192.0.2.1"),
		"maps/c.yaml": tenant("c", "192.0.2.3"),
	}, "maps", live.Options{})
	r.check("www.a.example.", "192.0.2.1", "www.c.example.", "192.0.2.3")
	if got := r.logged("error"); len(got) != 1 || !strings.HasPrefix(got[0], "error: maps/b.yaml is refused, and nothing of it is in force: ") {
		t.Errorf("log %q", got)
	}
	r.remove("maps/a.yaml")
	r.untilTold("www.a.example.", "192.0.2.2")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// Two documents that exchange what they have are in no conflict, when both are
// there.
func TestLife_Exchange(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.rename("maps/a.yaml", tenant("b", "192.0.2.2"))
	r.rename("maps/b.yaml", tenant("a", "192.0.2.11"))
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("all is well", func() bool { return !r.last().Degraded })
	r.check("www.b.example.", "192.0.2.2", "www.c.example.", "192.0.2.3")
}

// A document that is called otherwise is the same map.
func TestLife_DocumentRenamed(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.do(os.Rename(r.path("maps/a.yaml"), r.path("maps/z.yaml")))
	r.untilLoads(2)
	r.until("all is well", func() bool { return !r.last().Degraded && r.Snapshot().Stats().Accounts == 3 })
	r.check("www.a.example.", "192.0.2.1")
}

// Who borrows address space keeps it while the lender is edited badly, and is
// told of no address that the lender withdraws.
func TestLife_LenderAndBorrower(t *testing.T) {
	t.Parallel()
	const lender = "accounts: [{id: lender, prefixes: [203.0.113.0/24]}]\n"
	const borrower = `
anycast: [192.0.2.9]
accounts:
  - id: borrower
    delegated_prefixes: [203.0.113.128/28]
    zones: [{name: b.example, proxied: [www]}]
    address_maps: [{enabled: true, ips: [203.0.113.129], memberships: [{kind: account, identifier: borrower}]}]
`
	r := newRig(t, map[string]string{"maps/borrower.yaml": borrower, "maps/lender.yaml": lender}, "maps", live.Options{})
	r.check("www.b.example.", "203.0.113.129")
	r.rename("maps/lender.yaml", strings.Replace(lender, "203.0.113.0/24", "203.0.113.0/26", 1))
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	r.check("www.b.example.", "203.0.113.129")
	if got := r.logged("error"); len(got) != 1 || !strings.HasPrefix(got[0], "error: maps/lender.yaml is refused") || !strings.Contains(got[0], "maps/borrower.yaml:5:") {
		t.Errorf("log %q, want the lender refused for the borrower's sake", got)
	}
	r.rename("maps/lender.yaml", strings.Replace(lender, "203.0.113.0/24", "{cidr: 203.0.113.0/24, advertised: false}", 1))
	r.untilTold("www.b.example.", "192.0.2.9")
	r.remove("maps/lender.yaml")
	r.until("that is refused", func() bool { return len(r.logged("error")) == 2 })
	r.check("www.b.example.", "192.0.2.9")
}

// Anycast is everybody's.
func TestLife_AnycastOfADirectory(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"maps/0.yaml": "anycast: [192.0.2.1]\n", "maps/a.yaml": "accounts: [{id: a, zones: [{name: a.example, proxied: [www]}]}]\n"}, "maps", live.Options{})
	r.check("www.a.example.", "192.0.2.1")
	r.rename("maps/0.yaml", "anycast: [192.0.2.2]\n")
	r.untilTold("www.a.example.", "192.0.2.2")
	r.rename("maps/0.yaml", "anycast: []\n")
	r.until("that is refused", func() bool { return len(r.logged("error")) == 1 })
	r.check("www.a.example.", "192.0.2.2")
	if got := r.logged("error")[0]; !strings.HasPrefix(got, "error: maps/0.yaml is refused") || !strings.Contains(got, "V15") {
		t.Errorf("log %q", got)
	}
}

// A directory that is empty all of a sudden is an accident.
func TestLife_EmptiedDirectory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		empty func(r *rig)
	}{
		{"documents", func(r *rig) {
			r.do(os.Rename(r.path("maps"), r.path("old")))
			r.do(os.Mkdir(r.path("maps"), 0o777))
		}},
		{"directory", func(r *rig) { r.do(os.Rename(r.path("maps"), r.path("old"))) }},
		{"but for a broken one", func(r *rig) {
			r.write("new/d.yaml", broken)
			r.do(os.Rename(r.path("maps"), r.path("old")))
			r.do(os.Rename(r.path("new"), r.path("maps")))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := threeTenants(t)
			c.empty(r)
			r.until("that is noticed", func() bool { return r.last().Degraded })
			r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2", "www.c.example.", "192.0.2.3")
			r.write("new2/a.yaml", tenant("a", "192.0.2.11"))
			r.write("new2/b.yaml", tenant("b", "192.0.2.22"))
			r.remove("maps")
			r.do(os.Rename(r.path("new2"), r.path("maps")))
			r.untilTold("www.a.example.", "192.0.2.11")
			r.until("the directory holds for good", func() bool {
				return !r.last().Degraded && r.told("www.b.example.") == "192.0.2.22" && r.told("www.c.example.") == ""
			})
		})
	}
}

// What a directory holds after it was empty is what is in force, and no trouble is
// left of it.
func TestLife_RefilledWithTheSame(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.do(os.Rename(r.path("maps"), r.path("old")))
	r.until("that is noticed", func() bool { return r.last().Degraded })
	r.do(os.Rename(r.path("old"), r.path("maps")))
	r.until("all is well", func() bool { return !r.last().Degraded })
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2", "www.c.example.", "192.0.2.3")
	if got := r.logged("error"); len(got) != 1 {
		t.Errorf("log %q, want one line", got)
	}
}

// protectedTenant is one whose map must not be deleted.
func protectedTenant(id, address string) string {
	return strings.Replace(tenant(id, address), "{enabled: true, ", "{enabled: true, can_delete: false, can_modify_ips: false, ", 1)
}

// A protected map does not go with its document; it goes in two steps.
func TestP1_DocumentRemoved(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"maps/a.yaml": protectedTenant("a", "192.0.2.1"), "maps/b.yaml": tenant("b", "192.0.2.2")}, "maps", live.Options{})
	r.remove("maps/a.yaml")
	r.until("the removal is refused", func() bool { return r.last().Result == live.Refused })
	r.checkDegraded(live.Refused, true)
	r.check("www.a.example.", "192.0.2.1")
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], `P1: address map "a/0" of account "a" has can_delete: false and would disappear`) || !strings.Contains(got[0], "remedy: first load a version") {
		t.Errorf("log %q", got)
	}
	for _, address := range []string{"192.0.2.22", "192.0.2.23"} { // others move on, and it is not told of again
		r.rename("maps/b.yaml", tenant("b", address))
		r.untilTold("www.b.example.", address)
		r.until("that is reported", func() bool { return r.last().Result == live.OK })
	}
	r.check("www.a.example.", "192.0.2.1")
	if got := r.logged("error"); len(got) != 1 || !r.last().Degraded {
		t.Errorf("log %q, degraded %t", got, r.last().Degraded)
	}
	r.rename("maps/a.yaml", tenant("a", "192.0.2.1"))
	r.until("the flag is gone", func() bool { return !r.last().Degraded })
	r.remove("maps/a.yaml")
	r.untilTold("www.a.example.", "")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

func TestP2_ByContent(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": protectedTenant("a", "192.0.2.1")}, "map.yaml", live.Options{})
	r.rename("map.yaml", protectedTenant("a", "192.0.2.2"))
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	r.check("www.a.example.", "192.0.2.1")
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "P2: ") {
		t.Errorf("log %q", got)
	}
}

// A document that the options of another directive refuse is refused alone at the start,
// whichever directive comes first: the others come into force, and its zones are closed.
func TestR26_RefusedByAnotherView(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"maps/a.yaml": "accounts: [{id: a, zones: [{name: a.example, proxied: [www]}]}]\n",
		"maps/b.yaml": tenant("b", "192.0.2.2"),
	}
	anycast := mapset.Options{Anycast: []netip.Addr{netip.MustParseAddr("192.0.2.99")}}
	r := newRig(t, files, "maps", live.Options{Compile: anycast, Settings: "first"})
	r.check("www.a.example.", "192.0.2.99", "www.b.example.", "192.0.2.2")
	other, err := r.View(mapset.Options{}, "second", false)
	if err != nil {
		t.Fatal(err)
	}
	for name, snap := range map[string]*mapset.Snapshot{"first": r.Snapshot(), "second": other.Snapshot()} {
		if !snap.IsClosed("www.a.example.") || snap.IsClosed("www.b.example.") {
			t.Errorf("%s view: closed are a %v, b %v", name, snap.IsClosed("www.a.example."), snap.IsClosed("www.b.example."))
		}
	}
	r.check("www.b.example.", "192.0.2.2")
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "a.yaml is refused, and nothing of it is in force") || !strings.Contains(got[0], "V15") {
		t.Errorf("log %q", got)
	}
	if !r.last().Degraded {
		t.Error("nothing shows it")
	}
	r.rename("maps/a.yaml", tenant("a", "192.0.2.1"))
	r.untilTold("www.a.example.", "192.0.2.1")

	r = newRig(t, files, "maps", live.Options{Compile: anycast, Settings: "first"})
	if _, err := r.View(mapset.Options{}, "second", true); err == nil {
		t.Error("a later directive takes a document out of force")
	}
	r.check("www.a.example.", "192.0.2.99")
}
