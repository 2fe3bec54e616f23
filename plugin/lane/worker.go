package lane

import (
	"errors"
	"net"
	"time"

	"golang.org/x/net/ipv4"
)

// The sizes of a batch. A read finds about 25 packets when the server has no time left,
// and a batch of 8 has most of what batches give. CoreDNS reads no more than 512 octets of
// a packet. An answer of up to 1220 octets is neither compressed nor cut by CoreDNS.
const (
	batchSize  = 32
	packetSize = 512
	answerSize = 1220
)

// batch is the packets of one read, and room for their answers.
type batch struct {
	in, out []ipv4.Message
	space   [batchSize][answerSize]byte // for the answers, which out points to
	answers [batchSize]Answer
	order   [batchSize]int
	left    []int // indexes of the packets for CoreDNS, in order
}

func newBatch(withControl bool) *batch {
	b := &batch{in: make([]ipv4.Message, batchSize), out: make([]ipv4.Message, batchSize)}
	for i := range b.in {
		b.in[i].Buffers = [][]byte{make([]byte, packetSize)}
		b.out[i].Buffers = make([][]byte, 1)
		if withControl {
			b.in[i].OOB = make([]byte, controlSize)
		}
	}
	return b
}

// worker is a goroutine that reads packets and answers them.
type worker struct {
	conn  *Conn
	x     *ipv4.PacketConn // for IPv6 too: only its options are of IPv4
	local localAddr
}

// run reads batches until the connection stops.
func (w *worker) run() {
	c := w.conn
	for {
		var b *batch
		select {
		case b = <-c.free:
		case <-c.stop:
			return
		}
		for b.left = nil; len(b.left) == 0; {
			n, err := w.x.ReadBatch(b.in, readFlags)
			if err == nil {
				w.answer(b, n)
				continue
			}
			select {
			case <-c.stop:
				return
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(time.Millisecond) // out of memory, or the like
		}
		c.left <- b // has room for all batches
	}
}

// answer answers what it can of the first n packets of a batch, and leaves the others.
func (w *worker) answer(b *batch, n int) {
	t, made := w.conn.table, 0
	var read time.Time
	if t.Timed {
		read = time.Now()
	}
	var tally Tally
	b.left = b.order[:0]
	for i := range b.in[:n] {
		m, out := &b.in[i], &b.out[made]
		response := t.answer(m, b.space[made][:0], &b.answers[made])
		if response == nil {
			b.left = append(b.left, i)
			continue
		}
		out.Buffers[0], out.Addr = response, m.Addr
		if w.conn.wildcard {
			out.OOB = w.local.replyTo(m.OOB[:m.NN])
		}
		tally[b.answers[made].Step][b.answers[made].Family]++
		made++
	}
	if w.conn.wildcard {
		for _, i := range b.left {
			keepControl(b.in[i].Addr, b.in[i].OOB[:b.in[i].NN])
		}
	}
	if made == 0 {
		return
	}
	t.Count(&tally) // before they are sent, as the gate counts a response before it writes it
	for sent := 0; sent < made; {
		n, err := w.x.WriteBatch(b.out[sent:made], 0)
		if err != nil {
			n = 1 // this one cannot be sent
		}
		sent += n
	}
	w.observe(b.answers[:made], read)
}

// observe shows the answers of a batch to the prometheus plugin, once they are sent.
func (w *worker) observe(answers []Answer, read time.Time) {
	var elapsed time.Duration
	if w.conn.table.Timed {
		elapsed = time.Since(read)
	}
	for i := range answers {
		if a := &answers[i]; a.zone.Observe != nil {
			a.Elapsed = elapsed
			a.zone.Observe(a)
		}
	}
}
