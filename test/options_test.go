package test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// optionLine is an option in the README's syntax block, optionBullet its
// explanation.
var (
	optionLine   = regexp.MustCompile(`(?m)^    ([a-z_]+)\b(.*)$`)
	optionBullet = regexp.MustCompile("(?m)^\\* `([a-z_]+)`")
)

// The options of the README's syntax block are those that the plugin knows, all
// are explained there, and the plugin takes each with the arguments shown.
func TestOptions_READMEAndCode(t *testing.T) {
	_, manual, _ := strings.Cut(readme(t), "\n## Syntax\n")
	manual, _, _ = strings.Cut(manual, "\n## ")
	block := fences(manual, "")[0]

	var shown []string
	for _, m := range optionLine.FindAllStringSubmatch(block, -1) {
		name := m[1]
		shown = append(shown, name)
		for _, args := range arguments(m[2], t.TempDir()) {
			_, err := start(t, withOption(name+" "+args))
			if err != nil && !strings.Contains(err.Error(), "it is for a map in etcd") { // Else it was read.
				t.Errorf("%s %s, as the README shows it: %v", name, args, err)
			}
		}
	}
	var explained []string
	for _, m := range optionBullet.FindAllStringSubmatch(manual, -1) {
		explained = append(explained, m[1])
	}
	if !slices.Equal(shown, explained) {
		t.Errorf("want the options of the syntax block %q explained in that order, got %q", shown, explained)
	}
	slices.Sort(shown)
	if known := knownOptions(t); !slices.Equal(shown, known) {
		t.Errorf("want the README to show what the plugin knows, %q, got %q", known, shown)
	}
}

// knownOptions asks the plugin itself, by an option that it does not know.
func knownOptions(t *testing.T) []string {
	t.Helper()
	_, err := start(t, withOption("nonsense"))
	if err == nil {
		t.Fatal("want an unknown option refused")
	}
	_, list, found := strings.Cut(err.Error(), "known are ")
	if !found {
		t.Fatalf("want the error to list the known options, got %v", err)
	}
	known := regexp.MustCompile(`[a-z_]+`).FindAllString(list, -1)
	known = slices.DeleteFunc(known, func(word string) bool { return word == "and" })
	slices.Sort(known)
	return known
}

// arguments returns sample arguments for what a syntax block says of an option:
// one for each alternative. A directory is one that may be written to.
func arguments(syntax, dir string) []string {
	samples := strings.NewReplacer("ADDRESS...", "192.0.2.9 2001:db8::9", "[ALPN...]", "h3 h2",
		"SECONDS", "60", "DURATION", "10s", "PERCENT", "10%", "DIR", dir, "ENDPOINT...", "http://localhost:2379")
	return strings.Split(samples.Replace(strings.TrimSpace(syntax)), "|")
}

func withOption(option string) string {
	return fmt.Sprintf("example.org {\n root examples/quickstart\n addressmap maps.yaml {\n  %s\n }\n file db.example.org\n}\n", option)
}

func TestArguments(t *testing.T) {
	for syntax, want := range map[string][]string{
		" DURATION|off":     {"10s", "off"},
		" ADDRESS...":       {"192.0.2.9 2001:db8::9"},
		" mapped|a|refuse ": {"mapped", "a", "refuse"},
		" DIR":              {"/tmp"},
	} {
		if got := arguments(syntax, "/tmp"); !slices.Equal(got, want) {
			t.Errorf("%s: want %q, got %q", syntax, want, got)
		}
	}
}
