package etcd

import (
	"maps"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

// store is what etcd holds of the map at a revision.
type store struct {
	cluster       uint64
	revision      int64 // up to which everything is in here
	head          fleet.Head
	headRevision  int64           // of its key, 0 for none
	headValue     []byte          // of the same
	headBroken    bool            // it is the last good one, for that of the key is none
	documents     fleet.Documents // everyone's, with deletions while there is a staging
	staging       fleet.Documents // that the head is from
	stage         fleet.Documents // of the stage of this server
	stageRevision int64           // at which it was read
	ignored       fleet.Documents // keys below documents/ that no document has

	drains         fleet.Documents
	drainsRevision int64 // at which they were read
}

// document returns what a document is to this server.
func (st *store) document(name string) fleet.Document {
	doc, is := st.documents[name]
	if over, staged := st.staging[name]; staged && (!is || over.Revision > doc.Revision) {
		doc, is = over, true
	}
	if own, staged := st.stage[name]; staged {
		doc, is = own, true
	}
	if !is {
		doc.Removed = true
	}
	return doc
}

// apply applies an event of everyone's documents.
func (st *store) apply(name string, doc fleet.Document) {
	switch {
	case !isDocument(name):
		if doc.Removed {
			delete(st.ignored, name)
		} else {
			st.ignored[name] = doc
		}
	case doc.Removed && len(st.staging) == 0:
		delete(st.documents, name)
	default:
		st.documents[name] = doc
	}
}

// maxNewest bounds what is compared of the newest revision, in keys and in bytes.
const (
	maxNewestKeys  = 100
	maxNewestBytes = 1 << 20
)

// newest returns the keys below documents/ that were written last, with one transaction:
// some of them, if they are many or large.
func (st *store) newest() fleet.Documents {
	last := int64(0)
	names := make(map[string]fleet.Document)
	for _, docs := range []fleet.Documents{st.documents, st.ignored} {
		for name, doc := range docs {
			if doc.Removed || doc.Revision < last {
				continue
			}
			if doc.Revision > last {
				last = doc.Revision
				clear(names)
			}
			names[name] = doc
		}
	}
	out, size := make(fleet.Documents), 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if size += len(names[name].Value); len(out) > 0 && (len(out) == maxNewestKeys || size > maxNewestBytes) {
			break
		}
		out[name] = names[name]
	}
	return out
}

// count is how many keys there are below documents/.
func (st *store) count() int { return len(st.documents.Present()) + len(st.ignored) }

// isWhole reports whether the documents are those that the head was written with. Where they
// differ and one was written since, nobody can tell: known is false.
func (st *store) isWhole() (is, known bool) {
	if st.headBroken {
		return false, false
	}
	is = st.headRevision > 0 && st.documents.Overlay(st.staging).Digest() == st.head.Digest
	return is, is || !isNewer(st.documents, st.headRevision)
}

// isNewer reports whether a document was written after a revision.
func isNewer(docs fleet.Documents, revision int64) bool {
	for _, doc := range docs {
		if doc.Revision > revision {
			return true
		}
	}
	return false
}

// pushed notes a head, and the documents that it is from.
func (st *store) pushed(head fleet.Head, staging fleet.Documents) {
	st.head, st.headBroken, st.staging = head, false, staging
	if len(staging) == 0 {
		st.documents = st.documents.Present()
	}
}

// isDocument reports whether a key of that name below documents/ is a document.
func isDocument(name string) bool {
	return !strings.Contains(name, "/") && source.IsDocument(name)
}
