package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// coreDNS is the version of CoreDNS that go.mod names. This command does not have
// CoreDNS in it, so that the go command does not record it; a test compares the two.
const coreDNS = "v1.15.0"

// version says what the command was built from, as the go command recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	release, commit, changed := info.Main.Version, "unknown", ""
	if release == "" {
		release = "(devel)"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	return fmt.Sprintf("addressmap %s\ncommit %s%s\nCoreDNS %s\n%s %s/%s", release, commit, changed, coreDNS, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
