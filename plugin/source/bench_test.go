package source

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const many = 10_000

// directory returns a directory of many documents.
func directory(b *testing.B) string {
	dir := b.TempDir()
	for i := range many {
		if err := os.WriteFile(fmt.Sprintf("%s/%05d.yaml", dir, i), []byte(before), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	return dir
}

// From the rename of one document of many to its being named.
func BenchmarkNotice(b *testing.B) {
	dir := directory(b)
	for _, from := range []string{dir, b.TempDir()} {
		name := "same directory"
		if from != dir {
			name = "elsewhere"
		}
		b.Run(name, func(b *testing.B) {
			w := New(Options{})
			defer w.Close()
			w.Set([]string{dir})
			b.ResetTimer()
			for i := range b.N {
				tmp, path := filepath.Join(from, "tmp"), fmt.Sprintf("%s/%05d.yaml", dir, i%many)
				if err := os.WriteFile(tmp, []byte(after), 0o644); err != nil {
					b.Fatal(err)
				}
				if err := os.Rename(tmp, path); err != nil {
					b.Fatal(err)
				}
				if c := <-w.Changes(); len(c.Paths) != 1 || c.Paths[0] != path {
					b.Fatalf("want %s named, got %v", path, c)
				}
			}
		})
	}
}

// The first look at many documents, and at many zone files in few directories.
func BenchmarkSet(b *testing.B) {
	dir := directory(b)
	docs, err := List(dir)
	if err != nil {
		b.Fatal(err)
	}
	for name, paths := range map[string][]string{"directory": {dir}, "files": docs} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w := New(Options{})
				w.Set(paths)
				w.Close()
			}
		})
		b.Run(name+" again", func(b *testing.B) {
			w := New(Options{})
			defer w.Close()
			w.Set(paths)
			for b.Loop() {
				w.Set(paths)
			}
		})
	}
}

// A poll that finds nothing.
func BenchmarkPoll(b *testing.B) {
	dir := directory(b)
	w := New(Options{})
	defer w.Close()
	w.Set([]string{dir})
	for b.Loop() {
		w.mu.Lock()
		w.sync(true, time.Now())
		w.mu.Unlock()
	}
}
