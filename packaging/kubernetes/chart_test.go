package kubernetes

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

var update = flag.Bool("update", false, "write the manifests anew")

const manifestHead = `# Made from packaging/kubernetes/chart with values/%s by ` + "`go test . -update`" + ` in packaging/kubernetes.
`

// render returns the objects that the chart makes of values, in the order of their files. The
// release is called edge, in the namespace dns.
func render(values map[string]any) ([]string, error) {
	chart, err := loader.Load("chart")
	if err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "edge", Namespace: "dns", IsInstall: true, Revision: 1}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, err
	}
	var objects []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		for _, object := range strings.Split("\n"+files[name], "\n---\n") {
			if object = strings.TrimSpace(object); object != "" {
				objects = append(objects, object+"\n")
			}
		}
	}
	return objects, nil
}

// valuesOf reads a file of values.
func valuesOf(t *testing.T, name string) map[string]any {
	t.Helper()
	values, err := chartutil.ReadValuesFile(filepath.Join("values", name))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// examples returns the names of the files of values.
func examples(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("values")
	if err != nil || len(entries) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// with returns values with others, a text in YAML, put over them.
func with(t *testing.T, values map[string]any, text string) map[string]any {
	t.Helper()
	changed, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return chartutil.CoalesceTables(changed, values)
}

// The manifests for those without Helm are what the chart makes of the examples.
func TestManifests(t *testing.T) {
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			objects, err := render(valuesOf(t, name))
			if err != nil {
				t.Fatal(err)
			}
			want := []byte(strings.Replace(manifestHead, "%s", name, 1) + "---\n" + strings.Join(objects, "---\n"))
			path := filepath.Join("manifests", name)
			if *update {
				if err := os.WriteFile(path, want, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not what the chart makes (%v): `go test . -update` in packaging/kubernetes writes it", path, err)
			}
		})
	}
}
