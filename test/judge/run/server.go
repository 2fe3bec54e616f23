package run

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build builds cmd/coredns of this module and returns the binary's path.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "coredns")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/addressmap/addressmap/cmd/coredns")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %v\n%s", cmd, err, out)
	}
	return binary, nil
}

// Server is one running CoreDNS.
type Server struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of the process, once done is closed
	log  tail
}

// Start starts the binary with the Corefile.
func Start(binary, corefile string) (*Server, error) {
	s := &Server{cmd: exec.Command(binary, "-conf", corefile), done: make(chan struct{})}
	s.cmd.Dir = filepath.Dir(corefile)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	endWithUs(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// Log returns the last lines that the server wrote.
func (s *Server) Log() string {
	lines := strings.Split(s.log.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// Ended says whether the process has ended by itself.
func (s *Server) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Used returns the processor time that the server took, once it has stopped.
func (s *Server) Used() time.Duration {
	return s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
}

// Stop ends the process and waits for it.
func (s *Server) Stop() error {
	if s.Ended() {
		return fmt.Errorf("the server ended by itself: %v\n%s", s.err, s.Log())
	}
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(patience):
		err = errors.Join(errors.New("the server does not stop"), s.cmd.Process.Kill())
		<-s.done
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*tailSize {
		t.buf = bytes.Clone(t.buf[len(t.buf)-tailSize:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// writeCertificate writes cert.pem and key.pem for TLS.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "judge"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.ParseIP(Host)}, DNSNames: []string{"localhost"},
	}
	cert, err := x509.CreateCertificate(crand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
}
