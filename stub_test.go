package addressmap

import (
	"context"

	"github.com/miekg/dns"
)

// named is a plugin that is there, and does nothing.
type named string

func (n named) Name() string { return string(n) }
func (named) ServeDNS(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
	return dns.RcodeSuccess, nil
}
