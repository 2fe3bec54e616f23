package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long anything that should happen soon may take on a busy
// machine: a deadline for giving up, not a promise that is tested.
const patience = time.Minute

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"addressmap": main})
}

// The scripts run the command as a shell does. With them come the files of the
// examples, in $EXAMPLES.
func TestScript(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			name := env.T().(interface{ Name() string }).Name()
			if testing.Short() && !strings.Contains(name, "/export") && !strings.Contains(name, "/import_parallel") {
				env.T().Skip("one thing happens at a time: there is nothing for the race detector")
			}
			env.Setenv("EXAMPLES", examples)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"await": await, "gone": gone},
	})
}

// await FILE TEXT waits until a file holds a text.
func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	path := ts.MkAbs(args[0])
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), args[1]) {
			return
		}
	}
	data, _ := os.ReadFile(path)
	ts.Fatalf("want %q in %s, got\n%s", args[1], args[0], data)
}

// gone FILE TEXT waits until a file does not hold a text any more.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: gone FILE TEXT")
	}
	var data []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if data, err = os.ReadFile(ts.MkAbs(args[0])); err == nil && !strings.Contains(string(data), args[1]) {
			return
		}
	}
	ts.Fatalf("want no %q in %s, got\n%s", args[1], args[0], data)
}
