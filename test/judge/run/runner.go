package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/judge"
	"github.com/addressmap/addressmap/test/judge/upstream"
	"github.com/addressmap/addressmap/test/judge/world"
)

// Options say how long and how hard a run is.
type Options struct {
	Binary   string // a built cmd/coredns
	Dir      string // for files; emptied by nobody
	Seed     uint64
	Queries  int    // at least; 0 is the short run
	Parallel int    // queries under way for one world
	Only     string // "dimension=value": take only these worlds; "" all
	Log      func(format string, args ...any)
}

// How large a server and the short run are.
const (
	worldsPerServer = 20
	worldsAtOnce    = 3
	shortWorlds     = 40
	shortQueries    = 700 // for each world
	slowQueries     = 40  // for each world whose upstream keeps clients waiting
)

// patience is how long is waited for what has to come: on a machine that does much else,
// an answer with many questions behind it takes long.
const patience = 90 * time.Second

type runner struct {
	Options
	rng    *rand.Rand
	report *Report
	plain  *world.Array
	odd    *world.Array
	etcd   *etcd // nil if there is none to be had
}

// Run makes worlds until enough queries are judged, and reports.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &runner{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), report: newReport()}
	if err := writeCertificate(o.Dir); err != nil {
		return nil, err
	}
	if haveEtcd() {
		world.AddEtcd()
		e, err := startEtcd(ctx, o.Dir)
		if err != nil {
			return nil, err
		}
		defer e.stop()
		r.etcd = e
	}
	r.report.Began = time.Now()
	for round := 0; ; round++ {
		worlds := world.Cover(world.WorldDimensions, world.ForbiddenWorld, r.rng)
		r.plain = world.Cover(world.QueryDimensions(), world.ForbiddenQuery, r.rng)
		r.odd = world.Cover(world.OddDimensions(), world.ForbiddenQuery, r.rng)
		var specs []world.Spec
		var rows []world.Row
		for _, row := range worlds.Rows {
			if s := world.SpecOf(world.WorldDimensions, row); r.takes(s) {
				specs, rows = append(specs, s), append(rows, row)
			}
		}
		if o.Queries == 0 && len(specs) > shortWorlds {
			specs, rows = specs[:shortWorlds], rows[:shortWorlds]
		}
		if len(specs) == 0 {
			return nil, fmt.Errorf("no world has %s", o.Only)
		}
		each := shortQueries
		if o.Queries > 0 {
			each = max(300, (o.Queries-r.report.Queries())/len(specs)+1)
		}
		for begin := 0; begin < len(specs); begin += worldsPerServer {
			end := min(begin+worldsPerServer, len(specs))
			if err := r.batch(ctx, fmt.Sprintf("r%d-%d", round, begin), specs[begin:end], each); err != nil {
				return r.report, err
			}
			r.report.usedWorlds(rows[begin:end])
			r.Log("judge: %d of %d worlds of round %d, %d queries, %.0f a second, %d leaks, %d wrong, %d closed", end, len(specs), round,
				r.report.Queries(), r.report.Rate(), r.report.Count(judge.Leak), r.report.Count(judge.Wrong), r.report.Count(judge.Closed))
			if ctx.Err() != nil {
				return r.report, ctx.Err()
			}
			if round > 0 && r.report.Queries() >= o.Queries {
				return r.report, nil // all pairs were covered by the first round
			}
		}
		if r.report.Queries() >= o.Queries {
			return r.report, nil
		}
	}
}

func (r *runner) takes(s world.Spec) bool {
	for _, part := range strings.FieldsFunc(r.Only, func(c rune) bool { return c == ',' }) {
		dim, value, _ := strings.Cut(part, "=")
		if s[dim] != value {
			return false
		}
	}
	return true
}

// site is one world with what runs for it.
type site struct {
	*world.World
	dir     string
	servers []*upstream.Server
	control *control
	queries []world.Query
	axfr    map[string][]dns.RR
}

// batch runs some worlds in one server.
func (r *runner) batch(ctx context.Context, id string, specs []world.Spec, each int) (err error) {
	dir := filepath.Join(r.Dir, id)
	var corefile strings.Builder
	var sites []*site
	defer func() {
		for _, s := range sites {
			for _, srv := range s.servers {
				srv.Close()
			}
		}
	}()
	if err := errors.Join(os.MkdirAll(dir, 0o755), copyFile(r.Dir, dir, "cert.pem"), copyFile(r.Dir, dir, "key.pem")); err != nil {
		return err
	}
	for i, spec := range specs {
		s, err := r.site(dir, fmt.Sprintf("w%d", i), spec, each)
		if err != nil {
			return err
		}
		sites = append(sites, s)
		corefile.WriteString("# " + fmt.Sprint(spec) + "\n" + s.Corefile(dir))
	}
	path := filepath.Join(dir, "Corefile")
	if err := os.WriteFile(path, []byte(corefile.String()), 0o644); err != nil {
		return err
	}
	server, err := Start(r.Binary, path)
	if err != nil {
		return err
	}
	defer func() {
		if e := server.Stop(); e != nil {
			err = errors.Join(err, e)
		}
		r.report.server(server.Used())
	}()
	for _, s := range sites {
		if err := s.await(ctx, server); err != nil {
			return fmt.Errorf("%v in %s: %w\n%s", s.Spec, dir, err, server.Log())
		}
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, worldsAtOnce)
	for _, s := range sites {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			began := time.Now()
			r.play(ctx, s, server)
			if took := time.Since(began); took > 8*time.Second {
				r.Log("judge: %d queries took %s in %v", len(s.queries), took.Round(time.Second), s.Spec)
			}
		})
	}
	wg.Wait()
	return nil
}

func copyFile(from, to, name string) error {
	b, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), b, 0o600)
}

// site makes a world, its files, its upstreams and its queries.
func (r *runner) site(dir, id string, spec world.Spec, each int) (*site, error) {
	w, err := world.New(id, spec, r.rng)
	if err != nil {
		return nil, err
	}
	p, err := takePorts(world.PortCount)
	if err != nil {
		return nil, err
	}
	w.Ports = world.Ports{DNS: p[0], TLS: p[1], HTTPS: p[2], QUIC: p[3], GRPC: p[4], Control: p[5], Clean: p[6], CleanGRPC: p[7], Fault: p[8], FaultGRPC: p[9]}
	s := &site{World: w, dir: dir, control: newControl(w.Ports.Control), axfr: map[string][]dns.RR{}}
	for name, content := range w.Files {
		path := filepath.Join(dir, id, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			return nil, err
		}
	}
	if spec["backend"] == "etcd" {
		w.EtcdEndpoint, w.EtcdPath = r.etcd.endpoint, filepath.Base(dir)+"-"+id
		if err := r.etcd.put(w.EtcdKeys()); err != nil {
			return nil, err
		}
	}
	clean, err := upstream.Start(w.Zones, nil, Host, w.Ports.Clean, w.Ports.CleanGRPC)
	if err != nil {
		return nil, err
	}
	s.servers = append(s.servers, clean)
	if w.Plan != nil {
		faulty, err := upstream.Start(w.Zones, w.Plan, Host, w.Ports.Fault, w.Ports.FaultGRPC)
		if err != nil {
			return nil, err
		}
		s.servers = append(s.servers, faulty)
	}
	s.queries = r.questions(w, each)
	return s, nil
}

// questions draws from both arrays, four plain ones to an odd one.
func (r *runner) questions(w *world.World, each int) []world.Query {
	var out []world.Query
	slow := 0
	for _, part := range []struct {
		arr *world.Array
		n   int
	}{{r.plain, each * 4 / 5}, {r.odd, each / 5}} {
		rows := r.rng.Perm(len(part.arr.Rows))
		for i := range part.n {
			row := part.arr.Rows[rows[i%len(rows)]]
			q := w.Query(part.arr.Dimensions, row, r.rng)
			if q.Slow && w.Plan.Hits(q.Name, q.Type) || q.Slow && w.Plan.Kind == "silence" {
				if slow++; slow > slowQueries {
					continue
				}
			}
			out = append(out, q)
		}
		r.report.usedQueries(part.arr, rows[:min(part.n, len(rows))])
	}
	return out
}

// await waits until the world's server blocks answer.
func (s *site) await(ctx context.Context, server *Server) error {
	deadline := time.Now().Add(patience)
	cl := &dns.Client{Timeout: time.Second}
	for _, port := range []int{s.Ports.DNS, s.Ports.Control} {
		for _, zone := range s.ready() {
			for {
				m := new(dns.Msg)
				m.SetQuestion(zone, dns.TypeSOA)
				if s.Plan != nil && port == s.Ports.DNS {
					m.SetQuestion("ready.invalid.", dns.TypeSOA) // the backend might keep us waiting
				}
				r, _, err := cl.Exchange(m, addr(port))
				if err == nil && (r.Rcode == dns.RcodeSuccess || port == s.Ports.DNS && (r.Rcode != dns.RcodeServerFailure || s.Spec["front"] == "autopath" || s.Spec["unlisted"] != "") || s.Plan != nil) {
					break
				}
				if server.Ended() {
					return errors.New("the server has ended")
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("no answer for %s at port %d: %v", zone, port, err)
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(20 * time.Millisecond): // the pause of a poll
				}
			}
		}
	}
	return nil
}

// ready are the zones that a server with all of its zones answers for.
func (s *site) ready() []string {
	if s.Spec["backend"] == "hosts" {
		return nil
	}
	return []string{world.Main, world.Net, world.Com}
}

// play sends all queries of a world and judges what comes.
func (r *runner) play(ctx context.Context, s *site, server *Server) {
	c := newClient(s.Ports, patience)
	defer c.close()
	for _, zone := range []string{world.Main, world.Net, world.Com, world.Nest} {
		if s.Spec["backend"] != "hosts" && s.Spec["backend"] != "etcd" && s.Spec["backend"] != "template" {
			s.axfr[zone] = s.control.transfer(zone)
		}
	}
	work := make(chan world.Query)
	var wg sync.WaitGroup
	for range r.Parallel {
		wg.Go(func() {
			for q := range work {
				r.one(s, c, q)
			}
		})
	}
	for _, q := range s.queries {
		if ctx.Err() != nil || server.Ended() {
			break
		}
		work <- q
	}
	close(work)
	wg.Wait()
}

// again is for how long a question that was refused without need is asked again. A backend
// that has waited for a busy machine is left alone for a while by *forward*, and *cache*
// keeps a failure for five seconds: the same question then has its answer. A refusal that the
// server means stays one, and many have another reason than a busy machine.
const (
	again     = 20 * time.Second
	mostAgain = 100 // questions
)

// one sends and judges one query.
func (r *runner) one(s *site, c *client, q world.Query) {
	for began := time.Now(); ; time.Sleep(again / 40) { // the pause of a poll
		responses, v, err := r.ask(s, c, q)
		switch {
		case err != nil:
			r.report.broken(err)
		case v.Kind == judge.Closed && time.Since(began) < again && r.report.asksAgain(q):
			continue
		default:
			r.report.add(s, q, responses, v)
		}
		return
	}
}

// ask sends one query and judges the responses.
func (r *runner) ask(s *site, c *client, q world.Query) ([][]byte, judge.Verdict, error) {
	began := time.Now()
	responses, closed, err := c.send(q)
	r.report.latency(s, q, time.Since(began))
	if err != nil {
		return nil, judge.Verdict{}, err
	}
	w := s.Judge
	if q.Client == "127.0.0.2" {
		w = s.Second
	}
	cs := &judge.Case{World: w, Query: q.Octets, Responses: responses, Closed: closed, Transport: q.Transport, Backend: s.control, Transfer: s.axfr[q.Name]}
	return responses, cs.Judge(), nil
}
