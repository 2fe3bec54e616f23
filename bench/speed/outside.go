package main

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/bench/rig"
)

// nsd configures NSD with zones that hold the edge addresses: the fastest there
// is, and every change of an address is a change of zones.
func nsd(w *workload, port string) (program string, args []string, err error) {
	zones := make(map[string]string, w.fleet.Zones)
	for i := range w.fleet.Zones {
		name := w.fleet.Zone(i)
		zones[name] = edgeFile(name)
	}
	return "nsd", []string{"-d", "-c", "nsd.conf"}, rig.WriteFile(w.dir, "nsd.conf", rig.NSD(w.dir, port, zones))
}

// dnsdist configures dnsdist to answer from a key-value file: name in wire form
// to its addresses, two of four octets and two of sixteen.
func dnsdist(w *workload, port string) (program string, args []string, err error) {
	pairs := make(map[string][]byte, w.fleet.Names())
	for zone := range w.fleet.Zones {
		var value []byte
		a := w.fleet.Edge(zone)
		for _, ip := range append(a.V4[:2:2], a.V6...) {
			value = append(value, ip.AsSlice()...)
		}
		for host := range w.fleet.Hosts {
			key := make([]byte, 256)
			n, err := dns.PackDomainName(w.fleet.Name(zone, host), key, 0, nil, false)
			if err != nil {
				return "", nil, err
			}
			pairs[string(key[:n])] = value
		}
	}
	if err := rig.WriteFile(w.dir, "edge.cdb", cdb(pairs)); err != nil {
		return "", nil, err
	}
	conf := fmt.Sprintf(dnsdistConf, port)
	return "dnsdist", []string{"--supervised", "--disable-syslog", "-C", "dnsdist.conf"},
		rig.WriteFile(w.dir, "dnsdist.conf", []byte(conf))
}

// dnsdistConf answers A and AAAA with what the key-value file has, NOERROR
// without records for any other type, and REFUSED for unknown names.
const dnsdistConf = `
setLocal('127.0.0.1:%s')
setSecurityPollSuffix('')
setMaxUDPOutstanding(1000)
local ffi = require('ffi')
local C = ffi.C
local values = ffi.new('dnsdist_ffi_raw_value_t[2]')

function answer(dq)
  local tag = C.dnsdist_ffi_dnsquestion_get_tag(dq, 'edge')
  if tag == nil then
    return DNSAction.Refused
  end
  local qtype = C.dnsdist_ffi_dnsquestion_get_qtype(dq)
  local at, size = 0, 4
  if qtype == 28 then
    at, size = 8, 16
  end
  for i = 0, 1 do
    values[i].value = tag + at + i * size
    values[i].size = size
  end
  C.dnsdist_ffi_dnsquestion_spoof_raw(dq, values, 2)
  return DNSAction.HeaderModify
end

local edge = newCDBKVStore('edge.cdb', 0)
addAction(AllRule(), KeyValueStoreLookupAction(edge, KeyValueLookupKeyQName(), 'edge'))
addAction(AllRule(), LuaFFIAction(answer))
`
