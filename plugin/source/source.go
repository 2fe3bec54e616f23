// Package source is where documents come from: files and directories of files.
// It reads them whole ([Read]), lists them ([List]) and tells when they have
// changed ([Watcher]), however that was done: written in place, renamed over,
// deleted and created, or by a symbolic link or a directory swapped above them.
// It knows nothing of what is in them.
//
// What a reader must not do is read a file while it is being written: half a
// document can be a valid one. A Watcher therefore names a file only when it has
// been left alone for a while, and its Read refuses what has changed since. Where
// the system tells that a process has a file open for writing (Linux, of files of
// one's own or with CAP_LEASE), it is left alone as well. This is what is done
// with a path, by its state and by what happens to it:
//
//	state        written, open   written, closed   closed   replaced   removed   left alone
//	at rest      wait            settle            -        tell       settle    -
//	settling     wait            settle            settle   tell       settle    settle
//	open         wait            settle            tell     tell       settle    as it is
//	gone         wait            settle            -        tell       -         -
//	unreadable   wait            settle            retry    tell       settle    retry
//
// At rest is what is as it was last told of; settling, what has changed since; open,
// what has changed and is open for writing; unreadable, what could not be read for
// want of something that may come back. Closed means without a write, replaced by a
// rename or the swap of a link.
//
//   - wait: look every tenth of a second until the writer has closed the file, and
//     tell of it then if it has settled.
//   - settle: tell of the file once it has been left alone for half a second.
//   - tell: tell of it now.
//   - as it is: tell of it once it has not been written for ten seconds. Read reads
//     it, open as it is, and a line in the log says so.
//   - retry: tell of it after a pause, which is longer each time.
//
// Where the system does not tell, no file is open in this sense: a writer that pauses
// for longer than half a second is taken to be done. It must write another file
// and rename that over the one that is watched.
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
