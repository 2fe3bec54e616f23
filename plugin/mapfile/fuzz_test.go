package mapfile

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzParse holds what is true of every document: Parse returns, errors can be
// printed and have places in the document, what is accepted has nothing missing,
// keeps the promises of the types and is accepted by the schema.
func FuzzParse(f *testing.F) {
	for _, s := range allSamples(f) {
		f.Add(s.data)
	}
	schema := compiledSchema(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, errs := Parse("map.yaml", data)
		checkErrors(t, data, errs)
		if len(errs) > 0 {
			return
		}
		for _, path := range flagged(reflect.ValueOf(doc), "doc") {
			t.Errorf("%s is set in a document without errors", path)
		}
		checkDocument(t, doc)
		root, _, _ := readTree(doc)
		if err := schema.Validate(plain(&root)); err != nil {
			t.Errorf("the schema refuses what Parse accepts: %v", err)
		}
	})
}

// checkErrors holds what is true of all errors of a document.
func checkErrors(t *testing.T, data []byte, errs Errors) {
	lines := splitLines(strings.TrimPrefix(string(data), "\ufeff"))
	last := Pos{1, 1}
	for _, e := range errs {
		if e.Pos.Line < last.Line || e.Pos.Line == last.Line && e.Pos.Col < last.Col {
			t.Errorf("%v follows %v", e.Pos, last)
		}
		last = e.Pos
		if int(e.Pos.Line) > len(lines) || e.Pos.Col < 1 || int(e.Pos.Col) > utf8.RuneCountInString(lines[e.Pos.Line-1])+1 {
			t.Errorf("%v is no place in the document: %s", e.Pos, e.Text)
		}
		if e.Rule == "" || e.Text == "" || e.Remedy == "" {
			t.Errorf("incomplete: %#v", e)
		}
		for _, part := range []string{e.Text, e.Remedy, e.Line} {
			if strings.ContainsFunc(part, func(r rune) bool { return r != '\t' && !unicode.IsGraphic(r) }) {
				t.Errorf("not printable: %q", part)
			}
		}
		if n := len(e.Error()); n > 4000 {
			t.Errorf("an error of %d bytes: %s", n, e.Head())
		}
	}
}

// splitLines is a slow and obvious form of what quoter.index does.
func splitLines(s string) []string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	return strings.Split(s, "\n")
}

// flagged returns the paths of all flags in v that are set and whose name ends
// in Invalid.
func flagged(v reflect.Value, path string) []string {
	var out []string
	switch v.Kind() {
	case reflect.Pointer:
		return flagged(v.Elem(), path)
	case reflect.Slice:
		for i := range v.Len() {
			out = append(out, flagged(v.Index(i), path)...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch f := v.Field(i); {
			case strings.HasSuffix(name, "Invalid") && f.Bool():
				out = append(out, path+"."+name)
			case v.Type().Field(i).IsExported():
				out = append(out, flagged(f, path+"."+name)...)
			}
		}
	}
	return out
}

// checkDocument holds what the types promise of a document without errors.
func checkDocument(t *testing.T, doc *Document) {
	checkAddrs(t, "anycast", doc.Anycast)
	for _, a := range doc.Accounts {
		if a.ID == "" {
			t.Error("an account without id")
		}
		checkAddrs(t, "static_ips", a.StaticIPs)
		for _, p := range append(a.Prefixes[:len(a.Prefixes):len(a.Prefixes)], a.Delegated...) {
			if !p.CIDR.IsValid() || p.CIDR != p.CIDR.Masked() {
				t.Errorf("prefix %v is not masked", p.CIDR)
			}
		}
		for _, z := range a.Zones {
			if z.Name == "" || hasWildcard(z.Name) {
				t.Errorf("zone name %q", z.Name)
			}
			owners := make(map[string]bool)
			for _, m := range z.Marks {
				if !m.Owner.In(z.Name) || owners[string(m.Owner)] || m.V4Only && m.V6Only || !onlyLeftmost(m.Owner) {
					t.Errorf("zone %q: mark %+v", z.Name, m)
				}
				owners[string(m.Owner)] = true
			}
		}
		for _, m := range a.Maps {
			if m.ID == "" {
				t.Error("an address map without id")
			}
			checkAddrs(t, "ips", m.IPs)
			for _, to := range m.Members {
				if to.Kind != MemberZone && to.Kind != MemberAccount && (to.Kind != MemberName || to.Name == "") || to.Identifier == "" {
					t.Errorf("membership %+v", to)
				}
			}
		}
		for _, app := range a.Spectrum {
			if !inZones(app.Name, a.Zones) || app.Static != (len(app.IPs) > 0) {
				t.Errorf("application %+v", app)
			}
			checkAddrs(t, "edge_ips", app.IPs)
		}
	}
}

func checkAddrs(t *testing.T, list string, addrs []Addr) {
	seen := make(map[string]bool)
	for _, a := range addrs {
		if Unfit(a.IP) != "" || !a.IP.IsValid() || seen[a.IP.String()] {
			t.Errorf("%s: address %v", list, a.IP)
		}
		seen[a.IP.String()] = true
	}
}

// FuzzJSON holds that the reader of JSON documents takes for JSON what
// encoding/json does, and nothing else.
func FuzzJSON(f *testing.F) {
	for _, s := range allSamples(f) {
		if looksLikeJSON(s.data) {
			f.Add(s.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := readJSON(data)
		if tooDeep := err != nil && strings.Contains(err.err.Error(), "max depth"); !tooDeep && (err == nil) != json.Valid(data) {
			t.Errorf("json.Valid says %t, readJSON %v", json.Valid(data), err)
		}
	})
}
