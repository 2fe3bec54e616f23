package push

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// Change is what a push would write, made of what was read.
type Change struct {
	Stage string // the stage that it is about; "" for everyone's documents
	// Was and Next are the documents of the servers that it is about, after the last push and
	// after this one. Found is what the store has, with what others wrote since the last push.
	Was, Found, Next fleet.Documents
	Unpruned         []string // documents that the store has beside those pushed

	read  *Contents
	write fleet.Documents  // documents that change; Removed where they go
	back  []string         // documents of the stage that are everyone's again
	base  map[string]int64 // of the stage, after
	ends  string           // the stage that is no more
	after fleet.Documents  // everyone's
	anew  bool             // it is written although nothing changes
}

// Names are the documents that change, sorted.
func (c *Change) Names() []string { return append(slices.Sorted(maps.Keys(c.write)), c.back...) }

// Removed are the documents that go, sorted.
func (c *Change) Removed() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(c.write)) {
		if c.write[name].Removed {
			names = append(names, name)
		}
	}
	return names
}

// Empty reports whether there is nothing to do.
func (c *Change) Empty() bool {
	unreadable := c.read.head != 0 && c.read.Head.Push == 0
	return !unreadable && len(c.write) == 0 && len(c.back) == 0 && c.ends == "" && !c.anew && maps.Equal(c.base, c.read.base)
}

// Foreign are the documents that changed without a push since the last one: they are part
// of what is judged.
func (c *Change) Foreign() []string { return c.read.Foreign }

// Everyone returns everyone's documents after the last push and as they are, where the
// change is about a stage and others have changed them meanwhile: everyone's servers take
// with the next head what is there, whichever stage that is about.
func (c *Change) Everyone() (was, found fleet.Documents, changed bool) {
	return c.read.pushed, c.read.Everyone, c.Stage != "" && len(c.read.Foreign) > 0
}

// Unknown is why the change cannot be judged, because nobody knows what the servers have in
// force; "" if it can, or if the content of the store was said to be meant.
func (c *Change) Unknown() string {
	if c.anew {
		return ""
	}
	return c.read.Unknown
}

// Number is that of the push.
func (c *Change) Number() int64 { return c.read.next }

// Anew has a change written also if it changes nothing: the servers of a store that went
// back, as to a backup, take the documents from a head that was written since.
func (c *Change) Anew() { c.anew = true }

// Push returns the change to these documents, with prune without those that the store has
// beside them.
func (c *Contents) Push(documents fleet.Documents, prune bool) (*Change, error) {
	if len(documents.Present()) == 0 {
		return nil, errors.New("there is no document to push, and a push never empties the store")
	}
	if c.stage != "" {
		return c.pushStage(documents, prune)
	}
	out := &Change{Was: c.pushed, Found: c.Everyone, Next: c.Everyone.Replace(nil), read: c, write: make(fleet.Documents)}
	for name, doc := range documents {
		if was, is := c.Everyone[name]; !same(was, is, doc, true) {
			out.write[name] = doc
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Everyone)) {
		switch _, is := documents[name]; {
		case is:
		case prune:
			out.write[name] = fleet.Document{Removed: true}
		default:
			out.Unpruned = append(out.Unpruned, name)
		}
	}
	out.Next = out.Next.Replace(out.write).Present()
	out.after = out.Next
	return out, nil
}

// pushStage is Push for the documents of a stage: those that are not everyone's.
func (c *Contents) pushStage(documents fleet.Documents, prune bool) (*Change, error) {
	out := &Change{Stage: c.stage, Was: c.pushed.Replace(c.Stage).Present(), Found: c.Staged(), after: c.Everyone, read: c, write: make(fleet.Documents), base: make(map[string]int64)}
	stage := c.Stage.Replace(nil)
	if prune {
		documents = documents.Replace(nil)
		for name := range c.Everyone.Replace(c.Stage) { // Those that the stage has removed already are based anew.
			if _, is := documents[name]; !is {
				documents[name] = fleet.Document{Removed: true}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		doc := documents[name]
		everyone, isEveryone := c.Everyone[name]
		staged, isStaged := c.Stage[name]
		switch {
		case same(everyone, isEveryone, doc, true):
			if isStaged {
				out.back = append(out.back, name)
				delete(stage, name)
			}
			continue
		case isStaged && same(staged, true, doc, true):
		default:
			out.write[name] = doc
		}
		stage[name] = doc
	}
	for name := range stage {
		if _, is := documents[name]; is {
			out.base[name] = c.Everyone[name].Revision
		} else if revision, is := c.base[name]; is {
			out.base[name] = revision
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Staged())) {
		if _, is := documents[name]; !is {
			out.Unpruned = append(out.Unpruned, name)
		}
	}
	if len(stage) == 0 {
		out.base = nil
	}
	out.Next = c.Everyone.Replace(stage).Present()
	return out, nil
}

// Promote returns the change that makes the documents of the stage everyone's. It is an
// [ErrChanged] if everyone's have changed since they were staged.
func (c *Contents) Promote() (*Change, error) {
	if err := c.needStage(); err != nil {
		return nil, err
	}
	var moved []string
	out := &Change{Was: c.pushed, Found: c.Everyone, Next: c.Staged(), read: c, write: make(fleet.Documents), ends: c.stage}
	for _, name := range slices.Sorted(maps.Keys(c.Stage)) {
		everyone, is := c.Everyone[name]
		if based, known := c.base[name]; !known || based != everyone.Revision {
			moved = append(moved, name)
		}
		if !same(everyone, is, c.Stage[name], true) {
			out.write[name] = c.Stage[name]
		}
	}
	if len(moved) > 0 {
		return nil, fmt.Errorf("%w: everyone's %s changed since the stage %q was pushed: push the stage again, made of everyone's as they are now", ErrChanged, firstFew(moved), c.stage)
	}
	if len(out.Next) == 0 {
		return nil, errors.New("the stage has no document left, and a push never empties the store")
	}
	out.after = out.Next
	return out, nil
}

// Abandon returns the change that takes the stage back. It is not to be judged: for the
// servers of the stage everyone's documents count as those in force.
func (c *Contents) Abandon() (*Change, error) {
	if err := c.needStage(); err != nil {
		return nil, err
	}
	return &Change{Stage: c.stage, Was: c.Staged(), Found: c.Staged(), Next: c.Everyone, after: c.Everyone, read: c, ends: c.stage, back: slices.Sorted(maps.Keys(c.Stage))}, nil
}

func (c *Contents) needStage() error {
	if len(c.Stage) == 0 {
		return fmt.Errorf("there is no stage %q: push one with addressmap push --stage", c.stage)
	}
	return nil
}

// encodeBase returns the value of the base of a stage.
func (c *Change) encodeBase() ([]byte, error) {
	value, err := json.Marshal(c.base)
	if err == nil && len(value) > fleet.MaxDocument {
		err = fmt.Errorf("a stage of %d documents is too large: stage fewer of them", len(c.base))
	}
	return value, err
}

// firstFew returns the first names of a list, and how many more there are.
func firstFew(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
