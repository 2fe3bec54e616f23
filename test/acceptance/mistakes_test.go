package acceptance

import (
	"strings"
	"testing"
)

// A document with five different mistakes does not start, and all five are
// told at once, each with its place.
func TestStart_FiveMistakes(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	said := refuse(t, binary, "quickstart",
		edit{"maps.yaml", "anycast: [192.0.2.1, 192.0.2.2,", "anycast: [192.0.2.1, 192.0.2.256,"},
		edit{"maps.yaml", "          - www\n          - assets", "          - www.example.net.\n          - assets"},
		edit{"maps.yaml", "enabled: true\n        ips: [203.0.113.10,", "enable: true\n        ips: [203.0.113.10,"},
		edit{"maps.yaml", "203.0.113.80", "198.51.100.80"},
		edit{"maps.yaml", "{kind: zone, identifier: example.org}", "{kind: zone, identifier: example.edu}"},
	)
	t.Logf("the start said:\n%s", said)
	for _, want := range []string{
		"maps.yaml:4:22", "192.0.2.256",
		"maps.yaml:14:13", "www.example.net.",
		"maps.yaml:23:9", `enable`, `enabled`,
		"maps.yaml:30:15", "198.51.100.80",
		"maps.yaml:26:38", "example.edu",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q in what the start says", want)
		}
	}
}
