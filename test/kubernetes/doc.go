// Package kubernetes runs what the manifests of packaging/kubernetes say, without a cluster:
// the server has the Corefile and the volumes of the pod, as the kubelet lays them.
package kubernetes
