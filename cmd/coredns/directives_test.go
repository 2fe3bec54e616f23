package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
)

// The place in the chain as the specification of the directive has it: what
// must see the substituted answer stands before, what is asked for the
// original one stands after.
func TestDirectives_PlaceInChain(t *testing.T) {
	list, err := withAddressmap(dnsserver.Directives)
	if err != nil {
		t.Fatal(err)
	}
	place := slices.Index(list, directive)
	if place == -1 || list[place-1] != predecessor {
		t.Fatalf("want %q right after %q, got %v", directive, predecessor, list)
	}

	before := []string{"prometheus", "errors", "log", "dnstap", "dns64", "any", "loadbalance",
		"tsig", "rewrite", "autopath", "cache", "header", "dnssec", "minimal"}
	after := []string{"template", "transfer", "dynupdate", "hosts", "route53", "azure", "clouddns",
		"k8s_external", "kubernetes", "file", "auto", "secondary", "etcd", "forward", "grpc", "erratic", "whoami", "nomad"}
	for _, name := range before {
		if i := slices.Index(list, name); i == -1 || i > place {
			t.Errorf("want %q before %q (%d), got place %d", name, directive, place, i)
		}
	}
	for _, name := range after {
		if i := slices.Index(list, name); i < place {
			t.Errorf("want %q after %q (%d), got place %d", name, directive, place, i)
		}
	}
}

// All of CoreDNS's directives stay, in their order.
func TestDirectives_NothingElseChanges(t *testing.T) {
	before := slices.Clone(dnsserver.Directives)
	list, err := withAddressmap(dnsserver.Directives)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(dnsserver.Directives, before) {
		t.Errorf("want CoreDNS's own list unchanged, got %v", dnsserver.Directives)
	}
	rest := slices.DeleteFunc(list, func(name string) bool { return name == directive })
	if !slices.Equal(rest, before) {
		t.Errorf("want %v\ngot  %v", before, rest)
	}
}

// Every directive of CoreDNS is known, or left out with a reason: also those that a later
// CoreDNS brings. One that is left out is an error of the Corefile that says the remedy.
func TestDirectives_LeftOut(t *testing.T) {
	for _, name := range dnsserver.Directives {
		why, out := leftOut[name]
		_, err := caddy.DirectiveAction("dns", name)
		switch {
		case !out && err != nil:
			t.Errorf("%v: import it in plugins_slim.go, or leave it out with a reason", err)
		case out && err == nil:
			t.Errorf("%s is there, and said to be left out: %s", name, why)
		}
	}
	for name := range leftOut {
		err := refuseLeftOut(name)(caddy.NewTestController("dns", name))
		if err == nil || !strings.Contains(err.Error(), "built without the plugin "+name) || !strings.Contains(err.Error(), "-tags full") {
			t.Errorf("got %v", err)
		}
	}
}

func TestDirectives_Refused(t *testing.T) {
	for _, tc := range []struct {
		name string
		list []string
		want string
	}{
		{"no predecessor", []string{"errors", "file"}, `no "minimal"`},
		{"empty", nil, `no "minimal"`},
		{"already there", []string{"minimal", "addressmap", "file"}, `already has a directive "addressmap"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := withAddressmap(tc.list)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want an error with %q, got %v and %v", tc.want, err, got)
			}
		})
	}
}
