#!/usr/bin/env bash
# The life of the Debian packages in a new Debian: installed, asked, reloaded, upgraded with
# their state, removed and purged. No systemd is started: what it would do with the unit,
# this script does. It needs root, Go, and the packages mmdebstrap, bind9-dnsutils and
# iproute2, and takes some minutes. What is not committed is not tried.
#
#   packaging/chroot-test.sh [SUITE [SOURCES]]   # bookworm, by the machine's sources of apt
set -euo pipefail

say() { printf '\n=== %s\n' "$*"; }
fail() {
    echo "*** FAILED: $*" >&2
    exit 1
}

if [ "${1-}" != inside ]; then
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    tmp=$(mktemp -d)
    chmod 755 "$tmp"
    trap 'rm -rf "$tmp"' EXIT

    say "two releases, of which the second has another Corefile and another example"
    git clone -q . "$tmp/source"
    for version in 0.98.0 0.99.0; do
        (
            cd "$tmp/source"
            git config user.name "A tester"
            git config user.email tester@example.org
            sed -i "s/^## \[Unreleased\]\$/&\n\n## [$version] - today\n\n- A change./" CHANGELOG.md
            echo "# $version" | tee -a packaging/Corefile >>examples/quickstart/maps.yaml
            git commit -qam "release $version"
            git tag -m "$version" "v$version"
            tools/release "linux/$(go env GOHOSTARCH)" >"$tmp/release.log" || fail "tools/release: $(cat "$tmp/release.log")"
            mkdir "$tmp/$version"
            cp dist/*.deb "$tmp/$version"
            ls -l "$tmp/$version"
        )
    done

    say "a new Debian"
    unshare --mount mmdebstrap --quiet --variant=apt --include=adduser "${1-bookworm}" "$tmp/root" "${2-/etc/apt/sources.list.d/debian.sources}"
    cp "$tmp"/0.9*/*.deb "$tmp/root/tmp"
    unshare --net --mount "$0" inside "$tmp" # in a network of its own, all ports are free
    exit
fi

tmp=$2
root=$tmp/root
unit=$root/usr/lib/systemd/system/coredns-addressmap.service
server=
trap '[ -z "$server" ] || kill "$server"' EXIT
ip link set lo up
mount -t proc proc "$root/proc"

inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# apt keeps edited configuration and asks nothing.
apt() { inside sh -c "apt-get -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold $*"; }

# files prints all files, but those in which apt, dpkg and adduser keep what they did.
files() {
    inside find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /run -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' -o -path '/etc/*-' \) -prune -o -print | sort
}

# told waits for the server to say it is ready, as systemd does.
told() {
    # shellcheck disable=SC2016 # Perl's variables
    inside perl -MIO::Socket::UNIX -e '
        unlink "/run/notify";
        my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/run/notify") or die "$!";
        chmod 0666, "/run/notify";
        open my $f, ">", "/run/notify.there";
        alarm 60;
        $s->recv(my $said, 100);
        unlink "/run/notify", "/run/notify.there";
        print "told: $said\n";
        exit($said !~ /READY=1/)'
}

value() { sed -n "s/^$1=//p" "$unit"; }

# start runs the unit's command as the unit's user with the unit's capabilities, and no other.
start() {
    local caps
    caps=$(value AmbientCapabilities | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
    told &
    local teller=$!
    wait_for test -e "$root/run/notify.there"
    # shellcheck disable=SC2046 # words of the command
    chroot "$root" setpriv --reuid "$(value User)" --regid "$(value User)" --init-groups --no-new-privs \
        --inh-caps "$caps" --ambient-caps "$caps" --bounding-set "-all,$caps" \
        env -C "$(value WorkingDirectory)" NOTIFY_SOCKET=/run/notify $(value ExecStart) >>"$tmp/server.log" 2>&1 &
    server=$!
    wait $teller || fail "the server was not ready in a minute: $(cat "$tmp/server.log")"
}

stop() {
    kill "$server"
    wait "$server" || true
    server=
}

wait_for() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "not in a minute: $*"
        sleep 0.1
    done
}

# quickstart asks what the quick start of README.md asks, and wants its answers.
quickstart() {
    local line question='' want='' got n=0
    while IFS= read -r line; do
        case $line in
        '$ dig '* | '```')
            if [ -n "$question" ]; then
                got=$(eval "$question")
                [ "$(tr -s ' \t' ' ' <<<"$got")" = "$(tr -s ' \t' ' ' <<<"${want%$'\n'}")" ] || fail "$question: want $want, got $got"
                n=$((n + 1))
            fi
            question=${line#'$ '} want=''
            [ "$line" != '```' ] || question=''
            ;;
        *) want+=$line$'\n' ;;
        esac
    done < <(sed -n '/^## Quick start/,/^## Doc/p' "$tmp/source/README.md" | sed -n '/^\$ dig/,/^```/p')
    [ $n -ge 5 ] || fail "$n questions in README.md"
    echo "$n questions of the quick start are answered as README.md has it"
}

ttl() { dig @127.0.0.1 +noall +answer www.example.org A | awk 'NR == 1 { print $2 }'; }
ttl_is() { [ "$(ttl)" = "$1" ]; }
in_force() { dig @127.0.0.1 +short www.example.org A | grep -qx "$1"; }
state() { (cd "$root/var/lib/addressmap" && find . -type f -exec sha256sum {} + | sort -k 2); }
state_written() { ! state | grep manifest | grep -qxFf "$tmp/state"; } # none of the old ones

files >"$tmp/before"
cp "$root/etc/passwd" "$tmp/passwd"

say "apt install ./coredns-addressmap_*.deb"
apt install '/tmp/coredns-addressmap_0.98.0-1_*.deb /tmp/addressmap_0.98.0-1_*.deb'
ls -ld "$root/etc/addressmap" "$root/var/lib/addressmap"
inside addressmap --version | grep 'addressmap v0.98.0'
inside addressmap check /usr/share/coredns-addressmap/quickstart/maps.yaml

say "the unit's command"
value ExecStart
start
grep -E '^(Uid|Gid|Cap...|NoNewPrivs)' "/proc/$server/status"
quickstart
stop

say "zones of one's own, with the Corefile of docs/install.md"
sed -n '/^ *```corefile/,/^ *```$/s/^   //p' "$tmp/source/docs/install.md" | sed '/```/d; s/bind .*/bind 127.0.0.1/' >"$root/etc/addressmap/Corefile"
printf '%s\n' 'anycast: [192.0.2.1]' 'accounts: [{id: acme, zones: [{name: example.org, proxied: [www]}]}]' >"$tmp/maps.yaml"
cp "$tmp/maps.yaml" "$tmp/source/examples/quickstart/db.example.org" "$root/tmp"
inside install -o root -g addressmap -m 640 /tmp/maps.yaml /tmp/db.example.org /etc/addressmap/
inside addressmap check /etc/addressmap/maps.yaml
start
wait_for in_force 192.0.2.1
echo "a map with less in it than the example's meets no state of that"

say "a reload by SIGUSR1, and a change of the map"
sed -i 's/addressmap maps.yaml {/&\n        ttl 60 # of the administrator/' "$root/etc/addressmap/Corefile"
MAINPID=$server bash -c "$(value ExecReload)"
wait_for ttl_is 60
state >"$tmp/state"
sed -i 's/^anycast: .*/anycast: [192.0.2.77]/' "$root/etc/addressmap/maps.yaml"
wait_for in_force 192.0.2.77
wait_for state_written
echo "both are in force"
sha256sum "$root"/etc/addressmap/* >"$tmp/edited"
state >"$tmp/state"
cat "$tmp/state"
[ -s "$tmp/state" ] || fail "there is no state"

say "the upgrade"
apt install '/tmp/coredns-addressmap_0.99.0-1_*.deb /tmp/addressmap_0.99.0-1_*.deb'
sha256sum -c --quiet "$tmp/edited"
state | diff "$tmp/state" -
ls "$root/etc/addressmap"
grep -qx '# 0.99.0' "$root/usr/share/coredns-addressmap/quickstart/maps.yaml"
stop
inside coredns-addressmap -version | grep 'addressmap-v0.99.0'
echo 'no map' >"$root/etc/addressmap/maps.yaml"
start
wait_for ttl_is 60
wait_for in_force 192.0.2.77
echo "edits and state are kept: a broken map is answered from the state"
stop

say "apt remove"
apt remove coredns-addressmap addressmap
[ ! -e "$unit" ] && [ ! -e "$root/usr/bin/addressmap" ] || fail "the package is still there"
[ -s "$root/etc/addressmap/Corefile" ] && state | grep -q . || fail "configuration or state is gone"

say "apt purge"
apt purge coredns-addressmap addressmap
[ "$(ls "$root/etc/addressmap")" = $'db.example.org\nmaps.yaml' ] || fail "purging leaves not just the administrator's files"
rm -r "$root/etc/addressmap"
files | diff "$tmp/before" - && echo "no file is left" || fail "files are left, see above"
[ "$(grep -v '^addressmap:' "$root/etc/passwd")" = "$(cat "$tmp/passwd")" ] || fail "other users have changed"
echo "nor a user but addressmap, as Debian has it"
