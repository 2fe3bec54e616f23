package run

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"
)

// etcd is one running etcd, for the worlds whose backend it is.
type etcd struct {
	cmd      *exec.Cmd
	endpoint string
}

// haveEtcd says whether there is an etcd to start.
func haveEtcd() bool {
	_, err := exec.LookPath("etcd")
	return err == nil
}

// startEtcd starts etcd and waits until it is healthy.
func startEtcd(ctx context.Context, dir string) (*etcd, error) {
	p, err := takePorts(2)
	if err != nil {
		return nil, err
	}
	e := &etcd{endpoint: fmt.Sprintf("http://%s:%d", Host, p[0])}
	peer := fmt.Sprintf("http://%s:%d", Host, p[1])
	var log tail
	e.cmd = exec.Command("etcd", "--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", e.endpoint, "--advertise-client-urls", e.endpoint,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer, "--unsafe-no-fsync")
	e.cmd.Stdout, e.cmd.Stderr = &log, &log
	endWithUs(e.cmd)
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; {
		resp, err := http.Get(e.endpoint + "/health")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return e, nil
			}
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			e.stop()
			return nil, fmt.Errorf("etcd is not healthy: %v\n%s", err, log.String())
		}
		<-time.After(50 * time.Millisecond) // the pause of a poll
	}
}

func (e *etcd) stop() {
	e.cmd.Process.Kill()
	e.cmd.Wait()
}

// put writes keys.
func (e *etcd) put(keys map[string]string) error {
	for k, v := range keys {
		body, err := json.Marshal(map[string]string{
			"key": base64.StdEncoding.EncodeToString([]byte(k)), "value": base64.StdEncoding.EncodeToString([]byte(v)),
		})
		if err != nil {
			return err
		}
		resp, err := http.Post(e.endpoint+"/v3/kv/put", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		said, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("etcd: %s: %s", resp.Status, said)
		}
	}
	return nil
}
