package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts of testdata/fetch run the command beside an API, at $API, that knows the
// token "right", and the token "narrow", which may not read address maps.
func TestFetchScript(t *testing.T) {
	const envelope = `{"success":true,"errors":[],"messages":[],"result":[%s],"result_info":{"page":1,"per_page":50,"count":1,"total_count":1,"total_pages":1}}`
	results := map[string]string{
		"/zones":                                 `{"id":"z1","name":"example.org","account":{"id":"acme"}}`,
		"/zones/z1/dns_records":                  `{"id":"r1","name":"www.example.org","type":"A","content":"198.51.100.1","proxied":true,"ttl":1}`,
		"/accounts/acme/addressing/address_maps": `{"id":"m1","can_delete":true,"can_modify_ips":true,"enabled":true}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		switch object, ok := results[r.URL.Path]; {
		case token != "Bearer right" && token != "Bearer narrow", token == "Bearer narrow" && strings.Contains(r.URL.Path, "address_maps"):
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}`)
		case ok:
			fmt.Fprintf(w, envelope, object)
		case strings.HasSuffix(r.URL.Path, "/m1"):
			fmt.Fprint(w, `{"success":true,"result":{"id":"m1","can_delete":true,"can_modify_ips":true,"enabled":true,"ips":[{"ip":"198.18.7.1"}],"memberships":[{"kind":"account","identifier":"acme"}]}}`)
		default:
			fmt.Fprint(w, `{"success":true,"result":[]}`)
		}
	}))
	t.Cleanup(server.Close) // after the scripts, which are parallel
	testscript.Run(t, testscript.Params{
		Dir: "testdata/fetch",
		Setup: func(env *testscript.Env) error {
			env.Setenv("API", server.URL)
			return nil
		},
	})
}
