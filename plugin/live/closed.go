package live

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// shut are the documents that were found at the start and of which no version is in
// force, with what each may hold (R26). One that first appears later is none of them: it
// closes nothing that was answered before.
type shut map[string]mapset.Closed // :: path → what it closes

// shutOut notes which of the documents found at the start are not in force, and puts what
// they may hold into force as closed.
func (l *loader) shutOut(b *batch) {
	for _, p := range b.problems {
		if _, inForce := l.docs[p.path]; !inForce && p.path != l.opt.Path {
			l.shut[p.path] = closedBy(p.doc)
		}
	}
	b.blame()
	l.publish()
	l.tellClosed()
}

// tellClosed logs what is closed now.
func (l *loader) tellClosed() {
	c := l.closed()
	if c == nil || len(c.Zones) == 0 && !c.Rest {
		return
	}
	what := fmt.Sprintf("the zones that refused documents declare, %d in all: %s", len(c.Zones), fqdn.FirstFew(slices.Sorted(maps.Keys(c.Zones))))
	if c.Rest {
		what = "all names of the server blocks' zones that no document in force knows"
		if len(c.Zones) > 0 {
			what += fmt.Sprintf(", and %d zones of refused documents: %s", len(c.Zones), fqdn.FirstFew(slices.Sorted(maps.Keys(c.Zones))))
		}
	}
	l.opt.Log.Warningf("%s: closed, answered with SERVFAIL until these documents are put right: %s", l.opt.Path, what)
}

// reopen takes out of what is closed what is gone, and has a document that is still
// refused close the zones that it tells now too. all is what was closed before.
func (l *loader) reopen(b *batch, all *mapset.Closed) {
	changed := false
	for _, path := range b.settled {
		if _, is := l.shut[path]; is {
			delete(l.shut, path)
			changed = true
		}
	}
	for _, p := range b.problems {
		_, inForce := l.docs[p.path]
		was, is := l.shut[p.path]
		now := closedBy(p.doc)
		switch {
		case inForce:
		case !is:
			if now, is = inherited(all, p.doc); is {
				l.shut[p.path] = now
				changed = true
			}
		case now.Rest: // What the document told before holds on.
		default: // A zone that it tells no more may be mistyped now.
			maps.Copy(now.Zones, was.Zones)
			changed = changed || was.Rest || len(now.Zones) > len(was.Zones)
			l.shut[p.path] = now
		}
	}
	if changed {
		l.publish()
		l.tellClosed()
	}
	if all != nil && len(l.shut) == 0 {
		l.opt.Log.Infof("%s: nothing is closed any more", l.opt.Path)
	}
}

// inherited returns what a refused document that appears now, as under another name,
// closes of what is closed already: it closes nothing that was answered before.
func inherited(all *mapset.Closed, doc *mapfile.Document) (mapset.Closed, bool) {
	if all == nil {
		return mapset.Closed{}, false
	}
	now := closedBy(doc)
	maps.DeleteFunc(now.Zones, func(z fqdn.Name, _ struct{}) bool {
		_, is := all.Zones[z]
		return !is
	})
	now.Rest = now.Rest && all.Rest
	return now, now.Rest || len(now.Zones) > 0
}

// closedBy returns what a refused document closes: the zones that it declares, and, if
// it does not tell all of them for certain or cannot be read at all, whatever nobody else
// declares.
func closedBy(doc *mapfile.Document) mapset.Closed {
	if doc == nil {
		return mapset.Closed{Rest: true}
	}
	zones := make(fqdn.Set)
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Zones {
			zones[doc.Accounts[i].Zones[j].Name] = struct{}{}
		}
	}
	return mapset.Closed{Zones: zones, Rest: !doc.HasAllZones}
}

// closed returns what all of them close, nil if there are none.
func (l *loader) closed() *mapset.Closed {
	if len(l.shut) == 0 {
		return nil
	}
	all := &mapset.Closed{Zones: make(fqdn.Set)}
	for _, c := range l.shut {
		all.Rest = all.Rest || c.Rest
		for z := range c.Zones {
			all.Zones[z] = struct{}{}
		}
	}
	return all
}

// publish has what is in force of each view stand beside what is closed.
func (l *loader) publish() {
	for _, v := range l.views {
		if v.set != nil {
			l.publishTo(v)
		}
	}
}

// blame names, beside what documents lack that would come from another one, the document
// that may hold it and is refused (V15).
func (b *batch) blame() {
	var culprit string
	for _, p := range b.problems {
		if !lacksOnly(p.err) {
			culprit = p.path
			break
		}
	}
	for i := range b.problems {
		if p := &b.problems[i]; culprit != "" && lacksOnly(p.err) {
			p.err = alsoBlaming(p.err, culprit)
		}
	}
}

// alsoBlaming returns the errors of a document with one more remedy: to correct another one.
func alsoBlaming(err error, culprit string) error {
	var errs mapfile.Errors
	errors.As(err, &errs)
	out := make(mapfile.Errors, len(errs))
	for i, e := range errs {
		blaming := *e
		blaming.Remedy += fmt.Sprintf("; or correct %s, which is refused and may hold them", culprit)
		out[i] = &blaming
	}
	return out
}

// lacksOnly reports whether a document would be good if others gave it addresses.
func lacksOnly(err error) bool {
	var errs mapfile.Errors
	return errors.As(err, &errs) && !slices.ContainsFunc(errs, func(e *mapfile.Error) bool { return e.Rule != "V15" })
}
