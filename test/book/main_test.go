package book

import (
	"flag"
	"os"
	"testing"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

var update = flag.Bool("update", false, "write what the server says into the archives of testdata/answer and testdata/transfer")

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	os.Exit(m.Run())
}
