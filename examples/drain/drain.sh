#!/usr/bin/env bash
# A DNS server that does not answer addresses to which BIRD has lost the route. It needs
# BIRD 2, no rights, and Go unless COREDNS and ADDRESSMAP name the programs.
#
#   examples/drain/drain.sh        # Ctrl-C ends it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dns=${DNS_PORT:-1053}
PATH=$PATH:/usr/sbin

run=$(mktemp -d)
pids=()
stop() {
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$run"
}
trap stop EXIT
trap 'exit 0' INT TERM
start() {
    "$@" &
    pids+=($!)
}

coredns=${COREDNS:-$run/coredns}
addressmap=${ADDRESSMAP:-$run/addressmap}
[ -n "${COREDNS:-}" ] || (cd "$here/../.." && go build -o "$coredns" ./cmd/coredns)
[ -n "${ADDRESSMAP:-}" ] || (cd "$here/../.." && go build -o "$addressmap" ./cmd/addressmap)

# The drains are files of the hour, and none of the example's.
cp -R "$here/drains" "$run/drains"
sed "s#root examples/drain#root $here#; s#drains drains#drains $run/drains#; s/:1053/:$dns/" "$here/Corefile" >"$run/Corefile"

start bird -f -c "$here/bird.conf" -s "$run/bird.ctl" -P "$run/bird.pid"
start sh "$here/bird-drain.sh" "$run/bird.ctl" "$run/drains/bird.yaml" 203.0.113.0/24 198.51.100.0/24
start "$coredns" -conf "$run/Corefile"

cat <<END
Try
  dig @127.0.0.1 -p $dns www.example.org
  birdc -s $run/bird.ctl disable paris    # and ask again
  $addressmap drains $run/drains
  birdc -s $run/bird.ctl enable paris
  $addressmap drain 198.51.100.10 --reason "a try" --for 5m --file $run/drains/people.yaml
END
wait -n "${pids[@]}"
echo "one of the programs has ended, and so does the rest" >&2
exit 1
