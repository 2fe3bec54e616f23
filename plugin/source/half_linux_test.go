package source

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// half of after: a document that is half written.
const half = "new: [4, "

// openFile opens the file at path as a writer does; the test closes it.
func openFile(t *testing.T, path string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|flag, 0o644)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f *os.File, content string) {
	t.Helper()
	_, err := f.WriteString(content)
	must(t, err)
}

// seenOpen waits until the Watcher has looked at path and found a writer there.
func seenOpen(t *testing.T, w *Watcher, path string) {
	t.Helper()
	eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		f, _ := w.fileAt(path)
		return f != nil && f.pending != nil && f.pending.open
	}, func() string { return path + " is not seen to be open" })
}

// A writer may pause for as long as it likes while it has the file open.
func TestLifeCycle_HalfWrittenAndOpen(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, doc := dir+"/map.yaml", dir+"/maps/new.yaml"
			put(t, path, before)
			must(t, os.Mkdir(dir+"/maps", 0o755))
			r := observe(t, m, path, dir+"/maps")
			r.onlyEver(path, before, after)
			r.onlyEver(doc, after, "")
			for _, p := range []string{path, doc} {
				f := openFile(t, p, os.O_CREATE|os.O_TRUNC)
				write(t, f, half)
				seenOpen(t, r.w, p)
				if n := r.named(p); n != 0 {
					t.Errorf("%s is named %d times while it is open", p, n)
				}
				write(t, f, after[len(half):])
				must(t, f.Close())
				r.wait(p, after)
			}
		})
	}
}

// A file that was renamed over with its writer still at work is as good as one that
// is written in place.
func TestLifeCycle_RenamedWhileOpen(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	r := observe(t, modes[0], path)
	r.onlyEver(path, before, after)
	f := openFile(t, path+".tmp", os.O_CREATE)
	write(t, f, half)
	must(t, os.Rename(path+".tmp", path))
	seenOpen(t, r.w, path)
	write(t, f, after[len(half):])
	must(t, f.Close())
	r.wait(path, after)
}

// Who opens the file after it was reported keeps it from being read, and to close it
// makes it be named again, though nothing was written and there is no event.
func TestLifeCycle_OpenedBeforeTheRead(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	r := observe(t, modes[0], path)
	f := openFile(t, path, 0)
	if _, err := r.w.Read(path, 1<<20); !errors.Is(err, ErrUnsettled) {
		t.Errorf("want %v, got %v", ErrUnsettled, err)
	}
	seenOpen(t, r.w, path)
	must(t, f.Close())
	eventually(t, func() bool { return r.named(path) > 0 }, func() string { return "not named" })
	if _, err := r.w.Read(path, 1<<20); err != nil {
		t.Error(err)
	}
}

// What was not written for ten seconds is read, whoever has it open; that is said
// once.
func TestLifeCycle_OpenAndNotWrittenForTenSeconds(t *testing.T) {
	t.Parallel()
	var d diary
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	r := readFrom(t, newWatcher(Options{Log: d.log}, newWatchSet(shared)), path)
	f := openFile(t, path, os.O_TRUNC)
	write(t, f, half)
	seenOpen(t, r.w, path)
	past := time.Now().Add(-maxWait)
	must(t, os.Chtimes(path, past, past))
	r.wait(path, half)
	const said = "is open for writing, but has not been written for 10s: it is read as it is"
	d.want(t, said, 1)
	if _, err := r.w.Read(path, 1<<20); err != nil {
		t.Error(err)
	}
	write(t, f, after[len(half):])
	must(t, f.Close())
	r.wait(path, after)
	d.want(t, said, 1)
}

// A modification time in the future counts as now: such a file is read ten seconds
// after it was first seen, and not before.
func TestLifeCycle_OpenAndWrittenInTheFuture(t *testing.T) {
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	w := newWatcher(Options{Log: t.Logf}, newWatchSet(shared))
	w.Set([]string{path})
	w.Close() // From here on, its clock is ours.
	file := openFile(t, path, 0)
	future := time.Now().Add(time.Hour)
	must(t, os.Chtimes(path, future, future))
	f, start := w.roots[path].self, time.Now()
	f.applyStamp(f.stat(), start)
	for now := start; now.Before(start.Add(maxWait)); now = now.Add(openPoll) {
		if rest, _ := f.settled(now); rest {
			t.Fatalf("reported after %s", now.Sub(start))
		}
	}
	if _, report := f.settled(start.Add(maxWait)); !report {
		t.Fatal("not reported after ten seconds")
	}
	if r, err := readStable(path, 1<<20, w.openStamp(path)); err != nil || string(r.data) != before || !r.open {
		t.Errorf("want %q of an open file, got %q, %v", before, r.data, err)
	}
	must(t, file.Close())
}

// A consumer gets a Change for a file that is always written, and reads why it gets
// nothing, so that it can show that.
func TestLifeCycle_EndlessWriterIsNamed(t *testing.T) {
	path := t.TempDir() + "/busy"
	put(t, path, before)
	w := newWatcher(Options{}, newWatchSet(shared))
	defer w.Close()
	w.Set([]string{path})
	file := openFile(t, path, 0)
	write(t, file, "x")
	seenOpen(t, w, path)
	w.mu.Lock()
	f := w.roots[path].self
	f.pending.noticed = time.Now().Add(-2*maxWait - time.Second)
	w.mu.Unlock()
	select {
	case <-w.Changes():
	case <-time.After(patienceOfTests):
		t.Fatal("not named")
	}
	if _, err := w.Read(path, 1<<20); !errors.Is(err, ErrBeingWritten) {
		t.Errorf("want %v, got %v", ErrBeingWritten, err)
	}
	must(t, file.Close())
	go func() {
		for range w.Changes() { // Until it is closed.
		}
	}()
	eventually(t, func() bool {
		data, err := w.Read(path, 1<<20)
		return err == nil && string(data) == "x"+before[1:]
	}, func() string { return "not read after it was closed" })
}

// At the start, a file that is being written is waited for.
func TestLifeCycle_StartAwaitsTheWriter(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/map.yaml"
	f := openFile(t, path, os.O_CREATE)
	write(t, f, half)
	w := newWatcher(Options{Log: t.Logf}, newWatchSet(shared))
	defer w.Close()
	w.Set([]string{path})
	if _, err := w.Await(path, 1<<20, time.Now()); !errors.Is(err, ErrBeingWritten) ||
		!strings.Contains(err.Error(), `map.yaml" is being written: close it`) {
		t.Errorf("without a wait: want %v, got %v", ErrBeingWritten, err)
	}
	go func() {
		f.WriteString(after[len(half):])
		f.Close()
	}()
	if data, err := w.Await(path, 1<<20, time.Now().Add(patienceOfTests)); string(data) != after || err != nil {
		t.Errorf("want %q, got %q, %v", after, data, err)
	}
}

// What was not waited for long enough is named when it is closed, though nothing is
// written to it any more.
func TestLifeCycle_StartGaveUpOnTheWriter(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/map.yaml"
	f := openFile(t, path, os.O_CREATE)
	write(t, f, after)
	w := newWatcher(Options{Log: t.Logf}, newWatchSet(shared))
	defer w.Close()
	w.Set([]string{path})
	if _, err := w.Await(path, 1<<20, time.Now()); !errors.Is(err, ErrBeingWritten) {
		t.Fatalf("want %v, got %v", ErrBeingWritten, err)
	}
	seenOpen(t, w, path)
	must(t, f.Close())
	select {
	case <-w.Changes():
	case <-time.After(patienceOfTests):
		t.Fatal("not named after it was closed")
	}
	if data, err := w.Read(path, 1<<20); string(data) != after || err != nil {
		t.Errorf("want %q, got %q, %v", after, data, err)
	}
}

// What was last written more than ten seconds before the start is read at once.
func TestLifeCycle_StartReadsWhatIsOpenForLong(t *testing.T) {
	t.Parallel()
	var d diary
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	past := time.Now().Add(-maxWait - time.Second)
	must(t, os.Chtimes(path, past, past))
	openFile(t, path, os.O_APPEND)
	w := newWatcher(Options{Log: d.log}, newWatchSet(shared))
	defer w.Close()
	w.Set([]string{path})
	for range 2 {
		if data, err := w.Await(path, 1<<20, time.Now()); string(data) != before || err != nil {
			t.Errorf("want %q, got %q, %v", before, data, err)
		}
	}
	d.want(t, "read as it is", 1)
}

// Where there are no leases, a file is at rest half a second after its last write:
// a Await does not return before, and takes the writer to be done then.
func TestLifeCycle_NoLeases(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/map.yaml"
	f := openFile(t, path, os.O_CREATE)
	withoutLeases(t, path, func() {
		write(t, f, half) // after the file got its owner: a change of that looks like a rename
		if r, err := readOnce(path, 1<<20, stamp{}); err != nil || r.known || r.open {
			t.Errorf("want a file of which nothing is known, got %+v, %v", r, err)
		}
		fi, err := f.Stat()
		must(t, err)
		if data, err := Await(path, 1<<20, time.Now().Add(patienceOfTests)); string(data) != half || err != nil {
			t.Errorf("want %q, got %q, %v", half, data, err)
		}
		if age := time.Since(fi.ModTime()); age < settleDelay {
			t.Errorf("read %s after the last write, want %s", age, settleDelay)
		}
		must(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
		if _, err := Await(path, 1<<20, time.Now().Add(patienceOfTests)); err != nil {
			t.Errorf("written in the future: %v", err)
		}
	})
}

// withoutLeases calls do on a thread that may take no lease of the file at path: it
// is another's, and CAP_LEASE is gone (capabilities(7)).
func withoutLeases(t *testing.T, path string, do func()) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file away")
	}
	must(t, os.Chown(path, 1, -1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // For good: the thread ends with the goroutine.
		header := struct {
			version uint32
			pid     int32
		}{version: 0x20080522}
		var sets [2]struct{ effective, permitted, inheritable uint32 }
		if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); errno != 0 {
			t.Errorf("capget: %v", errno)
			return
		}
		sets[0].effective &^= 1 << 28 // CAP_LEASE
		if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); errno != 0 {
			t.Errorf("capset: %v", errno)
			return
		}
		do()
	}()
	<-done
}

// A writer that comes while the lease lasts breaks it. The signal that the kernel
// sends for that does not end the process, and the writer goes on once the lease is
// given up.
func TestLifeCycle_LeaseBrokenInBetween(t *testing.T) {
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	if errno := setLease(f.Fd(), syscall.F_RDLCK); errno != 0 {
		t.Skipf("no leases here: %v", errno)
	}
	writer := exec.Command("sh", "-c", `printf x > "$0"`, path)
	must(t, writer.Start())
	eventually(t, func() bool {
		left, _, _ := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETLEASE, 0)
		return left == syscall.F_UNLCK // It is being broken: SIGIO was sent.
	}, func() string { return "the writer does not break the lease" })
	if errno := setLease(f.Fd(), syscall.F_UNLCK); errno != 0 {
		t.Error(errno)
	}
	must(t, writer.Wait())
	if data, err := Read(path, 1<<20); string(data) != "x" || err != nil {
		t.Errorf("want %q, got %q, %v", "x", data, err)
	}
}

// Looks at a file that another process opens for writing all the time disturb
// neither.
func TestLifeCycle_LeaseDisturbsNobody(t *testing.T) {
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	sent := make(chan os.Signal, 1)
	for _, heard := range []bool{false, true} { // Deaf first: to listen changes what the runtime does.
		if heard {
			signal.Notify(sent, syscall.SIGIO)
			defer signal.Stop(sent)
		}
		looks, open := 0, 0
		// A writer may have ended before the first look that would find its file open.
		for deadline := time.Now().Add(time.Minute); open == 0 && time.Now().Before(deadline); {
			writer := exec.Command("sh", "-c", `i=0; while [ $i -lt 20000 ]; do : >> "$0" || exit 1; i=$((i+1)); done`, path)
			must(t, writer.Start())
			ended := make(chan error, 1)
			go func() { ended <- writer.Wait() }()
			for going := true; going; looks++ {
				if isOpen(path) {
					open++
				}
				select {
				case err := <-ended:
					must(t, err)
					going = false
				default:
				}
			}
		}
		t.Logf("of %d looks, %d found it open; a lease was broken with a signal: %t", looks, open, len(sent) > 0)
		if open == 0 {
			t.Error("no look found the file open")
		}
	}
}

// What is gone is no writer's.
func TestAwait_Missing(t *testing.T) {
	if _, err := Await(t.TempDir()+"/none", 1<<20, time.Now().Add(time.Hour)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want %v, got %v", fs.ErrNotExist, err)
	}
}
