package live

import (
	"fmt"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// change is what a document is about to be.
type change struct {
	path string
	next *candidate // nil: it is gone
}

// version returns the digest of what the document is about to be.
func (c change) version() digest {
	if c.next == nil {
		return digest{1} // of nothing: no SHA-256 that will ever be found
	}
	return c.next.digest
}

// document returns what the document is about to be, nil if it is gone.
func (c change) document() *mapfile.Document {
	if c.next == nil {
		return nil
	}
	return c.next.src.Doc
}

// changes returns those of the batch.
func (b *batch) changes() []change {
	var out []change
	for i := range b.candidates {
		out = append(out, change{b.candidates[i].path, &b.candidates[i]})
	}
	for _, p := range b.gone {
		out = append(out, change{path: p})
	}
	return out
}

// group is changes that are made together or not at all.
type group struct {
	changes []change
	fault   fault // why it was refused last
	after   int   // how many groups were accepted then; -1: it was not tried yet
}

// split parts groups into those of a kind and others.
func split(groups []group, kind func(group) bool) (those, others []group) {
	for _, g := range groups {
		if kind(g) {
			those = append(those, g)
		} else {
			others = append(others, g)
		}
	}
	return those, others
}

// changesOf returns the changes of all groups.
func changesOf(groups []group) []change {
	var out []change
	for _, g := range groups {
		out = append(out, g.changes...)
	}
	return out
}

// why returns why a change of a refused group is.
func (g *group) why(c change) error {
	if err := g.fault.of[c.path]; err != nil {
		return err
	}
	for _, other := range g.changes {
		if g.fault.of[other.path] != nil {
			return fmt.Errorf("accounts or zones move between it and %s, which is refused: correct that one", other.path)
		}
	}
	return g.fault.err
}

// claim is something that only one document can have and that can move from one
// to another: the name of a zone, an account by [ofAccount], or [ofAnycast].
type claim string

// ofAnycast is the claim of the anycast addresses. No zone is called so, and no account.
const ofAnycast claim = "\x00\x00"

// isOfZone reports whether it is the name of a zone.
func (c claim) isOfZone() bool { return c[0] != '\x00' }

// ofAccount returns the claim of an account. No zone is called so.
func ofAccount(id string) claim { return claim("\x00" + id) }

// claimed returns what the change claims.
func (c change) claimed() []claim {
	if c.next == nil {
		return nil
	}
	return claimsOf(c.next.src.Doc)
}

// holds returns what the document has in force, in a directory.
func (l *loader) holds(path string) []claim {
	set := l.views.lead().set
	if !l.dir || set == nil {
		return nil
	}
	return claimsOf(set.Document(path))
}

// claimsOf returns those of a document, which may be nil.
func claimsOf(doc *mapfile.Document) []claim {
	if doc == nil {
		return nil
	}
	var out []claim
	if doc.HoldsAnycast() {
		out = append(out, ofAnycast)
	}
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		out = append(out, ofAccount(a.ID))
		for j := range a.Zones {
			out = append(out, claim(a.Zones[j].Name))
		}
	}
	return out
}

// linked parts changes into groups. Two documents are of one group if something
// moves from one to the other, as when one is renamed: it would be nowhere if only
// one of them came into force. The order is kept.
func (l *loader) linked(changes []change) []group {
	if !l.dir && len(changes) > 0 { // If there are several, the map was a directory.
		return []group{{changes: changes, after: -1}}
	}
	groups := newJoiner(len(changes))
	left := l.left(changes)
	for i, c := range changes {
		for _, what := range c.claimed() {
			if from, moves := left[what]; moves {
				groups.join(i, from)
			}
		}
	}
	at := make(map[int]int) // :: first of a set → index of its group
	var out []group
	for i, c := range changes {
		first := groups.first(i)
		if first == i {
			at[i] = len(out)
			out = append(out, group{after: -1})
		}
		g := &out[at[first]]
		g.changes = append(g.changes, c)
	}
	return out
}

// left returns what documents have in force and give up, and which of the changes
// does.
func (l *loader) left(changes []change) map[claim]int {
	left := make(map[claim]int)
	for i, c := range changes {
		for _, what := range l.holds(c.path) {
			left[what] = i
		}
	}
	for i, c := range changes {
		for _, what := range c.claimed() {
			if by, ok := left[what]; ok && by == i {
				delete(left, what)
			}
		}
	}
	return left
}

// byAge parts what has changed since it was judged last from what was refused
// before and is still the same.
func (l *loader) byAge(groups []group) (fresh, before []group) {
	return split(groups, func(g group) bool { return slices.ContainsFunc(g.changes, l.isFresh) })
}

func (l *loader) isFresh(c change) bool {
	t, judged := l.troubles[c.path]
	return !judged || t.version != c.version()
}
