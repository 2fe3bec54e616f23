package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

// newCert makes an authority, or a certificate that one has signed.
func newCert(t *testing.T, by *authority, until time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: by == nil,
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t: t, cert: cert, key: key, pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// write writes the certificate and its key.
func (a *authority) write(cert, key string) {
	a.t.Helper()
	der, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	if key != "" {
		server.WriteFile(a.t, key, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	}
	server.WriteFile(a.t, cert, a.pem)
}

// A wrong CA and an expired certificate fail the start and say so; once they are renewed on
// disk, a server that runs uses them.
func TestFleet_Certificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	year := time.Now().Add(365 * 24 * time.Hour)
	ca, other := newCert(t, nil, year), newCert(t, nil, year)
	ca.write(file("ca.pem"), "")
	newCert(t, ca, year).write(file("etcd.pem"), file("etcd.key"))
	good, expired := newCert(t, ca, year), newCert(t, ca, time.Now().Add(-time.Minute))
	good.write(file("own.pem"), file("own.key"))
	pair, err := tls.LoadX509KeyPair(file("own.pem"), file("own.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	cluster := etcd.StartTLS(t, &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool},
		"--cert-file", file("etcd.pem"), "--key-file", file("etcd.key"), "--client-cert-auth", "--trusted-ca-file", file("ca.pem"))
	w := newWorldOn(t, cluster, "state state", "tls "+file("client.pem")+" "+file("client.key")+" "+file("client-ca.pem"))

	other.write(file("client-ca.pem"), "")
	good.write(file("client.pem"), file("client.key"))
	if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("another CA: %v", err)
	}
	ca.write(file("client-ca.pem"), "")
	expired.write(file("client.pem"), file("client.key"))
	if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("an expired certificate: %v", err)
	}
	good.write(file("client.pem"), file("client.key"))
	w.start()
	w.ask(1)
	w.shows("source_up", 1)
	node := w.cluster.Nodes[0]
	again := func() {
		node.Kill()
		w.shows("source_up", 0)
		node.Start()
		w.cluster.Await()
	}

	t.Log("expired, and renewed on disk")
	expired.write(file("client.pem"), file("client.key"))
	again()
	w.put("a.yaml", server.Version(2))
	w.logs("certificate")
	w.answers(1)
	w.clients.allow(2)
	newCert(t, ca, year).write(file("client.pem"), file("client.key"))
	w.answers(2)
	w.clients.only(2)
	w.shows("source_up", 1)

	t.Log("etcd has another CA, which is renewed on disk")
	newCert(t, other, year).write(file("etcd.pem"), file("etcd.key"))
	pool.AddCert(other.cert)
	again()
	w.put("a.yaml", server.Version(3))
	w.reload()
	w.answers(2)
	w.clients.allow(3)
	other.write(file("client-ca.pem"), "")
	w.answers(3)
	w.clients.only(3)
}

// Credentials that are wrong, or lack a right.
func TestFleet_Credentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(func(ctx context.Context) (any, error) { return w.client.UserAdd(ctx, "root", "r") })
	w.must(func(ctx context.Context) (any, error) { return w.client.RoleAdd(ctx, "root") })
	w.must(func(ctx context.Context) (any, error) { return w.client.UserGrantRole(ctx, "root", "root") })
	w.must(func(ctx context.Context) (any, error) { return w.client.RoleAdd(ctx, "servers") })
	w.must(func(ctx context.Context) (any, error) {
		return w.client.RoleGrantPermission(ctx, "servers", w.m.Documents(), w.m.Head()+"\x00", clientv3.PermissionType(clientv3.PermRead))
	})
	w.must(func(ctx context.Context) (any, error) { return w.client.UserAdd(ctx, "ns", "secret") })
	w.must(func(ctx context.Context) (any, error) { return w.client.UserAdd(ctx, "stranger", "secret") })
	w.must(func(ctx context.Context) (any, error) { return w.client.UserGrantRole(ctx, "ns", "servers") })
	w.must(func(ctx context.Context) (any, error) { return w.client.AuthEnable(ctx) })
	asRoot := func() *clientv3.Client { // Etcd forgets who it knew when it starts anew.
		c := fleet.Connection{Endpoints: w.cluster.Endpoints(), Username: "root", Password: "r"}
		var err error
		server.Eventually(t, "etcd takes root", func() bool {
			w.client, err = c.Dial(context.Background())
			return err == nil
		})
		t.Cleanup(func() { _ = w.client.Close() })
		return w.client
	}
	asRoot()

	for user, want := range map[string]string{
		"ns wrong": "authentication failed", "stranger secret": "permission denied",
	} {
		w.options = []string{"credentials " + user}
		if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Fatalf("%s: %v", user, err)
		}
	}
	w.options = []string{"credentials ns secret"}
	w.start()
	w.ask(1)
	w.change(2, func() { w.put("a.yaml", server.Version(2)) })
	w.logs("this server may not read and write below " + w.m.Servers())
	w.shows("degraded", 0)

	t.Log("the right to read is taken away, and given back")
	w.must(func(ctx context.Context) (any, error) { return w.client.UserRevokeRole(ctx, "ns", "servers") })
	w.cluster.Nodes[0].Kill()
	w.cluster.Nodes[0].Start()
	w.logs("permission denied")
	w.shows("source_up", 0)
	w.reload()
	w.answers(2)
	root := asRoot()
	w.must(func(ctx context.Context) (any, error) { return root.UserGrantRole(ctx, "ns", "servers") })
	w.must(func(ctx context.Context) (any, error) {
		return root.RoleGrantPermission(ctx, "servers", w.m.Servers(), clientv3.GetPrefixRangeEnd(w.m.Servers()), clientv3.PermissionType(clientv3.PermReadWrite))
	})
	w.change(3, func() { w.put("a.yaml", server.Version(3)) })
	w.shows("source_up", 1)
	w.announced("itself", func(s fleet.Server) bool { return s.Digest != "" })

	t.Log("the password is another one")
	w.must(func(ctx context.Context) (any, error) { return root.UserChangePassword(ctx, "ns", "other") })
	w.cluster.Nodes[0].Kill()
	w.cluster.Nodes[0].Start()
	w.logs("authentication failed")
	w.answers(3)
	w.options = []string{"credentials ns other"}
	w.reload()
	asRoot()
	w.change(4, func() { w.put("a.yaml", server.Version(4)) })
	w.shows("source_up", 1)
	if strings.Contains(said.String(), "secret") {
		t.Error("a password is logged")
	}
}
