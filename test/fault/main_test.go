package fault

import (
	golog "log"
	"os"
	"testing"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

// childVar names the variable that makes the test binary a CoreDNS with the Corefile
// of which it holds the path, and asChild is what runs that.
const childVar = "ADDRESSMAP_FAULTS_COREFILE"

var asChild func(corefile string)

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	if corefile := os.Getenv(childVar); corefile != "" {
		golog.SetOutput(os.Stderr)
		asChild(corefile)
	}
	os.Exit(m.Run())
}
