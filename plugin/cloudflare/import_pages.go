package cloudflare

import (
	"cmp"
	"fmt"
)

// anew is the remedy for a list that is not whole.
const anew = `fetch the list anew, best with "addressmap fetch"`

// judgeAnswer adds a change for each sign in one response that more belongs to its list.
func (a *assembly) judgeAnswer(ans *answer) {
	if ans.refused {
		return
	}
	at := a.placeOf(ans)
	if ans.call.filter != "" && ans.call.page > 0 {
		a.addLost(at, fmt.Sprintf("the request has the filter %s, and its list may leave objects out", ans.call.filter), "fetch the list without it", "lists were asked for with a filter")
	}
	if ans.info == nil {
		return
	}
	if n := ans.info.Count; n != nil && *n != ans.given {
		a.addLost(at, fmt.Sprintf("the count in its result_info is %d, and its result has %d", *n, ans.given), anew, "responses have another number of objects than they count")
	}
	if ans.info.Cursor != "" || ans.info.Cursors.After != "" {
		a.addLost(at, "its result_info has a cursor: more follows, and nothing tells that it is here", anew, "responses have a cursor: more follows")
	}
}

// missingWithoutTotal says what is missing of a list whose length nothing tells, "" if
// nothing shows that anything is.
func (l *pageList) missingWithoutTotal() string {
	here := make(map[int]bool)
	last, total := 0, 0
	for _, ans := range l.answers {
		page := ans.page()
		here[page] = true
		last = max(last, page)
		if ans.info != nil {
			total = max(total, ans.info.TotalPages)
		}
	}
	for p := 1; p <= max(last, total); p++ {
		switch {
		case here[p]:
		case p < last:
			return fmt.Sprintf("page %d is here, and nothing tells that page %d of its list is", last, p)
		default:
			return fmt.Sprintf("page %d of %d is missing", p, total)
		}
	}
	for _, ans := range l.answers {
		if i := ans.info; i != nil && total == 0 && ans.page() == last && i.PerPage > 0 && ans.given >= i.PerPage {
			return fmt.Sprintf("page %d is full, with %d of %d %s, and nothing tells that no other follows", last, ans.given, i.PerPage, l.id.kind.plural())
		}
	}
	return ""
}

// page returns which page of its list an answer is, from 1.
func (ans *answer) page() int {
	page := ans.call.page
	if ans.info != nil {
		page = cmp.Or(ans.info.Page, page)
	}
	return max(page, 1)
}
