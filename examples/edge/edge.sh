#!/usr/bin/env bash
# A whole small edge on loopback addresses: CoreDNS with addressmap, nginx on the
# mapped addresses, configured by "addressmap export", and two origins. It needs
# nginx and openssl, and Go unless COREDNS and ADDRESSMAP name the programs.
#
#   examples/edge/edge.sh        # Ctrl-C ends it
#
# Then edit maps.yaml or db.example.org, and see clients follow.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dns=${DNS_PORT:-1053} doh=${DOH_PORT:-1443} tls=${TLS_PORT:-8443} http=${ORIGIN_PORT:-8080}
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

# An authority and the certificates that it signs, one a default_sni, and the
# edge's own for an address without one. CA_FILE says where to put its certificate.
mkdir -p "$run/certs" "$run/tmp"
ca=${CA_FILE:-$run/ca.pem}
certificate() { # NAME OPTIONS...
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj "/CN=$1" \
        -out "$run/certs/$1.pem" -keyout "$run/certs/$1.key" "${@:2}" 2>/dev/null
}
certificate authority
cp "$run/certs/authority.pem" "$ca"
signed() { # NAME SUBJECT_ALT_NAME
    certificate "$1" -addext "subjectAltName=$2" -addext basicConstraints=critical,CA:false \
        -CA "$run/certs/authority.pem" -CAkey "$run/certs/authority.key"
}
signed "*.example.org" "DNS:*.example.org,DNS:example.org"
signed "shop.example.org" "DNS:shop.example.org,DNS:*.shop.example.org"
signed "www.example.net" "DNS:www.example.net,DNS:example.net"
signed "www.example.com" "DNS:www.example.com,DNS:example.com"
signed "edge.invalid" "DNS:edge.invalid"
signed "dns" "IP:127.0.0.1"

# The DNS, over HTTPS too, for curl.
{
    sed "s#root examples/edge#root $here#; s/:1053/:$dns/g" "$here/Corefile"
    echo "https://example.org:$doh https://example.net:$doh https://example.com:$doh {"
    echo "    tls $run/certs/dns.pem $run/certs/dns.key"
    echo "    import edge"
    echo "}"
} >"$run/Corefile"

# nginx, twice. Its workers read certificates, so root's nginx must stay root here.
cp "$here/nginx.conf" "$run/nginx.conf"
sed "s/@PORT@/$http/" "$here/origins.nginx.conf" >"$run/origins.nginx.conf"
user=
[ "$(id -u)" -ne 0 ] || user="user root;"

# What the edge needs of the map: first once, for nginx to start with.
map=$here/maps.yaml
export run tls
cat >"$run/listen.sh" <<'END'
sed "s/.*/listen &:$tls ssl;/" "$run/addresses.txt" >"$run/listen.new"
mv "$run/listen.new" "$run/listen.conf"
END
sni=(sni "$map" --format nginx --out "$run/sni.conf")
origins=(origins "$map" --format nginx --port "$http" --out "$run/origins.conf"
    --zone-file "example.net=$here/db.example.net" --zone-file "example.com=$here/db.example.com")
addresses=(addresses "$map" --format list --out "$run/addresses.txt")
"$addressmap" export "${sni[@]}"
"$addressmap" export "${origins[@]}"
"$addressmap" export "${addresses[@]}"
sh "$run/listen.sh"

start "$coredns" -conf "$run/Corefile"
start nginx -e stderr -p "$run" -c "$run/origins.nginx.conf" -g "daemon off; $user"
start nginx -e stderr -p "$run" -c "$run/nginx.conf" -g "daemon off; $user"

# Then whenever it changes.
reload=(nginx -e stderr -p "$run" -c "$run/nginx.conf" -s reload)
start "$addressmap" export "${sni[@]}" --watch -- "${reload[@]}"
start "$addressmap" export "${origins[@]}" --watch -- "${reload[@]}"
start "$addressmap" export "${addresses[@]}" --watch -- sh -c 'sh "$run/listen.sh" && exec "$@"' reload "${reload[@]}"

cat <<END
Try
  dig @127.0.0.1 -p $dns www.example.org
  curl --doh-url https://127.0.0.1:$doh/dns-query --cacert $ca https://www.example.org:$tls
  openssl s_client -connect 127.0.1.80:$tls -noservername </dev/null
END
wait -n "${pids[@]}"
echo "one of the programs has ended, and so does the edge" >&2
exit 1
