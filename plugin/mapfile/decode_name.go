package mapfile

import (
	"errors"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// maxNameText is longer than the longest spelling of a legal name, with escapes and
// Unicode.
const maxNameText = 4096

// ownerName reads s, which stands at n, as an owner name in zone, or as an absolute
// name if zone is empty.
func (d *decoder) ownerName(n *node, s string, zone fqdn.Name) (fqdn.Name, bool) {
	if zone == "" && s == "@" {
		d.refuse(n.pos, "V3", "write the full name", `"@" means a zone's own name, and has no meaning here`)
		return "", false
	}
	var name fqdn.Name
	err := fqdn.ErrNameLong
	switch {
	case len(s) > maxNameText:
	case zone == "":
		name, err = fqdn.Parse(s)
	default:
		name, err = fqdn.ParseIn(s, zone)
	}
	if err == nil {
		return name, true
	}
	if errors.Is(err, fqdn.ErrOutside) {
		d.refuse(n.pos, "V3", "move it to the zone it belongs to, or leave out the last dot of a relative name", "name %s lies outside its zone %q", quoted(s), zone)
		return "", false
	}
	for _, bad := range badNames {
		if errors.Is(err, bad.err) {
			d.refuse(n.pos, "V3", bad.remedy, "%s is no domain name: %s", quoted(s), bad.text)
			return "", false
		}
	}
	d.refuse(n.pos, "V3", "write a domain name", "%s is no domain name", quoted(s))
	return "", false
}

// badNames has the text and the remedy for each error of package fqdn; the text does
// not repeat the name.
var badNames = []struct {
	err          error
	text, remedy string
}{
	{fqdn.ErrLabelEmpty, "a label is empty", "take out the dot at the start, or one of two dots in a row"},
	{fqdn.ErrLabelLong, "a label is longer than 63 octets", "shorten the label"},
	{fqdn.ErrNameLong, "with its zone it is longer than 255 octets", "shorten it"},
	{fqdn.ErrEscape, `a backslash is not followed by three digits up to 255, or by another character`, `write \\ for a backslash`},
	{fqdn.ErrBlank, "it begins or ends with a blank", `take the blank out, or write it as \032`},
	{fqdn.ErrUnicode, "no internationalized name is written so", "write it in ASCII (xn--…), or correct it"},
}

// hasWildcard reports whether any label of n is the asterisk label.
func hasWildcard(n fqdn.Name) bool { return n.IsWildcard() || !onlyLeftmost(n) }

// onlyLeftmost reports whether no label of n but the first is the asterisk
// label.
func onlyLeftmost(n fqdn.Name) bool {
	if !strings.Contains(string(n), ".*.") {
		return true // Nearly every name.
	}
	for n, ok := n.Parent(); ok; n, ok = n.Parent() {
		if n.IsWildcard() {
			return false
		}
	}
	return true
}
