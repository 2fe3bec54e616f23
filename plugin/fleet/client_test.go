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
