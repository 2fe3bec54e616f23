package addressmap

import (
	"net/http"
	"testing"

	"github.com/addressmap/addressmap/test/server"
)

// The server is ready once a version is in force, and stays so whatever happens to
// the file.
func TestReady(t *testing.T) {
	port := server.FreePort(t)
	server.Start(t, "example.org {\n\tready 127.0.0.1:"+port+"\n\taddressmap maps.yaml\n\tfile db\n}\n", map[string]string{"maps.yaml": stubMap, "db": stubZone})
	server.Eventually(t, "the server is ready", func() bool {
		status, _ := server.Get(t, port, "/ready")
		return status == http.StatusOK
	})
	a := newHandler(t, nil, nil)
	if !a.Ready() {
		t.Error("not ready with a version in force")
	}
}
