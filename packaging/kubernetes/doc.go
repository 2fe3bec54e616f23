// Package kubernetes tests the Helm chart beside it: Helm's own library renders it, and the types
// of Kubernetes decode what it makes. It is a module of its own, so that a program with the plugin
// in it depends on nothing of theirs. It requires the versions of Kubernetes's modules that the
// full flavour has, which are compiled already where that was built.
package kubernetes
