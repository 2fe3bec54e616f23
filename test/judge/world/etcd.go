package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// AddEtcd adds the backend etcd. It must be called before any world is made.
func AddEtcd() {
	if !slices.Contains(WorldDimensions[0].Values, "etcd") {
		WorldDimensions[0].Values = append(slices.Clone(WorldDimensions[0].Values), "etcd")
	}
}

// EtcdKeys are the services of the main zone as the plugin etcd reads them. It
// answers for a name with all that is below it, so that worlds with etcd have
// every name proxied, and no nested zone.
func (w *World) EtcdKeys() map[string]string {
	keys := map[string]string{}
	for i, rr := range w.Records {
		name := dns.CanonicalName(rr.Header().Name)
		if !dns.IsSubDomain(Main, name) || strings.ContainsAny(name, "*_") || loops(name) {
			continue
		}
		service := map[string]any{"ttl": 3600}
		switch rr := rr.(type) {
		case *dns.A:
			service["host"] = rr.A.String()
		case *dns.AAAA:
			service["host"] = rr.AAAA.String()
		case *dns.CNAME:
			service["host"] = rr.Target
		case *dns.TXT:
			service["text"] = rr.Txt[0]
		case *dns.MX:
			service["host"], service["mail"], service["priority"] = rr.Mx, true, 10
		default:
			continue
		}
		labels := dns.SplitDomainName(name)
		slices.Reverse(labels)
		value, err := json.Marshal(service)
		if err != nil {
			panic(err)
		}
		keys[fmt.Sprintf("/%s/%s/r%d", w.EtcdPath, strings.Join(labels, "/"), i)] = string(value)
	}
	return keys
}
