package zonefile_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/zonefile"
)

type tag = zonefile.Tag

// tagTable is also the seed of the fuzz target.
var tagTable = []struct {
	test    string
	comment string
	want    []tag
	wrong   string // what the error says
}{
	{"no comment", "", nil, ""},
	{"no tags", "; free text", nil, ""},
	{"empty list", "; cf_tags=", nil, ""},
	{"one", "; cf_tags=a", []tag{{"a", ""}}, ""},
	{"without semicolon", "cf_tags=a", []tag{{"a", ""}}, ""},
	{"value missing", `; cf_tags=t`, []tag{{"t", ""}}, ""},
	{"value missing after the colon", `; cf_tags=t:`, []tag{{"t", ""}}, ""},
	{"value empty", `; cf_tags=t:""`, []tag{{"t", ""}}, ""},
	{"plain values", "; cf_tags=test:1,cf-flatten-cname", []tag{{"test", "1"}, {"cf-flatten-cname", ""}}, ""},
	{"quoted values", `;   cf_tags=tag1,tag2:value2,tag3:"value,with,commas",tag4:"value with \"escaped\" quotation marks"`,
		[]tag{{"tag1", ""}, {"tag2", "value2"}, {"tag3", "value,with,commas"}, {"tag4", `value with "escaped" quotation marks`}}, ""},
	{"all that needs quotes", `; cf_tags=t:"\"=,\\",u`, []tag{{"t", `"=,\`}, {"u", ""}}, ""},
	{"JSON escapes", `; cf_tags=t:"\u00fc\t\/"`, []tag{{"t", "ü\t/"}}, ""},
	{"the last one counts", "; cf_tags=a cf_tags=b", []tag{{"b", ""}}, ""},
	{"the last one counts though empty", "; this comment contains cf_tags= as text cf_tags=", nil, ""},
	{"in a quoted value", `; cf_tags=a:"x cf_tags=y",b`, []tag{{"a", "x cf_tags=y"}, {"b", ""}}, ""},
	{"twice in quoted values", `; cf_tags=a:"cf_tags=y",b:"cf_tags="`, []tag{{"a", "cf_tags=y"}, {"b", "cf_tags="}}, ""},
	{"in a quoted value of free text", `; cf_tags=a:"x cf_tags=" cf_tags=b`, []tag{{"b", ""}}, ""},
	{"names keep their case", "; cf_tags=Team_A-1:X,CF-PROXIED:True", []tag{{"Team_A-1", "X"}, {"CF-PROXIED", "True"}}, ""},
	{"the same twice", "; cf_tags=a:1,a:2", []tag{{"a", "1"}, {"a", "2"}}, ""},
	{"spaces and commas", "; cf_tags= , a : 1 2 ,, b:\t\"x\" , c ,\r", []tag{{"a", "1 2"}, {"b", "x"}, {"c", ""}}, ""},
	{"colon in a value", "; cf_tags=a:b:c", []tag{{"a", "b:c"}}, ""},
	{"a quote that is no value", `; cf_tags=a:b"`, nil, "outside quotes"},
	{"equals sign in a plain value", "; cf_tags=a:b=c", nil, "outside quotes"},
	{"backslash in a plain value", `; cf_tags=a:b\`, nil, "outside quotes"},
	{"not closed", `; cf_tags=a:"b,c`, nil, "no JSON string"},
	{"not closed after a backslash", `; cf_tags=a:"b\`, nil, "no JSON string"},
	{"no JSON escape", `; cf_tags=a:"\x41"`, nil, "no JSON string"},
	{"text after the quote", `; cf_tags=a:"b" c`, nil, "after the quoted value"},
	{"space in a name", "; cf_tags=a b", nil, "no tag name"},
	{"Unicode in a name", "; cf_tags=ü", nil, "no tag name"},
	{"dot in a name", "; cf_tags=a.b:1", nil, "no tag name"},
	{"name missing", "; cf_tags=:1", nil, "no tag name"},
	{"equals sign for a colon", "; cf_tags=a=1", nil, "no tag name"},
}

func TestCFTags_Tags(t *testing.T) {
	for _, tt := range tagTable {
		t.Run(tt.test, func(t *testing.T) {
			got, err := zonefile.Tags(tt.comment)
			if !slices.Equal(got, tt.want) {
				t.Errorf("Tags(%q) = %q, want %q", tt.comment, got, tt.want)
			}
			switch e := (*zonefile.Error)(nil); {
			case tt.wrong == "" && err != nil:
				t.Errorf("Tags(%q): %v", tt.comment, err)
			case tt.wrong != "" && (!errors.As(err, &e) || !strings.Contains(e.Text, tt.wrong) || e.Remedy == ""):
				t.Errorf("Tags(%q): error %v, want one that says %q and a remedy", tt.comment, err, tt.wrong)
			}
		})
	}
}

// The grammar once more, as one pattern: slow and easy to check by eye.
var (
	quotedValue = `"(?:[^"\\]|\\.)*"`
	tagPattern  = `~([A-Za-z0-9_-]+)~(?::~(` + quotedValue + `|[^",=\\]*)~)?|~`
	tagExpr     = compile(`^(?:` + tagPattern + `)(?:,|$)`)
	listExpr    = compile(`^(?:` + tagPattern + `)(?:,(?:` + tagPattern + `))*$`)
)

// compile reads ~ as any space, as [strings.TrimSpace] knows it.
func compile(expr string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)` + strings.ReplaceAll(expr, "~", `[\t-\r\x{85}\p{Z}]*`))
}

// slowTags is Tags by trial of every "cf_tags=".
func slowTags(comment string) (tags []tag, ok bool) {
	places := regexp.MustCompile("cf_tags=").FindAllStringIndex(comment, -1)
	for _, place := range slices.Backward(places) {
		if tags, ok := slowList(comment[place[1]:]); ok {
			return tags, true
		}
	}
	return nil, len(places) == 0
}

func slowList(list string) (tags []tag, ok bool) {
	if !listExpr.MatchString(list) {
		return nil, false
	}
	for list != "" {
		m := tagExpr.FindStringSubmatch(list)
		name, value := m[1], strings.TrimSpace(m[2])
		if strings.HasPrefix(value, `"`) && json.Unmarshal([]byte(value), &value) != nil {
			return nil, false
		}
		if name != "" {
			tags = append(tags, tag{Name: name, Value: value})
		}
		list = list[len(m[0]):]
	}
	return tags, true
}

func FuzzTags(f *testing.F) {
	for _, tt := range tagTable {
		f.Add(tt.comment)
	}
	f.Fuzz(func(t *testing.T, comment string) {
		want, ok := slowTags(comment)
		got, err := zonefile.Tags(comment)
		if (err == nil) != ok || !slices.Equal(got, want) {
			t.Errorf("Tags(%q) = %q, %v; the pattern says %q, legal %t", comment, got, err, want, ok)
		}
	})
}
