package lane

import (
	"os"
	"testing"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	os.Exit(m.Run())
}
