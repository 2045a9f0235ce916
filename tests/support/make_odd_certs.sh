#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes certificates that somebody ought to refuse, of a CA of their own.
# Usage: tests/support/make_odd_certs.sh DIR
#
# DIR gets ca.pem and, each with NAME-key.pem: expired, future (not valid yet), elsewhere (for
# another host), server (good), server2 (good, another key), client (good), client-expired,
# client-as-server (a server's certificate, which may not be a client's), and rsa (good, RSA);
# other-key.pem is a key without a certificate.
set -euo pipefail
dir=$1
mkdir -p "$dir"
cd "$dir"
: >index.txt
echo 1000 >serial
cat >ca.conf <<'END'
[ca]
default_ca = odd
[odd]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca-key.pem
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
END

run_openssl() {
    openssl "$@" >>log 2>&1 || { tail -n 5 log >&2; exit 1; }
}

make_key() {
    run_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

# make_leaf NAME USAGE ALTERNATIVE_NAMES FROM TO: the dates as openssl ca takes them.
make_leaf() {
    local name=$1
    [ -e "$name-key.pem" ] || make_key "$name-key.pem"
    run_openssl req -new -key "$name-key.pem" -subj "/CN=$name" -out "$name.csr"
    printf '%s\n' "basicConstraints = critical, CA:FALSE" "keyUsage = critical, digitalSignature" \
        "extendedKeyUsage = $2" "subjectAltName = $3" >"$name.ext"
    run_openssl ca -batch -notext -config ca.conf -in "$name.csr" -out "$name.pem" \
        -extfile "$name.ext" -startdate "$4" -enddate "$5"
}

local_names=DNS:localhost,IP:127.0.0.1
past=20200101000000Z
present=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
future=$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)
far=$(date -u -d '+60 days' +%Y%m%d%H%M%SZ)
make_key ca-key.pem
make_key other-key.pem
run_openssl req -new -x509 -key ca-key.pem -days 30 -sha256 -subj "/CN=odd test CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem
run_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa-key.pem
make_leaf expired serverAuth "$local_names" "$past" "$present"
make_leaf future serverAuth "$local_names" "$future" "$far"
make_leaf elsewhere serverAuth DNS:elsewhere.example "$present" "$future"
make_leaf server serverAuth "$local_names" "$present" "$future"
make_leaf server2 serverAuth "$local_names" "$present" "$future"
make_leaf rsa serverAuth "$local_names" "$present" "$future"
make_leaf client clientAuth DNS:odd-client "$present" "$future"
make_leaf client-expired clientAuth DNS:odd-client "$past" "$present"
make_leaf client-as-server serverAuth DNS:odd-client "$present" "$future"
