package cloudflare

import (
	"fmt"
	"net/netip"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/addressmap/addressmap/plugin/printable"
)

// The document as it is written; see map-format.
type (
	document struct {
		Accounts []*docAccount `yaml:"accounts"`
	}
	docAccount struct {
		ID        string       `yaml:"id"`
		Name      string       `yaml:"name,omitempty"`
		BYOIPOnly bool         `yaml:"byoip_only,omitempty"`
		Prefixes  []*docPrefix `yaml:"prefixes,omitempty"`
		Delegated []string     `yaml:"delegated_prefixes,omitempty"`
		StaticIPs []string     `yaml:"static_ips,omitempty"`
		Zones     []*docZone   `yaml:"zones,omitempty"`
		Maps      []docMap     `yaml:"address_maps,omitempty"`
		Apps      []docApp     `yaml:"spectrum_apps,omitempty"`
	}
	docPrefix struct {
		CIDR       string `yaml:"cidr"`
		Advertised bool   `yaml:"advertised"`
	}
	docZone struct {
		Name    string    `yaml:"name"`
		ID      string    `yaml:"id,omitempty"`
		Proxied []docMark `yaml:"proxied,omitempty"`
	}
	docMark struct {
		Name     string `yaml:"name"`
		IPv4Only bool   `yaml:"ipv4_only,omitempty"`
		IPv6Only bool   `yaml:"ipv6_only,omitempty"`
	}
	docMap struct {
		ID           string      `yaml:"id,omitempty"`
		Description  string      `yaml:"description,omitempty"`
		Enabled      bool        `yaml:"enabled"`
		DefaultSNI   string      `yaml:"default_sni,omitempty"`
		CanDelete    bool        `yaml:"can_delete"`
		CanModifyIPs bool        `yaml:"can_modify_ips"`
		IPs          []string    `yaml:"ips"`
		Memberships  []docMember `yaml:"memberships"`
	}
	docMember struct {
		Kind       string `yaml:"kind"`
		Identifier string `yaml:"identifier"`
	}
	docApp struct {
		DNS struct {
			Name string `yaml:"name"`
			Type string `yaml:"type"`
		} `yaml:"dns"`
		EdgeIPs docEdge `yaml:"edge_ips"`
	}
	docEdge struct {
		Type         string   `yaml:"type"`
		Connectivity string   `yaml:"connectivity,omitempty"`
		IPs          []string `yaml:"ips,omitempty"`
	}
)

// MarshalYAML writes a mark without families in the short form.
func (m docMark) MarshalYAML() (any, error) {
	if !m.IPv4Only && !m.IPv6Only {
		return m.Name, nil
	}
	type long docMark
	return long(m), nil
}

// account returns the account with that id, a new one if there is none.
func (d *document) account(id string) *docAccount {
	for _, a := range d.Accounts {
		if a.ID == id {
			return a
		}
	}
	a := &docAccount{ID: id}
	d.Accounts = append(d.Accounts, a)
	return a
}

// contains reports whether an address lies in the prefixes of the account.
func (a *docAccount) contains(ip netip.Addr) bool {
	in := func(cidr string) bool {
		p, err := netip.ParsePrefix(cidr)
		return err == nil && p.Contains(ip)
	}
	return slices.ContainsFunc(a.Prefixes, func(p *docPrefix) bool { return in(p.CIDR) }) || slices.ContainsFunc(a.Delegated, in)
}

// text prints the document. Characters without a form are escaped: whoever shows the file
// sees them, and reads the same text.
func (d *document) text() ([]byte, error) {
	var root yaml.Node
	err := root.Dump(d, yaml.WithV4Defaults())
	if err != nil {
		return nil, fmt.Errorf("writing the document: %w", err)
	}
	quoteHidden(&root)
	text, err := yaml.Dump(&root, yaml.WithV4Defaults())
	if err != nil {
		return nil, fmt.Errorf("writing the document: %w", err)
	}
	return printable.YAML(text), nil
}

// quoteHidden has the texts written in double quotes that hold a character without a form.
func quoteHidden(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && printable.Line(n.Value) != n.Value {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		quoteHidden(c)
	}
}
