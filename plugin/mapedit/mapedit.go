// Package mapedit puts a zone into a map document as a careful person would: the entry
// is inserted, and every other octet of the text stays, be it a comment, a blank line,
// indentation, the order of keys, the form of line breaks, a byte order mark or a
// missing line break at the end. In JSON the entry is JSON in the file's indentation.
//
// The place comes from the positions of the document's values, the look from the
// entries beside it. Whether it was the right place is not left to cleverness: the new
// text is read again, and it must be the old document with the entry in it. Where no
// place does that, the edit is refused, and nothing is changed.
package mapedit

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Zone is the entry of a zone whose marks are in a zone file.
type Zone struct {
	Name           fqdn.Name
	ZoneFile       string // the path as the document shall have it
	ProxiedDefault bool
}

// Outcome says what putting a zone into a document did.
type Outcome uint8

// The outcomes.
const (
	Unchanged    Outcome = iota // the document had it all
	Changed                     // the document had the zone, which has new keys or values
	AddedZone                   // the account has a zone more
	AddedAccount                // the document has an account more, with the zone
)

// ErrRefused is the error of an edit that would change more than it may.
var ErrRefused = errors.New("cannot be written without changing text that is there")

// PutZone returns the text of a document with the zone in it: the zone's own entry is
// changed if there is one, in whatever account, else there is a new one in the account
// with that id, or in a new account. Name is what errors call the document. A text
// without a value, such as an empty one or comments alone, gets one behind it, in JSON
// if the name ends in ".json". Any other text must be a legal document, and so is the
// result. After an error there is no result; the data never changes.
func PutZone(name string, data []byte, account string, zone Zone) ([]byte, Outcome, error) {
	for _, s := range []string{account, zone.ZoneFile} {
		if !utf8.ValidString(s) {
			return nil, Unchanged, fmt.Errorf("%q is no UTF-8, as a document has to be: take another name", s)
		}
	}
	root, errs := mapfile.ReadTree(name, data)
	isEmpty := len(errs) == 0 && root.IsMissing()
	if len(errs) == 0 && !isEmpty {
		_, errs = mapfile.Parse(name, data)
	}
	if len(errs) > 0 {
		return nil, Unchanged, fmt.Errorf("the map must be legal before a zone is put into it:\n%w", errs)
	}
	var text []byte
	outcome := AddedAccount
	if isEmpty {
		text = append(withLineBreak(data), newDocument(name, account, zone)...)
	} else {
		var c change
		if c, outcome = changeFor(root, account, zone); outcome == Unchanged {
			return data, Unchanged, nil
		}
		e := &editor{name: name, data: data, root: root, look: lookOf(root, data)}
		var ok bool
		if text, ok = e.apply(c); !ok {
			return nil, Unchanged, refusal(name, account, zone, c, outcome)
		}
	}
	if _, errs := mapfile.Parse(name, text); len(errs) > 0 {
		return nil, Unchanged, fmt.Errorf("the map would not be legal with zone %q in it:\n%w", zone.name(), errs)
	}
	return text, outcome, nil
}

// change is what a document shall have in addition.
type change struct {
	to      mapfile.Tree // the mapping that gets fields, or the list that gets item
	fields  mapping
	item    mapping
	scalars []scalar
}

// scalar is a value of the document that gets another text.
type scalar struct {
	at    mapfile.Tree
	value any // a string or a bool
}

// changeFor returns what the document lacks of the zone.
func changeFor(root mapfile.Tree, account string, zone Zone) (change, Outcome) {
	accounts := root.Get("accounts")
	for acc := range items(accounts) {
		for entry := range items(acc.Get("zones")) {
			if n, err := fqdn.Parse(entry.Get("name").Text()); err != nil || n != zone.Name {
				continue
			}
			if c := changeOf(entry, zone); len(c.fields)+len(c.scalars) > 0 {
				return c, Changed
			}
			return change{}, Unchanged
		}
	}
	entry := zone.mapping()
	for acc := range items(accounts) {
		if acc.Get("id").Text() != account {
			continue
		}
		if zones := acc.Get("zones"); zones.IsList() {
			return change{to: zones, item: entry}, AddedZone
		}
		return change{to: acc, fields: mapping{{"zones", []mapping{entry}}}}, AddedZone
	}
	if accounts.IsList() {
		return change{to: accounts, item: newAccount(account, zone)}, AddedAccount
	}
	return change{to: root, fields: mapping{{"accounts", []mapping{newAccount(account, zone)}}}}, AddedAccount
}

// changeOf returns what the zone's entry in the document lacks. A default needs no key.
func changeOf(entry mapfile.Tree, zone Zone) change {
	c := change{to: entry}
	if file := entry.Get("zone_file"); file == (mapfile.Tree{}) {
		c.fields = append(c.fields, field{"zone_file", zone.ZoneFile})
	} else if file.Text() != zone.ZoneFile {
		c.scalars = append(c.scalars, scalar{file, zone.ZoneFile})
	}
	def := entry.Get("proxied_default")
	switch is := strings.EqualFold(def.Text(), "true"); {
	case is == zone.ProxiedDefault:
	case def == (mapfile.Tree{}):
		c.fields = append(c.fields, field{"proxied_default", zone.ProxiedDefault})
	default:
		c.scalars = append(c.scalars, scalar{def, zone.ProxiedDefault})
	}
	return c
}

// refusal is the error about a change for which there is no place, with what a person
// has to write.
func refusal(name, account string, zone Zone, c change, outcome Outcome) error {
	where, what := fmt.Sprintf(`under "zones" of account %q`, account), zone.String()
	switch outcome {
	case Changed:
		where = fmt.Sprintf("at its entry in line %d", c.to.Line())
	case AddedAccount:
		where, what = `under "accounts"`, flow{}.print(newAccount(account, zone), "")
	}
	return fmt.Errorf("%s: zone %q %w: write it yourself, %s: %s", name, zone.name(), ErrRefused, where, what)
}

// name is the zone's name as people write it.
func (z Zone) name() string {
	if name := strings.TrimSuffix(string(z.Name), "."); name != "" {
		return name
	}
	return "."
}

// String returns the zone's entry in one line of YAML.
func (z Zone) String() string { return flow{}.print(z.mapping(), "") }

func (z Zone) mapping() mapping {
	return mapping{{"name", z.name()}, {"zone_file", z.ZoneFile}, {"proxied_default", z.ProxiedDefault}}
}

func newAccount(id string, zone Zone) mapping {
	return mapping{{"id", id}, {"zones", []mapping{zone.mapping()}}}
}
