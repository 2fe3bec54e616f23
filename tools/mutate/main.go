// Command mutate takes each condition of the gate out, one at a time, and prints which
// tests then fail: a condition that none holds is one that the next change may lose.
//
//	go run ./tools/mutate                          # print the table
//	go run ./tools/mutate -o tools/mutate/RESULTS.md   # and keep it
//	go run ./tools/mutate -only 'rules.go.*isGlue'     # of these rows alone
//
// It is run at the top of the repository. Every mutant is compiled into one binary of
// each test package, by an overlay that leaves the tree alone; the environment says
// which one is in force. With -o, rows of the table that were killed before are not run
// again, and the reasons that were written beside survivors stay.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// gate is the files that are mutated, and of some only these functions.
const gate = "gate.go rules.go service.go target.go finding.go standing.go closed.go " +
	"transfer.go:ReleaseTransfer,harmless transfer_zone.go:isGlue,put,putService"

// The tests with servers that a mutant has to pass which the tests of its own package let
// pass: the book of behaviour and others of the rules, and what takes seconds last.
const (
	book = "TestOneRule|TestR[0-9]+_|TestPacked|TestMalformed"
	slow = "TestR18_SecondaryAnswersAlike|TestR18_Changes"
	idle = "TestR18_DeadSecondaries|TestR18_SerialRisesInEveryOrder" // they wait, and see no more
)

// config is what the flags say.
type config struct {
	dir    string // of the package that is mutated
	files  string
	stages []stage
	only   *regexp.Regexp
	jobs   int
}

// stage is a package whose tests are run on the mutants that the stages before let pass.
type stage struct {
	dir, run, skip string
	limit          time.Duration
}

func main() {
	var cfg config
	flag.StringVar(&cfg.dir, "dir", "plugin/answer", "folder of the package that is mutated")
	flag.StringVar(&cfg.files, "files", gate, "files there, each with :function,… if it is not all of it")
	tests := flag.String("run", book, "tests with servers; none if empty")
	flag.IntVar(&cfg.jobs, "jobs", 2, "how many mutants at a time")
	only := flag.String("only", "", "expression that the row of a mutant has to match")
	table := flag.String("o", "", "table to keep; what was killed there is not run again")
	flag.Parse()
	cfg.stages = []stage{{cfg.dir, ".", "none", 10 * time.Second}}
	if *tests != "" {
		for _, dir := range []string{"test/book", ".", "test/rules"} {
			cfg.stages = append(cfg.stages, stage{dir, *tests, slow + "|" + idle, time.Minute})
		}
		cfg.stages = append(cfg.stages, stage{"test/rules", slow, "none", 3 * time.Minute})
	}
	var err error
	if cfg.only, err = regexp.Compile(*only); err == nil {
		err = keep(&cfg, *table)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// keep runs the mutants, prints the table, and writes it to a file if that has a name.
func keep(cfg *config, path string) error {
	old, err := os.ReadFile(path)
	if err != nil && path != "" && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	all, err := run(cfg, results(string(old)), os.Stderr)
	if err != nil {
		return err
	}
	text := render(all)
	fmt.Print(text)
	if path == "" {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

const survived = "**SURVIVED**"

// run returns all mutants with what became of them; of those that are not run, with
// what is known of them.
func run(cfg *config, known map[string]mutant, progress io.Writer) ([]mutant, error) {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	all, err := build(cfg, tmp)
	if err != nil {
		return nil, err
	}
	for i, s := range cfg.stages {
		if by, err := s.test(tmp, i, 0); err != nil || by != "" {
			return nil, fmt.Errorf("tests of %s fail as they are: %s %v", s.dir, by, err)
		}
	}
	var wg sync.WaitGroup
	turn, mu := make(chan struct{}, cfg.jobs), sync.Mutex{}
	for i := range all {
		m := &all[i]
		if k, ok := known[m.key()]; ok {
			m.by, m.reason = k.by, k.reason
		}
		if m.by != "" && m.by != survived || !cfg.only.MatchString(m.key()) {
			continue
		}
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			m.by = survived
			for i, s := range cfg.stages {
				if s.run == slow && !strings.HasPrefix(m.file, "transfer") {
					continue
				}
				by, err := s.test(tmp, i, m.id)
				if err != nil {
					by = err.Error()
				}
				if by != "" {
					m.by = by
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(progress, m.row())
		})
	}
	wg.Wait()
	return all, nil
}

// build makes the test binaries that hold all mutants.
func build(cfg *config, tmp string) ([]mutant, error) {
	dir, err := filepath.Abs(cfg.dir)
	if err != nil {
		return nil, err
	}
	var all []mutant
	overlay := map[string]string{filepath.Join(dir, "mutant_in_force.go"): filepath.Join(tmp, "in_force.go")}
	pkg := ""
	for spec := range strings.FieldsSeq(cfg.files) {
		name, functions, _ := strings.Cut(spec, ":")
		source, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		var text []byte
		if all, pkg, text, err = instrument(all, name, source, functions); err != nil {
			return nil, err
		}
		overlay[filepath.Join(dir, name)] = filepath.Join(tmp, name)
		if err := os.WriteFile(filepath.Join(tmp, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.WriteFile(filepath.Join(tmp, "in_force.go"), []byte("package "+pkg+inForce), 0o600),
		os.WriteFile(filepath.Join(tmp, "overlay.json"), replace, 0o600))
	for i, s := range cfg.stages {
		if err != nil {
			return nil, err
		}
		if i > 0 && s.dir == cfg.stages[i-1].dir {
			err = os.Link(binary(tmp, i-1), binary(tmp, i))
			continue
		}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", filepath.Join(tmp, "overlay.json"), "-o", binary(tmp, i), "./"+filepath.ToSlash(s.dir))
		if out, e := cmd.CombinedOutput(); e != nil {
			err = fmt.Errorf("%v: %w\n%s", cmd, e, out)
		}
	}
	return all, err
}

func binary(tmp string, stage int) string {
	return filepath.Join(tmp, fmt.Sprintf("stage%d.test", stage))
}

// failure is a line by which a test says that it failed.
var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// test returns the names of tests that fail with a mutant in force, "" if none does.
func (s stage) test(tmp string, number, id int) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(tmp, number), "-test.run", s.run, "-test.skip", s.skip, "-test.timeout", s.limit.String(), "-test.failfast="+strconv.FormatBool(number > 0))
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "MUTANT="+strconv.Itoa(id))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		return "", err
	}
	var names []string
	for _, found := range failure.FindAllSubmatch(out, -1) {
		names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(string(found[1]), n+"/") })
		names = append(names, string(found[1]))
	}
	switch {
	case bytes.Contains(out, []byte("panic: test timed out")) || ctx.Err() != nil:
		names = append(names, "does not end")
	case bytes.Contains(out, []byte("panic: ")):
		names = append(names, "panics")
	case len(names) == 0:
		names = append(names, "ends otherwise")
	}
	if more := len(names) - 3; more > 0 {
		names = append(names[:3], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", "), nil
}
