package pages

import (
	"os"
	"testing"

	"github.com/coredns/coredns/coremain"
	"github.com/rogpeppe/go-internal/testscript"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

// TestMain makes the programs that pages use. coredns is CoreDNS's own main function with
// the plugins of package server. dig and others are those of this folder, so that nothing
// needs to be installed, but in an acceptance run: there they are the real ones.
func TestMain(m *testing.M) {
	programs := map[string]func(){"coredns": coredns, "dnssec-keygen": keygen}
	if os.Getenv("ADDRESSMAP_ACCEPTANCE") != "1" {
		programs["dig"] = dig
		programs["curl"] = curl
	}
	testscript.Main(m, programs)
}

func coredns() {
	server.Setup("addressmap")
	coremain.Run()
}
