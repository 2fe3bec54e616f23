package mapset

import (
	"bytes"
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// kept is what of a document compiling it again needs: all but its text and, of its
// marks, those that no address of a certain family is wanted for. It is a sequence
// (RFC 8742) in CBOR: the document without its accounts and how many these are, then
// each account without its zones and how many these are, then its zones. The
// collector of garbage would look through ten thousand documents made of pointers
// time and again, and queries would wait for it; it passes bytes over.
type kept []byte

// keep returns doc as it is kept.
func keep(doc *mapfile.Document) kept {
	var b bytes.Buffer
	enc := cbor.NewEncoder(&b)
	put := func(v any) {
		if err := enc.Encode(v); err != nil {
			panic(fmt.Errorf("mapset: %s cannot be kept: %w", doc.Name, err)) // All of it can be encoded.
		}
	}
	head := *doc
	head.Accounts = nil
	put(&head)
	put(len(doc.Accounts))
	for i := range doc.Accounts {
		a := doc.Accounts[i]
		zones := a.Zones
		a.Zones = nil
		put(&a)
		put(len(zones))
		for j := range zones {
			z := zones[j]
			z.Marks = limited(z.Marks)
			put(&z)
		}
	}
	return bytes.Clone(b.Bytes())
}

// limited returns those marks that want addresses of one family.
func limited(marks []mapfile.Mark) (some []mapfile.Mark) {
	for _, m := range marks {
		if m.V4Only || m.V6Only {
			some = append(some, m)
		}
	}
	return some
}

// decoding has no limits but the greatest: all that is decoded was a document. Its
// name is that of a file, which may be anything.
var decoding = func() cbor.DecMode {
	m, err := cbor.DecOptions{MaxArrayElements: math.MaxInt32, MaxMapPairs: math.MaxInt32, UTF8: cbor.UTF8DecodeInvalid}.DecMode()
	if err != nil {
		panic(err) // These are options that it has.
	}
	return m
}()

// document is the reverse of [keep].
func (k kept) document() *mapfile.Document {
	rest := []byte(k)
	get := func(v any) {
		var err error
		if rest, err = decoding.UnmarshalFirst(rest, v); err != nil {
			panic(fmt.Errorf("mapset: a document that was kept is broken: %w", err)) // It is as keep left it.
		}
	}
	count := func() (n int) {
		get(&n)
		return n
	}
	doc := new(mapfile.Document)
	get(doc)
	doc.Accounts = make([]mapfile.Account, count())
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		get(a)
		a.Zones = make([]mapfile.Zone, count())
		for j := range a.Zones {
			get(&a.Zones[j])
		}
	}
	return doc
}
