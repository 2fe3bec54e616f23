package nearest

import "testing"

func TestWord(t *testing.T) {
	if near := Word("AAA", []string{"A", "AAAA"}); near != "AAAA" {
		t.Errorf("AAA: want AAAA, got %q", near)
	}
	formats := []string{"text", "json", "sarif"}
	for got, want := range map[string]string{
		"jsn": "json", "JSON": "json", "sariff": "sarif", "s": "", "sar": "sarif", "xml": "", "": "", "teXt ": "text",
	} {
		if near := Word(got, formats); near != want {
			t.Errorf("%q: want %q, got %q", got, want, near)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "abd", 1}, {"abc", "ab", 1}, {"ab", "abc", 1}, {"abc", "acb", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3},
	} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
