package fault

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/addressmap/addressmap/test/server"
)

// world is a server with its map on disk, and what the model says of them:
// what is in force, what has to be complained of, what may be answered.
type world struct {
	disk   *disk
	single bool // the map is one document
	conf   settings
	began  settings
	log    *lines
	server server.Server
	docs   [tenants]string // :: tenant → name of its document
	serial int             // of the last edition

	now      inForce
	saved    inForce            // in the state directory, nil if nothing ever was
	troubles map[string]trouble // :: path
	shut     map[string]shut    // :: document found at the start and not in force → what it closes
	tally    tally
	due      []complaint // since the mark
	read     int         // of the log, up to the mark

	versions map[string]int             // :: path → how many versions were wrong
	blamed   map[string]map[string]bool // :: path → what was said of the version that is wrong

	unreadable string // why no document can be read, if none can
	restored   bool   // what is in force came from the state, of which no line tells the digest
	stateless  bool   // what is in force cannot be written to the state

	current atomic.Pointer[allowance]
	said    []string // what was done, for the one who has to find out
	clients clients
	privy   bool // the reader may read everything, whatever its permissions
}

// settings is what varies in the Corefile.
type settings struct {
	ttl      uint32
	guard    int
	state    bool
	presence string
	poll     string
}

// shortPoll, the shortest that there is, soon finds what no notification tells of.
const shortPoll = "100ms"

// failure is something that the server did wrong.
type failure struct{ error }

func (w *world) fail(format string, args ...any) {
	panic(failure{fmt.Errorf(format, args...)})
}

func (w *world) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *world) stateDir() string { return filepath.Join(w.disk.root, "state") }

// path is the map as the Corefile names it.
func (w *world) path() string {
	if w.single {
		return w.disk.path(singleName)
	}
	return w.disk.dir()
}

const singleName = "map.yaml"

func (w *world) corefile(conf settings) string {
	var b strings.Builder
	fmt.Fprintf(&b, "example {\n\tbind 127.0.0.1\n\taddressmap %s {\n\t\tttl %d\n\t\treload %s\n\t\tpresence %s\n\t\tzone_files %s\n",
		w.path(), conf.ttl, conf.poll, conf.presence, filepath.Join(w.disk.root, "aside", "targets"))
	if conf.guard > 0 {
		fmt.Fprintf(&b, "\t\tguard %d%%\n", conf.guard)
	}
	if conf.state {
		fmt.Fprintf(&b, "\t\tstate %s\n", w.stateDir())
	}
	b.WriteString("\t}\n")
	for z := range zoneCount {
		fmt.Fprintf(&b, "\tfile %s %s\n", filepath.Join(w.disk.root, "zones", zoneName(z)), zoneName(z))
	}
	return b.String() + "}\n"
}

// newFaultWorld puts everything in order on disk.
func newFaultWorld(root string, rng *rand.Rand, log *lines) *world {
	w := &world{
		disk:     &disk{root: root, files: make(map[string]atName)},
		log:      log,
		single:   rng.IntN(2) == 0,
		troubles: make(map[string]trouble),
		versions: make(map[string]int),
		blamed:   make(map[string]map[string]bool),
		conf: settings{
			ttl: 300, state: rng.IntN(2) == 0,
			presence: []string{"off", "5s"}[rng.IntN(2)],
			poll:     []string{"off", "off", shortPoll}[rng.IntN(3)],
		},
		privy: os.Geteuid() == 0,
	}
	w.began = w.conf
	w.tally = tally{exact: true, faults: make(map[string]int)}
	w.disk.heldUp = func(gap time.Duration) {
		w.say("  the writer was held up for %v", gap)
		w.tally.heldUp++
		w.tally.exact = false
		w.current.Load().lax.Store(true)
	}
	for _, dir := range []string{"site/maps", "aside/targets", "zones"} {
		mustDisk(os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for z := range zoneCount {
		writeFile(filepath.Join(root, "zones", zoneName(z)), zoneText(z))
	}
	var all []account
	for i := range tenants {
		w.docs[i] = fmt.Sprintf("t%d%s", i, []string{".yaml", ".yml"}[i%2])
		if w.single {
			w.docs[i] = singleName
		}
		all = append(all, w.fresh(i))
	}
	for i := range tenants {
		e := w.edition(all[i : i+1]...)
		if w.single {
			e = w.edition(all...)
		}
		w.disk.files[w.docs[i]] = atName{edition: e}
	}
	w.disk.files[marksName] = w.marksFile(5)
	for name, f := range w.disk.files {
		w.disk.put(w.disk.dir(), name, f)
	}
	return w
}

// fresh returns an account as it should be, with a version that never was.
func (w *world) fresh(tenant int) account {
	w.serial++
	a := account{tenant: tenant, version: w.serial, also: tenant, marks: -1}
	switch tenant {
	case tenantMarked:
		a.marks = 0 // those of the zone file
	case tenantGuarded, tenantBYOIP:
		a.kept, a.keptIPs = true, 1
	case tenantLender:
		a.lends = true
	}
	return a
}

// renewed returns the account in force, if there is one, with a version that never
// was; what is protected stays.
func (w *world) renewed(tenant int) account {
	a := w.fresh(tenant)
	if old := w.now.account(tenant); old.version > 0 {
		a.kept, a.keptIPs, a.open, a.disabled = old.kept, old.keptIPs, old.open, old.disabled
	}
	return a
}

func (w *world) edition(accounts ...account) *edition {
	w.serial++
	return writeEdition(w.serial, accounts...)
}

func (w *world) marksFile(marks int) atName {
	return atName{edition: &edition{text: marksFile(marks), marks: marks}}
}

// with returns an edition of the tenant's document in which it is this account;
// other accounts of the document are as they are in force.
func (w *world) with(a account) *edition {
	if !w.single {
		return w.edition(a)
	}
	var all []account
	for i := range tenants {
		if i == a.tenant {
			all = append(all, a)
		} else {
			all = append(all, w.now.account(i))
		}
	}
	return w.edition(all...)
}
