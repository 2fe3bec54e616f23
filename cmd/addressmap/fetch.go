package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/cloudflare/fetch"
	"github.com/addressmap/addressmap/plugin/printable"
)

// tokenVariable is the environment variable with the token, as Cloudflare's own programs
// name it.
const tokenVariable = "CLOUDFLARE_API_TOKEN"

func newFetch() *cobra.Command {
	var opt fetch.Options
	var out, tokenFile string
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Get from Cloudflare's API what a map is made of",
		Long: `Get from Cloudflare's API what a map is made of: all pages of all zones, of their
DNS records and Spectrum applications, and of the address maps and prefixes of
their accounts. "addressmap import api" makes a map document of the file.

An interrupted fetch goes on where it was if the same command is given again; to
fetch all of it anew, remove the file. The file holds the addresses of origins:
only its owner may read it, and nobody else should.

The token is in the environment variable ` + tokenVariable + `, or in a file that
--token-file names. It needs these rights, for all zones and accounts to fetch;
what it may not read at all, the API does not tell of:

  Zone     Zone: Read                        the zones
  Zone     DNS: Read                         their records
  Zone     Zone Settings: Read               applications: their Spectrum applications
  Account  Address Maps: Read                maps: the address maps
  Account  IP Prefixes: Read                 prefixes: the prefixes and delegations
  Account  IP Prefixes: BGP On Demand: Read  prefixes: whether they are advertised

It takes at most 3 requests in a second, three quarters of what the API allows.

Exit status: 0 all of it is there, 1 the API refused something, 2 it has to be run
again.`,
		Example: `  CLOUDFLARE_API_TOKEN=$(pass cloudflare) addressmap fetch --out account.jsonl
  addressmap fetch --token-file token --without applications,prefixes --out account.jsonl
  addressmap import api account.jsonl --out maps.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := apiToken(tokenFile)
			if err != nil {
				return err
			}
			opt.Token = token
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			show, clear := fetchProgress(cmd.ErrOrStderr())
			opt.Progress = show
			summary, err := fetch.Run(ctx, out, opt)
			clear()
			return reportFetch(cmd.ErrOrStderr(), out, summary, err)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the responses to `FILE`, or go on with that file")
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "read the token from `FILE`, not from "+tokenVariable)
	cmd.Flags().StringSliceVar(&opt.Accounts, "account", nil, "fetch of the account with this `id` alone; may be repeated")
	cmd.Flags().Var(&kindsValue{&opt.Without}, "without", "leave out some of "+strings.Join(fetch.Kinds(), ", "))
	cmd.Flags().StringVar(&opt.API, "api", fetch.DefaultAPI, "the base `URL` of the API")
	_ = cmd.MarkFlagRequired("out")
	_ = cmd.MarkFlagFilename("token-file")
	_ = cmd.RegisterFlagCompletionFunc("without", cobra.FixedCompletions(fetch.Kinds(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// kindsValue is the value of a flag that takes kinds of lists, with commas between them.
type kindsValue struct{ kinds *[]string }

func (k *kindsValue) Type() string   { return "KINDS" }
func (k *kindsValue) String() string { return strings.Join(*k.kinds, ",") }

func (k *kindsValue) Set(arg string) error {
	for _, word := range strings.Split(arg, ",") {
		if !slices.Contains(fetch.Kinds(), word) {
			return errors.New("write " + orList(fetch.Kinds()) + meant(word, fetch.Kinds()))
		}
		*k.kinds = append(*k.kinds, word)
	}
	return nil
}

// apiToken returns the token from the file, or from the environment if there is no file.
func apiToken(file string) (string, error) {
	token := os.Getenv(tokenVariable)
	if file != "" {
		data, err := readFile(file, maxToken)
		if err != nil {
			return "", err
		}
		token = strings.TrimPrefix(string(data), "\ufeff")
	}
	if token = strings.TrimSpace(token); token != "" {
		return token, nil
	}
	if file != "" {
		return "", fmt.Errorf("%s is empty: write the token into it", file)
	}
	return "", argumentf("there is no token: set %s, or name a file with --token-file", tokenVariable)
}

// fetchProgress returns a function that shows progress, and one that ends it. On a
// terminal it is one line that changes; elsewhere it is a line from time to time.
func fetchProgress(w io.Writer) (show func(fetch.Progress), clear func()) {
	const every = 10 * time.Second
	file := printable.Unwrap(w) // to move the cursor
	terminal := isTerminal(w)
	next := time.Now().Add(every)
	show = func(p fetch.Progress) {
		text := fmt.Sprintf("%d of %d lists, %d requests: %s", p.Done, p.Known, p.Requests, p.Path)
		if p.Wait > 0 {
			text = fmt.Sprintf("%d of %d lists, %d requests: %s, again in %s", p.Done, p.Known, p.Requests, p.Reason, p.Wait.Round(time.Second))
		}
		switch {
		case terminal:
			fmt.Fprintf(file, "\r\x1b[K%.78s", printable.Line(text))
		case p.Wait >= every || !time.Now().Before(next):
			fmt.Fprintln(w, text)
			next = time.Now().Add(every)
		}
	}
	return show, func() {
		if terminal {
			fmt.Fprint(file, "\r\x1b[K")
		}
	}
}

// reportFetch prints what a fetch has done. What the API refused makes the exit status
// exitRefused; err that of the fetch.
func reportFetch(w io.Writer, out string, s fetch.Summary, err error) error {
	const again = "give the same command again, it goes on where it was"
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %s", again)
	case err != nil && s.Lists > 0:
		return fmt.Errorf("%w\n%s has %d lists of it: %s", err, out, s.Lists, again)
	case err != nil:
		return fmt.Errorf("%w\nnothing is fetched yet: once that is put right, give the command again", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d zones, %d DNS records, in %d lists; %d requests\n", out, s.Zones, s.Records, s.Lists, s.Requests)
	for _, r := range s.Refused {
		fmt.Fprintf(&b, "refused   %s: %s: the token needs %s\n", r.Path, r.Reason, r.Right)
	}
	for _, path := range s.Changing {
		fmt.Fprintf(&b, "changing  %s: it changed each time it was fetched\n", path)
	}
	whole := len(s.Refused) == 0 && len(s.Changing) == 0
	switch {
	case !whole:
		b.WriteString("the same command asks for these alone; --without leaves a kind out\n")
	case s.Requests == 0:
		fmt.Fprintf(&b, "it is all there already, from %s on: remove the file to fetch it anew\n", s.Oldest.Local().Format(time.DateTime))
	default:
		fmt.Fprintf(&b, "next: addressmap import api %s --out maps.yaml\n", out)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if !whole {
		return status(exitRefused)
	}
	return nil
}
