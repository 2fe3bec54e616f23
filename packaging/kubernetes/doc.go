// Package kubernetes tests the Helm chart beside it, by Helm's own library. It is a module of
// its own, so that a program with the plugin in it depends on nothing of Helm's.
package kubernetes
