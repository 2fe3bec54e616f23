package kubernetes

import (
	"testing"

	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

// `helm lint` has nothing to say.
func TestLint(t *testing.T) {
	for _, name := range examples(t) {
		for _, m := range lint.All("chart", valuesOf(t, name), "dns", true).Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
	if lint.All("chart", with(t, valuesOf(t, "quickstart.yaml"), "kind: Deployment"), "dns", true).HighestSeverity < support.ErrorSev {
		t.Error("no error where a value is wrong")
	}
}
