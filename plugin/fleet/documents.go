package fleet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// Document is the value of a key, and the revision of the store that wrote it.
type Document struct {
	Value    []byte
	Revision int64
	Removed  bool // by the key of a stage or staging that is empty, or by a deletion
}

// Documents are documents by their names.
type Documents map[string]Document

// Overlay returns documents with others laid over them: of two, the one that was written
// later counts.
func (d Documents) Overlay(over Documents) Documents {
	out := maps.Clone(d)
	if out == nil {
		out = make(Documents)
	}
	for name, doc := range over {
		if was, is := out[name]; !is || doc.Revision > was.Revision {
			out[name] = doc
		}
	}
	return out
}

// Replace returns documents with those of a stage in the place of them, whatever was
// written later.
func (d Documents) Replace(stage Documents) Documents {
	out := maps.Clone(d)
	if out == nil {
		out = make(Documents)
	}
	maps.Copy(out, stage)
	return out
}

// Present returns the documents that were not removed.
func (d Documents) Present() Documents {
	out := maps.Clone(d)
	maps.DeleteFunc(out, func(_ string, doc Document) bool { return doc.Removed })
	return out
}

// Equal reports whether the same documents are present in both, with the same content.
func (d Documents) Equal(other Documents) bool {
	return maps.EqualFunc(d.Present(), other.Present(), func(a, b Document) bool { return bytes.Equal(a.Value, b.Value) })
}

// Digest returns the digest of the documents that are present: the SHA-256 sum, in
// hexadecimal, of a line for each in the order of names, of its own sum and its name. A
// server shows the same one of the documents of a directory.
func (d Documents) Digest() string {
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if doc := d[name]; !doc.Removed {
			sum := sha256.Sum256(doc.Value)
			all.Write(append(append(sum[:], name...), '\n'))
		}
	}
	return hex.EncodeToString(all.Sum(nil))
}
