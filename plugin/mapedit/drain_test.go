package mapedit_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/mapedit"
)

var newDrain = drain.Drain{
	Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("192.0.2.1/32")},
	Reason:    "fibre cut, T1", Until: time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC),
}

const added = `  - addresses: ["2001:db8::/32", 192.0.2.1]
    reason: "fibre cut, T1"
    until: "2026-11-29T04:00:00Z"
`

func TestAddDrains(t *testing.T) {
	const other = "drains:\n  # ana's\n  - addresses: [203.0.113.0/24] # all\n    reason: x\n    until: 2026-11-29T04:14:00Z\n"
	for _, tc := range []struct{ what, name, text, want string }{
		{"no file", "d.yaml", "", "drains:\n" + added},
		{"comments alone", "d.yaml", "# ours\n", "# ours\ndrains:\n" + added},
		{"an empty list", "d.yaml", "# ours\ndrains: []\n# end\n", "# ours\ndrains:\n" + added + "# end\n"},
		{"an empty list and a comment", "d.yaml", "drains: [] # none\n", "drains: # none\n" + added},
		{"an empty list within braces", "d.yaml", "{drains: []} # none\n",
			`{drains: [{addresses: ["2001:db8::/32", 192.0.2.1], reason: "fibre cut, T1", until: "2026-11-29T04:00:00Z"}]} # none` + "\n"},
		{"behind others", "d.yaml", other, other + added},
		{"behind others, and comments stay", "d.yaml", other + "\n# end\n", other + added + "\n# end\n"},
		{"an indentation of its own", "d.yaml", "drains:\n- map: a\n  reason: x\n  until: 2026-11-29T04:14:00Z\n",
			"drains:\n- map: a\n  reason: x\n  until: 2026-11-29T04:14:00Z\n" + strings.ReplaceAll(strings.TrimPrefix(added, "  "), "\n  ", "\n")},
		{"no line break at the end", "d.yaml", strings.TrimSuffix(other, "\n"), other + strings.TrimSuffix(added, "\n")},
		{"brackets", "d.yaml", "drains: [{map: a, reason: x, until: 2026-11-29T04:14:00Z}]\n",
			"drains: [{map: a, reason: x, until: 2026-11-29T04:14:00Z}, " +
				`{addresses: ["2001:db8::/32", 192.0.2.1], reason: "fibre cut, T1", until: "2026-11-29T04:00:00Z"}]` + "\n"},
		{"JSON", "d.json", "", `{
  "drains": [
    {
      "addresses": ["2001:db8::/32", "192.0.2.1"],
      "reason": "fibre cut, T1",
      "until": "2026-11-29T04:00:00Z"
    }
  ]
}
`},
	} {
		got, err := mapedit.AddDrains(tc.name, []byte(tc.text), []drain.Drain{newDrain})
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %v\n got\n%s\nwant\n%s", tc.what, err, got, tc.want)
		}
	}
}

func TestReplaceDrain(t *testing.T) {
	const first, second = "  # ana's\n  - map: a\n    reason: x\n    until: 2026-11-29T04:14:00Z\n", "\n  # bo's\n  - map: b\n    reason: >-\n      folded\n      lines\n    until: 2026-11-29T04:14:00Z\n"
	const a, b = "{map: a, reason: x, until: 2026-11-29T04:14:00Z}", "{map: b, reason: x, until: 2026-11-29T04:14:00Z}"
	for _, tc := range []struct {
		what, text string
		i          int
		by         *drain.Drain
		want       string
	}{
		{"the first goes", "drains:\n" + first + second, 0, nil, "drains:\n  # ana's\n" + second},
		{"the second goes", "drains:\n" + first + second + "# end\n", 1, nil, "drains:\n" + first + "\n  # bo's\n# end\n"},
		{"the only one goes", "drains: # ours\n" + first + "# end\n", 0, nil, "drains: [] # ours\n  # ana's\n# end\n"},
		{"another in its place", "drains:\n" + first + second, 0, &newDrain, "drains:\n  # ana's\n" + added + second},
		{"brackets", "drains: [{map: a, reason: x, until: 2026-11-29T04:14:00Z}]\n", 0, nil, "drains: []\n"},
		{"brackets and a comment", "drains: [" + a + "] # ours\n", 0, nil, "drains: [] # ours\n"},
		{"brackets below a comment", "# ours\ndrains: [" + a + ", " + b + "]\n", 1, nil, "# ours\ndrains: [" + a + "]\n"},
		{"the first of brackets", "# ours\ndrains: [" + a + ", " + b + "]\n", 0, nil, "# ours\ndrains: [" + b + "]\n"},
		{"another in brackets", "# ours\ndrains: [" + a + ", " + b + "]\n", 0, &newDrain, "# ours\ndrains: [" +
			`{addresses: ["2001:db8::/32", 192.0.2.1], reason: "fibre cut, T1", until: "2026-11-29T04:00:00Z"}, ` + b + "]\n"},
		{"brackets in braces", "{drains: [" + a + "]} # ours\n", 0, nil, "{drains: []} # ours\n"},
		{"brackets in lines", "drains: [\n  " + a + ", # ana's\n  " + b + ", # bo's\n]\n", 1, nil, "drains: [\n  " + a + ", # ana's, # bo's\n]\n"},
		{"the first of brackets in lines", "drains: [\n  " + a + ", # ana's\n  " + b + " # bo's\n]\n", 0, nil, "drains: [\n  # ana's\n  " + b + " # bo's\n]\n"},
		{"the last of brackets in lines", "drains: [\n  " + a + ", # ana's\n  " + b + "]\n", 1, nil, "drains: [\n  " + a + ", # ana's\n  ]\n"},
		{"the only one and a comma", "drains: [" + a + ", ] # ours\n", 0, nil, "drains: [] # ours\n"},
		{"JSON", `{"drains": [{"map": "a", "reason": "x", "until": "2026-11-29T04:14:00Z"}]}`, 0, nil, "{\n  \"drains\": []\n}\n"},
	} {
		got, err := mapedit.ReplaceDrain("d.yaml", []byte(tc.text), tc.i, tc.by)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %v\n got\n%s\nwant\n%s", tc.what, err, got, tc.want)
		}
	}
}

// What is not legal stays.
func TestDrains_Refused(t *testing.T) {
	for _, text := range []string{"drains: [{map: a}]\n", "drain: []\n"} {
		if got, err := mapedit.ReplaceDrain("d.yaml", []byte(text), 0, nil); err == nil {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
