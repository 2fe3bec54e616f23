package zonefile_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

func parse(t testing.TB, zone string) *zonefile.Zone {
	t.Helper()
	z, err := zonefile.Parse("db.example.com", []byte(zone), apex)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// A mark must survive the editors and mail programs a zone file goes through.
func TestCFTags_LineEnds(t *testing.T) {
	const zone = "www 300 A 192.0.2.1 ; cf_tags=cf-proxied:true\nftp 300 A 192.0.2.1 ; cf_tags=a:\"b\"\n"
	for name, zone := range map[string]string{
		"CRLF":            strings.ReplaceAll(zone, "\n", "\r\n"),
		"byte order mark": "\ufeff" + zone,
		"no last newline": strings.TrimSuffix(zone, "\n"),
		"nor last CRLF":   strings.TrimSuffix(strings.ReplaceAll(zone, "\n", "\r\n"), "\n"),
		"blank lines":     "\n\r\n \t\n" + strings.ReplaceAll(zone, "\n", "\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			z := parse(t, zone)
			if got := z.Owners["www.example.com."].Mark; got != zonefile.Proxied {
				t.Errorf("www is %s, want proxied", got)
			}
			if got := z.Owners["ftp.example.com."].Mark; got != zonefile.Unmarked {
				t.Errorf("ftp is %s, want unmarked", got)
			}
		})
	}
}

// The library keeps comments inside parentheses up to 512 octets.
func TestCFTags_LongComment(t *testing.T) {
	long := strings.Repeat("long comment ", 10_000)
	z := parse(t, "$TTL 300\n"+
		"a A 192.0.2.1 ; "+long+" cf_tags=cf-proxied:true\n"+
		"b A ( 192.0.2.1 ; "+long+" cf_tags=cf-proxied:true\n)\n"+
		"c A 192.0.2.1 ; cf_tags=note:"+long+",cf-proxied:true\n")
	for _, name := range []fqdn.Name{"a.example.com.", "b.example.com.", "c.example.com."} {
		if got := z.Owners[name].Mark; got != zonefile.Proxied {
			t.Errorf("%s is %s, want proxied", name, got)
		}
	}
}

func TestCFTags_Bounds(t *testing.T) {
	const soa = "@ 300 SOA ns dns 1 2 3 4 5\n"
	text := func(n int) string { return `"` + strings.Repeat("a", n) + `" ` }
	for _, tt := range []struct {
		test, zone, wrong string
		line              int32
	}{
		{"largest TXT", soa + "www 300 TXT " + strings.Repeat(text(255), 255), "", 0},
		{"largest TXT in escapes", soa + "www 300 TXT " + strings.Repeat(`"`+strings.Repeat(`\000`, 255)+`" `, 255), "", 0},
		{"quote not closed", soa + "www 300 TXT \"a\n" + strings.Repeat("mail 300 A 192.0.2.1\n", 20_000), "a record of more than 327680 bytes", 15_606},
		{"comments are no record", soa + strings.Repeat("; a line of comment\n", 40_000) + "www 300 A 192.0.2.1\n", "", 0},
		{"$GENERATE", soa + "$GENERATE 1-2 www$ TXT " + text(4000), "", 0},
		{"$GENERATE too long", soa + "$GENERATE 1-2 www$ TXT " + text(4096), "$GENERATE of more than 4096 bytes", 2},
		{"$GENERATE too long in parentheses", soa + "(\n$generate 1-2 www$ TXT " + strings.Repeat("a \n", 4096) + ")\n", "$GENERATE of more than 4096 bytes", 1360},
		{"$GENERATE in a comment", soa + "; $GENERATE\nwww 300 TXT " + strings.Repeat(text(255), 20), "", 0},
		{"more than may be generated", soa + strings.Repeat("$GENERATE 0-65535 www$ A 192.0.2.1\n", 17), "make more than 1048576 records", 18},
		{"wrong tags", soa + strings.Repeat("www 300 A 192.0.2.1 ; cf_tags==\n", 1000), "no tag name", 2},
	} {
		t.Run(tt.test, func(t *testing.T) {
			_, err := zonefile.Parse("db.example.com", []byte(tt.zone), apex)
			var errs zonefile.Errors
			switch {
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong == "":
			case !errors.As(err, &errs) || !strings.Contains(errs[0].Text, tt.wrong) || errs[0].Line != tt.line:
				t.Errorf("error %.200v, want %q on line %d", err, tt.wrong, tt.line)
			case len(errs) > 100:
				t.Errorf("%d errors, want at most 100", len(errs))
			}
		})
	}
}

func TestCFTags_TooLarge(t *testing.T) {
	_, err := zonefile.Parse("db.example.com", make([]byte, 256<<20+1), apex)
	if err == nil || !strings.HasPrefix(err.Error(), "db.example.com: zone file has 268435457 bytes, more than 268435456\n") {
		t.Errorf("error %v, want one about the size", err)
	}
}

// Whoever wants the library's reason gets it.
func TestErrorsWrapTheParsers(t *testing.T) {
	_, err := zonefile.Parse("db.example.com", []byte("www 300 A 192.0.2.1\nftp 300 A 192.0.2.1.1\n"), apex)
	if pe := (*dns.ParseError)(nil); !errors.As(err, &pe) {
		t.Errorf("error %v wraps no parse error", err)
	}
}

// There may be a million owners: none may cost more than it must.
func TestOwnerSize(t *testing.T) {
	if got := unsafe.Sizeof(zonefile.Owner{}); got != 8 {
		t.Errorf("an Owner has %d octets, want 8", got)
	}
}

// FuzzParse holds that any text is read or refused, and that for the records
// whose comments the library tells rightly, it tells the same.
func FuzzParse(f *testing.F) {
	for _, zone := range zones(f) {
		f.Add(zone)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := zonefile.Parse("f", data, apex)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Fatalf("error %q names no file", err)
			}
			return
		}
		for name, o := range z.Owners {
			if !name.In(apex) || o.Line < 1 || int(o.Line) > bytes.Count(data, []byte("\n"))+1 || o.Types == 0 {
				t.Fatalf("owner %q: %+v", name, o)
			}
		}
		if !libraryTells(data) {
			return
		}
		want := slowMarks(t, data)
		for name, o := range z.Owners {
			if o.Mark != want[name] {
				t.Fatalf("%q is %s, by the comments of the library %s", name, o.Mark, want[name])
			}
		}
	})
}

// libraryTells reports whether data is free of what the library's comments are
// wrong about: records over several lines, generated records, and semicolons
// and carriage returns inside of comments. The owner of a SOA is a matter of
// ours.
func libraryTells(data []byte) bool {
	for line := range bytes.Lines(bytes.ToUpper(data)) {
		line = bytes.TrimRight(line, "\r\n")
		if bytes.ContainsAny(line, "(\r") || bytes.Contains(line, []byte("$GENERATE")) ||
			bytes.Count(line, []byte(";")) > 1 || bytes.Contains(line, []byte("SOA")) {
			return false
		}
	}
	return !bytes.HasPrefix(data, []byte("\ufeff"))
}

// slowMarks reads the marks off the comments that the library tells.
func slowMarks(t *testing.T, data []byte) map[fqdn.Name]zonefile.Mark {
	marks := make(map[fqdn.Name]zonefile.Mark)
	zp := dns.NewZoneParser(bytes.NewReader(data), string(apex), "")
	zp.SetDefaultTTL(1)
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		switch rr.Header().Rrtype {
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
		default:
			continue
		}
		name := offTheWire(t, rr.Header().Name)
		if !name.In(apex) {
			continue
		}
		tags, ok := slowTags(zp.Comment())
		if !ok {
			t.Fatalf("tags of %q were not refused", zp.Comment())
		}
		for _, tag := range tags {
			switch strings.ToLower(tag.Name + ":" + tag.Value) {
			case "cf-proxied:true":
				marks[name] = zonefile.Proxied
			case "cf-proxied:false":
				marks[name] = max(marks[name], zonefile.Unproxied)
			}
		}
	}
	if err := zp.Err(); err != nil {
		t.Fatalf("was not refused: %v", err)
	}
	return marks
}

// offTheWire returns the name that a question for name holds, or for one that
// fits into no question, name itself.
func offTheWire(t *testing.T, name string) fqdn.Name {
	var wire [256]byte
	n, err := dns.PackDomainName(name, wire[:], 0, nil, false)
	if err != nil || n == 0 { // the library packs the empty name into nothing
		return fqdn.Canonical(name)
	}
	name, _, err = dns.UnpackDomainName(wire[:n], 0)
	if err != nil {
		t.Fatal(err)
	}
	return fqdn.Canonical(name)
}

// export makes a zone file of n owners in the form of an export.
func export(n int) []byte {
	var b bytes.Buffer
	b.WriteString("example.com\t3600\tIN\tSOA\tns.example.net. dns.example.net. 1 2 3 4 5\n\n;; A Records\n")
	for i := range n {
		mark := [...]string{"", " ; cf_tags=cf-proxied:true", " ; web server cf_tags=cf-proxied:false"}[i%3]
		fmt.Fprintf(&b, "host-%07d.example.com.\t1\tIN\tA\t192.0.2.%d%s\n", i, i%256, mark)
	}
	return b.Bytes()
}

// No error brings a word of the file into a log: a map may name a file that is no
// zone file, as one of passwords.
func TestV17_ErrorsQuoteNothing(t *testing.T) {
	const soa = "@ 300 SOA ns dns 1 2 3 4 5\n"
	files := []string{
		"root:$6$SECRET$SECRET:19000:0:99999:7:::\n", "SECRET\n", "SECRET SECRET SECRET SECRET\n", "\"SECRET", "(SECRET", "SECRET)", "\x00SECRET\n",
		"-----BEGIN SECRET-----\nSECRET\n", "user = SECRET\npassword = SECRET ; SECRET\n", "{\"token\": \"SECRET\"}\n",
		"$TTL SECRET\n", "$ORIGIN SECRET..\n", "$INCLUDE SECRET\n", "$SECRET\n", "$GENERATE SECRET\n", "$GENERATE 1-2 SECRET$ A SECRET$\n", "$GENERATE 1-2 SECRET${SECRET} A 192.0.2.$\n",
		"www A 192.0.2.1 ; cf_tags=SECRET SECRET\n", "www A 192.0.2.1 ; cf_tags=cf-proxied:SECRET\n", "www A 192.0.2.1 ; cf_tags=SECRET:\"SECRET\n", "www A 192.0.2.1 ; cf_tags=SECRET:SECRET=\n",
		"www A 192.0.2.1 ; cf_tags=SECRET:\"SECRET\" SECRET\n", "SECRET.example.net. 300 SOA ns dns 1 2 3 4 5\n", "SECRET.example.net. 300 A 192.0.2.1\n",
	}
	for _, name := range dns.TypeToString {
		for _, rdata := range []string{"SECRET", "SECRET SECRET SECRET SECRET SECRET", `1 "SECRET"`, "1 1 1 SECRET", "1:SECRET/8", "1 . SECRET=SECRET", "dns:SECRET", `"dns: SECRET: "`, `\# 4 SECRET`, `\# 1 5E`, "10 SECRET..", "1 0123:4567:89ab:SECRET"} {
			files = append(files, soa+"SECRET 300 IN "+name+" "+rdata+"\n")
		}
	}
	refused := 0
	for _, text := range files {
		_, err := zonefile.Parse("db", []byte(text), apex)
		var errs zonefile.Errors
		switch {
		case err == nil: // Much of it is legal in a TXT.
		case !errors.As(err, &errs) || strings.Contains(strings.ToUpper(err.Error()), "SECRET") || strings.Contains(err.Error(), "$6$"):
			t.Errorf("%q: %v", text, err)
		default:
			refused++
			if e := errs[0]; e.Line > 0 && !strings.HasPrefix(err.Error(), fmt.Sprintf("db:%d:%d: ", e.Line, max(1, e.Col))) {
				t.Errorf("%q: %v, want the place", text, err)
			}
		}
	}
	if refused < 500 {
		t.Errorf("%d of %d are refused", refused, len(files))
	}
}
