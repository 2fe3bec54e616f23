package push

import (
	"context"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// Server is what a server has announced, under its name.
type Server struct {
	Name string `json:"name"`
	fleet.Server
}

// Servers returns the servers that have announced themselves and are alive, by their names,
// and the head, the zero one if there is none that can be read. A server whose announcement
// cannot be read is degraded.
func (s *Store) Servers(ctx context.Context) ([]Server, fleet.Head, error) {
	resp, err := s.commit(ctx, nil, clientv3.OpGet(s.at.Head()), clientv3.OpGet(s.at.Servers(), clientv3.WithPrefix()))
	if err != nil {
		return nil, fleet.Head{}, err
	}
	var head fleet.Head
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		if head, err = fleet.ParseHead(kvs[0].Value); err != nil {
			head = fleet.Head{}
		}
	}
	var out []Server
	for _, kv := range resp.Responses[1].GetResponseRange().Kvs {
		server, err := fleet.ParseServer(kv.Value)
		if err != nil {
			server = fleet.Server{Degraded: true, Why: err.Error()}
		}
		out = append(out, Server{strings.TrimPrefix(string(kv.Key), s.at.Servers()), server})
	}
	return out, head, nil
}
