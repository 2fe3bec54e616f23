package addressmap

import (
	"os"
	"testing"

	"github.com/addressmap/addressmap/test/server"
)

func TestMain(m *testing.M) {
	server.Setup(pluginName, neighbourName)
	os.Exit(m.Run())
}
