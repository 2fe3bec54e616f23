package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Head says what was pushed last. Its key and the documents of the push, or what it is
// from, change in one transaction.
type Head struct {
	Push    int64     `json:"push"`   // counts the pushes, from 1
	Digest  string    `json:"digest"` // of everyone's documents, by [Documents.Digest]
	When    time.Time `json:"when"`
	By      string    `json:"by"`
	Message string    `json:"message,omitempty"`
	// From is where the documents of the push are as far as they were not moved to their
	// place yet: staging/N. It is empty if the push was one transaction.
	From string `json:"from,omitempty"`
	// Stage is the stage whose documents the push is about, empty for everyone's.
	Stage string `json:"stage,omitempty"`
}

// ErrLaterVersion says that a later version of this program has pushed. What it says with a
// field that is unknown here may change what the others mean, and must not be written over.
var ErrLaterVersion = errors.New("a later version of this program has pushed: use that")

// ParseHead reads the value of a head.
func ParseHead(value []byte) (Head, error) {
	var h Head
	if err := json.Unmarshal(value, &h); err != nil {
		return Head{}, fmt.Errorf("the head is no JSON of a head, push the documents again: %w", err)
	}
	strict := json.NewDecoder(bytes.NewReader(value))
	strict.DisallowUnknownFields()
	if err := strict.Decode(new(Head)); err != nil {
		return Head{}, fmt.Errorf("the head %.200q: %w: %w", value, err, ErrLaterVersion)
	}
	if h.Push < 1 || h.From != "" && h.staging() < 1 {
		return Head{}, fmt.Errorf("the head %.200q is none that a push writes: push the documents again", value)
	}
	return h, nil
}

// Encode returns the value of the head's key.
func (h Head) Encode() []byte { return encode(h) }

// StagingOf returns the prefix of the documents that the head is from; false if it is from
// none.
func (h Head) StagingOf(m Map) (string, bool) {
	if h.From == "" {
		return "", false
	}
	return m.Staging(h.staging()), true
}

// FromStaging is the From of a head whose documents are in the staging of push n.
func FromStaging(n int64) string { return "staging/" + strconv.FormatInt(n, 10) }

// staging is the number of the staging, 0 if it is none.
func (h Head) staging() int64 {
	number, ok := strings.CutPrefix(h.From, "staging/")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return 0
	}
	return n
}

// Server is what a server tells the fleet.
type Server struct {
	Push   int64  `json:"push"`   // the newest that is in force; 0 if none ever was
	Digest string `json:"digest"` // of the documents in force and of the zone files that they use
	// Documents is the digest of the documents alone; empty if they use no zone files.
	Documents string    `json:"documents,omitempty"`
	Degraded  bool      `json:"degraded"`
	Why       string    `json:"why,omitempty"` // it is degraded
	Since     time.Time `json:"since"`         // when it was first like this
	Version   string    `json:"version"`       // of the program
	Stage     string    `json:"stage,omitempty"`
}

// WentBack is the Why of a server whose store went back.
const WentBack = "store went back"

// WentBack reports whether the server has what it has in force from a store that is no more.
func (s Server) WentBack() bool { return s.Degraded && strings.HasPrefix(s.Why, WentBack) }

// ParseServer reads the value of a server's key.
func ParseServer(value []byte) (Server, error) {
	var s Server
	if err := json.Unmarshal(value, &s); err != nil {
		return Server{}, fmt.Errorf("what the server has announced is no JSON of a server: %w", err)
	}
	if s.Push < 0 {
		return Server{}, fmt.Errorf("the server has announced push %d, which no server has", s.Push)
	}
	return s, nil
}

// Encode returns the value of the server's key.
func (s Server) Encode() []byte { return encode(s) }

// encode writes what cannot fail: strings, numbers and times of this era.
func encode(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}
