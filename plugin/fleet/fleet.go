// Package fleet is the layout of a map in etcd: which keys there are, what they hold, and
// how to reach them. Servers read it (plugin/source/etcd), and the command writes it
// (plugin/push). It knows no format of documents.
//
//	PATH/documents/NAME               a document
//	PATH/stages/STAGE/documents/NAME  a document as the servers of a stage have it, empty if removed there
//	PATH/stages/STAGE/base            JSON of names: the revisions of everyone's documents that a stage is based on
//	PATH/head                         a Head: the last push
//	PATH/staging/N/NAME               a document of push N, which was larger than one transaction
//	PATH/staging/N                    who writes it, under a lease
//	PATH/history/N/M                  what push N has replaced, in pieces
//	PATH/drains/NAME                  a file of drains
//	PATH/servers/NAME                 a Server: what it has in force, under a lease
//
// A push is what one write of the head brings: the documents of the same transaction, or
// those that the head says it is from. A reader lays them over the others, and of two
// values the one that was written later counts ([Documents.Overlay]): whether a document
// was moved from the staging to its place already changes nothing.
package fleet

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Scheme is how the path of a map in etcd begins, where others are files.
const Scheme = "etcd:"

// MaxDocument is the size of the largest document, in bytes: etcd refuses requests of more
// than 1.5 MiB.
const MaxDocument = 1 << 20

// Map is a map in etcd: the path that all its keys begin with, such as /addressmap.
type Map string

// IsMap reports whether the path of a map is one in etcd.
func IsMap(path string) bool { return strings.HasPrefix(path, Scheme) }

// ParseMap reads the path of a map, such as etcd:/addressmap.
func ParseMap(s string) (Map, error) {
	p, ok := strings.CutPrefix(s, Scheme)
	switch {
	case !ok:
		return "", fmt.Errorf("%q is no map in etcd: write one such as etcd:/addressmap", s)
	case p == "" || p == "/" || path.Clean("/"+p) != p || strings.ContainsFunc(p, isControl):
		return "", fmt.Errorf("%q: the path in etcd begins with one / and ends with none: write one such as etcd:/addressmap", s)
	}
	return Map(p), nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }

// String returns the path as [ParseMap] reads it.
func (m Map) String() string { return Scheme + string(m) }

// Documents is the prefix of everyone's documents.
func (m Map) Documents() string { return string(m) + "/documents/" }

// Drains is the prefix of the files of drains. It lies between those of the documents and
// the head: one range has them all.
func (m Map) Drains() string { return string(m) + "/drains/" }

// Stage is the prefix of the documents of a stage.
func (m Map) Stage(name string) string { return m.StageKeys(name) + "documents/" }

// StageKeys is the prefix of all that belongs to a stage.
func (m Map) StageKeys(name string) string { return m.Stages() + name + "/" }

// StageBase is the key of the revisions of everyone's documents that those of a stage are
// based on, which no server reads.
func (m Map) StageBase(name string) string { return m.StageKeys(name) + "base" }

// Stages is the prefix of all stages.
func (m Map) Stages() string { return string(m) + "/stages/" }

// Head is the key of the [Head].
func (m Map) Head() string { return string(m) + "/head" }

// Staging is the prefix of the documents that push n could not write at once.
func (m Map) Staging(n int64) string { return m.StagingClaim(n) + "/" }

// StagingClaim is the key by which one process alone writes the staging of push n.
func (m Map) StagingClaim(n int64) string { return m.Stagings() + strconv.FormatInt(n, 10) }

// Stagings is the prefix of the staging of all pushes.
func (m Map) Stagings() string { return string(m) + "/staging/" }

// History is the prefix of what push n has replaced.
func (m Map) History(n int64) string { return m.Histories() + strconv.FormatInt(n, 10) + "/" }

// Histories is the prefix of the history of all pushes.
func (m Map) Histories() string { return string(m) + "/history/" }

// Servers is the prefix of the keys of the servers.
func (m Map) Servers() string { return string(m) + "/servers/" }

// CheckName returns an error if a document, stage or server cannot be called so: one
// segment of a path, of letters, digits, hyphens, underscores and dots.
func CheckName(name string) error {
	ok := name != "" && len(name) <= 200 && name[0] != '.' && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	})
	if !ok {
		return fmt.Errorf("the name %q: write letters, digits, hyphens, underscores and dots, no dot first, 200 at most", name)
	}
	return nil
}
