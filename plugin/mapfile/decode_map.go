package mapfile

import (
	"fmt"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/nearest"
)

// addressMaps reads the address maps of a.
func (d *decoder) addressMaps(a *Account, n *node) {
	if n != nil && d.envelope(n) {
		return
	}
	items := d.list(n, "address_maps")
	if len(items) == 0 {
		return
	}
	a.Maps = make([]AddressMap, 0, len(items))
	for i := range items {
		if d.envelope(&items[i]) {
			continue
		}
		if o, ok := d.object(&items[i], &addressMapKeys); ok {
			a.Maps = append(a.Maps, d.addressMap(&o, fmt.Sprintf("%s/%d", a.ID, i)))
		}
	}
}

// addressMap reads one address map; id is its id if the document gives none.
func (d *decoder) addressMap(o *object, id string) AddressMap {
	m := AddressMap{ID: id, Pos: o.node.pos}
	if n := o.get("id"); n != nil {
		m.Pos = n.pos
		if s, ok := d.text(n, "id"); ok {
			m.ID = s
		}
	}
	m.Description = d.optionalText(o.getNonNull("description"), "description")
	m.DefaultSNI = d.optionalText(o.getNonNull("default_sni"), "default_sni")
	m.Enabled = d.flag(o.getNonNull("enabled"), "enabled", false)
	m.CanDelete = d.flag(o.get("can_delete"), "can_delete", true)
	m.CanModifyIPs = d.flag(o.get("can_modify_ips"), "can_modify_ips", true)
	for _, key := range []string{"created_at", "modified_at"} {
		if n := o.get(key); n != nil {
			d.text(n, key)
		}
	}
	if o.get("ips") == nil && o.get("memberships") == nil {
		d.refuse(m.Pos, "V13", fetchEach, `address map %s has neither "ips" nor "memberships": the API's list of address maps leaves both out`, quoted(m.ID))
		m.IPsInvalid, m.MembersInvalid = true, true
		return m
	}
	before := d.errorCount()
	m.IPs = d.answerAddrs(o.get("ips"), "ips", true)
	m.IPsInvalid = d.errorCount() > before
	before = d.errorCount()
	m.Members = d.members(o.get("memberships"))
	m.MembersInvalid = d.errorCount() > before
	return m
}

// members reads the memberships of an address map.
func (d *decoder) members(n *node) []Member {
	items := d.list(n, "memberships")
	out := make([]Member, 0, len(items))
	for i := range items {
		o, ok := d.object(&items[i], &memberKeys)
		if !ok {
			continue
		}
		d.flag(o.get("can_delete"), "can_delete", true)
		if at := o.get("created_at"); at != nil {
			d.text(at, "created_at")
		}
		kind, kindOK := d.choice(d.required(&o, "kind"), "V1", "kind", "zone", "account", "name")
		identifier := d.required(&o, "identifier")
		if identifier == nil {
			continue
		}
		s, ok := d.text(identifier, "identifier")
		m := Member{Kind: MemberZone + MemberKind(kind), Identifier: s, Pos: identifier.pos}
		if ok && kindOK && m.Kind == MemberName {
			m.Name, ok = d.memberName(identifier, s)
		}
		if ok && kindOK {
			out = append(out, m)
		}
	}
	return out
}

// memberName reads s, which stands at n, as a name or wildcard that an address map is for.
func (d *decoder) memberName(n *node, s string) (fqdn.Name, bool) {
	name, ok := d.ownerName(n, s, "")
	if ok && !onlyLeftmost(name) {
		d.refuse(n.pos, "V3", `write "*" as the first label only, as in "*.shop.example.org"`, "wildcard in %s is not the leftmost label", quoted(s))
		return "", false
	}
	return name, ok
}

// choice reads n as one of the words and returns the index of the word. A nil n was
// refused before.
func (d *decoder) choice(n *node, rule, key string, words ...string) (int, bool) {
	if n == nil {
		return 0, false
	}
	s, ok := d.text(n, key)
	if !ok {
		return 0, false
	}
	for i, w := range words {
		if s == w {
			return i, true
		}
	}
	remedy := "write " + strings.Join(words, " or ")
	if near := nearest.Word(s, words); near != "" {
		remedy = fmt.Sprintf("did you mean %q? (known here: %s)", near, strings.Join(words, ", "))
	}
	d.refuse(n.pos, rule, remedy, "unknown %s %s", key, quoted(s))
	return 0, false
}

// The text of the error about the API's list of address maps, and its remedy.
const (
	apiList   = `this is the API's list of address maps, which leaves out their "ips" and "memberships"`
	fetchEach = `fetch each map by its id (GET …/addressing/address_maps/{id}) and paste what it prints as "result" under "address_maps" of an account`
)

// listResponse recognises a response of the API, with its envelope or as a list without
// it, in the place of a document. It refuses the response and reports true.
func (d *decoder) listResponse(root *node) bool {
	if d.envelope(root) {
		return true
	}
	if root.kind != kindList || len(root.children) == 0 {
		return false
	}
	first := &root.children[0]
	if first.kind != kindMap || !first.has("id") || !first.has("can_modify_ips") {
		return false
	}
	if first.has("ips") || first.has("memberships") {
		d.refuse(root.pos, "V1", `write them under "address_maps" of an account`, "a list of address maps is no map document")
	} else {
		d.refuse(root.pos, "V13", fetchEach, apiList)
	}
	return true
}

// envelope recognises a response of the API with its envelope, {"result": …}. It
// refuses the response and reports true.
func (d *decoder) envelope(n *node) bool {
	if n.kind != kindMap {
		return false
	}
	key, result := n.lookup("result")
	if key == nil {
		return false
	}
	if result.kind == kindList {
		d.refuse(key.pos, "V13", fetchEach, apiList)
	} else {
		d.refuse(key.pos, "V13", `paste only what stands under "result", as an entry of "address_maps" of an account`, "this is a response of the API with its envelope")
	}
	return true
}
