package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/bench/rig"
)

// load asks a server at a steady rate whether or not it answers, as clients do,
// and takes the time of each answer. Questions are told apart by the phase that
// they were asked in.
type load struct {
	conn    *net.UDPConn
	queries [][]byte
	every   time.Duration
	begin   time.Time

	phase  atomic.Int32
	asked  [1 << 16]atomic.Int64 // by message ID: when, in ns since begin, and the phase; 0 is not under way
	stop   chan struct{}
	done   sync.WaitGroup
	phases []*phase // sent is the sender's, the rest the receiver's

	limit time.Duration // answers that took longer are listed in slow; 0 for none
	slow  []slowAnswer
}

// slowAnswer is when an answer came, since the load began, and how long it took.
type slowAnswer struct {
	at, took time.Duration
	phase    int
}

// listed prints the slow answers, those together that came within 20 ms of each
// other, by the time since start.
func (l *load) listed(start time.Time) string {
	var b strings.Builder
	since := l.begin.Sub(start)
	for len(l.slow) > 0 {
		n, slowest := 1, l.slow[0].took
		for n < len(l.slow) && l.slow[n].at-l.slow[n-1].at < 20*time.Millisecond {
			slowest = max(slowest, l.slow[n].took)
			n++
		}
		first, last := l.slow[0], l.slow[n-1]
		fmt.Fprintf(&b, "%8.3f s, phase %d: %d answers within %s, the slowest took %s\n",
			(since + first.at).Seconds(), first.phase, n, milli(last.at-first.at), milli(slowest))
		l.slow = l.slow[n:]
	}
	return b.String()
}

// phase is what came of the questions of one phase.
type phase struct {
	sent    int
	wrong   int             // answers without an address
	answers []time.Duration // how long each answer took, sorted at the end
}

func (p *phase) lost() int { return p.sent - len(p.answers) - p.wrong }

func (p *phase) quantile(q float64) time.Duration { return rig.Quantile(p.answers, q) }

// beyond returns the share of the answers that took longer than that.
func (p *phase) beyond(limit time.Duration) float64 {
	within, _ := slices.BinarySearch(p.answers, limit+1)
	return float64(len(p.answers)-within) / float64(max(len(p.answers), 1))
}

// patience is how long answers are waited for at the end. An answer that comes
// later than the message ID is used again, some ten seconds, is lost too.
const patience = 2 * time.Second

// phaseBits is how many bits of an element of asked are the phase.
const phaseBits = 4

// newLoad starts to ask for names of the fleet drawn at random, at the rate of the
// settings.
func newLoad(addr string, s *settings, phases int) (*load, error) {
	f, rate := s.fleet, s.rate
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return nil, err
	}
	l := &load{conn: conn.(*net.UDPConn), every: time.Second / time.Duration(rate), stop: make(chan struct{}), limit: s.slow}
	if err := enlargeBuffer(l.conn); err != nil {
		return nil, err
	}
	for range phases {
		l.phases = append(l.phases, &phase{answers: make([]time.Duration, 0, rate*60)})
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 1 << 16 {
		q := new(dns.Msg)
		q.SetQuestion(f.Name(rng.IntN(f.Zones), rng.IntN(f.Hosts)), []uint16{dns.TypeA, dns.TypeAAAA}[rng.IntN(2)])
		wire, err := q.Pack()
		if err != nil {
			return nil, err
		}
		l.queries = append(l.queries, wire)
	}
	l.begin = time.Now() // Else what was not sent meanwhile is sent at once.
	l.done.Go(l.receive)
	l.done.Go(l.send)
	return l, nil
}

// enlargeBuffer lets answers wait while the load does not run. Those that the system
// dropped here would count as lost by the server.
func enlargeBuffer(conn *net.UDPConn) error {
	const octets = 8 << 20
	if err := conn.SetReadBuffer(octets); err != nil {
		return err
	}
	return forceBuffer(conn, octets)
}

// enter begins a phase.
func (l *load) enter(phase int) { l.phase.Store(int32(phase)) }

// end waits for the last answers and returns the phases.
func (l *load) end() []*phase {
	close(l.stop)
	l.done.Wait()
	for _, p := range l.phases {
		slices.Sort(p.answers)
	}
	return l.phases
}

func (l *load) send() {
	for n := 0; ; n++ {
		due := time.Duration(n) * l.every
		if wait := due - time.Since(l.begin); wait > 0 {
			time.Sleep(wait)
		}
		select {
		case <-l.stop:
			_ = l.conn.SetReadDeadline(time.Now().Add(patience))
			return
		default:
		}
		id, phase := uint16(n), l.phase.Load()
		q := l.queries[id]
		binary.BigEndian.PutUint16(q, id)
		l.phases[phase].sent++
		l.asked[id].Store(int64(time.Since(l.begin))<<phaseBits | int64(phase))
		_, _ = l.conn.Write(q) // what cannot be sent is lost
	}
}

func (l *load) receive() {
	buf := make([]byte, 1<<12)
	for {
		n, err := l.conn.Read(buf)
		now := time.Since(l.begin)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			l.conn.Close()
			return
		}
		if err != nil || n < 12 {
			continue
		}
		asked := l.asked[binary.BigEndian.Uint16(buf)].Swap(0)
		if asked == 0 {
			continue
		}
		phase, took := int(asked&(1<<phaseBits-1)), now-time.Duration(asked>>phaseBits)
		if l.limit > 0 && took > l.limit {
			l.slow = append(l.slow, slowAnswer{now, took, phase})
		}
		p := l.phases[phase]
		if rcode, answers := buf[3]&0xf, binary.BigEndian.Uint16(buf[6:]); rcode != dns.RcodeSuccess || answers == 0 {
			p.wrong++
			continue
		}
		p.answers = append(p.answers, took)
	}
}
