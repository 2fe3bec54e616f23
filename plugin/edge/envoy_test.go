package edge_test

import (
	"encoding/json"
	"strings"
	"testing"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// What Envoy is given are messages of its published API, with values that its own rules
// allow, down to those of its extensions.
func TestEnvoy_Schema(t *testing.T) {
	a, err := txtar.ParseFile("testdata/edge.txtar")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range a.Files {
		if !strings.Contains(f.Name, "envoy") {
			continue
		}
		var response struct{ Resources []json.RawMessage }
		if err := json.Unmarshal(f.Data, &response); err != nil {
			t.Fatal(err)
		}
		for _, text := range response.Resources {
			seen++
			checkEnvoy(t, f.Name, text)
		}
	}
	if seen < 5 {
		t.Errorf("want several resources in the archive, got %d", seen)
	}
}

// checkEnvoy checks a message that tells its type, and those inside it.
func checkEnvoy(t *testing.T, name string, text []byte) {
	t.Helper()
	var message anypb.Any
	if err := protojson.Unmarshal(text, &message); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	inner, err := message.UnmarshalNew()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	v, ok := inner.(interface{ ValidateAll() error })
	if !ok {
		t.Errorf("%s: want a message with rules, got %T", name, inner)
		return
	}
	if err := v.ValidateAll(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	for _, inside := range typedInside(tree, true) {
		again, err := json.Marshal(inside)
		if err != nil {
			t.Fatal(err)
		}
		checkEnvoy(t, name, again)
	}
}

// typedInside returns the outermost messages below a tree that tell their types.
func typedInside(tree any, top bool) (out []any) {
	switch node := tree.(type) {
	case map[string]any:
		if _, is := node["@type"]; is && !top {
			return []any{node}
		}
		for _, child := range node {
			out = append(out, typedInside(child, false)...)
		}
	case []any:
		for _, child := range node {
			out = append(out, typedInside(child, false)...)
		}
	}
	return out
}
