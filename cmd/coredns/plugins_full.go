//go:build full

package main

import _ "github.com/coredns/coredns/core/plugin" // all of CoreDNS's own plugins

// leftOut is empty: the full flavour knows every directive of CoreDNS.
var leftOut map[string]string
