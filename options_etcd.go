package addressmap

import (
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// etcdOptions are those of a map in etcd alone.
var etcdOptions = []string{"endpoint", "credentials", "tls", "announce", "stage"}

// checkEtcd returns an error if the option is one of a map in etcd, and the map is a file.
func (o *options) checkEtcd(name string) error {
	if fleet.IsMap(o.path) || !slices.Contains(etcdOptions, name) {
		return nil
	}
	return fmt.Errorf("it is for a map in etcd, and %q is a file: write etcd:PATH for the map, or take %s out", o.path, name)
}

// finishEtcd checks the path of a map in etcd, and fills in what is not written of the
// options.
func (o *options) finishEtcd(written map[string]bool) error {
	if !fleet.IsMap(o.path) {
		return nil
	}
	if _, err := fleet.ParseMap(o.path); err != nil {
		return err
	}
	if !written["reload"] {
		o.poll = defaultLook
	}
	if !written["announce"] {
		if host, err := os.Hostname(); err == nil && fleet.CheckName(host) == nil {
			o.etcd.Announce = host
		} else {
			log.Warningf("%s: the name of this host is none to announce, so that the fleet does not see this server: write announce NAME", o.path)
		}
	}
	o.etcd.Version = version()
	return nil
}

func (o *options) parseEndpoint(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("write at least one, such as %s", fleet.DefaultEndpoint)
	}
	for _, arg := range args {
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("%q is no endpoint: write one such as %s", arg, fleet.DefaultEndpoint)
		}
		if slices.Contains(o.etcd.Connection.Endpoints, arg) {
			return fmt.Errorf("%q stands twice: keep one of the two", arg)
		}
		o.etcd.Connection.Endpoints = append(o.etcd.Connection.Endpoints, arg)
	}
	return nil
}

func (o *options) parseCredentials(args []string) error {
	if len(args) != 2 || args[0] == "" || args[1] == "" {
		return fmt.Errorf("write a user name and a password")
	}
	o.etcd.Connection.Username, o.etcd.Connection.Password = args[0], args[1]
	return nil
}

func (o *options) parseTLS(args []string) error { return o.etcd.Connection.ParseTLS(args) }

func (o *options) parseAnnounce(args []string) error {
	arg, err := single(args)
	if err != nil || arg == "off" {
		return err
	}
	o.etcd.Announce = arg
	return fleet.CheckName(arg)
}

func (o *options) parseStage(args []string) error {
	arg, err := single(args)
	if err != nil {
		return err
	}
	o.etcd.Stage = arg
	return fleet.CheckName(arg)
}

// version returns that of the module that this package is of, as it was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	const module = "github.com/addressmap/addressmap"
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module {
			return m.Version
		}
	}
	return "unknown"
}
