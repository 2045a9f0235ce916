#!/usr/bin/env bash
# Makes throw-away certificates for development: ECDSA P-256, valid for 30 days.
# Usage: certs/make-dev-certs.sh DIR
#
# DIR gets ca.pem, server.pem, server-key.pem, client.pem and client-key.pem. The CA's own key is
# never stored, so nobody can sign more with it; run again for a new set, which replaces the old.
set -euo pipefail
umask 077

valid_days=30
server_names=DNS:localhost,IP:127.0.0.1,IP:::1
client_names=DNS:vtstatus-client

die() {
    echo "make-dev-certs: $1" >&2
    exit 1
}

if [ $# -ne 1 ] || [ -z "$1" ] || [[ $1 == -* ]]; then
    echo "usage: $0 DIR" >&2
    exit 2
fi
dir=$1
command -v openssl >/dev/null || die "openssl is missing; install it (Debian: apt-get install openssl)"
mkdir -p -- "$dir" 2>/dev/null || die "cannot make the folder '$dir'"
scratch=$(mktemp -d -- "$dir/.new.XXXXXX" 2>/dev/null) || die "cannot write to the folder '$dir'"
trap 'rm -rf -- "$scratch"' EXIT

# Runs openssl quietly; what it says matters only when it fails.
run_openssl() {
    openssl "$@" >>"$scratch/log" 2>&1 || die "openssl $1 failed: $(tail -n 1 "$scratch/log")"
}

make_key() {
    run_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

make_ca() {
    make_key "$scratch/ca-key"
    run_openssl req -new -x509 -key "$scratch/ca-key" -days "$valid_days" -sha256 \
        -subj "/CN=vtstatus development CA" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -out "$scratch/ca.pem"
}

# make_leaf NAME COMMON_NAME EXTENDED_KEY_USAGE ALTERNATIVE_NAMES
make_leaf() {
    make_key "$scratch/$1-key.pem"
    run_openssl req -new -key "$scratch/$1-key.pem" -subj "/CN=$2" -out "$scratch/$1.csr"
    cat >"$scratch/$1.ext" <<END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $3
subjectAltName = $4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
    run_openssl x509 -req -in "$scratch/$1.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca-key" \
        -set_serial "0x01$(openssl rand -hex 15)" -days "$valid_days" -sha256 \
        -extfile "$scratch/$1.ext" -out "$scratch/$1.pem"
}

make_ca
make_leaf server localhost serverAuth "$server_names"
make_leaf client vtstatus-client clientAuth "$client_names"
run_openssl verify -x509_strict -purpose sslserver -CAfile "$scratch/ca.pem" "$scratch/server.pem"
run_openssl verify -x509_strict -purpose sslclient -CAfile "$scratch/ca.pem" "$scratch/client.pem"

chmod 644 "$scratch/ca.pem" "$scratch/server.pem" "$scratch/client.pem"
for name in ca server server-key client client-key; do
    mv -f -- "$scratch/$name.pem" "$dir/$name.pem" || die "cannot write '$dir/$name.pem'"
done
echo "certificates for localhost, 127.0.0.1 and ::1, valid for $valid_days days: $dir"
