package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// zoneEntry is the entry of an imported zone in a map document.
type zoneEntry struct {
	apex           fqdn.Name
	file           string // the zone file, "" for the standard output
	proxiedDefault bool
	account        string
}

// node is the entry as YAML; dir is the directory of its document.
func (z zoneEntry) node(dir string) *yaml.Node {
	file := z.file
	if file == "" {
		file = "FILE"
	} else if rel, err := filepath.Rel(dir, file); err == nil {
		file = rel
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	set(n, "name", text(strings.TrimSuffix(string(z.apex), ".")))
	set(n, "zone_file", text(file))
	set(n, "proxied_default", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(z.proxiedDefault)})
	return n
}

// addTo returns the document at path with the entry in it, and the change; the rest of
// the document stays as it is. Without a path there is no document, and the change has
// the entry as text.
func (z zoneEntry) addTo(path string, force bool) ([]byte, cloudflare.Change, error) {
	name := strings.TrimSuffix(string(z.apex), ".")
	entry := z.node(filepath.Dir(path))
	if path == "" {
		line, err := yaml.Dump(entry, yaml.WithV4Defaults())
		text := "its entry under \"zones\" of an account: " + strings.ReplaceAll(strings.TrimSpace(string(line)), "\n", ", ")
		return nil, cloudflare.Change{Kind: cloudflare.Review, Name: name, Text: text}, err
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, cloudflare.Change{}, err
	case !force:
		return nil, cloudflare.Change{}, mayWrite(path, force)
	default:
		if _, errs := mapfile.Parse(path, data); len(errs) > 0 {
			return nil, cloudflare.Change{}, fmt.Errorf("the map must be legal before a zone is put into it:\n%w", errs.Err())
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			return nil, cloudflare.Change{}, fmt.Errorf("%s: %w", path, err)
		}
		if len(doc.Content) > 0 && doc.Content[0].Kind == yaml.MappingNode {
			root = doc.Content[0]
		}
	}
	how := z.putInto(root, entry)
	out, err := yaml.Dump(root, yaml.WithV4Defaults())
	if err != nil {
		return nil, cloudflare.Change{}, err
	}
	if _, errs := mapfile.Parse(path, out); len(errs) > 0 {
		return nil, cloudflare.Change{}, errs.Err()
	}
	return out, cloudflare.Change{Kind: cloudflare.Changed, Name: name, Text: fmt.Sprintf("%s in %s", how, path)}, nil
}

// putInto puts the entry into a document: into the entry of the zone if there is one,
// else into the account. It returns the text of the change.
func (z zoneEntry) putInto(root, entry *yaml.Node) string {
	accounts := list(root, "accounts")
	for _, acc := range accounts.Content {
		for _, old := range list(acc, "zones").Content {
			if n, err := fqdn.Parse(value(old, "name")); err != nil || n != z.apex {
				continue
			}
			for i := 0; i+1 < len(entry.Content); i += 2 {
				set(old, entry.Content[i].Value, entry.Content[i+1])
			}
			return "its marks are those of the zone file, beside those that it had,"
		}
	}
	for _, acc := range accounts.Content {
		if value(acc, "id") == z.account {
			zones := list(acc, "zones")
			zones.Content = append(zones.Content, entry)
			return "added to account " + z.account
		}
	}
	acc := &yaml.Node{Kind: yaml.MappingNode}
	set(acc, "id", text(z.account))
	zones := list(acc, "zones")
	zones.Content = append(zones.Content, entry)
	accounts.Content = append(accounts.Content, acc)
	return "added to the new account " + z.account
}

// text is a YAML node with a text.
func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

// valueIndex returns the index of a key's value in the content of a mapping, or -1.
func valueIndex(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

// value returns the value of a key in a mapping, or "".
func value(m *yaml.Node, key string) string {
	if i := valueIndex(m, key); i >= 0 {
		return m.Content[i].Value
	}
	return ""
}

// set sets the value of a key in a mapping.
func set(m *yaml.Node, key string, v *yaml.Node) {
	if i := valueIndex(m, key); i >= 0 {
		m.Content[i] = v
		return
	}
	m.Content = append(m.Content, text(key), v)
}

// list returns the list of a key, a new one if there is none.
func list(m *yaml.Node, key string) *yaml.Node {
	if i := valueIndex(m, key); i >= 0 && m.Content[i].Kind == yaml.SequenceNode {
		return m.Content[i]
	}
	l := &yaml.Node{Kind: yaml.SequenceNode}
	set(m, key, l)
	return l
}
