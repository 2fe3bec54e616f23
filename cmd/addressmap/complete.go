package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
)

// mapSuffixes are those of the files of a map.
var mapSuffixes = []string{"yaml", "yml", "json"}

// completeMaps completes the path of a map. A shell offers directories beside files.
func completeMaps(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return mapSuffixes, cobra.ShellCompDirectiveFilterFileExt
}

// completeExplain completes the map, a name that the map has, and record types.
func completeExplain(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return completeMaps(cmd, args, word)
	case 1:
		return withPrefix(ownersOf(cmd, args[0]), word), cobra.ShellCompDirectiveNoFileComp
	}
	types := slices.Sorted(maps.Keys(dns.StringToType))
	return withPrefix(types, strings.ToUpper(word)), cobra.ShellCompDirectiveNoFileComp
}

// ownersOf returns the owner names that a map knows, without their last dots. A map that
// cannot be read has none: a shell that completes a word has no place for an error.
func ownersOf(cmd *cobra.Command, path string) []string {
	known := make(fqdn.Set)
	for _, z := range zonesOf(cmd, path) {
		known[z.zone.Name] = struct{}{}
		for _, m := range z.zone.Marks {
			known[m.Owner] = struct{}{}
		}
		if z.file != nil {
			for owner := range z.file.Owners {
				known[owner] = struct{}{}
			}
		}
	}
	return undotted(known)
}

// zonesOf returns the zones of a map, as far as it is good.
func zonesOf(cmd *cobra.Command, path string) (out []declared) {
	if path == "-" || fleet.IsMap(path) { // etcd may be slow, or want a password
		return nil
	}
	opt := live.Options{Path: path}
	if flag := cmd.Flags().Lookup("zone-files"); flag != nil {
		opt.ZoneFiles = *flag.Value.(*directories)
	}
	checked, err := live.Check(opt)
	if err != nil {
		return nil
	}
	for _, s := range checked.Sources {
		for i := range s.Doc.Accounts {
			a := &s.Doc.Accounts[i]
			for j := range a.Zones {
				out = append(out, declared{doc: s.Doc, account: a, zone: &a.Zones[j], file: s.ZoneFiles[a.Zones[j].Name]})
			}
		}
	}
	return out
}

// completeZoneFile completes the zone in ZONE=FILE.
func completeZoneFile(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if strings.Contains(word, "=") || len(args) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	zones := make(fqdn.Set)
	for _, z := range zonesOf(cmd, args[0]) {
		zones[z.zone.Name] = struct{}{}
	}
	names := undotted(zones)
	for i := range names {
		names[i] += "="
	}
	return withPrefix(names, word), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

func undotted(names fqdn.Set) []string {
	var out []string
	for name := range names {
		out = append(out, strings.TrimSuffix(string(name), "."))
	}
	slices.Sort(out)
	return out
}

func withPrefix(words []string, prefix string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, prefix) })
}
