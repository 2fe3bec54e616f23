package property

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// token is something a generated zone holds exactly once: an address, or a label
// of a name. It is recognised wherever it stands, on the wire or in a text.
type token uint16

// Of tokens, the first octets are the same, and the last ones count.
var (
	tokenIPv4 = []byte{185, 126}
	tokenIPv6 = []byte{0x2a, 0x0e, 0x97, 0xc0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5}
	textIPv4  = []byte("185.126.")
	textIPv6  = []byte("2a0e:97c0:1:2:3:4:5:")
)

const labelLength = len("v0000q")

func (v token) v4() net.IP    { return net.IP(append(bytes.Clone(tokenIPv4), byte(v>>8), byte(v))) }
func (v token) v6() net.IP    { return net.IP(append(bytes.Clone(tokenIPv6), byte(v>>8), byte(v))) }
func (v token) label() string { return fmt.Sprintf("v%04xq", uint16(v)) }

// String prints all that a finding may look like.
func (v token) String() string { return fmt.Sprintf("%v = %v = %s", v.v4(), v.v6(), v.label()) }

// tokensIn returns the tokens in b, each once: the octets of an address, its
// text, or a label, compressed or not (the label itself stands somewhere in the
// message), in any case, or part of one.
func tokensIn(b []byte) []token {
	var out []token
	for i := range b {
		if v, ok := tokenAt(b[i:]); ok && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// tokenAt returns the token that b starts with.
func tokenAt(b []byte) (token, bool) {
	if len(b) < 4 {
		return 0, false
	}
	switch b[0] {
	case tokenIPv4[0]:
		if b[1] == tokenIPv4[1] {
			return token(b[2])<<8 | token(b[3]), true
		}
	case tokenIPv6[0]:
		if len(b) >= net.IPv6len && bytes.HasPrefix(b, tokenIPv6) {
			return token(b[14])<<8 | token(b[15]), true
		}
	case 'v', 'V':
		if len(b) >= labelLength && b[labelLength-1]|0x20 == 'q' {
			return hexToken(b[1 : labelLength-1])
		}
	case textIPv4[0]:
		if after, ok := bytes.CutPrefix(b, textIPv4); ok {
			return dotted(after)
		}
	case textIPv6[0]:
		if after, ok := bytes.CutPrefix(b, textIPv6); ok {
			end := slices.IndexFunc(after, func(c byte) bool { return !isHex(c) })
			if end < 0 {
				end = len(after)
			}
			return hexToken(after[:end])
		}
	}
	return 0, false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// dotted reads the last two numbers of an IPv4 address.
func dotted(b []byte) (token, bool) {
	for end := min(len(b), len("255.255")); end >= len("0.0"); end-- {
		if a, err := netip.ParseAddr("0.0." + string(b[:end])); err == nil {
			four := a.As4()
			return token(four[2])<<8 | token(four[3]), true
		}
	}
	return 0, false
}

func hexToken(b []byte) (token, bool) {
	n, err := strconv.ParseUint(string(b), 16, 16)
	return token(n), err == nil
}
