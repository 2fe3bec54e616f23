package fault

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/ports"
)

// How much is made of it, as of TestLifeCycle_Faults, of which -faults.seed and -faults.for
// count here too:
//
//	go test -run TestLifeCycle_FaultsFromOutside -v -timeout 0 ./test/fault -faults.outside=10000 -faults.outside.parallel=16 -faults.seed=0
//
// A failure prints the seed of its sequence.
var (
	outsideSequences = flag.Int("faults.outside", 12, "how many random sequences TestLifeCycle_FaultsFromOutside drives")
	outsideParallel  = flag.Int("faults.outside.parallel", 6, "how many of them run at the same time")
)

// outsideZones are the zones of the tenants, each of which has a document if the map is a
// directory.
var outsideZones = []string{"a.example", "b.example", "c.example"}

// outsideWorld is a process of CoreDNS, its map on disk, and what may be answered: the
// addresses of any version that was good, and never an origin of a proxied name.
type outsideWorld struct {
	root, port string
	host       string // an address of its own: nobody else serves there while its process is down
	single     bool
	state      bool
	ttl        int
	child      *childProcess
	version    int
	want       map[string]int  // :: zone → version that is good and was written last
	broken     map[string]bool // :: zone → its document is not that version
	unfinished []func()        // what ends the writes that pause
	said       []string
	logs       []string
	faults     map[string]int
	starts     int
	refused    int

	mu    sync.Mutex // guards the following
	good  map[int]bool
	seen  map[string]int // :: zone → the highest version that was answered
	wrong error
	asked int
	closd int // answers that were SERVFAIL
}

func (w *outsideWorld) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *outsideWorld) fail(format string, args ...any) {
	panic(failure{fmt.Errorf(format, args...)})
}

func newOutsideWorld(root string, rng *rand.Rand) *outsideWorld {
	w := &outsideWorld{
		root: root, single: rng.IntN(3) == 0, state: rng.IntN(2) == 0, ttl: 300,
		want: make(map[string]int), broken: make(map[string]bool), faults: make(map[string]int),
		good: make(map[int]bool), seen: make(map[string]int),
	}
	own := rand.Uint32()
	w.host = fmt.Sprintf("127.%d.%d.%d", 1+own>>16%254, own>>8%256, 1+own%254)
	var err error
	w.port, err = ports.Free()
	mustDisk(err)
	for _, z := range outsideZones {
		writeFile(filepath.Join(root, "zones", z), fmt.Sprintf(`$ORIGIN %s.
@ 60 IN SOA ns h 1 7200 3600 1209600 60
@ 60 IN NS ns
ns 60 IN A 192.0.2.53
www 60 IN A 10.66.0.1
plain 60 IN A 198.51.100.1
`, z))
	}
	mustDisk(os.MkdirAll(filepath.Join(root, "site", "maps"), 0o755))
	for _, z := range outsideZones {
		w.write(z, w.next(z))
	}
	w.configure()
	return w
}

func (w *outsideWorld) addr() string { return w.host + ":" + w.port }

// path is that of the map.
func (w *outsideWorld) path() string {
	if w.single {
		return filepath.Join(w.root, "site", "maps", "map.yaml")
	}
	return filepath.Join(w.root, "site", "maps")
}

// configure writes the Corefile.
func (w *outsideWorld) configure() {
	text := fmt.Sprintf("example:%s {\n\tbind %s\n\ttransfer {\n\t\tto *\n\t}\n\taddressmap %s {\n\t\treload 200ms\n\t\tpresence off\n\t\tttl %d\n", w.port, w.host, w.path(), w.ttl)
	if w.state {
		text += "\t\tstate " + filepath.Join(w.root, "state") + "\n"
	}
	text += "\t}\n"
	for _, z := range outsideZones {
		text += fmt.Sprintf("\tfile %s %s\n", filepath.Join(w.root, "zones", z), z)
	}
	writeFile(w.corefile(), text+"}\n")
}

func (w *outsideWorld) corefile() string { return filepath.Join(w.root, "Corefile") }

// file returns the document that has a zone.
func (w *outsideWorld) file(zone string) string {
	if w.single {
		return w.path()
	}
	return filepath.Join(w.path(), zone[:1]+".yaml")
}

// next returns a good text of the document of a zone, with new addresses for it.
func (w *outsideWorld) next(zone string) string {
	w.version++
	w.isGood(w.version, true)
	w.want[zone] = w.version
	delete(w.broken, zone)
	if !w.single {
		return fmt.Sprintf("# %d\naccounts:\n", w.version) + w.account(zone)
	}
	text := fmt.Sprintf("# %d\naccounts:\n", w.version)
	for _, z := range outsideZones {
		if n, is := w.want[z]; is {
			w.isGood(n, true)
			text += w.account(z)
		}
	}
	w.broken = make(map[string]bool)
	return text
}

// isGood notes whether a version may be answered.
func (w *outsideWorld) isGood(version int, good bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.good[version] = good
}

// account returns that of a zone. What may lack at its end without an error is addresses.
func (w *outsideWorld) account(zone string) string {
	id := zone[:1]
	text := fmt.Sprintf("  - id: %[1]s\n    prefixes: [172.%[2]d.0.0/16]\n    zones: [{name: %[3]s, proxied: [www]}]\n    address_maps:\n      - id: m-%[1]s\n        enabled: true\n        memberships: [{kind: zone, identifier: %[3]s}]\n        ips:\n", id, 16+id[0]-'a', zone)
	for _, ip := range outsideIPs(zone, w.want[zone]) {
		text += "          - " + ip + "\n"
	}
	return text
}

func outsideIPs(zone string, version int) (out []string) {
	for i := range 3 {
		out = append(out, fmt.Sprintf("172.%d.%d.%d", 16+zone[0]-'a', version>>6, version&63<<2+i))
	}
	return out
}

// write renames a new document over the one of a zone.
func (w *outsideWorld) write(zone, text string) {
	tmp := filepath.Join(w.root, "new")
	writeFile(tmp, text)
	mustDisk(os.Rename(tmp, w.file(zone)))
}

// mend ends what pauses, and writes good documents for all that are not.
func (w *outsideWorld) mend() {
	for _, end := range w.unfinished {
		end()
	}
	w.unfinished = nil
	for _, z := range slices.Sorted(maps.Keys(w.broken)) {
		w.write(z, w.next(z))
	}
}

// judge complains of an answer for an address of a zone, which had been answered with the
// version before when it was asked for. It returns the version of the answer.
func (w *outsideWorld) judge(zone string, before int, m *dns.Msg) int {
	var got []string
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok {
			got = append(got, a.A.String())
		}
	}
	slices.Sort(got)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if m.Rcode == dns.RcodeServerFailure && len(got) == 0 {
		w.closd++
		return 0
	}
	for n, good := range w.good {
		ips := outsideIPs(zone, n)
		slices.Sort(ips)
		if good && m.Rcode == dns.RcodeSuccess && slices.Equal(got, ips) {
			if n < before {
				w.wrong = cmp.Or(w.wrong, fmt.Errorf("%s goes back from version %d to %d", zone, before, n))
			}
			w.seen[zone] = max(w.seen[zone], n)
			return n
		}
	}
	w.wrong = cmp.Or(w.wrong, fmt.Errorf("%s: answered %s %q, which is of no version", zone, dns.RcodeToString[m.Rcode], got))
	return 0
}

// ask asks for the proxied name of a zone. It returns the version that was answered, 0 if
// none was.
func (w *outsideWorld) ask(client *dns.Client, zone string) int {
	w.mu.Lock()
	before := w.seen[zone]
	w.mu.Unlock()
	m, _, err := client.Exchange(new(dns.Msg).SetQuestion("www."+zone+".", dns.TypeA), w.addr())
	if err != nil {
		return 0 // It may be down.
	}
	return w.judge(zone, before, m)
}

// ply asks for everything again and again: the proxied names, the others, and transfers.
func (w *outsideWorld) ply(rng *rand.Rand, stop <-chan struct{}) {
	client := &dns.Client{Timeout: time.Second}
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(1+rng.IntN(5)) * time.Millisecond):
		}
		zone := outsideZones[rng.IntN(len(outsideZones))]
		switch rng.IntN(20) {
		case 0:
			w.transfer(zone)
		case 1:
			m, _, err := client.Exchange(new(dns.Msg).SetQuestion("plain."+zone+".", dns.TypeA), w.addr())
			if err == nil && m.Rcode != dns.RcodeServerFailure && !(len(m.Answer) == 1 && strings.HasSuffix(m.Answer[0].String(), "198.51.100.1")) {
				w.complain(fmt.Errorf("plain.%s: %v", zone, m))
			}
		default:
			w.ask(client, zone)
		}
	}
}

func (w *outsideWorld) complain(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = cmp.Or(w.wrong, err)
}

// transfer transfers a zone, in which no origin may be.
func (w *outsideWorld) transfer(zone string) {
	m := new(dns.Msg).SetAxfr(zone + ".")
	records, err := (&dns.Transfer{DialTimeout: time.Second, ReadTimeout: time.Second}).In(m, w.addr())
	if err != nil {
		return // It may be down.
	}
	for e := range records {
		for _, rr := range e.RR {
			if strings.Contains(rr.String(), "10.66.") {
				w.complain(fmt.Errorf("transferred: %v", rr))
			}
		}
	}
}

// logged returns what the processes have said, but of transfers.
func (w *outsideWorld) logged() string {
	var b strings.Builder
	for line := range strings.Lines(strings.Join(w.logs, "-- next process:\n")) {
		if !strings.Contains(line, "plugin/transfer") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Whatever the system does to the process, and somebody to its files and its state at the
// same time, no answer holds an origin of a proxied name or a version that never was
// good, none goes back, what is not in force is said, and what is put right is in force.
func TestLifeCycle_FaultsFromOutside(t *testing.T) {
	seed := *flagSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	faults := make(map[string]int)
	var sequences, asked, closed, starts, refused int
	turn := make(chan struct{}, *outsideParallel)
	over := timeIsOver()
	for i := range uint64(*outsideSequences) {
		turn <- struct{}{}
		if t.Failed() || over() {
			break
		}
		root := t.TempDir()
		wg.Go(func() {
			defer func() { <-turn }()
			w, err := runOutside(root, seed+i)
			if err != nil {
				t.Errorf("-faults.seed=%d -faults.outside=1: %v\n%s\n%s", seed+i, err, strings.Join(w.said, "\n"), w.logged())
			}
			mu.Lock()
			defer mu.Unlock()
			sequences++
			asked, closed, starts, refused = asked+w.asked, closed+w.closd, starts+w.starts, refused+w.refused
			for kind, n := range w.faults {
				faults[kind] += n
			}
			mustDisk(os.RemoveAll(root))
		})
	}
	wg.Wait()
	t.Logf("seed %d: %d sequences, %d queries answered, %d of them SERVFAIL, %d starts and %d refused ones", seed, sequences, asked, closed, starts, refused)
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		t.Logf("%6d %s", faults[kind], kind)
	}
}
