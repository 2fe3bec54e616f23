package test

import (
	"os"
	"regexp"
	"testing"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	os.Exit(m.Run())
}

// written are the ports that the README and the examples write down.
var written = regexp.MustCompile(`:(1053|9153)\b`)

// start starts a server from the Corefile's text as if it stood at the top of
// the repository, on ports that are free. It is stopped when the test ends. The
// error is what an operator would see.
func start(t *testing.T, corefile string) (*server.Server, error) {
	t.Helper()
	t.Chdir(repository)
	chosen := make(map[string]string) // a written port → the one in its place
	return server.TryStart(t, written.ReplaceAllStringFunc(corefile, func(port string) string {
		if chosen[port] == "" {
			chosen[port] = ":" + server.FreePort(t)
		}
		return chosen[port]
	}), nil)
}
