#!/bin/sh
# Drains each prefix to which BIRD has no route, and ends the drain when the route is back.
#
#   bird-drain.sh SOCKET FILE PREFIX...
#
# The file is this program's own. It is written anew every minute, with drains that end
# five minutes later: if the program or BIRD dies, nothing stays drained for longer.
set -eu
socket=$1 file=$2
shift 2

stamp() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }

written=none at=0
while :; do
    now=$(date +%s) lost=
    # A BIRD that does not answer says nothing of routes: the file stays, and its drains end.
    if all=$(birdc -s "$socket" show route 2>/dev/null); then
        for prefix in "$@"; do
            echo "$all" | grep -qF "$prefix " || lost="$lost $prefix"
        done
        if [ "$lost" != "$written" ] || [ $((now - at)) -ge 60 ]; then
            {
                [ -n "$lost" ] && echo "drains:" || echo "drains: []"
                for prefix in $lost; do
                    echo "  - {addresses: [$prefix], reason: no route to it, by: BIRD, until: $(stamp $((now + 300)))}"
                done
            } >"$file.new"
            mv "$file.new" "$file"
            written=$lost at=$now
        fi
    fi
    sleep 1
done
