package push

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

var (
	kills = flag.Int("kills", 14, "how many pushes are killed")
	seed  = flag.Uint64("seed", 0, "of the moments at which pushes are killed; 0 is for another one each time")
)

// The environment of a process that is killed.
const (
	childEndpoint = "PUSH_CHILD_ENDPOINT"
	childText     = "PUSH_CHILD_TEXT"
	childSize     = "PUSH_CHILD_SIZE"
)

// child pushes, and says when it begins to write and when it has ended.
func child() {
	fail := func(err error) {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx := context.Background()
	s, err := Open(ctx, fleet.Connection{Endpoints: []string{os.Getenv(childEndpoint)}}, testMap)
	if err != nil {
		fail(err)
	}
	contents, err := s.ReadToWrite(ctx, "")
	if err != nil {
		fail(err)
	}
	size, _ := strconv.Atoi(os.Getenv(childSize))
	c, err := contents.Push(many(size, os.Getenv(childText)), true)
	if err != nil {
		fail(err)
	}
	fmt.Println("begin")
	if _, err := s.Write(ctx, c, someone); err != nil {
		fail(err)
	}
	fmt.Println("end")
	os.Exit(0)
}

// A push that is killed at any moment leaves the documents as before or as after it, at
// every moment, and the next push goes on.
func TestPush_Killed(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	cluster := etcd.Start(t, 1)
	s := open(t, cluster.Endpoints())
	const large, small = 300, 20
	begin := time.Now()
	mustPush(t, s, "", many(large, "start"))
	takes := time.Since(begin)
	before := many(large, "start")
	var late fleet.Documents // of a push that was killed, and that etcd may have been about to write
	var ended, undone int
	for i := range *kills {
		size := large
		if i%4 == 3 {
			size = small
		}
		after := many(size, fmt.Sprint(i))
		if !kill(t, cluster.Nodes[0].Endpoint, fmt.Sprint(i), size, time.Duration(random.Int64N(int64(takes)))) {
			ended++
		}
		endLeases(t, s)
		c, err := s.Read(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if c.Everyone.Digest() != c.Head.Digest {
			t.Fatalf("kill %d: the documents are not the head's", i)
		}
		switch {
		case c.Everyone.Equal(after):
			before = after
		case c.Everyone.Equal(before):
			undone++
			late = after
		case late != nil && c.Everyone.Equal(late):
			before, late = late, after
		default:
			t.Fatalf("kill %d: neither before nor after", i)
		}
		if i%3 == 2 { // A small push passes the number that the dead one has claimed.
			before, late = many(small, fmt.Sprint("after ", i)), nil
			mustPush(t, s, "", before)
			want(t, s, before)
		}
	}
	t.Logf("%d killed, of which %d were as before; %d had ended; %d transactions", *kills-ended, undone, ended, wholeAlways(t, cluster.Client()))
}

// endLeases ends the claim of whoever is dead, as time does.
func endLeases(t *testing.T, s *Store) {
	t.Helper()
	all, err := s.client.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all.Leases {
		_, _ = s.client.Revoke(t.Context(), l.ID) // It may have ended by itself.
	}
}

// kill starts a push and kills it when it has been writing for a while. It reports whether
// the push was not over then.
func kill(t *testing.T, endpoint, text string, size int, after time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEndpoint+"="+endpoint, childText+"="+text, childSize+"="+strconv.Itoa(size))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(line) != "begin" {
		t.Fatalf("%q, %v", line, err)
	}
	time.Sleep(after) // the moment that is tested
	_ = cmd.Process.Kill()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return exit != nil
}
