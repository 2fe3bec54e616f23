package main

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func testSettings() *settings {
	return &settings{sources: 20, documents: 50, nodes: 1, changes: 3, announce: true, memory: 4, patience: time.Minute, progress: io.Discard}
}

// All changes come to all servers, with one node and with three.
func TestMeasure_AllChangesCome(t *testing.T) {
	if _, err := exec.LookPath("etcd"); err != nil {
		t.Skip("*** SKIPPED: etcd is not installed, install the package etcd-server")
	}
	for _, nodes := range []int{1, 3} {
		s := testSettings()
		s.nodes = nodes
		r, err := measure(context.Background(), s, t.TempDir())
		if err != nil {
			t.Fatalf("%d nodes: %v", nodes, err)
		}
		if len(r.listed) != s.sources || r.cold.requests["Range"] < float64(s.sources) || r.cold.sent < float64(r.octets*s.sources) {
			t.Errorf("%d nodes: want %d sources that have listed all documents, got %d and %+v", nodes, s.sources, len(r.listed), r.cold.counters)
		}
		for _, k := range r.kinds {
			if len(k.came) != s.changes*s.sources || len(k.last) != s.changes {
				t.Errorf("%d nodes, %s: want each of %d changes at %d sources, got %d", nodes, k.title, s.changes, s.sources, len(k.came))
			}
		}
		if len(r.back) != s.sources {
			t.Errorf("%d nodes: want a put at %d sources after a restart, got %d", nodes, s.sources, len(r.back))
		}
		if text := r.String(); len(r.kinds) != 2 || !strings.Contains(text, "| push of a document ") {
			t.Errorf("%d nodes: %s", nodes, text)
		}
	}
}

// A change that does not come is an error, not a fast one.
func TestServers_AwaitFails(t *testing.T) {
	s := testSettings()
	s.sources, s.patience = 1, time.Millisecond
	servers := newServers(s)
	servers.sources = append(servers.sources, nil)
	_, err := servers.await(&change{name: "a.yaml", came: make(chan time.Duration)})
	if err == nil || !strings.Contains(err.Error(), "a.yaml has come to 0 of 1 servers") {
		t.Errorf("%v", err)
	}
}

// The documents are a map, each another one at each turn.
func TestWriter_Documents(t *testing.T) {
	w := &writer{settings: testSettings()}
	var sources []mapset.Source
	for account := range w.settings.documents {
		doc, errs := mapfile.Parse(documentName(account), w.document(account, 1))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		sources = append(sources, mapset.Source{Doc: doc})
	}
	snap, errs := mapset.Build(sources, mapset.Options{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := snap.Stats(); got.Accounts != 50 || got.ProxiedNames != 50*zones {
		t.Errorf("%+v", got)
	}
	if string(w.document(7, 1)) == string(w.document(7, 3)) {
		t.Error("a change changes nothing")
	}
}

func TestSettings_Check(t *testing.T) {
	for want, change := range map[string]func(*settings){
		"1 at least": func(s *settings) { s.sources = 0 },
		"accounts":   func(s *settings) { s.documents = rig.MaxAccounts + 1 },
	} {
		s := testSettings()
		change(s)
		if err := s.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestCounters(t *testing.T) {
	count := func(lines string) *counters {
		c := &counters{requests: make(map[string]float64)}
		for line := range strings.Lines(lines) {
			c.add(strings.TrimSpace(line))
		}
		return c
	}
	before := count(`# HELP grpc_server_started_total Total number of RPCs
		grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 5
		grpc_server_started_total{grpc_method="Alarm",grpc_service="etcdserverpb.Maintenance",grpc_type="unary"} 0
		grpc_server_handled_total{grpc_code="OK",grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 5
		etcd_network_client_grpc_sent_bytes_total 1.5e+06
		etcd_mvcc_db_total_size_in_bytes 4096`)
	after := count(`grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 8
		grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"} 1
		grpc_server_handled_total{grpc_code="Unavailable",grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 2
		etcd_network_client_grpc_sent_bytes_total 2.5e+06
		etcd_network_client_grpc_received_bytes_total 7
		etcd_mvcc_db_total_size_in_bytes 8192`)
	d := after.since(before)
	if d.requests["Range"] != 3 || d.requests["Put"] != 1 || len(d.requests) != 2 || d.all() != 4 ||
		d.failed != 2 || d.sent != 1e6 || d.received != 7 || d.database != 8192 {
		t.Errorf("%+v", d)
	}
}
