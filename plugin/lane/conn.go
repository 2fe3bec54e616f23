package lane

import (
	"net"
	"runtime"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// Conn is a packet connection that answers what its [Table] is sure of, and returns every
// other packet from ReadFrom. It is made for miekg/dns: one goroutine reads from it, and a
// read deadline in the past ends its service.
type Conn struct {
	*net.UDPConn
	table    *Table
	wildcard bool // it is bound to every address of the machine: see local.go
	drain    func(net.PacketConn)

	free    chan *batch // those that nobody uses
	left    chan *batch // those with packets for CoreDNS
	stop    chan struct{}
	ending  sync.Once
	workers sync.WaitGroup

	reading sync.Mutex // of whoever takes packets for CoreDNS
	current *batch     // whose packets these are
}

// maxWorkers is how many goroutines read at most: while one answers, the next reads. The
// socket lets one in at a time, so that more than these would wait for it. Servers with more
// cores spread packets over sockets, with the multisocket plugin. bench/README.md has what
// several are worth.
const maxWorkers = 4

// readBuffer is how many octets of packets wait in the kernel while the process does
// something else, if it allows for that many (net.core.rmem_max): a reload on one core holds
// queries up for some milliseconds, which at 50,000 a second fill what Linux gives else.
const readBuffer = 1 << 20

// New makes a connection that answers by a table, and begins to read from u. When its
// service ends, drain is to serve a packet connection that holds what CoreDNS has not been
// given yet, and to return once that is answered: so no query is lost.
func New(u *net.UDPConn, t *Table, drain func(net.PacketConn)) (*Conn, error) {
	local, ok := u.LocalAddr().(*net.UDPAddr)
	c := &Conn{UDPConn: u, table: t, drain: drain, wildcard: !ok || local.IP.IsUnspecified(), stop: make(chan struct{})}
	if c.wildcard {
		if err := askForLocal(u); err != nil {
			return nil, err
		}
	}
	u.SetReadBuffer(readBuffer)
	n := min(runtime.GOMAXPROCS(0), maxWorkers)
	c.free, c.left = make(chan *batch, 2*n), make(chan *batch, 2*n)
	for range 2 * n {
		c.free <- newBatch(c.wildcard)
	}
	for range n {
		w := &worker{conn: c, x: ipv4.NewPacketConn(u)}
		c.workers.Go(w.run)
	}
	return c, nil
}

// ReadFrom returns the next packet that is left to CoreDNS, and net.ErrClosed once the
// service has ended.
func (c *Conn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		if n, addr, ok := c.take(p); ok {
			return n, addr, nil
		}
		select {
		case c.current = <-c.left:
		case <-c.stop:
			return 0, nil, net.ErrClosed
		}
	}
}

// take returns the next packet of the current batch.
func (c *Conn) take(p []byte) (int, net.Addr, bool) {
	b := c.current
	if b == nil {
		return 0, nil, false
	}
	if len(b.left) == 0 {
		c.current = nil
		c.free <- b
		return 0, nil, false
	}
	m := &b.in[b.left[0]]
	b.left = b.left[1:]
	return copy(p, m.Buffers[0][:m.N]), m.Addr, true
}

// SetReadDeadline ends the service if t is in the past, which is how miekg/dns begins to
// shut down. Any other deadline is none: ReadFrom waits for as long as it takes.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && time.Until(t) <= 0 {
		c.End()
	}
	return nil
}

// End ends the service. It returns when what has been read by then is answered.
func (c *Conn) End() {
	c.ending.Do(func() {
		close(c.stop)
		c.UDPConn.SetReadDeadline(time.Unix(1, 0)) // wakes the workers
		c.workers.Wait()
		c.reading.Lock() // the reader is on its way out
		defer c.reading.Unlock()
		c.drain(&leftover{c})
	})
}

// Close closes the socket, whether the service has ended or not.
func (c *Conn) Close() error {
	c.ending.Do(func() { close(c.stop) })
	return c.UDPConn.Close()
}

// WriteTo sends a response to addr, which is one of ReadFrom: from the address that the
// query was sent to.
func (c *Conn) WriteTo(p []byte, addr net.Addr) (int, error) {
	if u, ok := addr.(*net.UDPAddr); ok && c.wildcard {
		n, _, err := c.WriteMsgUDP(p, replyControl(controlOf(u)), u)
		return n, err
	}
	return c.UDPConn.WriteTo(p, addr)
}

// leftover is the packets of a connection whose service has ended.
type leftover struct{ *Conn }

// ReadFrom returns the next packet, and an error after the last one.
func (l *leftover) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		if n, addr, ok := l.take(p); ok {
			return n, addr, nil
		}
		select {
		case l.current = <-l.left:
		default:
			return 0, nil, net.ErrClosed
		}
	}
}

// SetReadDeadline does nothing: ReadFrom does not wait.
func (*leftover) SetReadDeadline(time.Time) error { return nil }

// Close does nothing: responses are sent by the connection.
func (*leftover) Close() error { return nil }
