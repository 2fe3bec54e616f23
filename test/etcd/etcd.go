// Package etcd starts real etcd processes for tests, one or a cluster of several, and stops
// and starts them again.
package etcd

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/addressmap/addressmap/test/ports"
)

// patience is how long etcd may take for anything, on a machine with much else to do.
const patience = time.Minute

// Cluster is etcd servers that are one cluster.
type Cluster struct {
	Nodes []*Node
	TLS   *tls.Config // of clients of the test; nil for none
	t     testing.TB
}

// Node is one etcd server.
type Node struct {
	Endpoint string // a URL
	Dir      string // its data

	t    testing.TB
	args []string
	cmd  *exec.Cmd
	log  *os.File
}

// Start starts a cluster of so many nodes, with more arguments for each, and ends it with
// the test. Without etcd the test is skipped.
func Start(t testing.TB, nodes int, args ...string) *Cluster {
	t.Helper()
	return start(t, nodes, nil, args...)
}

// StartTLS is [Start] of one node that speaks TLS, with the configuration that the test's
// own clients use.
func StartTLS(t testing.TB, config *tls.Config, args ...string) *Cluster {
	t.Helper()
	return start(t, 1, config, args...)
}

func start(t testing.TB, nodes int, config *tls.Config, args ...string) *Cluster {
	t.Helper()
	if _, err := exec.LookPath("etcd"); err != nil {
		t.Skip("*** SKIPPED: etcd is not installed, install the package etcd-server")
	}
	c := &Cluster{t: t, TLS: config}
	var peers, members []string
	for i := range nodes {
		peer := address(t)
		peers = append(peers, peer)
		members = append(members, fmt.Sprintf("n%d=%s", i, peer))
	}
	for i, peer := range peers {
		n := &Node{Endpoint: address(t), Dir: filepath.Join(t.TempDir(), "data"), t: t}
		if config != nil {
			n.Endpoint = strings.Replace(n.Endpoint, "http:", "https:", 1)
		}
		n.args = append([]string{
			"--name", "n" + strconv.Itoa(i), "--data-dir", n.Dir,
			"--listen-client-urls", n.Endpoint, "--advertise-client-urls", n.Endpoint,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--initial-cluster", strings.Join(members, ","), "--unsafe-no-fsync",
		}, args...)
		c.Nodes = append(c.Nodes, n)
		n.Start()
		t.Cleanup(n.Kill)
	}
	c.Await()
	return c
}

// address returns a URL at which nobody listens.
func address(t testing.TB) string {
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return "http://127.0.0.1:" + port
}

// Endpoints returns those of all nodes.
func (c *Cluster) Endpoints() []string {
	var out []string
	for _, n := range c.Nodes {
		out = append(out, n.Endpoint)
	}
	return out
}

// Client returns a client of some nodes, or of all. What is written to a node that is paused
// is written when it goes on.
func (c *Cluster) Client(nodes ...*Node) *clientv3.Client {
	c.t.Helper()
	if len(nodes) == 0 {
		nodes = c.Nodes
	}
	var endpoints []string
	for _, n := range nodes {
		endpoints = append(endpoints, n.Endpoint)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: patience, TLS: c.TLS, Logger: zap.NewNop()})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// Await waits until the cluster answers.
func (c *Cluster) Await() {
	c.t.Helper()
	client := c.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		attempt, end := context.WithTimeout(ctx, patience/4)
		_, err := client.Get(attempt, "awaited")
		end()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			c.t.Fatalf("etcd does not answer: %v\n%s", err, c.Nodes[0].Log())
		}
	}
}

// Start starts a node, with the data that it has.
func (n *Node) Start() {
	n.t.Helper()
	var err error
	if n.log, err = os.Create(n.logFile()); err != nil {
		n.t.Fatal(err)
	}
	n.cmd = exec.Command("etcd", n.args...)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
}

// Kill ends a node as a crash does. To kill one that is not running does nothing.
func (n *Node) Kill() { n.end(syscall.SIGKILL) }

// Stop ends a node as an operator does.
func (n *Node) Stop() { n.end(syscall.SIGTERM) }

func (n *Node) end(sig syscall.Signal) {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Signal(sig)
	_ = n.cmd.Wait()
	_ = n.log.Close()
	n.cmd = nil
}

// Pause stops a node without ending it, and Resume lets it go on.
func (n *Node) Pause()  { _ = n.cmd.Process.Signal(sigStop) }
func (n *Node) Resume() { _ = n.cmd.Process.Signal(sigContinue) }

// Save copies the data of a node that is not running, and Restore puts it back.
func (n *Node) Save() (dir string) {
	n.t.Helper()
	dir = filepath.Join(n.t.TempDir(), "saved")
	if err := os.CopyFS(dir, os.DirFS(n.Dir)); err != nil {
		n.t.Fatal(err)
	}
	return dir
}

// Restore gives a node that is not running the data that was saved, or none for "".
func (n *Node) Restore(saved string) {
	n.t.Helper()
	if err := os.RemoveAll(n.Dir); err != nil {
		n.t.Fatal(err)
	}
	if saved == "" {
		return
	}
	if err := os.CopyFS(n.Dir, os.DirFS(saved)); err != nil {
		n.t.Fatal(err)
	}
}

// Log returns what the node has logged since its start.
func (n *Node) Log() string {
	text, _ := os.ReadFile(n.logFile())
	return string(text)
}

func (n *Node) logFile() string { return filepath.Dir(n.Dir) + "/etcd.log" }

// Host returns the address and port of the node.
func (n *Node) Host() string {
	u, err := url.Parse(n.Endpoint)
	if err != nil {
		n.t.Fatal(err)
	}
	return u.Host
}
