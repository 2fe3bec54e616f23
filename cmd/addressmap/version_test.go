package main

import (
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

// The version of CoreDNS is that of go.mod.
func TestCoreDNSVersion(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`github.com/coredns/coredns (\S+)`).FindSubmatch(data)
	if m == nil || string(m[1]) != coreDNS {
		t.Errorf("want the version of go.mod, %q, in version.go, got %s", m, coreDNS)
	}
}

func TestVersionOf(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}
	if got := versionOf(info); !strings.HasPrefix(got, "addressmap v1.2.3\ncommit abc, changed\nCoreDNS v") {
		t.Errorf("got %s", got)
	}
	if got := versionOf(&debug.BuildInfo{}); !strings.HasPrefix(got, "addressmap (devel)\ncommit unknown\n") {
		t.Errorf("got %s", got)
	}
}
