package fqdn

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// toASCII converts each label that is not ASCII into its A-label, and leaves
// every other label alone: owner names may hold "_" and escapes that IDNA
// would refuse.
func toASCII(s string) (string, error) {
	if isASCII(s) {
		return s, nil
	}
	// RFC 3490, section 3.1: these separate labels as "." does.
	s = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".").Replace(s)
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		// The library would encode this character, which also stands for
		// every octet that is no UTF-8.
		if strings.ContainsRune(label, utf8.RuneError) {
			return "", fmt.Errorf("%w: %q is not UTF-8", ErrUnicode, label)
		}
		a, err := idna.Lookup.ToASCII(label)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnicode, err)
		}
		if a == "" { // Only characters that the mapping drops, as a soft hyphen.
			return "", fmt.Errorf("%w: nothing of %q remains", ErrUnicode, label)
		}
		labels[i] = a
	}
	return strings.Join(labels, "."), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
