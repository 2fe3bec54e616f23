package main

import (
	"bufio"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/ports"
)

// cluster is etcd processes that are one cluster, as an operator starts them: with every
// write on disk before it is answered.
type cluster struct {
	nodes    []*rig.Server // each at its client URL
	commands []rig.Command // that have started them
}

func startCluster(dir string, nodes int) (*cluster, error) {
	clients, peers, members := make([]string, nodes), make([]string, nodes), make([]string, nodes)
	for i := range nodes {
		for _, at := range []*string{&clients[i], &peers[i]} {
			port, err := ports.Free()
			if err != nil {
				return nil, err
			}
			*at = "http://127.0.0.1:" + port
		}
		members[i] = fmt.Sprintf("n%d=%s", i, peers[i])
	}
	c := &cluster{nodes: make([]*rig.Server, nodes), commands: make([]rig.Command, nodes)}
	for i := range nodes {
		c.commands[i] = rig.Command{Path: "etcd", Args: []string{
			"--name", "n" + strconv.Itoa(i), "--data-dir", filepath.Join(dir, "n"+strconv.Itoa(i)),
			"--listen-client-urls", clients[i], "--advertise-client-urls", clients[i],
			"--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
			"--initial-cluster", strings.Join(members, ","),
		}}
	}
	return c, c.start(clients)
}

// start starts all nodes at once: one answers when it has found most of the others.
func (c *cluster) start(urls []string) error {
	started := make(chan error)
	for i, command := range c.commands {
		go func() {
			var err error
			c.nodes[i], err = rig.Start(command, urls[i], healthy)
			started <- err
		}()
	}
	var failed error
	for range c.commands {
		if err := <-started; err != nil {
			failed = fmt.Errorf("starting etcd: %w", err)
		}
	}
	if failed != nil {
		c.stop()
	}
	return failed
}

// restart ends all nodes and starts them again.
func (c *cluster) restart() error {
	urls := c.connection().Endpoints
	c.stop()
	return c.start(urls)
}

// healthy returns nil if the node at a URL has a leader.
func healthy(url string) error {
	resp, err := httpClient.Get(url + "/health")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/health: %s", url, resp.Status)
	}
	return nil
}

var httpClient = &http.Client{Timeout: time.Minute}

func (c *cluster) stop() {
	for _, n := range c.nodes {
		if n != nil {
			n.Stop()
		}
	}
	clear(c.nodes)
}

// connection is how servers reach the cluster: they know all nodes.
func (c *cluster) connection() fleet.Connection {
	var conn fleet.Connection
	for _, n := range c.nodes {
		conn.Endpoints = append(conn.Endpoints, n.Addr)
	}
	return conn
}

// cpu is the CPU time of all nodes.
func (c *cluster) cpu() (sum time.Duration, err error) {
	for _, n := range c.nodes {
		u, err := n.CPU()
		if err != nil {
			return 0, err
		}
		sum += u.All
	}
	return sum, nil
}

// memory is that of the node which has most.
func (c *cluster) memory() (most rig.Memory, err error) {
	for _, n := range c.nodes {
		m, err := n.Memory()
		if err != nil {
			return most, err
		}
		most.Resident, most.Peak = max(most.Resident, m.Resident), max(most.Peak, m.Peak)
	}
	return most, nil
}

// counters are what etcd says of itself at /metrics, summed over nodes and labels that
// nobody asks for.
type counters struct {
	requests map[string]float64 // :: gRPC method → begun
	failed   float64            // requests that were not answered with OK
	sent     float64            // octets to clients
	received float64            // octets from clients
	database float64            // octets on disk, of the node that has most
}

func (c *cluster) counters() (*counters, error) {
	sum := &counters{requests: make(map[string]float64)}
	for _, n := range c.nodes {
		resp, err := httpClient.Get(n.Addr + "/metrics")
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			sum.add(lines.Text())
		}
		_ = resp.Body.Close()
		if lines.Err() != nil {
			return nil, lines.Err()
		}
	}
	return sum, nil
}

// add adds a line of Prometheus's text format.
func (c *counters) add(line string) {
	series, text, _ := strings.Cut(line, " ")
	name, labels, _ := strings.Cut(series, "{")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return // a comment
	}
	switch name {
	case "grpc_server_started_total":
		if method := label(labels, "grpc_method"); value > 0 {
			c.requests[method] += value
		}
	case "grpc_server_handled_total":
		if code := label(labels, "grpc_code"); code != "OK" {
			c.failed += value
		}
	case "etcd_network_client_grpc_sent_bytes_total":
		c.sent += value
	case "etcd_network_client_grpc_received_bytes_total":
		c.received += value
	case "etcd_mvcc_db_total_size_in_bytes":
		c.database = max(c.database, value)
	}
}

// label returns the value of a label that has no quotes in it.
func label(labels, name string) string {
	_, after, _ := strings.Cut(labels, name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// since returns what was counted after another time.
func (c *counters) since(before *counters) *counters {
	d := &counters{
		requests: make(map[string]float64), database: c.database,
		failed: c.failed - before.failed, sent: c.sent - before.sent, received: c.received - before.received,
	}
	for method, n := range c.requests {
		if more := n - before.requests[method]; more > 0 {
			d.requests[method] = more
		}
	}
	return d
}
