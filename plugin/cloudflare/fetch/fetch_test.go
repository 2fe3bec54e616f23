package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/cloudflare"
)

// document imports a file, and returns the document and the changes, a line each.
func document(t *testing.T, path string) (text, changes string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := cloudflare.NewImport("")
	if err := i.Add("account.jsonl", data); err != nil {
		t.Fatal(err)
	}
	doc, list, err := i.Document()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		changes += fmt.Sprintf("%s %s: %s\n", c.Kind, c.Name, c.Text)
	}
	return string(doc), changes
}

// Everything is there, in as few requests as pages allow, and for the owner alone.
func TestRun(t *testing.T) {
	w := newWorld(3, 5)
	path := output(t)
	var last Progress
	opt := w.start(t)
	opt.Progress = func(p Progress) { last = p }
	got, err := Run(t.Context(), path, opt)
	if err != nil || len(got.Refused) > 0 || len(got.Changing) > 0 || got.Zones != 3 || got.Records != 15 {
		t.Fatalf("want all, got %+v, %v", got, err)
	}
	if want := wholeRequests(3, 5, 2); got.Requests != want || w.count() != want {
		t.Errorf("want %d requests, got %d, and the API %d: %q", want, got.Requests, w.count(), w.requests)
	}
	if last.Known != got.Lists || last.Done != got.Lists-1 {
		t.Errorf("want a progress to the end of %d lists, got %+v", got.Lists, last)
	}
	doc, changes := document(t, path)
	if changes != "" || strings.Count(doc, "    - w") != 15 || !strings.Contains(doc, "- 203.0.113.1\n") || strings.Contains(doc, "static_ips") {
		t.Errorf("want a whole document, got %s\n%s", changes, doc)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("want mode 0600, got %v, %v", info.Mode(), err)
	}
	if data, _ := os.ReadFile(path); strings.Contains(string(data), token) {
		t.Error("the token is in the file")
	}

	// Another run has nothing to ask for.
	again, err := Run(t.Context(), path, opt)
	if err != nil || again.Requests != 0 || again.Lists != got.Lists || again.Oldest.IsZero() {
		t.Errorf("want nothing asked for, got %+v, %v", again, err)
	}
}

// A fetch that is interrupted at any request goes on where it was.
func TestRun_Interrupted(t *testing.T) {
	whole := newWorld(2, 3)
	path := output(t)
	if _, err := Run(t.Context(), path, whole.start(t)); err != nil {
		t.Fatal(err)
	}
	want, _ := document(t, path)
	for at := 1; at <= whole.count(); at++ {
		w := newWorld(2, 3)
		path := output(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.before = func(n int, _ http.ResponseWriter, r *http.Request) bool {
			if n == at {
				cancel()
				<-r.Context().Done()
			}
			return n == at
		}
		opt := w.start(t)
		if _, err := Run(ctx, path, opt); !errors.Is(err, context.Canceled) {
			t.Fatalf("request %d: want it canceled, got %v", at, err)
		}
		if at > 1 {
			if _, changes := document(t, path); !strings.Contains(changes, "lost account.jsonl: the fetch has not ended") {
				t.Errorf("request %d: want a fetch that has not ended, got %s", at, changes)
			}
		}
		if _, err := Run(t.Context(), path, opt); err != nil {
			t.Fatalf("request %d: %v", at, err)
		}
		if got, changes := document(t, path); got != want || changes != "" {
			t.Errorf("request %d: want\n%s\ngot %s\n%s", at, want, changes, got)
		}
		if w.count() != whole.count()+1 {
			t.Errorf("request %d: want one request more than %d, got %d", at, whole.count(), w.count())
		}
	}
}

// A last line that was cut off, as by a full disk, is fetched again.
func TestRun_CutOff(t *testing.T) {
	w := newWorld(2, 3)
	opt := w.start(t)
	path := output(t)
	if _, err := Run(t.Context(), path, opt); err != nil {
		t.Fatal(err)
	}
	want, _ := document(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 0; size < len(data); size += 211 {
		if err := os.WriteFile(path, data[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), path, opt); err != nil {
			t.Fatalf("%d octets: %v", size, err)
		}
		if got, changes := document(t, path); got != want || changes != "" {
			t.Errorf("%d octets: want\n%s\ngot %s\n%s", size, want, changes, got)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Fatalf("want mode 0600 whatever it was, got %v, %v", info.Mode(), err)
		}
	}
}

// What may pass is tried again, after the time that the API asks for, and no less than
// before any other attempt.
func TestRun_TriesAgain(t *testing.T) {
	status := func(status int, header ...string) func(http.ResponseWriter) {
		return func(rw http.ResponseWriter) {
			for i := 0; i+1 < len(header); i += 2 {
				rw.Header().Set(header[i], header[i+1])
			}
			refuse(rw, status, 10100, "More than 1200 requests per 300 seconds reached.")
		}
	}
	for _, tc := range []struct {
		name   string
		answer func(http.ResponseWriter)
		wait   time.Duration // at least
		reason string
	}{
		{"429", status(429), time.Millisecond, "429 Too Many Requests"},
		{"429, Retry-After 1", status(429, "Retry-After", "1"), time.Second, "429 Too Many Requests"},
		{"429, Retry-After 0", status(429, "Retry-After", "0"), time.Millisecond, "429 Too Many Requests"},
		{"503", status(503), time.Millisecond, "503 Service Unavailable"},
		{"520 without JSON", func(rw http.ResponseWriter) { http.Error(rw, "<html>", 520) }, time.Millisecond, "520"},
		{"a page of a hotel", func(rw http.ResponseWriter) { fmt.Fprint(rw, "<html>Welcome") }, time.Millisecond, "the response is no JSON"},
		{"a connection that breaks", func(rw http.ResponseWriter) {
			conn, _, err := rw.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-") // Without an octet, the transport asks again by itself.
			_ = conn.Close()
		}, time.Millisecond, "connection broken"},
		{"a response that is cut off", func(rw http.ResponseWriter) {
			rw.Header().Set("Content-Length", "1000")
			fmt.Fprint(rw, `{"success":true,"result":[`)
		}, time.Millisecond, "unexpected EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(1, 3)
			w.before = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
				if n == 3 {
					tc.answer(rw)
				}
				return n == 3
			}
			opt := w.start(t)
			var waits []Progress
			opt.Progress = func(p Progress) {
				if p.Wait > 0 {
					waits = append(waits, p)
				}
			}
			path := output(t)
			got, err := Run(t.Context(), path, opt)
			if err != nil || got.Requests != wholeRequests(1, 3, 2)+1 {
				t.Fatalf("want one request more, got %+v, %v", got, err)
			}
			if len(waits) != 1 || waits[0].Wait < tc.wait || !strings.Contains(waits[0].Reason, tc.reason) {
				t.Errorf("want a wait of %s for %q, got %+v", tc.wait, tc.reason, waits)
			}
			if _, changes := document(t, path); changes != "" {
				t.Errorf("want all of it, got %s", changes)
			}
		})
	}
}

// Attempts are bounded, and so is the wait that the API can ask for. What is there stays.
func TestRun_GivesUp(t *testing.T) {
	for _, tc := range []struct {
		name     string
		answer   func(http.ResponseWriter)
		requests int
		want     string
	}{
		{"broken", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, mostRepeats + 1, "/zones/zone0/dns_records?per_page=5000&page=1: after 8 attempts: "},
		{"500", func(rw http.ResponseWriter) { rw.WriteHeader(500) }, mostRepeats + 1, "after 8 attempts: status 500 Internal Server Error"},
		{"an hour", func(rw http.ResponseWriter) { rw.Header().Set("Retry-After", "3600"); rw.WriteHeader(429) }, 1, "status 429 Too Many Requests, and no request for 1h0m0s: give the same command again"},
		{"no result", func(rw http.ResponseWriter) { fmt.Fprint(rw, `{"success":true}`) }, 1, "the API's response has no result"},
		{"no list", func(rw http.ResponseWriter) { fmt.Fprint(rw, `{"success":true,"result":{"id":"x"}}`) }, 1, "the result is no list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(1, 3)
			var broken atomic.Bool
			broken.Store(true)
			w.before = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
				if n > 1 && broken.Load() {
					tc.answer(rw)
					return true
				}
				return false
			}
			opt := w.start(t)
			path := output(t)
			got, err := Run(t.Context(), path, opt)
			if err == nil || !strings.Contains(err.Error(), tc.want) || got.Requests != 1+tc.requests {
				t.Fatalf("want %q after %d requests, got %+v, %v", tc.want, 1+tc.requests, got, err)
			}
			if tc.name == "no list" {
				return // It is an answer, and stands in the file: that is for who reads it.
			}
			broken.Store(false)
			if again, err := Run(t.Context(), path, opt); err != nil || again.Requests != wholeRequests(1, 3, 2)-1 {
				t.Errorf("want it to go on after the zones, got %+v, %v", again, err)
			}
		})
	}
}

// A list whose result is null is empty, and an object without one has to be asked for again.
func TestRun_Null(t *testing.T) {
	w := newWorld(2, 3)
	w.before = func(_ int, rw http.ResponseWriter, r *http.Request) bool {
		null := strings.HasSuffix(r.URL.Path, "/zone1/dns_records") || strings.HasSuffix(r.URL.Path, "/delegations")
		if null {
			fmt.Fprint(rw, `{"success":true,"errors":[],"messages":[],"result":null,"result_info":{"page":1,"per_page":100,"count":0,"total_count":0,"total_pages":0}}`)
		}
		return null
	}
	path := output(t)
	opt := w.start(t)
	if got, err := Run(t.Context(), path, opt); err != nil || got.Records != 3 || len(got.Refused)+len(got.Changing) > 0 {
		t.Fatalf("want the lists empty, got %+v, %v", got, err)
	}
	if _, changes := document(t, path); changes != "" {
		t.Errorf("want nothing lost, got %s", changes)
	}
	if again, err := Run(t.Context(), path, opt); err != nil || again.Requests != 0 {
		t.Errorf("want nothing asked for again, got %+v, %v", again, err)
	}
	w.before = func(_ int, rw http.ResponseWriter, r *http.Request) bool {
		null := strings.HasSuffix(r.URL.Path, "/address_maps/m1")
		if null {
			fmt.Fprint(rw, `{"success":true,"result":null}`)
		}
		return null
	}
	path = output(t)
	if _, err := Run(t.Context(), path, opt); !errors.Is(err, errNoResult) {
		t.Errorf("want no result, got %v", err)
	}
	w.before = nil
	if _, err := Run(t.Context(), path, opt); err != nil {
		t.Errorf("want it to go on, got %v", err)
	}
}

// A token that is refused ends the fetch, and leaves no file.
func TestRun_WrongToken(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"400 Invalid request headers (code 6003)": func(rw http.ResponseWriter) { refuse(rw, 400, 6003, "Invalid request headers") },
		`a\x1b[2J\nb (code 1)`:                    func(rw http.ResponseWriter) { refuse(rw, 400, 1, "a\x1b[2J\nb") },
		"Authentication error (code 10000)":       func(rw http.ResponseWriter) { refuse(rw, 401, 10000, "Authentication error") },
		"status 403 Forbidden":                    func(rw http.ResponseWriter) { http.Error(rw, "<html>blocked", http.StatusForbidden) },
		"Invalid access token (code 9109)":        nil,
	} {
		w := newWorld(1, 1)
		w.before = func(_ int, rw http.ResponseWriter, _ *http.Request) bool {
			if answer != nil {
				answer(rw)
			}
			return answer != nil
		}
		opt := w.start(t)
		opt.Token = "another-" + token
		path := output(t)
		got, err := Run(t.Context(), path, opt)
		want := strings.TrimPrefix(name, "400 ")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Zone: Zone Read") || got.Requests != 1 {
			t.Errorf("want %q after one request, got %+v, %v", want, got, err)
		}
		if err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("the token is in the error: %v", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("want no file, got %v", err)
		}
	}
}

// A token that expires during the fetch ends it, and another goes on.
func TestRun_TokenExpires(t *testing.T) {
	w := newWorld(2, 2)
	var expired atomic.Bool
	expired.Store(true)
	w.before = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
		if n > 3 && expired.Load() {
			refuse(rw, 401, 10000, "Authentication error")
			return true
		}
		return false
	}
	opt := w.start(t)
	path := output(t)
	if got, err := Run(t.Context(), path, opt); err == nil || !strings.Contains(err.Error(), "give a token that has not expired") || got.Requests != 4 {
		t.Fatalf("want an end, got %+v, %v", got, err)
	}
	expired.Store(false)
	if got, err := Run(t.Context(), path, opt); err != nil || got.Requests != wholeRequests(2, 2, 2)-3 {
		t.Errorf("want it to go on, got %+v, %v", got, err)
	}
}

// A list that the API refuses is named with the right, and asked for again. If all lists
// of a right are refused, the fetch ends early.
func TestRun_Refused(t *testing.T) {
	w := newWorld(2, 2)
	var refused atomic.Pointer[string]
	deny := func(suffix string) { refused.Store(&suffix) }
	w.before = func(_ int, rw http.ResponseWriter, r *http.Request) bool {
		if s := *refused.Load(); s != "" && strings.Contains(r.URL.Path, s) {
			refuse(rw, 403, 10000, "Authentication error")
			return true
		}
		return false
	}
	opt := w.start(t)
	path := output(t)
	deny("/zone1/dns_records")
	got, err := Run(t.Context(), path, opt)
	want := Refusal{"/zones/zone1/dns_records?per_page=5000&page=1", "Authentication error (code 10000)", "Zone: DNS Read"}
	if err != nil || !slices.Equal(got.Refused, []Refusal{want}) {
		t.Fatalf("want %+v, got %+v, %v", want, got, err)
	}
	if _, changes := document(t, path); !strings.HasPrefix(changes, "lost "+want.Path+": the API refused the request: [Authentication error (code 10000)]") || strings.Count(changes, "lost") != 1 {
		t.Errorf("want one list lost, got %s", changes)
	}
	deny("")
	if again, err := Run(t.Context(), path, opt); err != nil || again.Requests != 1 || len(again.Refused) != 0 {
		t.Errorf("want the refused list alone, got %+v, %v", again, err)
	}
	if _, changes := document(t, path); changes != "" {
		t.Errorf("want all of it, got %s", changes)
	}

	deny("/address_maps/m1")
	path = output(t)
	if got, err := Run(t.Context(), path, opt); err != nil || len(got.Refused) != 1 || got.Refused[0].Right != maps.right {
		t.Errorf("want a map refused, got %+v, %v", got, err)
	}

	many := newWorld(9, 1)
	many.before = w.before
	opt = many.start(t)
	deny("/dns_records")
	got, err = Run(t.Context(), output(t), opt)
	if err == nil || !strings.Contains(err.Error(), `give the token the right "Zone: DNS Read", or leave out records`) || got.Requests > 20 {
		t.Errorf("want an early end, got %+v, %v", got, err)
	}
	opt.Without = []string{"records"}
	path = output(t)
	if got, err := Run(t.Context(), path, opt); err != nil || len(got.Refused) != 0 {
		t.Errorf("want a fetch without records, got %+v, %v", got, err)
	}
	if _, changes := document(t, path); changes != "review account.jsonl: fetched without records\n" {
		t.Errorf("want it for review, got %s", changes)
	}
}

// A list that changes while it is fetched begins anew, some times.
func TestRun_Changing(t *testing.T) {
	for _, often := range []bool{false, true} {
		w := newWorld(1, 5)
		const list = "/zones/zone0/dns_records"
		n := 0
		w.before = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, list) && r.URL.Query().Get("page") == "2" && (often || n == 0) {
				n++
				w.mu.Lock() // A record comes before all others, and the last one of page 1 moves to page 2.
				added := map[string]any{"id": fmt.Sprint("new", n), "name": fmt.Sprintf("new%d.z0.example", n), "type": "A", "proxied": true, "ttl": 1}
				w.lists[list] = append([]any{added}, w.lists[list]...)
				w.mu.Unlock()
			}
			return false
		}
		path := output(t)
		opt := w.start(t)
		got, err := Run(t.Context(), path, opt)
		if err != nil || often != slices.Equal(got.Changing, []string{list + "?per_page=5000"}) {
			t.Fatalf("often %v: got %+v, %v", often, got, err)
		}
		if _, changes := document(t, path); often != strings.Contains(changes, "lost z0.example: 2 of 7 DNS records are here, and pages 2, 3, 4 of 4 are missing") {
			t.Errorf("often %v: got %s", often, changes)
		}
		w.mu.Lock()
		w.before = nil
		w.mu.Unlock()
		if again, err := Run(t.Context(), path, opt); err != nil || len(again.Changing) != 0 || (again.Requests == 0) == often {
			t.Errorf("often %v: want the list fetched again if it was not whole, got %+v, %v", often, again, err)
		}
		if _, changes := document(t, path); changes != "" {
			t.Errorf("often %v: want all of it, got %s", often, changes)
		}
	}
}

// A list that grows at its end between two pages is fetched anew: its pages do not agree
// on how long it is.
func TestRun_Growing(t *testing.T) {
	w := newWorld(1, 5)
	const list = "/zones/zone0/dns_records"
	n := 0
	w.before = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, list) && r.URL.Query().Get("page") == "2" && n == 0 {
			n++
			w.mu.Lock()
			w.lists[list] = append(w.lists[list], map[string]any{"id": "new", "name": "new.z0.example", "type": "A", "proxied": true, "ttl": 1})
			w.mu.Unlock()
		}
		return false
	}
	path := output(t)
	if got, err := Run(t.Context(), path, w.start(t)); err != nil || len(got.Changing) != 0 {
		t.Fatalf("want all of it, got %+v, %v", got, err)
	}
	if doc, changes := document(t, path); changes != "" || !strings.Contains(doc, "- new\n") {
		t.Errorf("want all of it, got %s\n%s", changes, doc)
	}
}

// A fetch that was interrupted after the first page of a list that had begun anew asks
// for the other pages, and one that lacks its last line alone asks for nothing.
func TestRun_BegunAnew(t *testing.T) {
	for request, want := range map[string]int{"/zones/zone0/dns_records?per_page=5000&page=1": 2, "/zones?per_page=50&page=1": 0} {
		w := newWorld(1, 5)
		opt := w.start(t)
		path := output(t)
		if _, err := Run(t.Context(), path, opt); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, request) {
				data = append(data, line...)
			}
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Run(t.Context(), path, opt); err != nil || got.Requests != want {
			t.Errorf("%s: want %d requests, got %+v, %v", request, want, got, err)
		}
		if _, changes := document(t, path); changes != "" {
			t.Errorf("%s: want all of it, got %s", request, changes)
		}
	}
}

// The token goes to the API alone: not in clear, and not where a redirect leads.
func TestRun_TokenStays(t *testing.T) {
	var seen atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Store(true) }))
	defer other.Close()
	w := newWorld(1, 1)
	w.before = func(_ int, rw http.ResponseWriter, r *http.Request) bool {
		http.Redirect(rw, r, other.URL, http.StatusFound)
		return true
	}
	if _, err := Run(t.Context(), output(t), w.start(t)); err == nil || !strings.Contains(err.Error(), "status 302 Found") || seen.Load() {
		t.Errorf("want the redirect refused, got %v; followed: %v", err, seen.Load())
	}
	for _, tc := range []struct {
		opt  Options
		want string
	}{
		{Options{API: "http://api.example.net/client/v4", Token: token}, "the token would go over the network in clear"},
		{Options{API: "api.example.net", Token: token}, "is no URL"},
		{Options{Token: ""}, "the token is none"},
		{Options{Token: "two words"}, "the token is none"},
		{Options{Token: token + "\r\nX: y"}, "the token is none"},
		{Options{Token: token, Accounts: []string{"../users"}}, `account "../users" is no id`},
		{Options{Token: token, Without: []string{"zones"}}, `"zones" cannot be left out: say one of records, applications, maps, prefixes`},
	} {
		path := output(t)
		if _, err := Run(t.Context(), path, tc.opt); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), token) {
			t.Errorf("want %q, got %v", tc.want, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: want no file, got %v", tc.want, err)
		}
	}
}

// Only the named accounts are fetched, whether they have zones or not.
func TestRun_Accounts(t *testing.T) {
	w := newWorld(2, 1)
	w.lists["/zones"][1].(map[string]any)["account"] = map[string]any{"id": "bolt"}
	opt := w.start(t)
	opt.Accounts = []string{"acme", "empty"}
	path := output(t)
	if got, err := Run(t.Context(), path, opt); err != nil || got.Zones != 1 {
		t.Fatalf("want one zone, got %+v, %v", got, err)
	}
	doc, changes := document(t, path)
	if changes != "" || strings.Contains(doc, "bolt") || !strings.Contains(strings.Join(w.requests, " "), "/accounts/empty/addressing/address_maps") {
		t.Errorf("want two accounts, got %s\n%s\n%q", changes, doc, w.requests)
	}
}

// An id that could lead a request astray is none.
func TestRun_IDs(t *testing.T) {
	const astray = "../../user/tokens"
	for _, change := range []func(zone map[string]any){
		func(zone map[string]any) { zone["id"] = astray },
		func(zone map[string]any) { zone["account"] = map[string]any{"id": astray} },
	} {
		w := newWorld(1, 1)
		change(w.lists["/zones"][0].(map[string]any))
		if got, err := Run(t.Context(), output(t), w.start(t)); err == nil || !strings.Contains(err.Error(), "an object whose id is none") || got.Requests != 1 {
			t.Errorf("want it refused, got %+v, %v", got, err)
		}
	}
}

// A file that is not of a fetch is not touched.
func TestRun_AnotherFile(t *testing.T) {
	w := newWorld(1, 1)
	opt := w.start(t)
	for _, text := range []string{"accounts: []\n", "accounts: []", `{"success":true,"result":[]}` + "\n", "\n"} {
		path := output(t)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), path, opt)
		if err == nil || !strings.Contains(err.Error(), "not of a fetch: name another file") {
			t.Errorf("%q: want it refused, got %v", text, err)
		}
		info, _ := os.Stat(path)
		if data, _ := os.ReadFile(path); string(data) != text || runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
			t.Errorf("%q: want it as it was, got %q, %v", text, data, info.Mode())
		}
	}
	if w.count() != 0 {
		t.Errorf("want no request, got %q", w.requests)
	}
}
