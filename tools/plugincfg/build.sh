#!/usr/bin/env bash
# Builds CoreDNS the way its own users add a plugin: CoreDNS's source, one line
# more in plugin.cfg, go generate, go build. This checkout stands in for the
# released module.
#
#   tools/plugincfg/build.sh OUTPUT      writes the binary to OUTPUT
set -euo pipefail

output=$(realpath -m "${1:?usage: tools/plugincfg/build.sh OUTPUT}")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
module=$(cd "$root" && go list -m)
coredns=github.com/coredns/coredns
version=$(cd "$root" && go list -m -f '{{.Version}}' $coredns)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The module cache is read-only and belongs to everyone: work on a copy.
(cd "$root" && go mod download "$coredns@$version")
cp -R "$(cd "$root" && go list -m -f '{{.Dir}}' $coredns)/." "$work"
chmod -R u+w "$work"
cd "$work"

sed -i "s|^minimal:minimal\$|&\naddressmap:$module|" plugin.cfg
grep -A1 '^minimal:minimal$' plugin.cfg | grep -qx "addressmap:$module" || {
    echo "plugincfg: plugin.cfg of $coredns $version has no line minimal:minimal" >&2
    exit 1
}

go mod edit -require="$module@v0.0.0" -replace="$module=$root"
cat "$root/go.sum" >>go.sum # what the plugin needs beyond CoreDNS, already verified
export GOFLAGS="${GOFLAGS:-} -mod=mod" GOWORK=off
go generate coredns.go
go build -o "$output" .

"$output" -version
"$output" -plugins | grep -qx addressmap || {
    echo "plugincfg: the binary does not list addressmap among its plugins" >&2
    exit 1
}
