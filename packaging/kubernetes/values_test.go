package kubernetes

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
)

// Wrong values make nothing, and the error says where and why.
func TestChart_Refused(t *testing.T) {
	for _, c := range []struct{ over, want string }{
		{"image: {repository: ''}", "at '/image/repository': minLength"},
		{"servers: []", "at '/servers': minItems"},
		{"servers: [{plugins: x}]", "at '/servers/0': missing property 'zones'"},
		{"servers: [{zones: ['a b']}]", "at '/servers/0/zones/0': 'a b' does not match pattern"},
		{"replica: 3", "additional properties 'replica' not allowed"},
		{"replicas: 0", "at '/replicas': minimum"},
		{"replicas: many", "at '/replicas': got string, want integer"},
		{"kind: Deployment", "at '/kind': value must be one of 'StatefulSet', 'DaemonSet'"},
		{"map: {documents: {a.txt: ''}}", "at '/map/documents': additional properties 'a.txt' not allowed"},
		{"map: {path: /maps}", "at '/map/path': '/maps' does not match pattern"},
		{"resources: {limits: {memory: null}}", "at '/resources/limits': missing property 'memory'"},
		{"podDisruptionBudget: {maxUnavailable: 0}", "at '/podDisruptionBudget/maxUnavailable'"},
		{"image: {digest: sha256:1}", "at '/image/digest'"},
		{"map: {documents: null}", "map: there is no document: write map.documents, or map.configMaps"},
		{"map: {path: 'etcd:/a'}", "map.path: the map is in etcd: leave out map.documents"},
		{"kind: DaemonSet", "state.volume: a DaemonSet has no claims: write emptyDir, or kind: StatefulSet"},
		{"hostNetwork: {bind: [192.0.2.1]}", "hostNetwork.bind: a pod has no addresses of the node"},
		{"ports: {dns: 53}", "ports.dns: a pod needs no port below 1024"},
		{"ports: {ready: 8080}", "ports: two of them are one"},
		{"dnsPolicy: None", "at '/dnsPolicy': value must be one of 'Default', 'ClusterFirst', 'ClusterFirstWithHostNet'"},
		{"hostNetwork: {enabled: true}\ndnsPolicy: ClusterFirst", "dnsPolicy: with hostNetwork, Kubernetes takes ClusterFirst for Default"},
		{"env: [{value: x}]", "at '/env/0': missing property 'name'"},
		{"extraVolumes: [{emptyDir: {}}]", "at '/extraVolumes/0': missing property 'name'"},
		{"extraVolumes: [{name: state}]", "extraVolumes[0].name: the chart has a volume state itself"},
		{"extraVolumeMounts: [{name: drains}]", "at '/extraVolumeMounts/0': missing property 'mountPath'"},
		{"extraVolumeMounts: [{name: tls, mountPath: /tls}]", "extraVolumeMounts[0].name: there is no tls in extraVolumes"},
		{"servers: [{zones: [a]}, {zones: [b], options: \"guard 20%\\n  state /x\"}]", "servers[1].options: the chart writes state itself"},
		{"servers: [{zones: [a], options: 'zone_files /x'}]", "servers[0].options: the chart writes zone_files itself"},
		{"hostNetwork: {enabled: true}\nservice: {type: LoadBalancer}", "service.type: with hostNetwork, clients come to the node"},
	} {
		_, err := render(with(t, valuesOf(t, "quickstart.yaml"), c.over))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %s, got %v", c.over, c.want, err)
		}
	}
}

// Without values there is nothing to install, and the chart says what it needs.
func TestChart_NoValues(t *testing.T) {
	_, err := render(nil)
	for _, want := range []string{"/image/repository", "/servers"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

// The schema has each value, and no other, and values.yaml says of each what it is.
func TestValues_InSchema(t *testing.T) {
	text, err := os.ReadFile("chart/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	values, err := chartutil.ReadValues(text)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	data, err := os.ReadFile("chart/values.schema.json")
	if err == nil {
		err = json.Unmarshal(data, &schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(schema["properties"].(map[string]any), "global") // Helm gives it to each chart.
	compareKeys(t, "", values, schema)
}

func compareKeys(t *testing.T, place string, values, schema map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	if properties == nil || place == ".resources" { // Of the latter, Kubernetes knows more than has a default.
		return
	}
	if got, want := slices.Sorted(maps.Keys(values)), slices.Sorted(maps.Keys(properties)); !slices.Equal(got, want) {
		t.Errorf("values%s has %v, its schema %v", place, got, want)
	}
	if schema["additionalProperties"] != false {
		t.Errorf("the schema of values%s lets other values in", place)
	}
	for name, value := range values {
		inner, _ := value.(map[string]any)
		if deeper, ok := properties[name].(map[string]any); ok && inner != nil {
			compareKeys(t, fmt.Sprintf("%s.%s", place, name), inner, deeper)
		}
	}
}
