package kubernetes

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/test/server"
)

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	os.Exit(m.Run())
}

// object is what the tests need to know of a manifest.
type object struct {
	Kind       string            `yaml:"kind"`
	Metadata   named             `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
	StringData map[string]string `yaml:"stringData"`
	Spec       struct {
		Template struct {
			Spec podSpec `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

type named struct {
	Name string `yaml:"name"`
}

type podSpec struct {
	Containers []struct {
		Args  []string `yaml:"args"`
		Ports []struct {
			Name          string `yaml:"name"`
			ContainerPort int    `yaml:"containerPort"`
		} `yaml:"ports"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		VolumeMounts   []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	} `yaml:"containers"`
	Volumes []struct {
		Name      string `yaml:"name"`
		ConfigMap named  `yaml:"configMap"`
		Projected struct {
			Sources []struct {
				ConfigMap named `yaml:"configMap"`
				Secret    named `yaml:"secret"`
			} `yaml:"sources"`
		} `yaml:"projected"`
	} `yaml:"volumes"`
}

type probe struct {
	HTTPGet struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
}

// pod is a pod of the manifests, below a folder that is its root, with the ports of this
// machine that it has for its own.
type pod struct {
	*server.Server
	t       *testing.T
	root    string
	spec    podSpec
	volumes map[string]*server.Volume // by mount path
	ports   map[int]string
}

// schedule lays the volumes of the pod that a file of manifests has.
func schedule(t *testing.T, manifests string) *pod {
	t.Helper()
	text, err := os.ReadFile(manifests)
	if err != nil {
		t.Fatal(err)
	}
	p := &pod{t: t, root: t.TempDir(), volumes: make(map[string]*server.Volume)}
	files := make(map[string]map[string]string) // :: name of a ConfigMap or Secret → file → text
	for dec := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch o.Kind {
		case "ConfigMap":
			files[o.Metadata.Name] = o.Data
		case "Secret":
			files[o.Metadata.Name] = o.StringData
		case "StatefulSet", "DaemonSet":
			p.spec = o.Spec.Template.Spec
		}
	}
	content := make(map[string]map[string]string) // :: volume → file → text
	for _, v := range p.spec.Volumes {
		all := maps.Clone(files[v.ConfigMap.Name])
		for _, s := range v.Projected.Sources {
			if all == nil {
				all = make(map[string]string)
			}
			maps.Copy(all, files[s.ConfigMap.Name+s.Secret.Name])
		}
		content[v.Name] = all
	}
	for _, m := range p.spec.Containers[0].VolumeMounts {
		if files, there := content[m.Name]; there {
			p.volumes[m.MountPath] = &server.Volume{Dir: filepath.Join(p.root, m.MountPath)}
			p.volumes[m.MountPath].Publish(t, files)
		} else if err := os.MkdirAll(filepath.Join(p.root, m.MountPath), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// start starts the container, and waits until its probes let it have clients.
func (p *pod) start() {
	p.t.Helper()
	if err := p.run(); err != nil {
		p.t.Fatalf("%v\n%s", err, p.Log)
	}
	for _, probe := range []probe{p.spec.Containers[0].LivenessProbe, p.spec.Containers[0].ReadinessProbe} {
		server.Eventually(p.t, probe.HTTPGet.Path, func() bool {
			status, _ := server.Get(p.t, p.port(probe.HTTPGet.Port), probe.HTTPGet.Path)
			return status == 200
		})
	}
}

// run starts the container, and returns why it ends at once if it does.
func (p *pod) run() error {
	p.t.Helper()
	p.ports = make(map[int]string)
	corefile, err := os.ReadFile(filepath.Join(p.root, p.spec.Containers[0].Args[1]))
	if err != nil {
		p.t.Fatal(err)
	}
	here := []string{"/etc/addressmap/", p.root + "/etc/addressmap/", "/var/lib/addressmap/", p.root + "/var/lib/addressmap/",
		"lameduck 5s", "lameduck 1ms"} // Nobody is sent here for these five seconds.
	for _, port := range p.spec.Containers[0].Ports {
		// The port of names is the server's own.
		p.ports[port.ContainerPort] = ""
		own := ""
		if !strings.HasPrefix(port.Name, "dns") {
			p.ports[port.ContainerPort] = server.FreePort(p.t)
			own = "127.0.0.1:" + p.ports[port.ContainerPort]
		}
		here = append(here, ":"+strconv.Itoa(port.ContainerPort), own)
	}
	p.Server = server.New(p.t)
	return p.Begin(strings.NewReplacer(here...).Replace(string(corefile)))
}

// port returns the port of this machine that the container has by a name.
func (p *pod) port(name string) string {
	p.t.Helper()
	for _, port := range p.spec.Containers[0].Ports {
		if port.Name == name {
			return p.ports[port.ContainerPort]
		}
	}
	p.t.Fatalf("the container has no port %s", name)
	return ""
}

// degraded returns whether the server says that the disk is not what is in force.
func (p *pod) degraded() bool {
	for name, value := range server.Scrape(p.t, p.port("metrics"), "degraded") {
		if strings.Contains(name, p.root) {
			return value == 1
		}
	}
	return false
}
