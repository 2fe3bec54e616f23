package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// clients ask a server without a pause and judge what they are told.
type clients struct {
	addr  string
	asked atomic.Int64

	stop    chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	wrong   error       // the first
	own     *connection // of ask
	current *atomic.Pointer[allowance]
}

// connection is a client's socket.
type connection struct {
	net.Conn
	buf [dns.MaxMsgSize]byte
}

// timeout is for how long a client waits for an answer.
const timeout = time.Minute

func dial(addr string) (*connection, error) {
	conn, err := net.Dial("udp", addr)
	return &connection{Conn: conn}, err
}

// exchange asks one question. Nothing is asked again: what is lost is a failure.
func (c *connection) exchange(q question) (*dns.Msg, error) {
	m := q.message()
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	if _, err := c.Write(wire); err != nil {
		return nil, fmt.Errorf("query for %v failed: %w", m.Question, err)
	}
	n, err := c.Read(c.buf[:])
	if err != nil {
		return nil, fmt.Errorf("query for %v was lost: %w", m.Question, err)
	}
	resp := new(dns.Msg)
	if err := resp.Unpack(c.buf[:n]); err != nil || resp.Id != m.Id {
		return nil, fmt.Errorf("query for %v: id %d for %d: %w", m.Question, resp.Id, m.Id, err)
	}
	return resp, nil
}

// ask asks one question on behalf of the world.
func (c *clients) ask(q question) (*dns.Msg, error) {
	if c.own == nil {
		var err error
		if c.own, err = dial(c.addr); err != nil {
			return nil, err
		}
	}
	c.asked.Add(1)
	m, err := c.own.exchange(q)
	if err != nil {
		c.complain(err)
	}
	return m, err
}

// run lets n clients ask until halt.
func (c *clients) run(n int, current *atomic.Pointer[allowance], seed uint64) {
	c.stop, c.current = make(chan struct{}), current
	for i := range n {
		conn, err := dial(c.addr)
		mustDisk(err)
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		c.wg.Go(func() {
			defer conn.Close()
			c.ply(conn, rng)
		})
	}
}

// ply asks random questions.
func (c *clients) ply(conn *connection, rng *rand.Rand) {
	for {
		select {
		case <-c.stop:
			return
		default:
		}
		q := questions[rng.IntN(len(questions))]
		before := c.current.Load()
		m, err := conn.exchange(q)
		if err == nil {
			err = before.judge(c.current.Load(), q, m)
		}
		c.asked.Add(1)
		if err != nil {
			c.complain(err)
			return
		}
		time.Sleep(*flagBreath)
	}
}

func (c *clients) complain(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong == nil {
		c.wrong = err
	}
}

// failed returns the first wrong answer, or what was lost.
func (c *clients) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrong
}

// halt ends the clients and returns the first error.
func (c *clients) halt() error {
	if c.stop != nil {
		close(c.stop)
		c.wg.Wait()
	}
	if c.own != nil {
		c.own.Close()
	}
	c.stop, c.own = nil, nil
	return errors.Join(c.failed())
}
