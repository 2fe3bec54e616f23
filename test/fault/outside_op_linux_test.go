package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// outsideLength is how many faults a sequence has.
const outsideLength = 4

// runOutside lets everything happen to a process.
func runOutside(root string, seed uint64) (w *outsideWorld, err error) {
	rng := rand.New(rand.NewPCG(seed, 3))
	stop, ended := make(chan struct{}), make(chan struct{})
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r
		case mishap:
			err = fmt.Errorf("the test itself is in trouble: %w", r)
		default:
			panic(r)
		}
		close(stop)
		<-ended
		if w.child != nil {
			_ = w.child.cmd.Process.Kill()
			w.end()
		}
		err = errors.Join(err, w.wrong)
	}()
	w = newOutsideWorld(root, rng)
	go func() {
		defer close(ended)
		w.ply(rand.New(rand.NewPCG(seed, 4)), stop)
	}()
	w.start()
	for range outsideLength {
		k := outsideKinds[rng.IntN(len(outsideKinds))]
		w.say("%s:", k.name)
		if k.do(w, rng) {
			w.faults[k.name]++
		}
		w.settle()
		if rng.IntN(2) == 0 {
			w.say("  everything is mended")
			w.mend()
			w.settle()
		}
	}
	w.mend()
	w.settle()
	return w, nil
}

// start starts the process. Where it does not come to serve, as it must if the map is good
// or kept, the map is mended first.
func (w *outsideWorld) start() {
	var err error
	w.child, err = startChild(w.corefile())
	if err != nil {
		w.end()
		if w.state && w.starts > 0 || !w.single && len(w.broken) < len(outsideZones) || len(w.broken) == 0 {
			w.fail("%w", err)
		}
		w.say("  it does not start, and is mended")
		w.refused++
		w.mend()
		if w.child, err = startChild(w.corefile()); err != nil {
			w.fail("with everything mended: %w", err)
		}
	}
	w.starts++
}

// end waits for the process to have ended.
func (w *outsideWorld) end() {
	w.child.end()
	text := w.child.log.String()
	w.logs = append(w.logs, text)
	for _, bad := range []string{"DATA RACE", "panic:", "[PANIC]", "fatal error:"} {
		if strings.Contains(text, bad) {
			w.complain(errors.New(bad))
		}
	}
	w.child = nil
}

// until waits for what must happen.
func (w *outsideWorld) until(what string, ok func() bool) {
	for deadline := time.Now().Add(server.Patience); !ok(); time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		wrong := w.wrong
		w.mu.Unlock()
		if wrong != nil {
			panic(failure{wrong})
		}
		select {
		case <-w.child.ended:
			w.fail("it has ended: %v", w.child.cmd.ProcessState)
		default:
		}
		if time.Now().After(deadline) {
			w.fail("not within %v: %s", server.Patience, what)
		}
	}
}

// settle waits until what is on disk is in force, or it is shown and said that it is not.
func (w *outsideWorld) settle() {
	client := &dns.Client{Timeout: time.Second}
	for _, zone := range outsideZones {
		if w.broken[zone] || w.single && len(w.broken) > 0 {
			continue
		}
		w.until(fmt.Sprintf("version %d of %s is in force", w.want[zone], zone), func() bool { return w.ask(client, zone) == w.want[zone] })
	}
	degraded := "0"
	if len(w.broken) > 0 && len(w.unfinished) == 0 {
		degraded = "1"
		for zone := range w.broken {
			w.until("it is said of "+w.file(zone), func() bool { return w.saysOf(w.file(zone), 0) })
		}
	} else if len(w.unfinished) > 0 {
		return // What is being written may be waited for.
	}
	w.until("degraded is "+degraded, func() bool { return w.child.tell("degraded", 0) == degraded })
}

// saysOf reports whether the process has said that a file is not in force.
func (w *outsideWorld) saysOf(file string, from int) bool {
	for line := range strings.Lines(w.child.log.String()[from:]) {
		if strings.Contains(line, "[ERROR]") && strings.Contains(line, file) {
			return true
		}
	}
	return false
}

// outsideKinds are what may happen.
var outsideKinds = []struct {
	name string
	do   func(*outsideWorld, *rand.Rand) bool
}{
	{"SIGUSR1", func(w *outsideWorld, rng *rand.Rand) bool {
		w.ttl = 300 + rng.IntN(100)
		w.configure()
		w.amid(rng, func() { w.signal(syscall.SIGUSR1) })
		return true
	}},
	{"SIGUSR1 with a broken Corefile", func(w *outsideWorld, rng *rand.Rand) bool {
		good, err := os.ReadFile(w.corefile())
		mustDisk(err)
		writeFile(w.corefile(), unloadable(string(good)))
		w.amid(rng, func() {
			said := strings.Count(w.child.log.String(), "SIGUSR1: starting")
			var last time.Time
			w.until("the Corefile is refused", func() bool {
				if time.Since(last) > 5*time.Second { // One that comes before caddy waits for it is lost.
					w.signal(syscall.SIGUSR1)
					last = time.Now()
				}
				return strings.Count(w.child.log.String(), "SIGUSR1: starting") > said
			})
		})
		writeFile(w.corefile(), string(good))
		return true
	}},
	{"SIGTERM", func(w *outsideWorld, rng *rand.Rand) bool {
		w.amid(rng, func() { w.signal(syscall.SIGTERM); w.end(); w.start() })
		return true
	}},
	{"SIGKILL", func(w *outsideWorld, rng *rand.Rand) bool {
		w.amid(rng, func() { w.signal(syscall.SIGKILL); w.end(); w.start() })
		return true
	}},
	{"SIGKILL, and the state is damaged", (*outsideWorld).damage},
	{"no descriptors", func(w *outsideWorld, rng *rand.Rand) bool { return w.exhaust(rng, "descriptors") }},
	{"no disk", func(w *outsideWorld, rng *rand.Rand) bool { return w.state && w.exhaust(rng, "disk") }},
	{"no memory", func(w *outsideWorld, rng *rand.Rand) bool { return w.exhaust(rng, "memory") }},
	{"no inotify", func(w *outsideWorld, rng *rand.Rand) bool {
		return w.child.private && w.exhaust(rng, "inotify")
	}},
	{"directory away", (*outsideWorld).away},
	{"edits", func(w *outsideWorld, rng *rand.Rand) bool { w.amid(rng, func() {}); return true }},
}

func (w *outsideWorld) signal(s syscall.Signal) { mustDisk(w.child.cmd.Process.Signal(s)) }

// amid lets something happen at a random moment among edits.
func (w *outsideWorld) amid(rng *rand.Rand, do func()) {
	n := 1 + rng.IntN(3)
	at := rng.IntN(n + 1)
	for i := range n + 1 {
		if i == at {
			time.Sleep(time.Duration(rng.IntN(700)) * time.Millisecond) // To hit any point: nobody waits for anything.
			do()
		}
		if i < n {
			w.edit(rng)
		}
	}
}

// edit changes a document in one of many ways.
func (w *outsideWorld) edit(rng *rand.Rand) {
	if len(w.unfinished) > 0 {
		w.mend()
	}
	zone := outsideZones[rng.IntN(len(outsideZones))]
	what := rng.IntN(8)
	w.say("  %s: %s", zone, []string{"renamed", "in place", "paused", "paused for longer", "half", "no YAML", "a rule", "of another time"}[what])
	w.faults["edit "+[]string{"renamed", "in place", "paused", "paused for longer", "half", "no YAML", "a rule", "of another time"}[what]]++
	text := w.next(zone)
	switch what {
	case 0:
		w.write(zone, text)
	case 1, 2, 3:
		f, err := os.OpenFile(w.file(zone), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		mustDisk(err)
		n := rng.IntN(len(text))
		_, err = f.WriteString(text[:n])
		mustDisk(err)
		time.Sleep([]time.Duration{0, 0, 300 * time.Millisecond, time.Second}[what])
		_, err = f.WriteString(text[n:])
		mustDisk(errors.Join(err, f.Close()))
	case 4: // It stays open until it is mended.
		f, err := os.OpenFile(w.file(zone), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		mustDisk(err)
		n := strings.Index(text, zone) + rng.IntN(len(zone)) // It may be read as it is after ten seconds, and is refused.
		_, err = f.WriteString(text[:n])
		mustDisk(err)
		w.breaks(zone)
		w.unfinished = append(w.unfinished, func() {
			_, err := f.WriteString(text[n:])
			mustDisk(errors.Join(err, f.Close()))
			w.isGood(w.want[zone], true)
			delete(w.broken, zone)
		})
	case 5:
		w.write(zone, text[:rng.IntN(len(text))]+"\n\t]["+text)
		w.breaks(zone)
	case 6:
		w.write(zone, strings.Replace(text, "          - 172.", "          - 203.0.113.1 # ", 1))
		w.breaks(zone)
	case 7:
		w.write(zone, text)
		at := time.Now().Add(time.Duration(rng.Int64N(int64(2000*time.Hour))) - 1000*time.Hour)
		mustDisk(os.Chtimes(w.file(zone), at, at))
	}
}

// breaks notes that the document of a zone is not good.
func (w *outsideWorld) breaks(zone string) {
	w.broken[zone] = true
	w.isGood(w.want[zone], false)
}

// exhaust takes something away from the process, changes the map, and gives it back.
func (w *outsideWorld) exhaust(rng *rand.Rand, what string) bool {
	w.mend()
	w.settle()
	from := len(w.child.log.String())
	if got := w.child.tell(what, 0); got != "<nil>" {
		w.fail("%s: %s", what, got)
	}
	zone := outsideZones[rng.IntN(len(outsideZones))]
	if what == "inotify" && !w.single { // What is new is to be watched.
		fresh := filepath.Join(w.root, "site", fmt.Sprint("maps", w.version))
		mustDisk(os.CopyFS(fresh, os.DirFS(w.path())))
		mustDisk(os.Rename(w.path(), fresh+".old"))
		mustDisk(os.Rename(fresh, w.path()))
	}
	w.write(zone, w.next(zone))
	if rng.IntN(3) == 0 {
		w.say("  and SIGUSR1")
		w.signal(syscall.SIGUSR1) // Whether the Corefile can be loaded or not.
	}
	client := &dns.Client{Timeout: time.Second}
	w.until("the new version is in force, or it is said that it is not", func() bool {
		return w.ask(client, zone) == w.want[zone] || w.isShown(from)
	})
	if what == "disk" {
		w.until("it is said that the state is behind", func() bool { return w.isShown(from) })
	}
	if got := w.child.tell(what, 1); got != "<nil>" {
		w.fail("%s: %s", what, got)
	}
	if what == "memory" { // A version that is too large is not tried again by itself.
		w.write(zone, w.next(zone))
	}
	return true
}

// isShown reports whether it is shown, and said since, that not all is as it should be.
func (w *outsideWorld) isShown(from int) bool {
	return w.child.tell("degraded", 0) == "1" && w.saysOf(w.path(), from)
}

// away takes the directory of the map away, lets the process start without it if it has a
// state, and puts the directory back.
func (w *outsideWorld) away(rng *rand.Rand) bool {
	w.mend()
	w.settle()
	dir, gone := filepath.Join(w.root, "site"), filepath.Join(w.root, "gone")
	mustDisk(os.Rename(dir, gone))
	switch what := rng.IntN(3); {
	case what == 0:
		w.signal(syscall.SIGUSR1)
	case what == 1 && w.state:
		w.signal(syscall.SIGKILL)
		w.end()
		w.start()
	}
	w.until("it is shown that the map is missing", func() bool { return w.child.tell("degraded", 0) == "1" })
	mustDisk(os.Rename(gone, dir))
	return true
}

// damage kills the process amid edits and damages a file of its state.
func (w *outsideWorld) damage(rng *rand.Rand) bool {
	if !w.state {
		return false
	}
	w.mend()
	w.settle()
	w.edit(rng)
	time.Sleep(time.Duration(rng.IntN(700)) * time.Millisecond) // To hit any point.
	w.signal(syscall.SIGKILL)
	w.end()
	w.mu.Lock()
	clear(w.seen) // Of the two copies of the manifest, the whole one may be older.
	w.mu.Unlock()
	var files []string
	mustDisk(filepath.WalkDir(filepath.Join(w.root, "state"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			files = append(files, path)
		}
		return err
	}))
	slices.Sort(files)
	path, how := files[rng.IntN(len(files))], stateDamages[rng.IntN(4)]
	w.say("  %s: %s", kindOf(path), how.name)
	mustDisk(how.do(rng, path))
	w.faults["state: "+kindOf(path)+" "+how.name]++
	if w.single && len(w.broken) > 0 {
		w.mend() // It may be lost, and then nothing is there to start with.
	}
	w.start()
	return true
}
