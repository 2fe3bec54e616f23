package acceptance

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reply is what dig shows of a response. Records are as dig prints them, with
// single spaces, in the order they came.
type reply struct {
	status, question, flags       string
	answer, authority, additional []string
}

// dig asks the server and returns what dig prints; an error is a server that
// did not answer.
func (s *server) dig(args ...string) (string, error) {
	// -r: the settings of whoever runs the test do not count.
	cmd := exec.Command("dig", append([]string{"-r", "@127.0.0.1", "-p", s.port}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// ask asks one question, written as for dig.
func (s *server) ask(t *testing.T, question string) reply {
	t.Helper()
	out, err := s.dig(append([]string{"+tries=2", "+time=3"}, strings.Fields(question)...)...)
	if err != nil {
		t.Fatalf("dig %s: %v\n%s\n%s", question, err, out, s.log)
	}
	return parseDig(out)
}

var (
	statusOf = regexp.MustCompile(`status: (\w+)`)
	flagsOf  = regexp.MustCompile(`flags: ([\w ]*);`)
)

// parseDig reads the output of a plain dig.
func parseDig(out string) reply {
	var r reply
	if m := statusOf.FindStringSubmatch(out); m != nil {
		r.status = m[1]
	}
	if m := flagsOf.FindStringSubmatch(out); m != nil {
		r.flags = m[1]
	}
	section := ""
	for line := range strings.Lines(out) {
		line = strings.Join(strings.Fields(line), " ")
		if name, found := strings.CutSuffix(line, " SECTION:"); found {
			section = name
			continue
		}
		switch {
		case line == "":
			section = ""
		case section == ";; QUESTION":
			r.question = strings.TrimPrefix(line, ";")
		case section == ";; ANSWER":
			r.answer = append(r.answer, line)
		case section == ";; AUTHORITY":
			r.authority = append(r.authority, line)
		case section == ";; ADDITIONAL":
			r.additional = append(r.additional, line)
		}
	}
	return r
}

func (r reply) equal(other reply) bool {
	return r.status == other.status && r.question == other.question && r.flags == other.flags &&
		slices.Equal(r.answer, other.answer) && slices.Equal(r.authority, other.authority) &&
		slices.Equal(r.additional, other.additional)
}

// all returns every record of the reply as one text.
func (r reply) all() string {
	return strings.Join(slices.Concat(r.answer, r.authority, r.additional), "\n")
}

// hidden is where the examples keep their origins.
var hidden = regexp.MustCompile(`198\.51\.100\.|2001:db8:ffff:|\.invalid\.`)

func TestParseDig(t *testing.T) {
	r := parseDig(`
; <<>> DiG 9.18 <<>> example.org
;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 1, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;ExAmple.org.			IN	A

;; ANSWER SECTION:
example.org.	300	IN	A	192.0.2.1

;; AUTHORITY SECTION:
example.org.	300	IN	SOA	a. b. 1 2 3 4 5

;; Query time: 0 msec
`)
	want := reply{"NXDOMAIN", "ExAmple.org. IN A", "qr aa rd",
		[]string{"example.org. 300 IN A 192.0.2.1"}, []string{"example.org. 300 IN SOA a. b. 1 2 3 4 5"}, nil}
	if !r.equal(want) {
		t.Errorf("want %q\ngot  %q", want, r)
	}
}
