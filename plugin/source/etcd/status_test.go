package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// One line says that etcd is lost, whatever it or the network says from then on; another one
// that it is there and refuses this server; and one that it is back.
func TestSource_SaysOnceThatEtcdIsLost(t *testing.T) {
	away := []error{
		errAway, errors.New("the watch has ended"), fmt.Errorf("reading x: %w", context.DeadlineExceeded),
		fmt.Errorf("%w: dial tcp 127.0.0.1:1: connect: connection refused", fleet.ErrUnreachable), rpctypes.ErrNoLeader,
		fmt.Errorf("watching x: %w", status.Error(codes.Unavailable, "etcdserver: no leader")), rpctypes.ErrTimeout,
	}
	refusals := []error{
		fmt.Errorf("reading x: %w", rpctypes.ErrPermissionDenied), rpctypes.ErrAuthFailed, rpctypes.ErrUserEmpty,
		fmt.Errorf("watching x: %w", status.Error(codes.PermissionDenied, "etcdserver: permission denied")),
		fmt.Errorf(`%w: "transport: authentication handshake failed: tls: bad certificate"`, fleet.ErrUnreachable),
		errors.New("the certificate c.pem has expired"),
	}
	const lost, refused, back = "is lost", "refuses this server", "is back"
	for _, tc := range []struct {
		name   string
		errors []error
		want   []string
	}{
		{"away", away, []string{lost, back}},
		{"refuses", refusals, []string{lost, back}},
		{"away, then it refuses", slices.Concat(away, refusals, away, refusals), []string{lost, refused, back}},
		{"refuses, then it is away", slices.Concat(refusals, away, refusals), []string{lost, back}},
		{"away for a moment", []error{errAway}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var said []string
			s := newSource(Options{Map: testMap, Log: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }})
			for range 2 {
				said = nil
				for _, err := range tc.errors {
					s.down(err)
				}
				s.up()
				if !slices.EqualFunc(said, tc.want, strings.Contains) {
					t.Errorf("%q, want lines with %q", said, tc.want)
				}
			}
		})
	}
}
