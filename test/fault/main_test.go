package fault

import (
	golog "log"
	"os"
	"testing"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

// faultChildVar names the variable that makes the test binary a CoreDNS with the Corefile
// of which it holds the path, and faultChild is what runs that.
const faultChildVar = "ADDRESSMAP_FAULTS_COREFILE"

var faultChild func(corefile string)

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	if corefile := os.Getenv(faultChildVar); corefile != "" {
		golog.SetOutput(os.Stderr)
		faultChild(corefile)
	}
	os.Exit(m.Run())
}
