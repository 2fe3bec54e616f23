package cloudflare

import (
	"encoding/json"
	"fmt"
)

// The objects of the API, with the fields that a map needs. A null or absent field has
// the zero value.
type (
	apiAddressMap struct {
		ID           string  `json:"id"`
		Description  string  `json:"description"`
		Enabled      bool    `json:"enabled"`
		DefaultSNI   string  `json:"default_sni"`
		CanDelete    *bool   `json:"can_delete"`
		CanModifyIPs *bool   `json:"can_modify_ips"`
		IPs          []apiIP `json:"ips"`
		Memberships  []struct {
			Identifier string `json:"identifier"`
			Kind       string `json:"kind"`
		} `json:"memberships"`
	}
	apiPrefix struct {
		ID         string `json:"id"`
		AccountID  string `json:"account_id"`
		CIDR       string `json:"cidr"`
		Approved   string `json:"approved"`
		Advertised *bool  `json:"advertised"`
	}
	apiBGPPrefix struct {
		CIDR     string `json:"cidr"`
		OnDemand struct {
			Advertised *bool `json:"advertised"`
		} `json:"on_demand"`
	}
	apiDelegation struct {
		CIDR               string `json:"cidr"`
		DelegatedAccountID string `json:"delegated_account_id"`
		ParentPrefixID     string `json:"parent_prefix_id"`
	}
	apiZone struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Status  string `json:"status"`
		Paused  bool   `json:"paused"`
		Type    string `json:"type"`
		Account struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"account"`
	}
	apiRecord struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Proxied  bool   `json:"proxied"`
		ZoneID   string `json:"zone_id"`
		ZoneName string `json:"zone_name"`
		Settings struct {
			IPv4Only     bool `json:"ipv4_only"`
			IPv6Only     bool `json:"ipv6_only"`
			FlattenCNAME bool `json:"flatten_cname"`
		} `json:"settings"`
	}
	apiApplication struct {
		ID       string `json:"id"`
		Protocol string `json:"protocol"`
		DNS      struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"dns"`
		EdgeIPs struct {
			Type         string   `json:"type"`
			Connectivity string   `json:"connectivity"`
			IPs          []string `json:"ips"`
		} `json:"edge_ips"`
	}
)

// apiIP is an address of a map: an object in responses, a string in requests.
type apiIP string

// UnmarshalJSON implements [json.Unmarshaler].
func (ip *apiIP) UnmarshalJSON(data []byte) error {
	var o struct {
		IP string `json:"ip"`
	}
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(ip))
	}
	err := json.Unmarshal(data, &o)
	*ip = apiIP(o.IP)
	return err
}

// objectKind is the kind of an object of the API.
type objectKind string

// addObject adds one object, whose fields show its kind.
func (i *Import) addObject(name string, value json.RawMessage) objectKind {
	f, ok := fieldsOf(value)
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, ok := f[k]; !ok {
				return false
			}
		}
		return true
	}
	var k objectKind
	var err error
	switch {
	case !ok:
		i.addChange(Lost, name, "not an object of the API")
	case has("can_modify_ips") && !has("ips") && !has("memberships"):
		k = "address map"
		i.addChange(Lost, name, "address map %s of a list, which leaves out its ips and memberships: fetch it by its id", f["id"])
	case has("can_modify_ips"), has("ips", "memberships"):
		k, err = "address map", appendParsed(&i.maps, value)
	case has("delegated_account_id", "cidr"):
		k, err = "delegation", appendParsed(&i.delegations, value)
	case has("on_demand", "cidr"):
		k, err = "BGP prefix", appendParsed(&i.bgp, value)
	case has("account_id", "cidr"):
		k, err = "prefix", appendParsed(&i.prefixes, value)
	case has("dns", "protocol"), has("dns", "edge_ips"):
		k, err = "application", appendParsed(&i.apps, value)
	case has("name", "type", "content"), has("name", "type", "ttl"):
		k, err = "record", appendParsed(&i.records, value)
	case has("name", "account"):
		k, err = "zone", appendParsed(&i.zones, value)
	default:
		i.addChange(Lost, name, "an object of no kind that a map has%s", describe(f))
	}
	if err != nil {
		i.addChange(Lost, name, "%s that cannot be read: %v", k, err)
	}
	return k
}

// appendParsed appends an object to the list of its kind.
func appendParsed[T any](to *[]T, value json.RawMessage) error {
	var v T
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}

// describe returns the id or name of an object in parentheses, or "".
func describe(f map[string]json.RawMessage) string {
	for _, key := range []string{"id", "name"} {
		if v, ok := f[key]; ok {
			return fmt.Sprintf(" (%s %s)", key, v)
		}
	}
	return ""
}
