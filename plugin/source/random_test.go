//go:build unix

package source

import (
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	seeds = flag.Uint64("seeds", 3, "how many random sequences TestLifeCycle_Random drives in each mode")
	moves = flag.Int("moves", 7, "how many changes each of them makes")
)

// A scribe changes one file, or one document of a directory, in random ways. It
// leaves a complete version behind each time, and never two the same.
type scribe struct {
	t       *testing.T
	rng     *rand.Rand
	dir     string
	version int
}

// document returns a new version, which ends in its own checksum.
func (s *scribe) document() string {
	s.version++
	var b strings.Builder
	fmt.Fprintf(&b, "version: %d\n", s.version)
	for range s.rng.IntN(200) {
		fmt.Fprintf(&b, "- %x\n", s.rng.Uint64())
	}
	fmt.Fprintf(&b, "sum: %08x\n", crc32.ChecksumIEEE([]byte(b.String())))
	return b.String()
}

// complete reports whether a document is one that a scribe has ended.
func complete(doc string) bool {
	body, sum, ok := strings.Cut(doc, "sum: ")
	return ok && sum == fmt.Sprintf("%08x\n", crc32.ChecksumIEEE([]byte(body)))
}

// slowly writes doc in some writes with pauses shorter than the settling time.
func (s *scribe) slowly(path, doc string, flag int) {
	var parts []string
	for len(doc) > 0 {
		n := 1 + s.rng.IntN(len(doc))
		parts, doc = append(parts, doc[:n]), doc[n:]
	}
	writeParts(s.t, path, parts, flag|os.O_CREATE, func() time.Duration {
		return time.Duration(max(0, s.rng.IntN(300)-100)) * time.Millisecond
	})
}

// move makes one change; it returns its name and the version it left.
func (s *scribe) move() (name, doc string) {
	doc = s.document()
	path := filepath.Join(s.dir, "map.yaml")
	fresh := fmt.Sprintf("%s.v%d", s.dir, s.version)
	all := []struct {
		name string
		do   func()
	}{
		{"written in place", func() { s.slowly(path, doc, os.O_TRUNC) }},
		{"renamed over", func() {
			s.slowly(path+".tmp", doc, os.O_TRUNC)
			must(s.t, os.Rename(path+".tmp", path))
		}},
		{"renamed over from elsewhere", func() {
			s.slowly(fresh, doc, os.O_TRUNC)
			must(s.t, os.Rename(fresh, path))
		}},
		{"deleted and created", func() {
			must(s.t, os.Remove(path))
			time.Sleep(time.Duration(s.rng.IntN(100)) * time.Millisecond)
			s.slowly(path, doc, os.O_EXCL)
		}},
		{"link swapped", func() {
			s.slowly(fresh, doc, os.O_TRUNC)
			link(s.t, fresh, path)
		}},
		{"directory replaced", func() {
			must(s.t, os.Mkdir(fresh, 0o755))
			s.slowly(filepath.Join(fresh, "map.yaml"), doc, os.O_TRUNC)
			must(s.t, os.Rename(s.dir, fresh+".old"))
			must(s.t, os.Rename(fresh, s.dir))
		}},
		{"directory replaced by a link", func() {
			must(s.t, os.Mkdir(fresh, 0o755))
			s.slowly(filepath.Join(fresh, "map.yaml"), doc, os.O_TRUNC)
			must(s.t, os.Rename(s.dir, fresh+".old"))
			must(s.t, os.Symlink(filepath.Base(fresh), s.dir))
		}},
		{"directory above moved away and back", func() {
			above := filepath.Dir(s.dir)
			must(s.t, os.Rename(above, above+".away"))
			s.slowly(filepath.Join(above+".away", "maps/map.yaml.tmp"), doc, os.O_TRUNC)
			must(s.t, os.Rename(above+".away/maps/map.yaml.tmp", above+".away/maps/map.yaml"))
			must(s.t, os.Rename(above+".away", above))
		}},
		{"FIFO, then a file", func() {
			must(s.t, os.Remove(path))
			must(s.t, syscall.Mkfifo(path, 0o644))
			s.slowly(path+".tmp", doc, os.O_TRUNC)
			must(s.t, os.Rename(path+".tmp", path))
		}},
		{"permissions taken and given back", func() {
			must(s.t, os.Chmod(path, 0o200))
			s.slowly(path, doc, os.O_TRUNC)
			must(s.t, os.Chmod(path, 0o644))
		}},
	}
	m := all[s.rng.IntN(len(all))]
	m.do()
	return m.name, doc
}

// Whatever a writer does, the last version comes into force, and never half a
// one nor one that is older than what is in force.
func TestLifeCycle_Random(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		for seed := range *seeds {
			for _, watched := range []string{"map.yaml", ""} { // The file, or its directory.
				t.Run(fmt.Sprintf("%s/%d/%s", m.name, seed, watched), func(t *testing.T) {
					t.Parallel()
					above := filepath.Join(t.TempDir(), "above")
					s := &scribe{t: t, rng: rand.New(rand.NewPCG(seed, 4)), dir: filepath.Join(above, "maps")}
					path := filepath.Join(s.dir, "map.yaml")
					put(t, path, s.document())
					r := observe(t, m, filepath.Join(s.dir, watched))
					r.judge(path)
					for range *moves {
						name, doc := s.move()
						t.Logf("%d: %s", s.version, name)
						if s.rng.IntN(2) == 0 {
							r.wait(path, doc)
						} else {
							time.Sleep(time.Duration(s.rng.IntN(700)) * time.Millisecond)
						}
					}
					doc := s.document()
					s.slowly(path, doc, os.O_TRUNC)
					r.wait(path, doc)
				})
			}
		}
	}
}

// judge collects what is ever in force for path and not complete or older than
// what was.
func (r *reader) judge(path string) {
	last := 0
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judges[path] = func(content string) {
		if content == "" {
			return
		}
		var version int
		fmt.Sscanf(content, "version: %d\n", &version)
		if !complete(content) || version < last {
			r.wrong = append(r.wrong, fmt.Sprintf("in force after version %d: %q… of %d bytes", last, content[:min(40, len(content))], len(content)))
		}
		last = version
	}
}
