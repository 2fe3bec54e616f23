package mapfile

import "github.com/addressmap/addressmap/plugin/fqdn"

// The words of a Spectrum application.
const (
	edgeStatic, edgeDynamic = 0, 1 // edge_ips.type
	dnsAddress, dnsCNAME    = 0, 1 // dns.type
)

// spectrumApps reads the Spectrum applications of a, whose zones are known.
func (d *decoder) spectrumApps(a *Account, n *node) {
	items := d.list(n, "spectrum_apps")
	for i := range items {
		o, ok := d.object(&items[i], &spectrumKeys)
		if !ok {
			continue
		}
		dns, edge := d.required(&o, "dns"), d.required(&o, "edge_ips")
		app := SpectrumApp{}
		named, fits := false, false
		var dnsType *node
		if dns != nil {
			app.Name, app.Pos, dnsType, named = d.spectrumDNS(a, dns)
		}
		if edge != nil {
			fits = d.edgeIPs(&app, edge, dns, dnsType)
		}
		if named && fits {
			a.Spectrum = append(a.Spectrum, app)
		}
	}
}

// spectrumDNS reads the mapping "dns": the name, which must lie in a zone of a,
// and the place of the type, nil if absent.
func (d *decoder) spectrumDNS(a *Account, n *node) (name fqdn.Name, pos Pos, typ *node, ok bool) {
	o, ok := d.object(n, &dnsKeys)
	if !ok {
		return "", n.pos, nil, false
	}
	typ = o.get("type")
	at := d.required(&o, "name")
	if at == nil {
		return "", n.pos, typ, false
	}
	s, ok := d.text(at, "name")
	if !ok {
		return "", at.pos, typ, false
	}
	name, ok = d.ownerName(at, s, "")
	switch {
	case !ok:
		return "", at.pos, typ, false
	case hasWildcard(name):
		d.refuse(at.pos, "V3", "write one application for each name", "%s has a wildcard label: a Spectrum application is of exactly one name", quoted(s))
		return "", at.pos, typ, false
	case !a.ZonesInvalid && !inZones(name, a.Zones):
		d.refuse(at.pos, "V3", `write the full name, and its zone under "zones" of the account`, "name %s lies in no zone of its account", quoted(s))
		return "", at.pos, typ, false
	}
	return name, at.pos, typ, true
}

// inZones reports whether name lies in one of the zones.
func inZones(name fqdn.Name, zones []Zone) bool {
	for i := range zones {
		if name.In(zones[i].Name) {
			return true
		}
	}
	return false
}

// edgeIPs reads the mapping "edge_ips" into app and checks that it agrees with the
// type of the DNS record, which stands at dnsType in dns; either is nil if absent. It
// reports false if app has no addresses.
func (d *decoder) edgeIPs(app *SpectrumApp, n, dns, dnsType *node) bool {
	o, ok := d.object(n, &edgeKeys)
	if !ok {
		return false
	}
	typ := d.required(&o, "type")
	edge, ok := d.choice(typ, "V12", "type", "static", "dynamic")
	if !ok {
		if dnsType != nil {
			d.choice(dnsType, "V12", "type", "ADDRESS", "CNAME")
		}
		return false
	}
	app.TypePos, app.Static = typ.pos, edge == edgeStatic
	if dns != nil && dns.kind == kindMap {
		d.fitDNSType(app, dns, dnsType)
	}
	ips, connectivity := o.get("ips"), o.get("connectivity")
	if app.Static {
		before := d.errorCount()
		app.IPs = d.answerAddrs(ips, "ips", false)
		if len(app.IPs) == 0 && d.errorCount() == before {
			d.refuse(typ.pos, "V12", `add "ips", or write type: dynamic`, `"edge_ips" of type static needs "ips"`)
		}
		if connectivity != nil {
			d.refuse(connectivity.pos, "V12", "leave it out: the families are those of the ips", `"edge_ips" of type static takes no "connectivity"`)
		}
		return len(app.IPs) > 0
	}
	if ips != nil {
		d.refuse(ips.pos, "V12", "leave the ips out, or write type: static", `"edge_ips" of type dynamic takes no "ips"`)
	}
	if connectivity != nil {
		c, _ := d.choice(connectivity, "V12", "connectivity", "all", "ipv4", "ipv6")
		app.Connectivity = Connectivity(c)
	}
	return true
}

// fitDNSType checks that a static application has addresses in the DNS and a
// dynamic one a CNAME.
func (d *decoder) fitDNSType(app *SpectrumApp, dns, typ *node) {
	edge, want, other := "static", "ADDRESS", "dynamic"
	code := dnsAddress
	if !app.Static {
		edge, want, other, code = "dynamic", "CNAME", "static", dnsCNAME
	}
	if typ == nil {
		d.refuse(dns.pos, "V12", "add type: "+want, `"edge_ips" of type %s needs "dns" of type %s`, edge, want)
		return
	}
	if got, ok := d.choice(typ, "V12", "type", "ADDRESS", "CNAME"); ok && got != code {
		d.refuse(typ.pos, "V12", `write type: `+want+`, or type: `+other+` under "edge_ips"`, `"edge_ips" of type %s needs "dns" of type %s, not %s`, edge, want, typ.text)
	}
}
