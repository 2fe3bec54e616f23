package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	spdxjson "github.com/spdx/tools-golang/json"
)

func TestJudge(t *testing.T) {
	own, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	const isc = "Permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, " +
		"provided that the above copyright notice and this permission notice appear in all copies.\n"
	gpl := "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License " +
		"as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.\n"
	for _, tc := range []struct {
		name, want string // an error, "" for none
		files      []file
	}{
		{"Apache-2.0", "", []file{{"LICENSE", own}, {"NOTICE", []byte("by us")}}},
		{"none", "it has no licence", nil},
		{"a notice alone", "it has no licence", []file{{"NOTICE", []byte("by us")}, {"COPYRIGHT", nil}, {"LICENSE-3rdparty.csv", nil}}},
		{"another one below", "internal/x/COPYING", []file{{"LICENSE", own}, {"internal/x/COPYING", []byte(gpl)}}},
		{"unknown", "are a known licence", []file{{"LICENSE", []byte("Ask me.")}}},
		{"with a condition", "are a known licence", []file{{"LICENSE", []byte(isc + strings.Repeat("But not on Sundays, and never for sale. ", 40))}}},
	} {
		if ids, err := judge(tc.files); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: want an error with %q, got %q, %v", tc.name, tc.want, ids, err)
		}
	}
}

// Licences are looked for in the directory of a linked package and in those above it, and not
// beyond the module.
func TestCollect(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"LICENSE", "m/LICENSE.md", "m/Notice", "m/a/b/COPYING", "m/other/LICENSE", "m/a/licenses.go"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, seen := &module{dir: filepath.Join(dir, "m")}, make(map[string]bool)
	for _, linked := range []string{"m/a/b", "m/a", "m"} {
		if err := m.collect(filepath.Join(dir, linked), seen); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, f := range m.files {
		got = append(got, filepath.ToSlash(f.name))
	}
	if want := "a/b/COPYING LICENSE.md Notice"; strings.Join(got, " ") != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

// The list of a binary's modules can be read by who did not write it, has the modules and the
// binary's checksum, and comes out with the same octets each time.
func TestSBOM(t *testing.T) {
	dir := t.TempDir()
	binary, list := filepath.Join(dir, "addressmap"), filepath.Join(dir, "addressmap.spdx.json")
	build := exec.Command("go", "build", "-o", binary, "./cmd/addressmap")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	var before []byte
	for range 2 {
		if err := writeSBOM("../..", binary, list); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !bytes.Equal(before, text) {
			t.Error("the same binary has two lists")
		}
		before = text
	}
	doc, err := spdxjson.Read(bytes.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	licences := make(map[string]string)
	for _, p := range doc.Packages {
		licences[p.PackageName] = p.PackageLicenseConcluded
		if p.PackageName == "addressmap" && len(p.PackageChecksums) != 1 {
			t.Errorf("want a checksum of the binary, got %v", p.PackageChecksums)
		}
	}
	for name, want := range map[string]string{"addressmap": "Apache-2.0", "stdlib": "BSD-3-Clause", "github.com/miekg/dns": "BSD-3-Clause", "github.com/coredns/coredns": ""} {
		if licences[name] != want {
			t.Errorf("want the licence %q of %s, got %q", want, name, licences[name])
		}
	}
	if want := "2023-11-14T22:13:20Z"; doc.CreationInfo.Created != want {
		t.Errorf("want %s, got %s", want, doc.CreationInfo.Created)
	}
}

func TestSBOM_NoBinary(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	if err := writeSBOM("../..", "main.go", filepath.Join(t.TempDir(), "list")); err == nil || !strings.Contains(err.Error(), "main.go") {
		t.Errorf("want an error that names main.go, got %v", err)
	}
}
