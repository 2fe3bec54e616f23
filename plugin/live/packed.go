package live

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// packed is the text of a document or zone file, compressed: a sixth, as a rule. The texts in
// force stay in memory: when the state is lost, or named by a new Corefile, the files on disk
// may be broken already, and the next start would have nothing to start with.
type packed []byte

// pack compresses a text. What it returns shares no memory with it.
func pack(text []byte) packed { return bytes.Clone(s2.Encode(nil, text)) }

// text returns what was compressed.
func (p packed) text() ([]byte, error) {
	text, err := s2.Decode(nil, p)
	if err != nil {
		return nil, fmt.Errorf("a text in memory is damaged, check the memory of the machine: %w", err)
	}
	return text, nil
}
