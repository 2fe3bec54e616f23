package pages

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// dig asks as the program of BIND does, and prints the same of the answer, as far as pages
// use it: +short, +noall +answer, +tcp, and the whole, of which a page shows parts.
func dig() {
	host, port, short, network := "127.0.0.1", "53", false, "udp"
	all, answer, signed := true, true, false
	var words []string
	args := os.Args[1:]
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case strings.HasPrefix(arg, "@"):
			host = arg[1:]
		case arg == "-p":
			i++
			port = args[i]
		case arg == "+short":
			short = true
		case arg == "+noall":
			all, answer = false, false
		case arg == "+answer":
			answer = true
		case arg == "+dnssec":
			signed = true
		case arg == "+tcp":
			network = "tcp"
		case strings.HasPrefix(arg, "+"), strings.HasPrefix(arg, "-"):
			fail(fmt.Errorf("%s is not known here: add it to test/pages/programs_test.go", arg))
		default:
			words = append(words, arg)
		}
	}
	addr := net.JoinHostPort(host, port)
	for ; len(words) > 0; words = words[min(2, len(words)):] {
		qtype := dns.TypeA
		if len(words) > 1 {
			qtype = dns.StringToType[words[1]]
		}
		m := new(dns.Msg).SetQuestion(dns.Fqdn(words[0]), qtype)
		if qtype == dns.TypeAXFR {
			records, err := transfer(m, addr)
			fail(err)
			printRecords(records, false)
			continue
		}
		m.SetEdns0(1232, signed)
		resp, _, err := (&dns.Client{Net: network, Timeout: server.Patience / 4}).Exchange(m, addr)
		fail(err)
		if all && !short {
			fmt.Printf(";; ->>HEADER<<- opcode: QUERY, status: %s, id: %d\n", dns.RcodeToString[resp.Rcode], resp.Id)
			printErrors(resp)
			printRecords(resp.Ns, false)
		}
		if answer {
			printRecords(resp.Answer, short)
		}
	}
}

func transfer(m *dns.Msg, addr string) ([]dns.RR, error) {
	envelopes, err := new(dns.Transfer).In(m, addr)
	if err != nil {
		return nil, err
	}
	var records []dns.RR
	for e := range envelopes {
		if e.Error != nil {
			return nil, e.Error
		}
		records = append(records, e.RR...)
	}
	return records, nil
}

func printErrors(m *dns.Msg) {
	opt := m.IsEdns0()
	if opt == nil {
		return
	}
	for _, o := range opt.Option {
		if e, ok := o.(*dns.EDNS0_EDE); ok {
			fmt.Printf("; EDE: %d (%s): (%s)\n", e.InfoCode, dns.ExtendedErrorCodeToString[e.InfoCode], e.ExtraText)
		}
	}
}

func printRecords(records []dns.RR, short bool) {
	for _, rr := range records {
		text := rr.String()
		if short {
			text = strings.TrimPrefix(text, rr.Header().String())
		}
		fmt.Println(text)
	}
}

// keygen makes a key as BIND's dnssec-keygen does, for the zone that is its last word.
func keygen() {
	zone := dns.Fqdn(os.Args[len(os.Args)-1])
	key := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	private, err := key.Generate(256)
	fail(err)
	name := fmt.Sprintf("K%s+%03d+%05d", zone, key.Algorithm, key.KeyTag())
	fail(os.WriteFile(name+".key", []byte(key.String()+"\n"), 0o644))
	fail(os.WriteFile(name+".private", []byte(key.PrivateKeyString(private)), 0o600))
	fmt.Println(name)
}

// curl prints what is at an address of the web.
func curl() {
	resp, err := http.Get("http://" + strings.TrimPrefix(os.Args[len(os.Args)-1], "http://"))
	fail(err)
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
}
