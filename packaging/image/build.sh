#!/bin/sh
# Builds the image of this checkout by buildah, without a registry and without a daemon, for the
# processors given, or this machine's:
#
#     packaging/image/build.sh localhost/coredns-addressmap:dev
#     packaging/image/build.sh registry.example/coredns-addressmap:1.0.0 amd64 arm64 riscv64
#
# Several become one manifest. The same commit makes the same octets. BUILDAH is the command,
# with options if need be.
set -eu
[ $# -ge 1 ] || { echo "usage: build.sh NAME[:TAG] [GOARCH...]" >&2; exit 2; }
name=$1
shift
cd "$(dirname "$0")/../.."
[ $# -ge 1 ] || set -- "$(go env GOARCH)"
buildah=${BUILDAH:-buildah}

version=$(git describe --tags --always --dirty --match 'v*')
revision=$(git rev-parse HEAD)
# The time of the commit: that of the build would make each image another.
time=$(git log -1 --format=%ct)
authorities=/etc/ssl/certs/ca-certificates.crt
[ -e $authorities ] || { echo "build.sh: $authorities is missing: install ca-certificates" >&2; exit 1; }

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
(cd tools/licences && go run . -texts "$context/THIRD-PARTY.txt" >/dev/null)
into=--tag
if [ $# -gt 1 ]; then
    into=--manifest
    $buildah manifest rm "$name" >/dev/null 2>&1 || true # One of an earlier build would keep its images.
fi
for arch in "$@"; do
    root=$context/$arch/root
    mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/etc/addressmap" "$root/usr/share/licenses/addressmap" "$root/var/lib" "$context/$arch/state/addressmap"
    CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$root/usr/bin/coredns-addressmap" ./cmd/coredns
    cp $authorities "$root/etc/ssl/certs/"
    cp LICENSE "$context/THIRD-PARTY.txt" "$root/usr/share/licenses/addressmap/"
    echo 'addressmap:x:65532:65532::/var/lib/addressmap:/sbin/nologin' >"$root/etc/passwd"
    echo 'addressmap:x:65532:' >"$root/etc/group"
    chmod -R u=rwX,go=rX "$context/$arch"
    chmod 700 "$context/$arch/state/addressmap" # COPY keeps the mode of what is in a folder, not of the folder.
    # shellcheck disable=SC2086 # BUILDAH may have options.
    $buildah bud --isolation chroot --quiet --timestamp "$time" --platform "linux/$arch" $into "$name" \
        --build-arg VERSION="$version" --build-arg REVISION="$revision" \
        --file packaging/image/Containerfile "$context/$arch"
done
