package state

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var manifests = map[string]*Manifest{
	"empty":    {},
	"settings": {Settings: "guard 5\nzones example.org. \"x\" \xff"},
	"source":   {Source: "revision 7\n"},
	"drains":   {Drains: []Document{{Name: "/etc/drains/a.yaml", Text: Sum{1}}, {Name: "etcd:/m/drains/b"}}},
	"serials":  {Serials: map[string]uint32{"": 0, "example.org.": 1<<32 - 1, "a\x00b": 7}},
	"names": {Documents: []Document{
		{Name: "maps.yaml", Text: Sum{1}},
		{Name: "", Text: Sum{2}},
		{Name: "with\nnewline \" quote ` \\ \xfe\xff é \u2028", Text: Sum{3}, ZoneFiles: []ZoneFile{{Name: "/etc/db\n", Text: Sum{1}}, {Name: "b"}}},
		{Name: "maps.yaml", Text: Sum{1}},
	}},
}

func TestState_ManifestRoundTrip(t *testing.T) {
	for name, m := range manifests {
		got, err := decode(m.encode())
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: want %+v, got %+v, %v", name, m, got, err)
		}
	}
}

func TestState_ManifestForm(t *testing.T) {
	m := &Manifest{
		Settings:  "guard 5",
		Documents: []Document{{Name: "acme.yaml", ZoneFiles: []ZoneFile{{Name: "db.example.org", Text: Sum{31: 255}}}}},
		Drains:    []Document{{Name: "drains.yaml"}},
		Serials:   map[string]uint32{"example.org.": 7, "example.net.": 0},
	}
	want := `addressmap state 1
settings "guard 5"
document 0000000000000000000000000000000000000000000000000000000000000000 "acme.yaml"
zone_file 00000000000000000000000000000000000000000000000000000000000000ff "db.example.org"
drains 0000000000000000000000000000000000000000000000000000000000000000 "drains.yaml"
serial 0 "example.net."
serial 7 "example.org."
`
	if got := string(m.encode()); !strings.HasPrefix(got, want) || len(got) != len(want)+sealLen {
		t.Errorf("want\n%s and the checksum, got\n%s", want, got)
	}
}

// Even with a checksum that is right, only what encode writes is read.
func TestState_ManifestStrict(t *testing.T) {
	const head = "addressmap state 1\nsettings \"\"\n"
	sum := Sum{}.String()
	for _, tc := range []struct{ name, body, want string }{
		{"empty", "", "a later version"},
		{"a later version", strings.Replace(head, "1", "2", 1), `"addressmap state 2"`},
		{"only the first line", "addressmap state 1\n", "not as this program writes them"},
		{"no end of the first line", "addressmap state 1", "not as this program writes them"},
		{"no end of a line", strings.TrimSuffix(head, "\n"), "not as this program writes them"},
		{"empty line", head + "\n", "line 3"},
		{"unknown word", head + "color 1 \"red\"\n", `unknown word "color"`},
		{"no name", head + "serial 1\n", "no quoted name"},
		{"name not quoted", head + "serial 1 x\n", "no quoted name"},
		{"other quotes", head + "serial 1 `x`\n", "not as this program writes them"},
		{"zone file first", head + "zone_file " + sum + " \"x\"\n", "line 3: a zone file without a document"},
		{"drains before a document", head + "drains " + sum + " \"x\"\ndocument " + sum + " \"x\"\n", "not as this program writes them"},
		{"drains without a digest", head + "drains 00 \"x\"\n", "no SHA-256 digest"},
		{"short digest", head + "document 00 \"x\"\n", "no SHA-256 digest"},
		{"no digest", head + "document " + strings.Repeat("x", 64) + " \"x\"\n", "no SHA-256 digest"},
		{"digest in capitals", head + "document " + strings.Repeat("A", 64) + " \"x\"\n", "not as this program writes them"},
		{"serial too large", head + "serial 4294967296 \"x\"\n", "out of range"},
		{"negative serial", head + "serial -1 \"x\"\n", "invalid syntax"},
		{"leading zero", head + "serial 01 \"x\"\n", "not as this program writes them"},
		{"serials out of order", head + "serial 1 \"b\"\nserial 1 \"a\"\n", "not as this program writes them"},
		{"serial twice", head + "serial 1 \"a\"\nserial 1 \"a\"\n", "not as this program writes them"},
		{"settings twice", head + "settings \"\"\n", "not as this program writes them"},
		{"sealed twice", string(seal([]byte(head))), "no quoted name"},
	} {
		_, err := decode(seal([]byte(tc.body)))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: want an error with %q, got %v", tc.name, tc.want, err)
		}
	}
}

// Every byte changed to every other, every length less, and more.
func TestState_ManifestDamage(t *testing.T) {
	m := *manifests["names"]
	m.Settings, m.Serials = "guard 5", map[string]uint32{"example.org.": 7}
	good := m.encode()
	for i := range good {
		bad := slices.Clone(good)
		for b := range 256 {
			if bad[i] = byte(b); bad[i] == good[i] {
				continue
			}
			if got, err := decode(bad); err == nil {
				t.Fatalf("byte %d changed from %q to %q: want an error, got %+v", i, good[i], bad[i], got)
			}
		}
		if got, err := decode(good[:i]); err == nil {
			t.Fatalf("cut to %d bytes: want an error, got %+v", i, got)
		}
		if got, err := decode(good[i:]); err == nil && i > 0 {
			t.Fatalf("begins with byte %d: want an error, got %+v", i, got)
		}
		if got, err := decode(slices.Insert(slices.Clone(good), i, good[i])); err == nil {
			t.Fatalf("byte %d twice: want an error, got %+v", i, got)
		}
	}
	if got, err := decode(append(good, '\n')); err == nil {
		t.Fatalf("a byte more: want an error, got %+v", got)
	}
}

func TestState_TextDamage(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	text := []byte("a text of some length\n")
	sum, err := put(d, text)
	must(t, err)
	path := filepath.Join(dir, sum.path())
	refused := func(what string) {
		t.Helper()
		if data, err := d.Read(sum); data != nil || !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: want an ErrDamaged, got %q, %v", what, data, err)
		} else {
			wantError(t, err, path, "backup")
		}
	}
	for i := range text {
		bad := slices.Clone(text)
		bad[i] ^= 0x20
		must(t, os.WriteFile(path, bad, 0o600))
		refused("a bit")
		must(t, os.WriteFile(path, text[:i], 0o600))
		refused("cut")
	}
	must(t, os.WriteFile(path, append(slices.Clone(text), 0), 0o600))
	refused("longer")
	_ = os.Remove(path) // It was set aside.
	refused("missing")
	_, err = put(d, text)
	must(t, err)
	if data, err := d.Read(sum); err != nil || string(data) != string(text) {
		t.Errorf("put again: want %q, got %q, %v", text, data, err)
	}
}

// What is read is what was written: the same bytes come out of it. The input is
// tried as it is, and as a body with the right checksum.
func FuzzManifest(f *testing.F) {
	for _, m := range manifests {
		data := m.encode()
		f.Add(data)
		f.Add(data[:len(data)-sealLen])
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, data := range [][]byte{input, seal(slices.Clone(input))} {
			m, err := decode(data)
			if err == nil && string(m.encode()) != string(data) {
				t.Errorf("%q is read as %+v, which is written as %q", data, m, m.encode())
			}
			if (m == nil) != (err != nil) {
				t.Errorf("%q is read as %v and error %v", data, m, err)
			}
		}
	})
}
