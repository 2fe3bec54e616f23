package addressmap

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/tools/txtar"
)

// What a transfer holds, zone by zone. Each archive of testdata/transfer starts a
// CoreDNS and transfers zones from it.
//
//	Corefile   absent: transfer to anybody, addressmap maps.yaml, file for each zone file
//	maps.yaml  the map
//	db.ZONE    zone files
//	signed     zones of which the zone file is signed before it is served
//	axfr ZONE  what the transfer holds, in order of the owners, but for the SOA
//	           at its end; or the rcode
//	log        texts that are logged, one a line, each exactly once
//
// Addresses and names tell what they are as in [book].
func TestR18_Content(t *testing.T) { transferBook(t, "r18-*.txtar") }

func TestR19_Content(t *testing.T) { transferBook(t, "r19-*.txtar") }

func transferBook(t *testing.T, pattern string) {
	paths, err := filepath.Glob(filepath.Join("testdata", "transfer", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archive %s: %v", pattern, err)
	}
	for _, path := range paths {
		path, err := filepath.Abs(path) // a server changes the working directory
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { transferArchive(t, path) })
	}
}

func transferArchive(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(archive.Comment)) == "" {
		t.Error("the archive does not say what it is about")
	}
	files := make(map[string]string)
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "axfr ") {
			files[f.Name] = string(f.Data)
		}
	}
	place(t, files)
	for _, zone := range strings.Fields(files["signed"]) {
		signFile(t, "db."+zone, zone)
	}
	corefile := files["Corefile"]
	if corefile == "" {
		corefile = strings.Replace(corefileOf(files), "{\n", "{\n    transfer {\n        to *\n    }\n", 1)
	}
	c := start(t, corefile, nil)
	asked := false
	for i, f := range archive.Files {
		zone, ok := strings.CutPrefix(f.Name, "axfr ")
		if !ok {
			continue
		}
		asked = true
		rrs, err := c.transfer(zone)
		got := transferred(t, rrs, err)
		if *update {
			archive.Files[i].Data = []byte(got)
		} else if want := string(f.Data); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", zone, got, want)
		}
		if !strings.Contains(corefile, "transfer origin") {
			leaks(t, &dns.Msg{Question: []dns.Question{{Name: zone, Qtype: dns.TypeAXFR, Qclass: dns.ClassINET}}, Answer: rrs})
		}
	}
	if !asked {
		t.Error("the archive asks for no zone")
	}
	for want := range strings.Lines(files["log"]) {
		if lines := c.log.lines(strings.TrimSpace(want)); len(lines) != 1 {
			t.Errorf("want once in the log: %sgot %q of\n%s", want, lines, c.log)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// transfer asks the server for all of a zone.
func (c *chain) transfer(zone string) ([]dns.RR, error) {
	return receive(new(dns.Transfer), c.addr("tcp"), new(dns.Msg).SetAxfr(dns.Fqdn(zone)))
}

// receive returns the records of all messages of a transfer.
func receive(tr *dns.Transfer, addr string, req *dns.Msg) ([]dns.RR, error) {
	tr.DialTimeout, tr.ReadTimeout = patience, patience
	envelopes, err := tr.In(req, addr)
	if err != nil {
		return nil, err
	}
	var rrs []dns.RR
	for e := range envelopes {
		if e.Error != nil {
			err = cmp.Or(err, e.Error)
		}
		rrs = append(rrs, e.RR...)
	}
	return rrs, err
}

// transferred is what a transfer says, as an archive holds it.
func transferred(t *testing.T, rrs []dns.RR, err error) string {
	t.Helper()
	if err != nil {
		var refused *dns.Error
		if errors.As(err, &refused) && len(rrs) == 0 {
			return refused.Error() + "\n"
		}
		t.Fatalf("%v\n%v", err, rrs)
	}
	last := len(rrs) - 1
	if last < 1 || !dns.IsDuplicate(rrs[0], rrs[last]) || rrs[0].Header().Rrtype != dns.TypeSOA {
		t.Fatalf("want the SOA first and last, got\n%v", rrs)
	}
	sorted := slices.Clone(rrs[1:last])
	slices.SortStableFunc(sorted, func(a, b dns.RR) int { // the order within an RRset tells something
		return cmp.Or(cmp.Compare(reversed(a.Header().Name), reversed(b.Header().Name)), cmp.Compare(setOf(a), setOf(b)))
	})
	var text strings.Builder
	for _, rr := range slices.Insert(sorted, 0, rrs[0]) {
		switch rr := rr.(type) {
		case *dns.RRSIG, *dns.DNSKEY:
			text.WriteString(rr.Header().Name + " " + setOf(rr) + "\n")
		default:
			text.WriteString(strings.ReplaceAll(rr.String(), "\t", " ") + "\n")
		}
	}
	return text.String()
}

// setOf names the RRset of its owner that a record is in, or signs.
func setOf(rr dns.RR) string {
	name := dns.TypeToString[rr.Header().Rrtype]
	if sig, ok := rr.(*dns.RRSIG); ok {
		name += " of " + dns.TypeToString[sig.TypeCovered]
	}
	return name
}

// reversed writes the labels of a name from the right, so that names sort as
// zones do.
func reversed(name string) string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return strings.Join(labels, " ")
}
