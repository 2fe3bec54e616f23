package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// DefaultEndpoint is where etcd is if nobody says so, as for CoreDNS's etcd plugin.
const DefaultEndpoint = "http://localhost:2379"

// Connection says how etcd is reached, as the options of CoreDNS's etcd plugin do.
type Connection struct {
	Endpoints          []string // none is [DefaultEndpoint]
	Username, Password string   // none is without
	UseTLS             bool     // also for an endpoint that is no https://
	Cert, Key, CA      string   // files; no Cert is without one, no CA is those of the system
}

// ParseTLS reads the arguments of the option tls: none, CA, CERT KEY or CERT KEY CA.
func (c *Connection) ParseTLS(args []string) error {
	c.UseTLS = true
	switch len(args) {
	case 0:
	case 1:
		c.CA = args[0]
	case 2:
		c.Cert, c.Key = args[0], args[1]
	case 3:
		c.Cert, c.Key, c.CA = args[0], args[1], args[2]
	default:
		return fmt.Errorf("takes CERT KEY CA, CERT KEY, CA or nothing, not %d arguments", len(args))
	}
	if slices.Contains(args, "") {
		return fmt.Errorf("a file has no name: write its path")
	}
	return nil
}

// Equal reports whether both are the same connection.
func (c Connection) Equal(other Connection) bool {
	return slices.Equal(c.Endpoints, other.Endpoints) && c.UseTLS == other.UseTLS &&
		c.Username == other.Username && c.Password == other.Password &&
		c.Cert == other.Cert && c.Key == other.Key && c.CA == other.CA
}

// Times of a connection. One on which something is asked or watched and nothing comes any
// more, as behind a broken switch, is given up after the first two. gRPC pings no sooner.
const (
	pingAfter   = 10 * time.Second
	pingTimeout = 3 * time.Second
	dialTimeout = 5 * time.Second
)

// Dial makes a client, which ends with ctx at the latest. With a Username it asks etcd at
// once, for at most five seconds; else nothing is asked yet. The certificate and key are
// read anew for each connection, the CA by each Dial.
func (c Connection) Dial(ctx context.Context) (*clientv3.Client, error) {
	config, err := c.config(ctx)
	if err != nil {
		return nil, err
	}
	client, err := clientv3.New(config)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to etcd at %s: %w", strings.Join(config.Endpoints, " "), err)
	}
	return client, nil
}

// config is what a client is made of. It does not ping where nothing is asked or watched,
// as at the nodes of a cluster that a watch is not at: etcd closes a connection on which
// that is done.
func (c Connection) config(ctx context.Context) (clientv3.Config, error) {
	config := clientv3.Config{
		Context:              ctx,
		Endpoints:            c.Endpoints,
		Username:             c.Username,
		Password:             c.Password,
		DialTimeout:          dialTimeout,
		DialKeepAliveTime:    pingAfter,
		DialKeepAliveTimeout: pingTimeout,
		MaxCallSendMsgSize:   4 << 20,
		Logger:               zap.NewNop(), // Errors are returned, and said once.
		DialOptions:          []grpc.DialOption{grpc.WithChainUnaryInterceptor(giveUp)},
	}
	if len(config.Endpoints) == 0 {
		config.Endpoints = []string{DefaultEndpoint}
	}
	if c.UseTLS || slices.ContainsFunc(config.Endpoints, func(e string) bool { return strings.HasPrefix(e, "https://") }) {
		settings, err := c.tls()
		if err != nil {
			return config, err
		}
		if err := c.checkExpired(); err != nil {
			return config, err
		}
		config.TLS = settings
	}
	return config, nil
}

// tls reads the certificates.
func (c Connection) tls() (*tls.Config, error) {
	settings, err := transport.TLSInfo{CertFile: c.Cert, KeyFile: c.Key, TrustedCAFile: c.CA}.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("the certificates for etcd cannot be used: %w", err)
	}
	if c.CA != "" && settings.RootCAs.Equal(x509.NewCertPool()) {
		return nil, fmt.Errorf("the certificates for etcd cannot be used: %s has no certificate in PEM", c.CA)
	}
	return settings, nil
}

// CheckFiles returns an error if a file of certificates or keys is missing or is none.
// Whether a certificate has expired says [Connection.Dial]: it may be renewed.
func (c Connection) CheckFiles() error {
	_, err := c.tls()
	return err
}

// ErrToken is the error of a client whose token etcd does not know any more, as after a
// restart of etcd, or after five minutes without a request: another one is to be dialled.
var ErrToken = errors.New("etcd does not know the token of this client any more: connect anew")

// ErrUnreachable is the error where no endpoint can be connected to.
var ErrUnreachable = errors.New("no endpoint can be connected to")

// giveUp ends requests that a client would repeat without a use: for a token, which is
// refused because of the token before (etcd before 3.5; the client asks within its own
// request, without a pause or an end), and for keys where it can connect to no endpoint, of
// which it would only say that the time is over.
func giveUp(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	authenticates := strings.HasSuffix(method, "/Authenticate")
	if authenticates || strings.HasSuffix(method, "/Range") || strings.HasSuffix(method, "/Txn") {
		opts = append(opts, grpc.WaitForReady(false))
	}
	err := invoke(ctx, method, req, reply, cc, opts...)
	s := status.Convert(err)
	switch {
	case authenticates && errors.Is(rpctypes.Error(err), rpctypes.ErrInvalidAuthToken):
		return ErrToken
	case s.Code() == codes.Unavailable && strings.HasPrefix(s.Message(), "connection error:"):
		return fmt.Errorf("%w: %s", ErrUnreachable, s.Message())
	}
	return err
}

// checkExpired returns an error if the own certificate has expired. Etcd only closes the
// connection then, and does not always get to say why.
func (c Connection) checkExpired() error {
	if c.Cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return fmt.Errorf("the certificate for etcd cannot be used: %w", err)
	}
	if end := pair.Leaf.NotAfter; time.Now().After(end) {
		return fmt.Errorf("the certificate %s has expired on %s: renew it", c.Cert, end.Format(time.RFC3339))
	}
	return nil
}

// String names the endpoints.
func (c Connection) String() string {
	if len(c.Endpoints) == 0 {
		return DefaultEndpoint
	}
	return strings.Join(c.Endpoints, " ")
}
