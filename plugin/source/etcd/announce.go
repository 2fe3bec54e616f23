package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"

	"github.com/addressmap/addressmap/plugin/fleet"
)

const (
	// lease is for how long the fleet knows a server that says nothing any more, in
	// seconds.
	lease = 15
	// inherit is for how long a server waits for its name, unless [Options] say otherwise:
	// after a crash, the key of its last run stays for as long as the lease.
	inherit = (lease + 2) * time.Second
	// retryClaim is the pause between two attempts to get the name.
	retryClaim = time.Second
)

// announcer tells the fleet what this server has in force.
type announcer struct {
	opt     *Options
	changed chan struct{} // has an element when there is something new to tell

	mu  sync.Mutex
	now *fleet.Server // nil until there is something to tell

	// Of run alone.
	name   string           // that this server has, "" if none yet
	named  string           // as which it was to be announced then
	lease  clientv3.LeaseID // of the last session, which may be alive still; 0 for none
	failed string           // why nothing could be announced, as last said
}

func newAnnouncer(opt *Options) *announcer {
	return &announcer{opt: opt, changed: make(chan struct{}, 1)}
}

// Announce tells the fleet what this server has in force, now and whenever it is
// connected. Version and Stage are filled in, and Since is kept while nothing else
// changes.
func (a *announcer) Announce(now fleet.Server) {
	a.mu.Lock()
	if was := a.now; was != nil {
		since := now.Since
		now.Since = was.Since
		if now == *was {
			a.mu.Unlock()
			return
		}
		now.Since = since
	}
	a.now = &now
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// run keeps the key of this server under a lease, until ctx ends.
func (a *announcer) run(ctx context.Context, client *clientv3.Client) {
	if a.opt.Announce == "" {
		return
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		told, err := a.tell(ctx, client)
		if ctx.Err() != nil {
			return
		}
		if told {
			pause = firstPause
		}
		a.say(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// say says once why etcd does not take what is announced. That it does not answer is said
// elsewhere.
func (a *announcer) say(err error) {
	var refusal rpctypes.EtcdError
	switch {
	case !errors.As(err, &refusal) || refusal.Code() == codes.Unavailable || a.failed == refusal.Error():
		return
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		a.opt.Log("%s: this server may not read and write below %s, so that the fleet does not see it: grant both in etcd, or write announce off", a.opt.Map, a.opt.Map.Servers())
	default:
		a.opt.Log("%s: this server cannot be announced, so that the fleet does not see it: %v", a.opt.Map, err)
	}
	a.failed = refusal.Error()
}

// tell gets a lease, or goes on with that of the last session, and keeps the key of this
// server under it until that fails. told says that it was written.
func (a *announcer) tell(ctx context.Context, client *clientv3.Client) (told bool, err error) {
	if a.lease == 0 || !isAlive(ctx, client, a.lease) {
		granted, err := client.Grant(ctx, lease)
		if err != nil {
			return false, err
		}
		a.lease = granted.ID
	}
	defer func() { // The fleet need not wait for the lease to end.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if _, err := client.Revoke(ctx, a.lease); err == nil {
			a.lease = 0
		}
	}()
	alive, err := client.KeepAlive(ctx, a.lease)
	if err != nil {
		return false, err
	}
	if told, err = a.write(ctx, client, a.lease); err != nil {
		return told, err
	}
	for {
		select {
		case _, open := <-alive:
			if !open {
				return told, errors.New("the lease has ended")
			}
		case <-a.changed:
			wrote, err := a.write(ctx, client, a.lease)
			if told = told || wrote; err != nil {
				return told, err
			}
		}
	}
}

// isAlive reports whether a lease lives, as far as etcd says so.
func isAlive(ctx context.Context, client *clientv3.Client, id clientv3.LeaseID) bool {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := client.KeepAliveOnce(ctx, id)
	return err == nil
}

// write writes the key of this server, under the name that it has or gets now. told says
// that there was something to write.
func (a *announcer) write(ctx context.Context, client *clientv3.Client, id clientv3.LeaseID) (told bool, err error) {
	a.mu.Lock()
	next := a.now
	a.mu.Unlock()
	if next == nil {
		return false, nil
	}
	if a.named != a.opt.Announce {
		a.name, a.named = "", a.opt.Announce
	}
	now := *next
	now.Version, now.Stage = a.opt.Version, a.opt.Stage
	put := func(name string) (bool, error) {
		key := a.opt.Map.Servers() + name
		write := clientv3.OpPut(key, string(now.Encode()), clientv3.WithLease(id))
		own := clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.LeaseValue(key), "=", id)}, []clientv3.Op{write}, nil)
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		resp, err := client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(write).Else(own).Commit()
		if err != nil {
			return false, err
		}
		return resp.Succeeded || resp.Responses[0].GetResponseTxn().Succeeded, nil
	}
	begin := time.Now()
	for n := 1; ; {
		name := a.opt.Announce
		if a.name != "" {
			name = a.name
		}
		if n > 1 {
			name = fmt.Sprintf("%s-%d", a.opt.Announce, n)
		}
		done, err := put(name)
		switch {
		case err != nil:
			return false, err
		case done:
			if n > 1 && name != a.name {
				a.opt.Log("%s: another server is called %s, this one is %s in the fleet: write announce NAME", a.opt.Map, a.opt.Announce, name)
			}
			a.name, a.failed = name, ""
			return true, nil
		case n > 1 || time.Since(begin) > cmp.Or(a.opt.inherit, inherit):
			n++
			a.name = ""
			continue
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(retryClaim):
		}
	}
}
