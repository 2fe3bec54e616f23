package main

import (
	"bytes"
	"errors"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestLimitMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "") // to be restored
	fails := func(err error) memlimit.Provider { return func() (uint64, error) { return 0, err } }
	for _, tc := range []struct {
		name   string
		cgroup memlimit.Provider
		env    string
		want   int64
		says   string
	}{
		{"limit", memlimit.Limit(1000 << 20), "", 900 << 20, ""},
		{"no limit", fails(memlimit.ErrNoLimit), "", math.MaxInt64, ""},
		{"no cgroup", fails(memlimit.ErrNoCgroup), "", math.MaxInt64, ""},
		{"another system", fails(memlimit.ErrCgroupsNotSupported), "", math.MaxInt64, ""},
		{"unreadable", fails(errors.New("it is locked")), "", math.MaxInt64, "set GOMEMLIMIT to have one: failed to set GOMEMLIMIT: it is locked\n"},
		{"set by hand", memlimit.Limit(1000 << 20), "500MiB", math.MaxInt64, ""}, // which the runtime has read
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
			os.Unsetenv("GOMEMLIMIT")
			if tc.env != "" {
				os.Setenv("GOMEMLIMIT", tc.env)
			}
			var said bytes.Buffer
			limitMemory(tc.cgroup, &said)
			if got := debug.SetMemoryLimit(-1); got != tc.want {
				t.Errorf("the limit is %d, want %d", got, tc.want)
			}
			if got := said.String(); !strings.HasSuffix(got, tc.says) || (got == "") != (tc.says == "") {
				t.Errorf("said %q, want %q", got, tc.says)
			}
		})
	}
}
