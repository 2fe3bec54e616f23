package kubernetes

import (
	"testing"
	"time"
)

// A ConfigMap of drains that is made while the pod runs takes addresses out of answers.
func TestConfigMap_Drains(t *testing.T) {
	p := schedule(t, quickstart)
	p.volumes[mapVolume].Publish(t, edit("192.0.2.1, 192.0.2.2"))
	p.start()
	p.is("www.example.org.", "192.0.2.1 192.0.2.2")
	drains := p.volumes["/etc/addressmap/drains"]
	until := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	drains.Publish(t, map[string]string{"ana.yaml": "drains: [{addresses: [192.0.2.1], reason: T1, until: " + until + "}]\n"})
	p.becomes("www.example.org.", "192.0.2.1 192.0.2.2", "192.0.2.2")
	drains.Publish(t, nil)
	p.becomes("www.example.org.", "192.0.2.2", "192.0.2.1 192.0.2.2")
	p.Stop(t)
}
