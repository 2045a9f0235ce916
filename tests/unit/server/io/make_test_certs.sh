#!/usr/bin/env bash
# Makes what the TLS tests read, good and bad, in DIR.
# Usage: make_test_certs.sh DIR
set -euo pipefail
umask 077

root=$(cd "$(dirname "$0")/../../../.." && pwd)
dir=$1

# sign_between FILE START END: a self-signed certificate of server-key.pem that is valid between.
sign_between() {
    : >"$dir/index"
    openssl ca -batch -selfsign -notext -config "$dir/ca.cnf" -in "$dir/request.pem" \
        -keyfile "$dir/server-key.pem" -startdate "$2" -enddate "$3" -out "$dir/$1" 2>"$dir/log"
}

"$root/certs/make-dev-certs.sh" "$dir"
"$root/certs/make-dev-certs.sh" "$dir/other"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/rsa-key.pem" 2>"$dir/log"
openssl pkey -in "$dir/server-key.pem" -aes256 -passout pass:secret -out "$dir/locked-key.pem"
echo "nothing of use" >"$dir/none.pem"

cat >"$dir/ca.cnf" <<END
[ca]
default_ca = plain
[plain]
database = $dir/index
new_certs_dir = $dir
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = none
[none]
END
openssl req -new -config "$dir/ca.cnf" -key "$dir/server-key.pem" -subj /CN=localhost \
    -out "$dir/request.pem"
sign_between expired.pem 20200101000000Z 20200201000000Z
sign_between future.pem 20990101000000Z 20990201000000Z
