#!/bin/sh
# Makes the secrets and certificates below compose/secrets, and keeps existing ones; certificates with less than 30 days
# left are made anew. Run it before the first start, and once a month. Needs openssl.
set -eu
umask 077
cd "$(dirname "$0")"

die() {
    printf 'compose/prepare.sh: %s\n' "$1" >&2
    exit 78
}
command -v openssl >/dev/null || die "openssl is missing: install it (apt-get install openssl)"

host=orcheo.localhost
if [ -f .env ]; then
    given=$(sed -n 's/^ORCHEO_HOST=//p' .env | tail -n 1 | tr -d "\"'")
    host=${given:-$host}
fi
case $host in
*[!a-z0-9.-]* | .* | -* | *. | *..*) die "ORCHEO_HOST in compose/.env is \"$host\"; accepted: a host name such as orcheo.example.com" ;;
esac

case $(uname)-$(id -u) in
Linux-0 | Linux-1000 | Darwin-*) ;;
*) die "run as root or as uid 1000: containers read the keys with uid and group 1000" ;;
esac

# Containers read the files as uid 1000, through mounts of single files: nobody else passes the directory.
mkdir -p secrets
chmod 700 secrets
keep() { # keep FILE: stdin, unless the file has content
    mkdir -p "$(dirname "secrets/$1")"
    if [ ! -s "secrets/$1" ]; then
        cat >"secrets/$1"
        printf 'made compose/secrets/%s\n' "$1"
    else cat >/dev/null; fi
    chmod 444 "secrets/$1"
}
word() { printf 'a%s' "$(openssl rand -hex 32 | cut -c2-)"; }

word | keep postgres/postgres-password
word | keep valkey/valkey-password
# 64 digits beginning with a letter: digits alone would be read as a number.
word | keep orcheo/vault-encryption-key
for name in auth-bootstrap-service-token auth-jwt-secret chatkit-token-signing-key; do word | keep orcheo/$name; done
word | keep pgadmin/password
ca=/etc/orcheo/ca/ca.crt
printf 'postgresql://orcheo:%s@postgres:5432/orcheo?sslmode=verify-full&sslrootcert=%s' "$(cat secrets/postgres/postgres-password)" "$ca" | keep orcheo/postgres-dsn
printf 'rediss://:%s@valkey:6379/0?ssl_cert_reqs=required&ssl_ca_certs=%s' "$(cat secrets/valkey/valkey-password)" "$ca" | keep orcheo/redis-url
# The bucket's keys are yours: write them into these two files.
for name in access-key-id secret-access-key; do
    mkdir -p secrets/backup
    [ -e secrets/backup/$name ] || : >secrets/backup/$name
    chmod 444 secrets/backup/$name
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Independent of the machine's openssl.cnf. Python 3.13 asks for the key identifiers.
cat >"$work/openssl.cnf" <<'CNF'
[req]
distinguished_name = name
prompt = no
[name]
CN = Orcheo Compose CA
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CNF
if [ ! -s secrets/ca/ca.crt ]; then
    mkdir -p secrets/ca
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -config "$work/openssl.cnf" \
        -extensions ca -keyout secrets/ca/ca.key -out secrets/ca/ca.crt 2>/dev/null
    printf 'made compose/secrets/ca\n'
fi

# certificate DIRECTORY NAME [NAME]: one that our CA signed, for 397 days. Written in place: mounts follow the file, not its name.
certificate() {
    at=secrets/$1
    mkdir -p "$at"
    if [ -s "$at/tls.crt" ] && openssl x509 -in "$at/tls.crt" -noout -checkend 2592000 >/dev/null &&
        openssl x509 -in "$at/tls.crt" -noout -checkhost "$2" | grep -q 'does match' &&
        openssl x509 -in "$at/tls.crt" -noout -checkhost "${3-$2}" | grep -q 'does match'; then return 0; fi
    # Someone else's is theirs to renew.
    if [ -s "$at/tls.crt" ] && ! openssl verify -no_check_time -CAfile secrets/ca/ca.crt "$at/tls.crt" >/dev/null 2>&1; then
        printf 'compose/%s/tls.crt is not of our CA, and expires within 30 days or is not for %s: replace it\n' "$at" "$2" >&2
        return 0
    fi
    {
        printf 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = serverAuth\n'
        printf 'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always\nsubjectAltName = DNS:%s%s\n' "$2" "${3+, DNS:$3}"
    } >"$work/ext"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config "$work/openssl.cnf" -subj "/CN=$2" \
        -keyout "$work/key" -out "$work/csr" 2>/dev/null
    openssl x509 -req -in "$work/csr" -CA secrets/ca/ca.crt -CAkey secrets/ca/ca.key -set_serial "0x$(openssl rand -hex 15)" \
        -days 397 -extfile "$work/ext" -out "$work/crt" 2>/dev/null
    for file in tls.crt tls.key ca.crt; do [ ! -e "$at/$file" ] || chmod 644 "$at/$file"; done
    cat "$work/crt" >"$at/tls.crt"
    cat "$work/key" >"$at/tls.key"
    cat secrets/ca/ca.crt >"$at/ca.crt"
    chmod 444 "$at/tls.crt" "$at/ca.crt"
    # PostgreSQL refuses a key that others may read: root's for group 1000, or its own.
    if [ "$(id -u)" = 0 ]; then chown 0:1000 "$at/tls.key" && chmod 440 "$at/tls.key"; else chmod 400 "$at/tls.key"; fi
    printf 'made compose/%s for %s\n' "$at" "$2"
}
for server in api canvas postgres valkey; do certificate $server-tls $server; done
certificate sign-in-tls sign-in.localhost sign-in
certificate entrance-tls "$host"
# A certificate of one's own has no CA of ours beside it.
[ -s secrets/entrance-tls/ca.crt ] || { cat secrets/ca/ca.crt >secrets/entrance-tls/ca.crt && chmod 444 secrets/entrance-tls/ca.crt; }
