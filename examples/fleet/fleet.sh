#!/usr/bin/env bash
# A fleet on loopback addresses: three machines, 127.0.0.1 to 127.0.0.3, each with one
# etcd of a cluster and one DNS server, of which the first is in the stage canary. It
# needs etcd, etcdctl and openssl, and Go unless COREDNS and ADDRESSMAP name the programs.
#
#   examples/fleet/fleet.sh        # Ctrl-C ends it
#
# It prints what to try then. The ports of etcd are not its own, which Debian's service has.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dns=${DNS_PORT:-1053} metrics=${METRICS_PORT:-9153} client=${ETCD_PORT:-12379} peer=${PEER_PORT:-12380}
for program in etcd etcdctl openssl; do
    command -v $program >/dev/null || { echo "$program is not installed: see the packages etcd-server, etcd-client and openssl" >&2; exit 2; }
done

run=$(mktemp -d)
stop() {
    trap - EXIT INT TERM
    # shellcheck disable=SC2046 # one word a process; what was killed meanwhile is not among them
    kill $(jobs -pr) 2>/dev/null || true
    wait
    rm -rf "$run"
}
trap stop EXIT
trap 'exit 0' INT TERM

mkdir "$run/bin"
program() { # NAME FILE
    if [ -n "$2" ]; then
        ln -s "$(realpath "$2")" "$run/bin/$1"
    else
        (cd "$here/../.." && go build -o "$run/bin/$1" "./cmd/$1")
    fi
}
program coredns "${COREDNS:-}"
program addressmap "${ADDRESSMAP:-}"
cp -r "$here/maps" "$here/db.example.org" "$run"
cd "$run"
export PATH=$run/bin:$PATH

# An authority, and the certificates that it signs. The name in a client's is its user
# in etcd, so that there is no password anywhere.
certificate() { # NAME OPTIONS...
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj "/CN=$1" \
        -out "$1.pem" -keyout "$1.key" "${@:2}" 2>/dev/null
}
signed() { # NAME OPTIONS...
    certificate "$@" -addext basicConstraints=critical,CA:false -CA ca.pem -CAkey ca.key
}
certificate ca
signed etcd -addext "subjectAltName=IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3"
for user in root servers pushers; do signed $user; done

# etcd takes clients and peers with a certificate alone, and as peers only other etcds.
endpoints=() members=()
for i in 1 2 3; do
    endpoints+=("https://127.0.0.$i:$client")
    members+=("etcd$i=https://127.0.0.$i:$peer")
done
joined() { local IFS=,; echo "$*"; }
for i in 1 2 3; do
    etcd --name "etcd$i" --data-dir "etcd$i.data" --initial-cluster "$(joined "${members[@]}")" \
        --listen-client-urls "https://127.0.0.$i:$client" --advertise-client-urls "https://127.0.0.$i:$client" \
        --listen-peer-urls "https://127.0.0.$i:$peer" --initial-advertise-peer-urls "https://127.0.0.$i:$peer" \
        --cert-file etcd.pem --key-file etcd.key --trusted-ca-file ca.pem --client-cert-auth \
        --peer-cert-file etcd.pem --peer-key-file etcd.key --peer-trusted-ca-file ca.pem --peer-client-cert-auth \
        --peer-cert-allowed-cn etcd \
        --auto-compaction-mode periodic --auto-compaction-retention 1h >"etcd$i.log" 2>&1 &
    echo $! >"etcd$i.pid"
done

# How to reach it, for addressmap and etcdctl.
as() { # USER
    echo "export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=$(joined "${endpoints[@]}")"
    echo "export ETCDCTL_CACERT=$run/ca.pem ETCDCTL_CERT=$run/$1.pem ETCDCTL_KEY=$run/$1.key"
    echo "export PATH=$run/bin:\$PATH"
    echo "cd $run"
}
for user in root servers pushers; do as $user >$user.env; done
. ./root.env
for attempt in $(seq 20); do
    ! etcdctl endpoint health >etcdctl.log 2>&1 || break
    sleep 1
    [ "$attempt" -lt 20 ] || { tail -n 3 etcd*.log >&2; exit 1; }
done

# Users and the least rights. Servers read the documents, the head and what lies between
# them, stagings and stages, and announce themselves; only who pushes writes the rest.
{
    etcdctl role add servers
    etcdctl role grant-permission servers read /addressmap/documents/ /addressmap/head0
    etcdctl role grant-permission servers --prefix read /addressmap/staging/
    etcdctl role grant-permission servers --prefix read /addressmap/stages/
    etcdctl role grant-permission servers --prefix readwrite /addressmap/servers/
    etcdctl role add pushers
    etcdctl role grant-permission pushers --prefix readwrite /addressmap/
    for user in root servers pushers; do
        etcdctl user add $user --no-password
        etcdctl user grant-role $user $user
    done
    etcdctl auth enable
} >etcdctl.log

# A server starts with what is there, so that the first push comes before it.
(. ./pushers.env && addressmap push maps --to etcd:/addressmap --message "the first" --yes)
servers=()
for i in 1 2 3; do
    sed "s/:1053/:$dns/; s/:9153/:$metrics/; s/:2379/:$client/g; s/ 127.0.0.1/ 127.0.0.$i/; s/ns1/ns$i/" "$here/Corefile" >"ns$i.Corefile"
    [ $i -eq 1 ] || sed -i "/stage canary/d" "ns$i.Corefile"
    coredns -conf "ns$i.Corefile" >"ns$i.log" 2>&1 &
    servers+=($!)
done
(. ./pushers.env && addressmap fleet etcd:/addressmap --wait 1 --servers 3 --timeout 60s)

cat <<END
In another terminal
  . $run/pushers.env

Try
  dig @127.0.0.1 -p $dns +short www.example.org    # ns1, the canary; ns2 and ns3 are 127.0.0.2 and 127.0.0.3

  sed -i 's/203.0.113.10/203.0.113.20/' maps/acme.yaml
  addressmap push maps --to etcd:/addressmap --message "a new address"
  addressmap fleet etcd:/addressmap --wait 2       # and dig again

  sed -i 's/www/www, shop/' maps/acme.yaml
  addressmap push maps --to etcd:/addressmap --stage canary
  dig @127.0.0.1 -p $dns +short shop.example.org   # proxied on ns1 alone
  addressmap promote etcd:/addressmap --stage canary    # or abandon

  addressmap history etcd:/addressmap
  addressmap rollback etcd:/addressmap 1

  kill \$(cat etcd1.pid)                            # two others do; kill another: answers go on, pushes do not
  cat ns2.log
  curl -s 127.0.0.2:$metrics/metrics | grep addressmap_source
END
wait -n "${servers[@]}"
echo "one of the DNS servers has ended, and so does the fleet" >&2
exit 1
