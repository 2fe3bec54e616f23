package state

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// The sizes of a large installation: as many documents, and a zone file each.
const documents = 10_000

// large returns a manifest of many documents with a zone file each, and their
// texts, of a few kilobytes.
func large() (*Manifest, [][]byte) {
	m := &Manifest{Settings: "guard 5", Serials: make(map[string]uint32)}
	var texts [][]byte
	add := func(name string, i, lines int) Sum {
		var text []byte
		for range lines {
			text = fmt.Appendf(text, "%s %d: a line of some length in a text of some lines\n", name, i)
		}
		texts = append(texts, text)
		return sha256.Sum256(text)
	}
	for i := range documents {
		zone := fmt.Sprintf("customer-%d.example.org", i)
		m.Documents = append(m.Documents, Document{
			Name:      zone + ".yaml",
			Text:      add("document", i, 40),
			ZoneFiles: []ZoneFile{{Name: "/etc/coredns/zones/db." + zone, Text: add("zone file", i, 60)}},
		})
		m.Serials[zone+"."] = uint32(i)
	}
	return m, texts
}

func perOp(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
}

// A first start: everything is new.
func BenchmarkColdStart(b *testing.B) {
	m, texts := large()
	for b.Loop() {
		d := open(b, b.TempDir())
		_, err := putAll(d, texts)
		must(b, err)
		must(b, d.Save(m))
	}
	perOp(b)
}

// A start with everything in the state: it is loaded, and put again as it is.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	m, texts := large()
	d := open(b, dir)
	_, err := putAll(d, texts)
	must(b, err)
	must(b, d.Save(m))
	must(b, d.Close())
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			d := opened(b, dir)
			must(b, d.Close())
		}
		perOp(b)
	})
	b.Run("OpenLoad", func(b *testing.B) {
		for b.Loop() {
			d := opened(b, dir)
			_, err = d.Load()
			must(b, err)
			must(b, d.Close())
		}
		perOp(b)
	})
	b.Run("OpenLoadReadPutSave", func(b *testing.B) {
		for b.Loop() {
			d := opened(b, dir)
			m, err := d.Load()
			must(b, err)
			for _, sum := range m.texts {
				_, err := d.Read(sum)
				must(b, err)
			}
			_, err = putAll(d, texts)
			must(b, err)
			must(b, d.Save(m))
			must(b, d.Close())
		}
		perOp(b)
	})
}

// One document of many has changed.
func BenchmarkOneChanged(b *testing.B) {
	m, texts := large()
	d := open(b, b.TempDir())
	_, err := putAll(d, texts)
	must(b, err)
	must(b, d.Save(m))
	i := 0
	for b.Loop() {
		i++
		doc := &m.Documents[i%documents]
		doc.Text, err = put(d, fmt.Appendf(nil, "change %d\n%s", i, texts[2*(i%documents)]))
		must(b, err)
		must(b, d.Save(m))
	}
	perOp(b)
}

// A push has changed many documents at once.
func BenchmarkManyChanged(b *testing.B) {
	const changed = 1500
	m, texts := large()
	d := open(b, b.TempDir())
	_, err := putAll(d, texts)
	must(b, err)
	must(b, d.Save(m))
	next := make([][]byte, changed)
	for n := 0; b.Loop(); n++ {
		for i := range next {
			next[i] = fmt.Appendf(nil, "change %d\n%s", n, texts[2*i])
		}
		sums, err := putAll(d, next)
		must(b, err)
		for i, sum := range sums {
			m.Documents[i].Text = sum
		}
		must(b, d.Save(m))
	}
	perOp(b)
}
