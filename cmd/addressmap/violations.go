package main

import "github.com/addressmap/addressmap/plugin/mapset"

// violations are the protection rules that a reload from old to next would break.
func violations(path string, old, next *mapset.Snapshot, guard int) []finding {
	var out []finding
	for _, v := range mapset.Protect(old, next, guard) {
		out = append(out, finding{Level: levelError, File: path, Rule: v.Rule, Text: v.Text, Remedy: v.Remedy, full: path + ": " + v.Error()})
	}
	return out
}
