package edge

import (
	"fmt"
	"io"
	"strings"
)

// WriteList prints the addresses one a line.
func WriteList(w io.Writer, list []Address) error {
	var b strings.Builder
	for _, a := range list {
		b.WriteString(a.Address.String() + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// family is what the configuration of networks says of one address family.
type family struct {
	name   string // of the BIRD channel
	digit  string
	nft    string // type of nftables
	is6    bool
	length int // of the prefix of one address
}

var families = []family{{"ipv4", "4", "ipv4_addr", false, 32}, {"ipv6", "6", "ipv6_addr", true, 128}}

// WriteNftables prints sets for nft -f, which replaces their content in one
// transaction: addressmap4 and addressmap6 of the table inet addressmap.
func WriteNftables(w io.Writer, list []Address) error {
	var b strings.Builder
	b.WriteString("#!/usr/sbin/nft -f\n# The addresses that the edge accepts: \"ip daddr @addressmap4\".\nadd table inet addressmap\n")
	for _, f := range families {
		set := "addressmap" + f.digit
		fmt.Fprintf(&b, "add set inet addressmap %s { type %s; }\nflush set inet addressmap %[1]s\n", set, f.nft)
		var elements []string
		for _, a := range list {
			if a.Address.Is6() == f.is6 {
				elements = append(elements, a.Address.String())
			}
		}
		if len(elements) > 0 {
			fmt.Fprintf(&b, "add element inet addressmap %s {\n    %s\n}\n", set, strings.Join(elements, ",\n    "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteBIRD prints static routes for BIRD 2, a protocol for each family. Addresses in a
// withdrawn prefix are routed by protocols of their own, so that an export filter can tell
// them apart.
func WriteBIRD(w io.Writer, list []Address) error {
	var b strings.Builder
	b.WriteString("# A route for each address that the edge binds. An export filter can tell those of\n" +
		"# withdrawn prefixes by the name of the protocol: proto = \"addressmap4_withdrawn\".\n")
	for _, f := range families {
		for _, advertised := range []bool{true, false} {
			name := "addressmap" + f.digit
			if !advertised {
				name += "_withdrawn"
			}
			fmt.Fprintf(&b, "protocol static %s {\n    %s;\n", name, f.name)
			for _, a := range list {
				if a.Address.Is6() == f.is6 && a.Advertised == advertised {
					fmt.Fprintf(&b, "    route %s/%d blackhole;\n", a.Address, f.length)
				}
			}
			b.WriteString("}\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteIP prints a script for sh that makes the addresses of a network device those of the
// list, by commands of ip addr. The device is made if there is none, and must be for
// nothing else: it loses all other addresses. An address that stays is not touched.
func WriteIP(w io.Writer, list []Address, device string) error {
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# Gives the device %[1]s the addresses that the edge binds, and no others.
set -e
ip link show dev %[1]s >/dev/null 2>&1 || ip link add %[1]s type dummy
ip link set dev %[1]s up
`, device)
	var all []string
	for _, a := range list {
		prefix := fmt.Sprintf("%s/%d", a.Address, a.Address.BitLen())
		all = append(all, prefix)
		fmt.Fprintf(&b, "ip addr replace %s dev %s\n", prefix, device)
	}
	fmt.Fprintf(&b, `wanted=" %s "
ip -o addr show dev %s scope global | while read -r _ _ _ address _; do
    case "$wanted" in
    *" $address "*) ;;
    *) ip addr del "$address" dev %[2]s ;;
    esac
done
`, strings.Join(all, " "), device)
	_, err := io.WriteString(w, b.String())
	return err
}
