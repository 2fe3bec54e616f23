package fetch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const token = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"

// A world is what the API of a test knows. It pages as the API does: page and per_page,
// with totals in result_info, the latter only if a page is asked for.
type world struct {
	mu       sync.Mutex
	lists    map[string][]any // :: path → objects
	objects  map[string]any   // :: path → object
	mostPer  int              // objects on a page, whatever is asked for
	requests []string
	// before may answer a request, and reports whether it has. n counts from 1.
	before func(n int, w http.ResponseWriter, r *http.Request) bool
}

// newWorld returns an account with zones of some records each, a map, and a prefix.
func newWorld(zones, recordsEach int) *world {
	w := &world{mostPer: 2, lists: make(map[string][]any), objects: make(map[string]any)}
	for z := range zones {
		id := fmt.Sprintf("zone%d", z)
		name := fmt.Sprintf("z%d.example", z)
		w.lists["/zones"] = append(w.lists["/zones"], map[string]any{"id": id, "name": name, "account": map[string]any{"id": "acme", "name": "Acme"}})
		for r := range recordsEach {
			path := "/zones/" + id + "/dns_records"
			w.lists[path] = append(w.lists[path], map[string]any{"id": fmt.Sprintf("%s-%d", id, r), "name": fmt.Sprintf("w%d.%s", r, name), "type": "A", "content": "198.51.100.1", "proxied": true, "ttl": 1})
		}
	}
	const base = "/accounts/acme/addressing"
	w.lists[base+"/address_maps"] = []any{map[string]any{"id": "m1", "can_delete": true, "can_modify_ips": true, "enabled": true}}
	w.objects[base+"/address_maps/m1"] = map[string]any{"id": "m1", "can_delete": true, "can_modify_ips": true, "enabled": true,
		"ips": []any{map[string]any{"ip": "203.0.113.1"}}, "memberships": []any{map[string]any{"kind": "account", "identifier": "acme"}}}
	w.lists[base+"/prefixes"] = []any{map[string]any{"id": "p1", "account_id": "acme", "cidr": "203.0.113.0/24", "approved": "V"}}
	w.lists[base+"/prefixes/p1/bgp/prefixes"] = []any{map[string]any{"id": "b1", "cidr": "203.0.113.0/24", "on_demand": map[string]any{"advertised": true}}}
	return w
}

// wholeRequests is how many requests a world of zones takes.
func wholeRequests(zones, recordsEach, per int) int {
	pages := func(n int) int { return max(1, (n+per-1)/per) }
	const account = 5 // maps, m1, prefixes, delegations, BGP prefixes
	return pages(zones) + zones*(pages(recordsEach)+1) + account
}

// start serves the world, and returns the options of a fetch from it.
func (w *world) start(t *testing.T) Options {
	t.Helper()
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return Options{API: server.URL + "/client/v4", Token: token, pause: time.Millisecond, limit: 1e9}
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.requests = append(w.requests, r.URL.RequestURI())
	n, before := len(w.requests), w.before
	w.mu.Unlock()
	if before != nil && before(n, rw, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		refuse(rw, http.StatusForbidden, 9109, "Invalid access token")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/client/v4")
	if object := w.objects[path]; ok && object != nil {
		answer(rw, map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": object})
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answerList(rw, r, path)
}

func (w *world) answerList(rw http.ResponseWriter, r *http.Request, path string) {
	list := w.lists[path]
	if id := r.URL.Query().Get("account.id"); id != "" {
		list = slices.DeleteFunc(slices.Clone(list), func(z any) bool { return z.(map[string]any)["account"].(map[string]any)["id"] != id })
	}
	per := w.mostPer
	if asked, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil {
		per = min(asked, per)
	}
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		page = 1
	}
	part := list[min((page-1)*per, len(list)):min(page*per, len(list))]
	if part == nil {
		part = []any{}
	}
	response := map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": part}
	if r.URL.Query().Has("page") || strings.HasSuffix(path, "/address_maps") {
		response["result_info"] = map[string]int{"page": page, "per_page": per, "count": len(part), "total_count": len(list), "total_pages": (len(list) + per - 1) / per}
	}
	answer(rw, response)
}

func answer(rw http.ResponseWriter, response any) {
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(response)
}

func refuse(rw http.ResponseWriter, status, code int, message string) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(map[string]any{"success": false, "errors": []any{map[string]any{"code": code, "message": message}}, "messages": []any{}, "result": nil})
}

// count returns the number of requests so far.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.requests)
}

func output(t *testing.T) string { return filepath.Join(t.TempDir(), "account.jsonl") }
