package cloudflare

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// relative is the origin of an export's names without their last dot: a label that no
// export has. It tells a name that was relative from one that was absolute, and a name
// below an $ORIGIN of the file from both.
const relative = `\255.`

// cutRelative returns a name of the export without the label of [relative], "" for the
// origin itself, and whether the name had the label.
func cutRelative(name string) (string, bool) {
	if name == relative {
		return "", true
	}
	return strings.CutSuffix(name, "."+relative)
}

// resolveNames makes the names of all records absolute, as they are meant at Cloudflare.
// Owners come first: an owner that exists is what a relative name in RDATA means.
func (c *zoneConverter) resolveNames(records []*Record) {
	owners := fqdn.NewSet()
	undotted := false // the record above belongs to an SOA without its last dot, below an $ORIGIN
	for _, r := range records {
		h := r.RR.Header()
		name := h.Name
		r.atOrigin = name == "."
		h.Name = c.absoluteOwner(r, name)
		r.Owner = fqdn.Canonical(h.Name)
		undotted = r.Owner == c.apex+c.apex && (h.Rrtype == dns.TypeSOA || undotted && r.inheritsOwner)
		if undotted {
			h.Name, r.Owner = string(c.apex), c.apex
			r.noteOwnerDot()
		}
		owners[r.Owner] = struct{}{}
	}
	for _, r := range records {
		eachName(r.RR, func(name string) string { return c.absoluteTarget(r, name, owners) })
		if r.Owner.In(c.apex + c.apex) {
			r.note(Change{Kind: Review, Text: typeOf(r) + ": the name has the zone's name twice",
				Remedy: "write its last dot if it was forgotten", Group: "names have the zone's name twice"})
		}
	}
}

// absoluteOwner returns the absolute form of an owner.
func (c *zoneConverter) absoluteOwner(r *Record, name string) string {
	rel, isRelative := cutRelative(name)
	switch {
	case name == ".", isRelative && rel == "":
		return string(c.apex) // "@", below "$ORIGIN ." or no $ORIGIN at all
	case !isRelative:
		return r.aLabels(name)
	}
	absolute := r.aLabels(rel + ".")
	if !fqdn.Canonical(absolute).In(c.apex) {
		return absolute + strings.TrimPrefix(string(c.apex), ".")
	}
	r.noteOwnerDot()
	return absolute
}

func (r *Record) noteOwnerDot() {
	r.note(Change{Kind: Changed, Text: typeOf(r) + ": the owner got its last dot", Group: "owners got their last dot"})
}

// absoluteTarget returns the absolute form of a name in RDATA. Cloudflare writes absolute
// names there, with the last dot or without. A relative name was written by somebody
// else, and has one label or is the name of an owner.
func (c *zoneConverter) absoluteTarget(r *Record, name string, owners fqdn.Set) string {
	rel, isRelative := cutRelative(name)
	switch {
	case isRelative && rel == "":
		return string(c.apex)
	case !isRelative:
		return r.aLabels(name)
	}
	absolute := r.aLabels(rel + ".")
	inZone := absolute + strings.TrimPrefix(string(c.apex), ".")
	_, isOwner := owners[fqdn.Canonical(inZone)]
	n := fqdn.Canonical(absolute)
	if n.In(c.apex) || dns.CountLabel(absolute) > 1 && !isOwner {
		r.note(Change{Kind: Changed, Text: fmt.Sprintf("%s: the name %s got its last dot", typeOf(r), n), Group: "names in records got their last dot"})
		return absolute
	}
	return inZone
}

// aLabels returns a name with A-labels in the place of Unicode (RFC 5891).
func (r *Record) aLabels(name string) string {
	if !strings.ContainsFunc(name, func(x rune) bool { return x >= 0x80 }) {
		return name
	}
	n, err := fqdn.Parse(name)
	if err != nil {
		r.note(Change{Kind: Review, Text: fmt.Sprintf("%s: %s is no internationalized domain name, and is served octet for octet", typeOf(r), fqdn.Canonical(name)),
			Remedy: "write its A-label (xn--…)", Group: "names are no internationalized domain names"})
		return name
	}
	r.note(Change{Kind: Changed, Text: fmt.Sprintf("%s: Unicode became %s", typeOf(r), n), Group: "names in Unicode became A-labels"})
	return string(n)
}

// eachName replaces every name in the RDATA of a record.
func eachName(rr dns.RR, replace func(string) string) {
	eachNameIn(reflect.ValueOf(rr).Elem(), replace)
}

// eachNameIn goes by the tags of the library's structs, which say how a field is sent.
func eachNameIn(v reflect.Value, replace func(string) string) {
	for i := range v.NumField() {
		field, f := v.Type().Field(i), v.Field(i)
		tag := field.Tag.Get("dns")
		isName := tag == "domain-name" || tag == "cdomain-name" || tag == "ipsechost" || tag == "amtrelayhost"
		switch {
		case field.Anonymous: // the SVCB of an HTTPS record
			eachNameIn(f, replace)
		case isName && f.Kind() == reflect.String && f.Len() > 0:
			f.SetString(replace(f.String()))
		case isName && f.Kind() == reflect.Slice:
			for j := range f.Len() {
				f.Index(j).SetString(replace(f.Index(j).String()))
			}
		}
	}
}
