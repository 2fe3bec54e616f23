package cloudflare

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
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
		Content  string `json:"content"`
		Priority int    `json:"priority"`
		Proxied  *bool  `json:"proxied"`
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

// The kinds of objects that a map is made of.
const (
	addressMapKind  objectKind = "address map"
	delegationKind  objectKind = "delegation"
	bgpPrefixKind   objectKind = "BGP prefix"
	prefixKind      objectKind = "prefix"
	applicationKind objectKind = "Spectrum application"
	recordKind      objectKind = "DNS record"
	zoneKind        objectKind = "zone"
)

// plural returns the kind for a number of objects.
func (k objectKind) plural() string {
	if k == prefixKind || k == bgpPrefixKind {
		return string(k) + "es"
	}
	return string(k) + "s"
}

// object is one object of the API.
type object struct {
	kind  objectKind
	id    string // its id, or its text if it has none
	label string // for changes
	value any    // a pointer to its fields; nil for an address map of a list, which has too few
	from  *answer
}

// parseObject reads one object, whose fields show its kind. It reports false, and adds a
// change, if it is none.
func (i *Import) parseObject(name string, value json.RawMessage) (object, bool) {
	f, ok := fieldsOf(value)
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, ok := f[k]; !ok {
				return false
			}
		}
		return true
	}
	var o object
	switch {
	case !ok:
		i.addChange(Lost, name, "not an object of the API")
		return o, false
	case has("can_modify_ips") && !has("ips") && !has("memberships"):
		o = object{kind: addressMapKind}
	case has("can_modify_ips"), has("ips", "memberships"):
		o = object{kind: addressMapKind, value: new(apiAddressMap)}
	case has("delegated_account_id", "cidr"):
		o = object{kind: delegationKind, value: new(apiDelegation)}
	case has("on_demand", "cidr"):
		o = object{kind: bgpPrefixKind, value: new(apiBGPPrefix)}
	case has("account_id", "cidr"):
		o = object{kind: prefixKind, value: new(apiPrefix)}
	case has("dns", "protocol"), has("dns", "edge_ips"):
		o = object{kind: applicationKind, value: new(apiApplication)}
	case has("name", "type", "content"), has("name", "type", "ttl"):
		o = object{kind: recordKind, value: new(apiRecord)}
	case has("name", "account"):
		o = object{kind: zoneKind, value: new(apiZone)}
	default:
		i.addChange(Lost, name, "an object of no kind that a map has%s", describe(f))
		return o, false
	}
	var id struct{ ID, Name, CIDR string }
	err := json.Unmarshal(value, &id)
	if err == nil && o.value != nil {
		err = json.Unmarshal(value, o.value)
	}
	if err != nil {
		i.addChange(Lost, name, "%s that cannot be read: %v", o.kind, err)
		return o, false
	}
	o.id, o.label = id.ID, cmp.Or(id.Name, id.CIDR, id.ID)
	if o.id == "" {
		var text bytes.Buffer
		_ = json.Compact(&text, value) // the value was read as JSON
		o.id = text.String()
	}
	return o, true
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

// objectID is what makes two objects the same.
type objectID struct {
	kind objectKind
	id   string
}

// merged returns the objects of all answers, each once. Two of the same id that differ
// are a loss: which of them is in force at Cloudflare, nothing tells.
func (i *Import) merged() []object {
	var all []object
	at := make(map[objectID]int)    // :: object → its index in all
	listed := make(map[string]bool) // :: id of an address map that a list has
	for _, a := range i.answers {
		for _, o := range a.objects {
			if o.value == nil {
				listed[o.id] = true
				continue
			}
			o.from = a
			known, ok := at[objectID{o.kind, o.id}]
			if !ok {
				at[objectID{o.kind, o.id}] = len(all)
				all = append(all, o)
			} else if !reflect.DeepEqual(all[known].value, o.value) {
				i.addLost(o.label, fmt.Sprintf("%s that is here twice, and not the same", o.kind), "fetch its list anew", "objects are here twice, and not the same")
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(listed)) {
		if _, ok := at[objectID{addressMapKind, id}]; !ok {
			i.addLost(id, "address map of a list, which leaves out its ips and memberships", "fetch it by its id", "address maps are of a list, which leaves out their ips and memberships")
		}
	}
	return all
}
