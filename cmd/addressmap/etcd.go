package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/push"
)

// The environment variables by which etcd's own program is told how to reach etcd. A flag
// that is given counts more.
const (
	endpointsVariable = "ETCDCTL_ENDPOINTS"
	certVariable      = "ETCDCTL_CERT"
	keyVariable       = "ETCDCTL_KEY"
	caVariable        = "ETCDCTL_CACERT"
	userVariable      = "ETCDCTL_USER"
	passwordVariable  = "ETCDCTL_PASSWORD"
)

// etcdFlags are the flags by which a command reaches etcd.
type etcdFlags struct {
	connection  fleet.Connection
	credentials string // a file
}

// add adds the flags to a command.
func (e *etcdFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&e.connection.Endpoints, "endpoint", nil, "where etcd is, a `URL`; may be repeated (default $"+endpointsVariable+", or "+fleet.DefaultEndpoint+")")
	cmd.Flags().StringVar(&e.credentials, "credentials", "", "a `FILE` with USER:PASSWORD for etcd, else they are in "+userVariable+" and "+passwordVariable)
	cmd.Flags().StringVar(&e.connection.Cert, "tls-cert", "", "the `FILE` with the client certificate for etcd (default $"+certVariable+")")
	cmd.Flags().StringVar(&e.connection.Key, "tls-key", "", "the `FILE` with its key (default $"+keyVariable+")")
	cmd.Flags().StringVar(&e.connection.CA, "tls-ca", "", "the `FILE` with the authorities of etcd's certificate, if not those of the system (default $"+caVariable+")")
	for _, name := range []string{"credentials", "tls-cert", "tls-key", "tls-ca"} {
		_ = cmd.MarkFlagFilename(name)
	}
	_ = cmd.RegisterFlagCompletionFunc("endpoint", cobra.NoFileCompletions)
}

// open connects to a map in etcd.
func (e *etcdFlags) open(ctx context.Context, path string) (*push.Store, error) {
	m, err := fleet.ParseMap(path)
	if err != nil {
		return nil, argumentError{error: err}
	}
	c, err := e.parse()
	if err != nil {
		return nil, err
	}
	return push.Open(ctx, c, m)
}

// userOfURL is a URL up to its host, with user and password.
var userOfURL = regexp.MustCompile(`^([a-z]+://)?.*@`)

// at returns a path with the flags that were given, as a command that is printed has to
// have them. A password, which belongs into no URL, is left out.
func (e *etcdFlags) at(path string) string {
	if !fleet.IsMap(path) {
		return path
	}
	for _, url := range e.connection.Endpoints {
		path += " --endpoint " + userOfURL.ReplaceAllString(url, "$1")
	}
	for _, file := range [][2]string{
		{"credentials", e.credentials}, {"tls-cert", e.connection.Cert}, {"tls-key", e.connection.Key}, {"tls-ca", e.connection.CA},
	} {
		if file[1] != "" {
			path += " --" + file[0] + " " + file[1]
		}
	}
	return path
}

// parse returns the connection that the flags and the environment say.
func (e *etcdFlags) parse() (c fleet.Connection, err error) {
	c = e.connection
	if all := os.Getenv(endpointsVariable); len(c.Endpoints) == 0 && all != "" {
		c.Endpoints = strings.Split(all, ",")
	}
	if c.Cert == "" && c.Key == "" { // A certificate and its key come from one place.
		c.Cert, c.Key = os.Getenv(certVariable), os.Getenv(keyVariable)
	}
	c.CA = cmp.Or(c.CA, os.Getenv(caVariable))
	c.UseTLS = c.Cert != "" || c.CA != ""
	if (c.Cert == "") != (c.Key == "") {
		return c, argumentf("--tls-cert and --tls-key go together: give both, or both of %s and %s", certVariable, keyVariable)
	}
	c.Username, c.Password, err = e.user()
	return c, err
}

// user returns user and password, both empty if there are none. No flag takes them: what
// processes are run with, everybody may see.
func (e *etcdFlags) user() (user, password string, err error) {
	where, both := userVariable, os.Getenv(userVariable)
	if e.credentials != "" {
		data, err := os.ReadFile(e.credentials)
		if err != nil {
			return "", "", err
		}
		where, both = e.credentials, strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	}
	user, password, ok := strings.Cut(both, ":")
	if !ok && e.credentials == "" {
		password = os.Getenv(passwordVariable)
	}
	if (both != "" || e.credentials != "") && (user == "" || password == "") {
		return "", "", fmt.Errorf("%s has no user and password: write USER:PASSWORD", where)
	}
	return user, password, nil
}

// reach adds to options how a map in etcd is reached. Of other maps it changes nothing.
func (e *etcdFlags) reach(opt *live.Options) (err error) {
	if fleet.IsMap(opt.Path) {
		opt.Etcd.Connection, err = e.parse()
	}
	return err
}

// check loads a map in etcd once: everyone's documents as they are at one revision, with
// what was put there without a push.
func (e *etcdFlags) check(opt live.Options) (*live.Checked, error) {
	ctx := context.Background()
	store, err := e.open(ctx, opt.Path)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	contents, err := store.Read(ctx, "")
	if err != nil {
		return nil, err
	}
	if len(contents.Everyone) == 0 {
		return nil, fmt.Errorf("the map %s holds no documents: addressmap push DIR --to %s puts them there", opt.Path, e.at(opt.Path))
	}
	of := checker(store.Map(), opt.ZoneFiles)
	of.Compile = opt.Compile
	checked, _ := of.Check(contents.Everyone)
	checked.SHA256 = contents.Everyone.Digest()
	return checked, nil
}

// checker returns what loads the documents of a map in etcd.
func checker(m fleet.Map, zoneFiles []string) push.Checker {
	return push.Checker{Name: func(name string) string { return m.String() + "/" + name }, ZoneFiles: zoneFiles}
}
