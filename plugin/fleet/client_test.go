package fleet

import (
	"testing"
	"time"
)

// etcd permits no pings where nothing is asked, and gRPC none within ten seconds: else the
// connection is closed, which is an error on standard error each time.
func TestConnection_PingsAsEtcdPermits(t *testing.T) {
	config, err := Connection{}.config(t.Context())
	if err != nil || config.PermitWithoutStream || config.DialKeepAliveTime < 10*time.Second || config.DialKeepAliveTimeout <= 0 {
		t.Errorf("%v %v %v, %v", config.PermitWithoutStream, config.DialKeepAliveTime, config.DialKeepAliveTimeout, err)
	}
}

func TestConnection_Equal(t *testing.T) {
	all := func() Connection {
		return Connection{Endpoints: []string{"http://a"}, Username: "u", Password: "p", UseTLS: true, Cert: "c", Key: "k", CA: "ca"}
	}
	if !all().Equal(all()) {
		t.Error("the same connection differs")
	}
	for name, change := range map[string]func(*Connection){
		"endpoints": func(c *Connection) { c.Endpoints = nil },
		"user":      func(c *Connection) { c.Username = "" },
		"password":  func(c *Connection) { c.Password = "" },
		"tls":       func(c *Connection) { c.UseTLS = false },
		"cert":      func(c *Connection) { c.Cert = "" },
		"key":       func(c *Connection) { c.Key = "" },
		"ca":        func(c *Connection) { c.CA = "" },
	} {
		other := all()
		if change(&other); all().Equal(other) {
			t.Errorf("another %s makes no difference", name)
		}
	}
}
