package mapfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/nearest"
)

// keySet has the keys of one kind of mapping.
type keySet struct {
	subject string   // with its article: "an account"
	keys    []string // at most maxKeys, in the order an error lists them
}

const maxKeys = 12

// The mappings of a map document. The schema says the same; a test compares.
var (
	documentKeys   = keySet{"the document", []string{"version", "anycast", "sites", "accounts"}}
	siteKeys       = keySet{"a site", []string{"anycast"}}
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

// isKey reports whether any mapping of a document has the key.
func isKey(word string) bool {
	for _, set := range []*keySet{&documentKeys, &siteKeys, &accountKeys, &prefixKeys, &zoneKeys, &markKeys, &addressMapKeys, &ipKeys, &memberKeys, &spectrumKeys, &dnsKeys, &edgeKeys} {
		if slices.Contains(set.keys, word) {
			return true
		}
	}
	return false
}

// object is a mapping with the known keys only, each once. The value of a misspelled key
// counts as that of the key that is meant: that the key is absent is no second mistake.
type object struct {
	node   *node
	keys   *keySet
	values [maxKeys]int32 // index in n.kids of the value of each key; 0 if absent
}

// get returns the value of key, or nil if it is absent.
func (o *object) get(key string) *node {
	if i := o.values[slices.Index(o.keys.keys, key)]; i > 0 {
		return &o.node.children[i]
	}
	return nil
}

// getNonNull is get for a key whose value null means the same as no value.
func (o *object) getNonNull(key string) *node {
	if n := o.get(key); n != nil && n.kind != kindNull {
		return n
	}
	return nil
}

// keyPos is the place of the key, or of the mapping if the key is absent.
func (o *object) keyPos(key string) Pos {
	if i := o.values[slices.Index(o.keys.keys, key)]; i > 0 {
		return o.node.children[i-1].pos
	}
	return o.node.pos
}

// object reads n as a mapping with the given keys, and refuses all other keys. It
// reports false if n is no mapping.
func (d *decoder) object(n *node, keys *keySet) (object, bool) {
	before := d.errorCount()
	defer func() { d.zonesLost = d.zonesLost || d.errorCount() > before && holdsZones(keys) }()
	o := object{node: n, keys: keys}
	if n.kind != kindMap {
		remedy := "write its keys: " + strings.Join(keys.keys, ", ")
		if word, _, _ := strings.Cut(n.text, " "); slices.Contains(keys.keys, strings.TrimSuffix(word, ":")) {
			remedy = fmt.Sprintf("write a colon and a space after the key %q", strings.TrimSuffix(word, ":"))
		}
		d.refuse(n.pos, "V1", remedy, "%s must be a mapping, not %s", keys.subject, n.kind)
		return o, false
	}
	var meant [maxKeys]int32 // as o.values, of misspelled keys
	for i := 0; i+1 < len(n.children); i += 2 {
		key := &n.children[i]
		k := slices.Index(keys.keys, key.text)
		switch {
		case key.kind == kindList || key.kind == kindMap || key.kind == kindOther:
			d.refuse(key.pos, "V1", "write one of: "+strings.Join(keys.keys, ", "), "a key of %s must be text, not %s", keys.subject, key.kind)
		case k < 0:
			if m := slices.Index(keys.keys, d.refuseKey(key, keys)); m >= 0 {
				meant[m] = int32(i + 1)
			}
		case o.values[k] > 0:
			d.refuse(key.pos, "V1", "keep one of the two", "key %s stands twice in %s, first in line %d", quoted(key.text), keys.subject, n.children[o.values[k]-1].pos.Line)
		default:
			o.values[k] = int32(i + 1)
		}
	}
	for k, i := range meant {
		if o.values[k] == 0 {
			o.values[k] = i
		}
	}
	return o, true
}

// holdsZones reports whether mappings with these keys are zones or have zones in them:
// an error in such a mapping may hide a zone.
func holdsZones(keys *keySet) bool {
	return keys == &documentKeys || keys == &accountKeys || keys == &zoneKeys
}

// refuseKey refuses an unknown key, and returns the known key that may be meant, or "".
func (d *decoder) refuseKey(key *node, keys *keySet) (meant string) {
	if d.isFull() {
		d.unlisted++
		return ""
	}
	remedy := "known here: " + strings.Join(keys.keys, ", ")
	if key.text == "<<" {
		remedy = "write the keys out: merge keys are not supported"
	} else if word, value, cut := strings.Cut(key.text, " "); cut && slices.Contains(keys.keys, word) {
		remedy = fmt.Sprintf("write a colon after the key: %s: %s", word, quoted(value))
	} else if meant = nearest.Word(key.text, keys.keys); meant != "" {
		remedy = fmt.Sprintf("did you mean %q? (known here: %s)", meant, strings.Join(keys.keys, ", "))
	}
	d.refuse(key.pos, "V1", remedy, "unknown key %s in %s", quoted(key.text), keys.subject)
	return meant
}
