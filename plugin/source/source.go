// Package source is where documents come from: files and directories of files. It
// reads files whole ([Read]), lists directories ([List]) and reports changes
// ([Watcher]), however a file was changed: written in place, renamed over, deleted
// and created, or by the swap of a symbolic link or a directory above it. It does not
// know the format of the files.
//
// A reader must not read a file while it is being written: half a document can be a
// valid one. A Watcher therefore reports a file only when the file has settled, which
// is when it has been left alone for a while, and [Watcher.Read] refuses a file that
// has changed since. Where the system knows that a process has a file open for
// writing (Linux, for files of the same owner or with CAP_LEASE), the file has not
// settled either. The table has the state of a path in its rows, an event in its
// columns, and the reaction of the Watcher in its cells:
//
//	state        written, open   written, closed   closed   replaced   removed   left alone
//	at rest      wait            settle            -        report     settle    -
//	settling     wait            settle            settle   report     settle    settle
//	open         wait            settle            report   report     settle    as it is
//	gone         wait            settle            -        report     -         -
//	unreadable   wait            settle            retry    report     settle    retry
//
// A path at rest is as last reported; a settling one has changed since; an open one
// has changed and is open for writing; an unreadable one could not be read for lack
// of a resource that may come back. Closed means closed without a write; replaced
// means replaced by a rename or the swap of a link.
//
//   - wait: look every tenth of a second until the writer has closed the file, and
//     report the file then if it has settled.
//   - settle: report the file once it has been left alone for half a second.
//   - report: report the file now.
//   - as it is: report the file once it has not been written for ten seconds. Read
//     reads it although it is open, and a line in the log says so.
//   - retry: report the file after a pause, which is longer each time.
//
// Where the system does not know, no file is open in this sense: a writer that pauses
// for longer than half a second is taken to have ended. Such a writer must write
// another file and rename it over the watched one.
package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// suffixes are the ends of the names of documents in a directory.
var suffixes = []string{".yaml", ".yml", ".json"}

// IsDocument reports whether a file of that name in a directory is a document.
// Names with a leading dot are not: editors and rsync keep their temporary
// files there, and Kubernetes the ..data link and its target.
func IsDocument(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains(suffixes, filepath.Ext(name))
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
