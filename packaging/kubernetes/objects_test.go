package kubernetes

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// What objects say of each other holds: selectors, ports, volumes.
func TestExamples_FitTogether(t *testing.T) {
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			values := valuesOf(t, name)
			o := made(t, values)
			pod := o.pods
			selects := func(what string, s *metav1.LabelSelector, of map[string]string) {
				t.Helper()
				selector, err := metav1.LabelSelectorAsSelector(s)
				if err != nil || selector.Empty() || !selector.Matches(labels.Set(of)) {
					t.Errorf("%s: %v selects not %v (%v)", what, s, of, err)
				}
			}
			selects("workload", o.labels, pod.Labels)
			for _, s := range o.services {
				selects(s.Name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, pod.Labels)
				for _, p := range s.Spec.Ports {
					if !hasPort(pod, p.TargetPort.String(), p.Protocol) {
						t.Errorf("%s: the pod has no port %v", s.Name, p)
					}
				}
			}
			if o.budget != nil {
				selects("budget", o.budget.Spec.Selector, pod.Labels)
			}
			for _, c := range pod.Spec.TopologySpreadConstraints {
				selects("topology spread", c.LabelSelector, pod.Labels)
			}
			if o.policy != nil {
				selects("network policy", &o.policy.Spec.PodSelector, pod.Labels)
				for _, rule := range o.policy.Spec.Ingress {
					for _, p := range rule.Ports {
						if !hasPort(pod, p.Port.String(), *p.Protocol) {
							t.Errorf("network policy: the pod has no port %v", p)
						}
					}
				}
			}
			if o.headless != "" && o.services[o.headless] == nil {
				t.Errorf("there is no Service %s", o.headless)
			}
			if o.monitor != nil {
				selects("service monitor", &o.monitor.Spec.Selector, o.services["edge-addressmap-pods"].Labels)
				if other := o.services["edge-addressmap"]; other.Labels["app.kubernetes.io/component"] != "" {
					t.Errorf("each pod is scraped twice, by %s as well", other.Name)
				}
			}
			c := pod.Spec.Containers[0]
			for what, probe := range map[string]*corev1.Probe{"/health": c.LivenessProbe, "/ready": c.ReadinessProbe} {
				if probe.HTTPGet.Path != what || !hasPort(pod, probe.HTTPGet.Port.String(), corev1.ProtocolTCP) {
					t.Errorf("probe %s: %v", what, probe)
				}
			}
			hasVolumes(t, o, values)
		})
	}
}

func hasPort(pod *corev1.PodTemplateSpec, name string, protocol corev1.Protocol) bool {
	return slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == name && p.Protocol == protocol })
}

// hasVolumes finds each mount among the volumes, each volume mounted, whole, and each ConfigMap
// among those made here, or named in the values.
func hasVolumes(t *testing.T, o *objects, values map[string]any) {
	t.Helper()
	unmounted := map[string]bool{}
	for _, v := range o.pods.Spec.Volumes {
		unmounted[v.Name] = true
	}
	for _, c := range o.claims {
		unmounted[c.Name] = true
	}
	for _, m := range o.pods.Spec.Containers[0].VolumeMounts {
		if !unmounted[m.Name] || m.SubPath != "" {
			t.Errorf("mount %v: no such volume, mounted twice, or in part", m)
		}
		if m.ReadOnly != (m.Name != "state") {
			t.Errorf("mount %v: the state, and nothing else, is written to", m)
		}
		delete(unmounted, m.Name)
	}
	if len(unmounted) > 0 {
		t.Errorf("not mounted: %v", unmounted)
	}
	// What the values name is there by itself.
	named := func(group, key string) []string {
		in, _ := values[group].(map[string]any)
		list, _ := in[key].([]any)
		var names []string
		for _, name := range list {
			names = append(names, name.(string))
		}
		return names
	}
	configMaps := slices.AppendSeq(named("map", "configMaps"), maps.Keys(o.configMaps))
	secrets := slices.AppendSeq(named("zones", "secrets"), maps.Keys(o.secrets))
	further, _ := values["extraVolumes"].([]any)
	for _, v := range o.pods.Spec.Volumes {
		if slices.ContainsFunc(further, func(f any) bool { return f.(map[string]any)["name"] == v.Name }) {
			continue
		}
		if v.ConfigMap != nil && !slices.Contains(configMaps, v.ConfigMap.Name) {
			t.Errorf("volume %v: there are %v", v, configMaps)
		}
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.ConfigMap != nil && !slices.Contains(configMaps, s.ConfigMap.Name) || s.Secret != nil && !slices.Contains(secrets, s.Secret.Name) || v.Name == "zones" && s.Secret == nil {
				t.Errorf("volume %v: there are %v, and the Secrets %v", v, configMaps, secrets)
			}
		}
	}
}

// A pod has no right that it does not need, and none that the standard "restricted" of
// Kubernetes denies; in the network of the node it has one.
func TestExamples_Rights(t *testing.T) {
	const asRoot, asUser = "hostNetwork: {enabled: true}\nports: {dns: 53}\nservice: {enabled: false}",
		"hostNetwork: {enabled: true, lowPorts: sysctl}\nports: {dns: 53}\nservice: {enabled: false}"
	for _, c := range []struct {
		name, values, over string
		uid                int64
		added              []corev1.Capability
	}{
		{"quickstart", "quickstart.yaml", "{}", 65532, nil},
		{"tenants", "tenants.yaml", "{}", 65532, nil},
		{"anycast", "anycast.yaml", "{}", 0, []corev1.Capability{"NET_BIND_SERVICE"}},
		{"port 53 of the node", "quickstart.yaml", asRoot, 0, []corev1.Capability{"NET_BIND_SERVICE"}},
		{"a node that leaves port 53 to all", "quickstart.yaml", asUser, 65532, nil},
		{"a high port of the node", "quickstart.yaml", "hostNetwork: {enabled: true}", 65532, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := made(t, with(t, valuesOf(t, c.values), c.over))
			pod, container := o.pods.Spec, o.pods.Spec.Containers[0]
			p, s := pod.SecurityContext, container.SecurityContext
			if *p.RunAsUser != c.uid || *p.RunAsNonRoot != (c.uid != 0) || *p.RunAsGroup != 65532 || *p.FSGroup != 65532 {
				t.Errorf("user and groups: %v", p)
			}
			if p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem {
				t.Errorf("%v %v", p, s)
			}
			if !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || !slices.Equal(s.Capabilities.Add, c.added) {
				t.Errorf("capabilities: %v", s.Capabilities)
			}
			if *pod.AutomountServiceAccountToken || pod.HostPID || pod.HostIPC || pod.HostNetwork != (o.policy == nil) {
				t.Errorf("pod: %v", pod)
			}
			if container.Resources.Limits.Memory().IsZero() || len(container.Env) > 0 {
				t.Errorf("the server takes its GOMEMLIMIT of the memory limit, which must be there: %v, %v", container.Resources, container.Env)
			}
		})
	}
}

// Another Corefile is rolled out; another map or zone file is not, for the pods see it.
func TestWorkload_Checksum(t *testing.T) {
	values := valuesOf(t, "quickstart.yaml")
	sum := func(over string) string { return made(t, with(t, values, over)).pods.Annotations["checksum/corefile"] }
	first := sum("{}")
	for over, differs := range map[string]bool{
		`map: {documents: {maps.yaml: "anycast: [192.0.2.9]"}}`: false,
		`zones: {files: {db.example.org: ""}}`:                  false,
		`servers: [{zones: [example.org]}]`:                     true,
		`ports: {dns: 5353}`:                                    true,
	} {
		if got := sum(over); (got != first) != differs {
			t.Errorf("%s: checksum %s, before %s", over, got, first)
		}
	}
}

// The map of etcd needs no volume; what is named twice, or nowhere, is not there twice.
func TestChart_Etcd(t *testing.T) {
	values := valuesOf(t, "quickstart.yaml")
	delete(values, "map")
	delete(values, "zones")
	o := made(t, with(t, values, "map: {path: 'etcd:/addressmap'}\nservers: [{zones: [example.org], options: 'endpoint http://etcd:2379'}]"))
	hasVolumes(t, o, values)
	corefile := o.configMaps["edge-addressmap-corefile"].Data["Corefile"]
	if !strings.Contains(corefile, "addressmap etcd:/addressmap {\n") || strings.Contains(corefile, "zone_files") || len(o.configMaps) != 1 {
		t.Errorf("%v\n%s", o.configMaps, corefile)
	}
}
