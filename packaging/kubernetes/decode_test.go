package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/mapfile"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/yaml"
)

// serviceMonitor has what the chart writes of the Prometheus operator's type, whose own module
// is large: a field that is not here was not looked up there.
type serviceMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port        string `json:"port"`
			Interval    string `json:"interval"`
			Relabelings []struct {
				SourceLabels []string `json:"sourceLabels"`
				TargetLabel  string   `json:"targetLabel"`
				Replacement  string   `json:"replacement"`
			} `json:"relabelings"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// objects is what the chart made, as Kubernetes reads it.
type objects struct {
	configMaps map[string]*corev1.ConfigMap
	secrets    map[string]*corev1.Secret
	services   map[string]*corev1.Service
	pods       *corev1.PodTemplateSpec
	labels     *metav1.LabelSelector // by which the workload knows its pods
	claims     []corev1.PersistentVolumeClaim
	headless   string // the Service that a StatefulSet names
	budget     *policyv1.PodDisruptionBudget
	policy     *networkingv1.NetworkPolicy
	monitor    *serviceMonitor
}

// decode reads objects as the API server does with `fieldValidation: Strict`: a field that a
// type does not have, or that is there twice, is an error.
func decode(texts []string) (*objects, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	o := &objects{configMaps: map[string]*corev1.ConfigMap{}, secrets: map[string]*corev1.Secret{}, services: map[string]*corev1.Service{}}
	for _, text := range texts {
		if strings.Contains(text, "kind: ServiceMonitor\n") {
			o.monitor = new(serviceMonitor)
			if err := yaml.UnmarshalStrict([]byte(text), o.monitor); err != nil {
				return nil, fmt.Errorf("%w in\n%s", err, text)
			}
			continue
		}
		object, _, err := strict.Decode([]byte(text), nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, text)
		}
		switch x := object.(type) {
		case *corev1.ConfigMap:
			o.configMaps[x.Name] = x
		case *corev1.Secret:
			o.secrets[x.Name] = x
		case *corev1.Service:
			o.services[x.Name] = x
		case *appsv1.StatefulSet:
			o.pods, o.labels, o.claims, o.headless = &x.Spec.Template, x.Spec.Selector, x.Spec.VolumeClaimTemplates, x.Spec.ServiceName
		case *appsv1.DaemonSet:
			o.pods, o.labels = &x.Spec.Template, x.Spec.Selector
		case *policyv1.PodDisruptionBudget:
			o.budget = x
		case *networkingv1.NetworkPolicy:
			o.policy = x
		default:
			return nil, fmt.Errorf("%T: no test knows this kind", x)
		}
	}
	if o.pods == nil {
		return nil, fmt.Errorf("there is neither a StatefulSet nor a DaemonSet")
	}
	return o, nil
}

// made returns the objects that the chart makes of values.
func made(t *testing.T, values map[string]any) *objects {
	t.Helper()
	texts, err := render(values)
	if err != nil {
		t.Fatal(err)
	}
	o, err := decode(texts)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDecode_CanFail(t *testing.T) {
	texts, err := render(valuesOf(t, "quickstart.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"replicas: 2", "replica: 2", `unknown field "spec.replica"`},
		{"replicas: 2", "replicas: two", "cannot unmarshal string"},
		{"minReadySeconds: 10", "minReadySeconds: 10\n  minReadySeconds: 11", `key "minReadySeconds" already set`},
		{"maxUnavailable: 1", "maxUnavailabel: 1", `unknown field "spec.maxUnavailabel"`},
		{"kind: PodDisruptionBudget", "kind: PodDisruptionBudgets", "no kind"},
	} {
		all := strings.Join(texts, "---\n")
		if !strings.Contains(all, c.old) {
			t.Fatalf("there is no %s", c.old)
		}
		_, err := decode(strings.Split(strings.Replace(all, c.old, c.new, 1), "---\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %s, got %v", c.new, c.want, err)
		}
	}
}

// The documents are ones that a server accepts.
func TestExamples_Documents(t *testing.T) {
	for _, name := range examples(t) {
		values := valuesOf(t, name)
		m, there := made(t, values).configMaps["edge-addressmap-map"]
		if path, _ := values["map"].(map[string]any)["path"].(string); strings.HasPrefix(path, "etcd:") {
			continue
		}
		if !there {
			t.Errorf("%s: no documents", name)
			continue
		}
		for file, text := range m.Data {
			if _, errs := mapfile.Parse(file, []byte(text)); len(errs) > 0 {
				t.Errorf("%s: %v", name, errs)
			}
		}
	}
}
