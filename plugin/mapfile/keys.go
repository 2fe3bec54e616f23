package mapfile

import (
	"fmt"
	"slices"
	"strings"
)

// keySet is the keys that one kind of mapping may have.
type keySet struct {
	what string   // with its article: "an account"
	keys []string // at most maxKeys, in the order an error lists them
}

const maxKeys = 12

// The mappings of a map document. The schema says the same; a test compares.
var (
	documentKeys   = keySet{"the document", []string{"version", "anycast", "accounts"}}
	accountKeys    = keySet{"an account", []string{"id", "name", "byoip_only", "prefixes", "delegated_prefixes", "static_ips", "zones", "address_maps", "spectrum_apps"}}
	prefixKeys     = keySet{"a prefix", []string{"cidr", "advertised"}}
	zoneKeys       = keySet{"a zone", []string{"name", "id", "ipv6", "proxied", "zone_file", "proxied_default"}}
	markKeys       = keySet{"a proxied name", []string{"name", "ipv4_only", "ipv6_only", "proxied"}}
	addressMapKeys = keySet{"an address map", []string{"id", "description", "enabled", "default_sni", "can_delete", "can_modify_ips", "ips", "memberships", "created_at", "modified_at"}}
	ipKeys         = keySet{"an address", []string{"ip", "created_at"}}
	memberKeys     = keySet{"a membership", []string{"kind", "identifier", "can_delete", "created_at"}}
	spectrumKeys   = keySet{"a Spectrum application", []string{"dns", "edge_ips"}}
	dnsKeys        = keySet{`"dns"`, []string{"name", "type"}}
	edgeKeys       = keySet{`"edge_ips"`, []string{"type", "connectivity", "ips"}}
)

// object is a mapping of which every key is known and none stands twice.
type object struct {
	n    *node
	set  *keySet
	vals [maxKeys]int32 // index in n.kids of the value of each key; 0 if absent
}

// get returns the value of key, or nil if it is absent.
func (o *object) get(key string) *node {
	if i := o.vals[slices.Index(o.set.keys, key)]; i > 0 {
		return &o.n.kids[i]
	}
	return nil
}

// nullable is get for a key of which null means the same as nothing.
func (o *object) nullable(key string) *node {
	if n := o.get(key); n != nil && n.kind != kindNull {
		return n
	}
	return nil
}

// keyPos is where the key itself stands, or the mapping if it is absent.
func (o *object) keyPos(key string) Pos {
	if i := o.vals[slices.Index(o.set.keys, key)]; i > 0 {
		return o.n.kids[i-1].pos
	}
	return o.n.pos
}

// object reads n as a mapping with the keys of set, and complains of all others.
// It reports false if n is no mapping.
func (d *decoder) object(n *node, set *keySet) (object, bool) {
	before := d.count()
	defer func() { d.lost = d.lost || d.count() > before && leadsToZones(set) }()
	o := object{n: n, set: set}
	if n.kind != kindMap {
		d.refuse(n.pos, "V1", "write its keys: "+strings.Join(set.keys, ", "), "%s must be a mapping, not %s", set.what, n.kind)
		return o, false
	}
	for i := 0; i+1 < len(n.kids); i += 2 {
		key := &n.kids[i]
		k := slices.Index(set.keys, key.text)
		switch {
		case key.kind == kindList || key.kind == kindMap || key.kind == kindOther:
			d.refuse(key.pos, "V1", "write one of: "+strings.Join(set.keys, ", "), "a key of %s must be text, not %s", set.what, key.kind)
		case k < 0:
			d.refuseKey(key, set)
		case o.vals[k] > 0:
			d.refuse(key.pos, "V1", "keep one of the two", "key %s stands twice in %s, first in line %d", quoted(key.text), set.what, n.kids[o.vals[k]-1].pos.Line)
		default:
			o.vals[k] = int32(i + 1)
		}
	}
	return o, true
}

// leadsToZones reports whether zones stand in mappings with these keys, or are made of
// them: what is wrong with a key there may hide one.
func leadsToZones(set *keySet) bool {
	return set == &documentKeys || set == &accountKeys || set == &zoneKeys
}

// refuseKey complains about an unknown key and names the one that may be meant.
func (d *decoder) refuseKey(key *node, set *keySet) {
	if d.full() {
		d.more++
		return
	}
	remedy := "known here: " + strings.Join(set.keys, ", ")
	if key.text == "<<" {
		remedy = "write the keys out: merge keys are not supported"
	} else if near := nearest(key.text, set.keys); near != "" {
		remedy = fmt.Sprintf("did you mean %q? (known here: %s)", near, strings.Join(set.keys, ", "))
	}
	d.refuse(key.pos, "V1", remedy, "unknown key %s in %s", quoted(key.text), set.what)
}

// nearest returns the word that s is a likely misspelling of, or "".
func nearest(s string, words []string) string {
	const longest = 40 // Nothing longer comes near a key.
	if len(s) > longest {
		return ""
	}
	plain := strings.NewReplacer("-", "", "_", "", " ", "")
	s = plain.Replace(strings.ToLower(s))
	best, at := "", len(s)+1 // Twice the distance: more than half of it wrong is another word.
	for _, w := range words {
		p := plain.Replace(strings.ToLower(w))
		n := 2 * distance(s, p)
		if n > 0 && len(s) > 1 && (strings.HasPrefix(p, s) || strings.HasPrefix(s, p)) {
			n = 1 // An abbreviation, or a plural, is nearer than any misspelling.
		}
		if n < at {
			best, at = w, n
		}
	}
	return best
}

// distance counts the characters to insert, delete, replace or swap with the
// next one to make b of a (Damerau and Levenshtein's, without overlaps).
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, row, before}
	}
	return rows[1][len(b)]
}
