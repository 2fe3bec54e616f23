package cloudflare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// listID is what the pages of one list have in common. Two lists of one kind and parent
// with another total were fetched at different times.
type listID struct {
	kind   objectKind
	parent string
	total  int
}

// pageList is the pages of one list that are here.
type pageList struct {
	id      listID
	label   string
	answers []*answer
}

// judgeLists adds a change for each list of which anything is missing, or of which
// nothing tells whether anything is, and for each zone whose records were never given.
func (a *assembly) judgeLists() {
	var lists []*pageList
	byID := make(map[listID]*pageList)
	put := func(id listID, label string, ans *answer) {
		l := byID[id]
		if l == nil {
			l = &pageList{id: id, label: label}
			byID[id] = l
			lists = append(lists, l)
		}
		l.answers = append(l.answers, ans)
	}
	for n, ans := range a.answers {
		kind := ans.kind()
		a.judgeAnswer(ans)
		switch {
		case ans.refused || ans.call.request != "" && ans.call.page == 0:
		case kind == "":
			if ans.info != nil && ans.info.Total > 0 && ans.info.Page <= ans.info.TotalPages {
				a.addLost(ans.file, fmt.Sprintf("page %d of %d is empty, and its list has %d", ans.info.Page, ans.info.TotalPages, ans.info.Total), again, "pages are empty")
			}
		default:
			parent, label := a.parentOf(ans, kind)
			total := 0
			if ans.info != nil {
				total = ans.info.Total
			}
			if parent == "" && ans.info != nil && ans.info.TotalPages <= 1 {
				parent = fmt.Sprintf("response %d", n) // no other response is of this list
			}
			put(listID{kind, parent, total}, label, ans)
		}
	}
	for _, l := range lists {
		// A list of zones can be one of all accounts, though a page has zones of one.
		if l.id.kind == zoneKind && l.id.parent != "" && l.answers[0].call.list == "" && l.id.total > 0 && l.missing() != "" {
			for _, ans := range l.answers {
				put(listID{zoneKind, "", l.id.total}, "zones", ans)
			}
			l.answers = nil
		}
	}
	a.addMissing(lists)
	a.addZonesWithoutRecords()
}

// addMissing adds a change for each list that is not complete.
func (a *assembly) addMissing(lists []*pageList) {
	counted := make(map[listID]bool) // kinds and parents with a list that says how long it is
	for _, l := range lists {
		if l.id.total > 0 {
			counted[listID{kind: l.id.kind, parent: l.id.parent}] = true
		}
	}
	for _, l := range lists {
		if l.id.total > 0 {
			if what := l.missing(); what != "" && len(l.answers) > 0 {
				a.addLost(l.label, what, anew, "lists of "+l.id.kind.plural()+" are not whole")
			}
			continue
		}
		if what := l.missingWithoutTotal(); what != "" {
			a.addLost(l.label, what, anew, "lists of "+l.id.kind.plural()+" are not whole")
			continue
		}
		count := len(l.ids())
		// The API answers a list of Spectrum applications whole if no page is asked for.
		paged := l.id.kind == zoneKind || l.id.kind == recordKind
		if paged && count > 0 && !counted[listID{kind: l.id.kind, parent: l.id.parent}] {
			lacking, remedy := "result_info", "give the responses whole, in their envelopes"
			if l.answers[0].info != nil {
				lacking, remedy = "total_count", anew
			}
			a.changes = append(a.changes, Change{Kind: Review, Name: l.label,
				Text:   fmt.Sprintf("nothing tells whether all %s are here (%d are), for their response has no %s", l.id.kind.plural(), count, lacking),
				Remedy: remedy, Group: "lists have no " + lacking + ": nothing tells whether they are whole"})
		}
	}
}

// kind returns the kind of the objects of an answer, "" if nothing tells.
func (ans *answer) kind() objectKind {
	if ans.call.kind == "" && len(ans.objects) > 0 {
		return ans.objects[0].kind
	}
	return ans.call.kind
}

// ids returns the distinct objects of the pages.
func (l *pageList) ids() map[string]bool {
	ids := make(map[string]bool)
	for _, ans := range l.answers {
		for _, o := range ans.objects {
			ids[o.id] = true
		}
	}
	return ids
}

// missing says what is missing of a list, "" if all of it is here.
func (l *pageList) missing() string {
	count := len(l.ids())
	absent := l.absentPages()
	switch {
	case absent != "":
		return fmt.Sprintf("%d of %d %s are here, and %s", count, l.id.total, l.id.kind.plural(), absent)
	case count != l.id.total:
		return fmt.Sprintf("%d of %d %s are here, with all pages, for the list changed while it was fetched", count, l.id.total, l.id.kind.plural())
	}
	return ""
}

// absentPages says which pages are not here, "" if all are. The same list may be here
// twice, with pages of another size.
func (l *pageList) absentPages() string {
	here := make(map[int]map[int]bool) // :: number of pages → those that are here
	var sizes []int
	for _, ans := range l.answers {
		if ans.info.TotalPages == 0 {
			return "" // the total alone decides
		}
		if here[ans.info.TotalPages] == nil {
			here[ans.info.TotalPages] = make(map[int]bool)
			sizes = append(sizes, ans.info.TotalPages)
		}
		here[ans.info.TotalPages][max(ans.info.Page, 1)] = true
	}
	text := ""
	for _, total := range sizes {
		var absent []string
		for p := 1; p <= total && len(absent) < 5; p++ {
			if !here[total][p] {
				absent = append(absent, fmt.Sprint(p))
			}
		}
		switch {
		case len(absent) == 0:
			return ""
		case text != "":
		case len(absent) == 1:
			text = fmt.Sprintf("page %s of %d is missing", absent[0], total)
		case len(absent) < 5:
			text = fmt.Sprintf("pages %s of %d are missing", strings.Join(absent, ", "), total)
		default:
			text = fmt.Sprintf("pages %s, … of %d are missing", strings.Join(absent[:4], ", "), total)
		}
	}
	return text
}

// parentOf returns what the list of an answer belongs to, "" if nothing tells, and a
// label for changes.
func (a *assembly) parentOf(ans *answer, kind objectKind) (parent, label string) {
	label = kind.plural()
	switch kind {
	case recordKind, applicationKind:
		if z := a.listZones[ans]; z != nil {
			parent, label = "zone "+z.Name, z.Name
		}
	case zoneKind:
		parent = common(ans.objects, func(z *apiZone) string { return z.Account.ID })
	case prefixKind:
		parent = common(ans.objects, func(p *apiPrefix) string { return p.AccountID })
	case delegationKind:
		parent = common(ans.objects, func(d *apiDelegation) string { return d.ParentPrefixID })
	}
	if ans.call.list != "" {
		return ans.call.list, label
	}
	return parent, label
}

// common returns the value that a field has in all objects, "" if it has several.
func common[T any](objects []object, field func(*T) string) string {
	value := ""
	for n, o := range objects {
		v, ok := o.value.(*T)
		if !ok || n > 0 && field(v) != value {
			return ""
		}
		value = field(v)
	}
	return value
}

// zoneOfAnswer returns the zone whose list a page of records or applications is of: the
// one that was asked for, or the deepest one that encloses all names; nil if there is none.
func (a *assembly) zoneOfAnswer(ans *answer) *docZone {
	if ans.call.list != "" {
		return a.zonesByID[ans.call.parent]
	}
	if z := a.zonesByID[common(ans.objects, func(r *apiRecord) string { return r.ZoneID })]; z != nil {
		return z
	}
	var above fqdn.Name // encloses all names so far
	for _, o := range ans.objects {
		name, err := fqdn.Parse(o.name())
		if err != nil {
			return nil
		}
		if above == "" {
			above = name
		}
		for !name.In(above) {
			above, _ = above.Parent() // the root encloses every name
		}
	}
	return a.zoneOf(above)
}

// name returns the owner name of a record or an application.
func (o object) name() string {
	switch v := o.value.(type) {
	case *apiRecord:
		return v.Name
	case *apiApplication:
		return v.DNS.Name
	}
	return ""
}

// addZonesWithoutRecords adds a change for each zone whose records were never given: all
// its names would be unproxied.
func (a *assembly) addZonesWithoutRecords() {
	if a.withoutRecords() {
		return
	}
	given := make(map[*docZone]bool)
	for _, ans := range a.answers {
		if ans.kind() != recordKind {
			continue
		}
		if ans.call.list != "" {
			given[a.zonesByID[ans.call.parent]] = true
		}
		for _, o := range ans.objects {
			if r, ok := o.value.(*apiRecord); ok {
				given[a.zoneOfRecord(*r, ans)] = true
			}
		}
	}
	for _, acc := range a.doc.Accounts {
		for _, z := range slices.DeleteFunc(slices.Clone(acc.Zones), func(z *docZone) bool { return given[z] }) {
			a.addLost(z.Name, "its DNS records were never given, and none of its names is proxied", "fetch zones/"+z.ID+"/dns_records", "zones are here without their DNS records: none of their names is proxied")
		}
	}
}
