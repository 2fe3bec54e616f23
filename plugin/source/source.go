// Package source is where documents come from: files and directories of files.
// It reads them whole ([Read]), lists them ([List]) and tells when they have
// changed ([Watcher]), however that was done: written in place, renamed over,
// deleted and created, or by a symbolic link or a directory swapped above them.
// It knows nothing of what is in them.
//
// What a reader must not do is read a file while it is being written: half a
// document can be a valid one. A Watcher therefore names a file only when it
// has been left alone for a while, and its Read refuses what has changed since.
package source

import (
	"os"
	"path/filepath"
	"strings"
)

// suffixes are the ends of the names of documents in a directory.
var suffixes = []string{".yaml", ".yml", ".json"}

// IsDocument reports whether a file of that name in a directory is a document.
// Names with a leading dot are not: editors and rsync keep their temporary
// files there, and Kubernetes the ..data link and what it points to.
func IsDocument(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

// List returns the paths of the documents in dir: *.yaml, *.yml and *.json, no
// dot files, in lexical order of the names, each joined to dir. It does not
// descend into directories; symbolic links are listed and followed by [Read].
func List(dir string) ([]string, error) {
	names, err := documents(dir)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
	}
	return paths, nil
}

// documents returns the names of the documents in dir in lexical order.
func documents(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if IsDocument(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
