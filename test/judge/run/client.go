package run

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/coredns/coredns/pb"
	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/addressmap/addressmap/test/judge/world"
)

// client sends octets to one world over all transports. It is safe for
// concurrent use.
type client struct {
	ports   world.Ports
	timeout time.Duration
	tls     *tls.Config
	http    *http.Client
	streams map[string]*pool // of TCP and TLS connections, and of UDP sockets

	mu   sync.Mutex
	quic [2]*quic.Conn // the second for odd questions, which may end it
	grpc *grpc.ClientConn
	dns  pb.DnsServiceClient
}

// pool keeps idle connections of one kind.
type pool struct {
	mu   sync.Mutex
	idle []net.Conn
	dial func() (net.Conn, error)
}

func (p *pool) get() (c net.Conn, fresh bool, err error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c = p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, false, nil
	}
	p.mu.Unlock()
	c, err = p.dial()
	return c, true, err
}

func (p *pool) put(c net.Conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.Close()
	}
	p.idle = nil
}

func newClient(ports world.Ports, timeout time.Duration) *client {
	c := &client{ports: ports, timeout: timeout, streams: map[string]*pool{}}
	c.tls = &tls.Config{InsecureSkipVerify: true}
	c.http = &http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: c.tls.Clone(), ForceAttemptHTTP2: true, MaxConnsPerHost: 8}}
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		ip := net.ParseIP(from)
		c.streams["udp"+from] = &pool{dial: func() (net.Conn, error) {
			return net.DialUDP("udp", &net.UDPAddr{IP: ip}, &net.UDPAddr{IP: net.ParseIP(Host), Port: ports.DNS})
		}}
		c.streams["tcp"+from] = &pool{dial: func() (net.Conn, error) {
			d := net.Dialer{Timeout: timeout, LocalAddr: &net.TCPAddr{IP: ip}}
			return d.Dial("tcp", addr(ports.DNS))
		}}
		c.streams["tls"+from] = &pool{dial: func() (net.Conn, error) {
			return tls.DialWithDialer(&net.Dialer{Timeout: timeout}, "tcp", addr(ports.TLS), c.tls)
		}}
	}
	return c
}

func addr(port int) string { return fmt.Sprintf("%s:%d", Host, port) }

func (c *client) close() {
	for _, p := range c.streams {
		p.close()
	}
	c.http.CloseIdleConnections()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.quic {
		if conn != nil {
			conn.CloseWithError(0, "")
		}
	}
	if c.grpc != nil {
		c.grpc.Close()
	}
}

// send sends one query and returns what came: several messages for a transfer.
func (c *client) send(q world.Query) (responses [][]byte, closed bool, err error) {
	switch q.Transport {
	case "udp":
		return c.udp(q)
	case "tcp", "tls":
		return c.stream(q)
	case "https":
		return c.https(q)
	case "quic":
		return c.doq(q)
	case "grpc":
		return c.rpc(q)
	}
	return nil, false, errors.New("no such transport: " + q.Transport)
}

func (c *client) udp(q world.Query) ([][]byte, bool, error) {
	p := c.streams["udp"+q.Client]
	conn, _, err := p.get()
	if err != nil {
		return nil, false, err
	}
	conn.SetDeadline(time.Now().Add(c.wait(q)))
	if _, err := conn.Write(q.Octets); err != nil {
		conn.Close()
		return nil, false, err
	}
	buf := make([]byte, 65535)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			conn.Close()
			return nil, false, quiet(err)
		}
		if n >= 2 && bytes.Equal(buf[:2], q.Octets[:2]) {
			p.put(conn)
			return [][]byte{bytes.Clone(buf[:n])}, false, nil
		}
	}
}

// wait is how long an answer may take: one that nobody owes is not waited for.
func (c *client) wait(q world.Query) time.Duration {
	if q.Odd {
		return min(c.timeout, 200*time.Millisecond)
	}
	return c.timeout
}

// quiet turns the end of waiting into no error: no answer is an answer too.
func quiet(err error) error {
	var n net.Error
	if errors.As(err, &n) && n.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return nil
	}
	return err
}

func (c *client) stream(q world.Query) ([][]byte, bool, error) {
	p := c.streams[q.Transport+q.Client]
	for {
		conn, fresh, err := p.get()
		if err != nil {
			return nil, false, err
		}
		conn.SetDeadline(time.Now().Add(c.wait(q)))
		frame := binary.BigEndian.AppendUint16(nil, uint16(len(q.Octets)))
		_, err = conn.Write(append(frame, q.Octets...))
		var responses [][]byte
		for err == nil {
			var b []byte
			if b, err = readFrame(conn); err != nil {
				break
			}
			responses = append(responses, b)
			if !q.Transfer() || ended(responses) {
				p.put(conn)
				return responses, false, nil
			}
		}
		conn.Close()
		if !fresh && len(responses) == 0 && !isTimeout(err) {
			continue // an idle connection that the server has closed meanwhile
		}
		return responses, !isTimeout(err), quiet(err)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func readFrame(r io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	_, err := io.ReadFull(r, b)
	return b, err
}

// ended says whether the messages are a whole transfer, or none at all.
func ended(messages [][]byte) bool {
	soas, records := 0, 0
	for _, b := range messages {
		m := new(dns.Msg)
		if m.Unpack(b) != nil || m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0 {
			return true
		}
		for _, rr := range m.Answer {
			records++
			if rr.Header().Rrtype == dns.TypeSOA {
				soas++
			}
		}
		if first := m.Answer[0].Header().Rrtype; records == len(m.Answer) && first != dns.TypeSOA {
			return true
		}
	}
	return soas >= 2 || records == 1
}

func (c *client) https(q world.Query) ([][]byte, bool, error) {
	resp, err := c.http.Post("https://"+addr(c.ports.HTTPS)+"/dns-query", "application/dns-message", bytes.NewReader(q.Octets))
	if err != nil {
		return nil, true, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, true, nil
	}
	return [][]byte{b}, false, nil
}

func (c *client) doq(q world.Query) ([][]byte, bool, error) {
	which := 0
	if q.Odd {
		which = 1
	}
	for range 3 {
		conn, err := c.quicConn(which)
		if err != nil {
			return nil, false, err
		}
		ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
		s, err := conn.OpenStreamSync(ctx)
		cancel()
		if err != nil {
			c.dropQUIC(conn)
			continue
		}
		s.SetDeadline(time.Now().Add(c.timeout))
		s.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(q.Octets))), q.Octets...))
		s.Close()
		b, err := readFrame(s)
		s.CancelRead(0)
		if err != nil {
			if conn.Context().Err() != nil {
				c.dropQUIC(conn)
				if !q.Odd {
					continue // another question of this connection ended it
				}
			}
			return nil, true, nil
		}
		return [][]byte{b}, false, nil
	}
	return nil, true, nil
}

func (c *client) quicConn(which int) (*quic.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.quic[which]; conn != nil && conn.Context().Err() == nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	conf := c.tls.Clone()
	conf.NextProtos = []string{"doq"}
	conn, err := quic.DialAddr(ctx, addr(c.ports.QUIC), conf, &quic.Config{})
	if err == nil {
		c.quic[which] = conn
	}
	return conn, err
}

func (c *client) dropQUIC(conn *quic.Conn) {
	c.mu.Lock()
	for i := range c.quic {
		if c.quic[i] == conn {
			c.quic[i] = nil
		}
	}
	c.mu.Unlock()
	conn.CloseWithError(0, "")
}

func (c *client) rpc(q world.Query) ([][]byte, bool, error) {
	c.mu.Lock()
	if c.grpc == nil {
		conn, err := grpc.NewClient(addr(c.ports.GRPC), grpc.WithTransportCredentials(credentials.NewTLS(c.tls.Clone())))
		if err != nil {
			c.mu.Unlock()
			return nil, false, err
		}
		c.grpc, c.dns = conn, pb.NewDnsServiceClient(conn)
	}
	stub := c.dns
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	out, err := stub.Query(ctx, &pb.DnsPacket{Msg: q.Octets})
	if err != nil || len(out.Msg) == 0 {
		return nil, true, nil
	}
	return [][]byte{out.Msg}, false, nil
}
