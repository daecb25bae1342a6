#!/bin/sh
# Writes Valkey's configuration to /tmp and starts it: TLS only, append-only persistence, never evicts.
set -eu

secret=/run/secrets/orcheo/valkey-password
tls=/etc/orcheo/tls
run=/tmp/valkey
maxmemory=${VALKEY_MAXMEMORY:-192mb}

# Exit code 78 (EX_CONFIG): permanent failure, retrying will not help.
die() {
    printf 'valkey: %s\n' "$1" >&2
    exit 78
}

# Only the hash is written: Valkey's ACL accepts "#" and the SHA-256 of a password. A trailing newline is not part of it.
hash_of() {
    printf '%s' "$(cat "$1")" | sha256sum | cut -d ' ' -f 1
}

listeners() {
    case ${VALKEY_TLS:-required} in
    required)
        for file in tls.crt tls.key ca.crt; do
            [ -r "$tls/$file" ] || die "$tls/$file is missing or not readable by uid $(id -u). Mount it, or set VALKEY_TLS=off where nobody else is on the network."
        done
        printf 'port 0\ntls-port 6379\ntls-auth-clients no\ntls-protocols "TLSv1.2 TLSv1.3"\n'
        printf 'tls-cert-file %s/tls.crt\ntls-key-file %s/tls.key\ntls-ca-cert-file %s/ca.crt\n' "$tls" "$tls" "$tls"
        ;;
    off) printf 'port 6379\n' ;;
    *) die "VALKEY_TLS is \"$VALKEY_TLS\"; say required or off." ;;
    esac
}

# Certificates and the password may be renewed while the server is running.
watch_mounts() {
    seen=$(cat "$secret" "$tls/tls.crt" 2>/dev/null | cksum)
    while sleep "${ORCHEO_RELOAD_SECONDS:-3600}"; do
        now=$(cat "$secret" "$tls/tls.crt" 2>/dev/null | cksum)
        if [ "$now" = "$seen" ]; then continue; fi
        printf 'valkey: mounted files changed: reading the certificate and the password again\n'
        {
            printf 'AUTH admin %s\n' "$(cat "$run/admin")"
            printf 'ACL SETUSER default resetpass #%s\n' "$(hash_of "$secret")"
            if [ "${VALKEY_TLS:-required}" = required ]; then
                printf 'CONFIG SET tls-cert-file %s/tls.crt tls-key-file %s/tls.key tls-ca-cert-file %s/ca.crt\n' "$tls" "$tls" "$tls"
            fi
        } | valkey-cli -e -s "$run/socket" >/dev/null && seen=$now
    done
}

[ -s "$secret" ] || die "$secret is missing or empty: mount the password there."
[ -r "$secret" ] || die "$secret cannot be read by uid $(id -u): mount it with defaultMode 0440 and fsGroup 1000."
[ -w /data ] || die "/data cannot be written by uid $(id -u): mount a volume there (fsGroup 1000)."
printf '%s\n' "$maxmemory" | grep -Eq '^[1-9][0-9]*(kb|mb|gb)$' ||
    die "VALKEY_MAXMEMORY is \"$maxmemory\"; give a size such as 192mb."

umask 077
mkdir -p "$run"
# Only the watcher above uses `admin`; its password is new at every start and never leaves this container.
head -c 32 /dev/urandom | sha256sum | cut -d ' ' -f 1 >"$run/admin"
{
    listeners
    cat <<CONF
bind * -::*
unixsocket $run/socket
unixsocketperm 700
daemonize no
logfile ""
log-format logfmt
log-timestamp-format iso8601
dir /data
appendonly yes
appendfsync everysec
save 3600 1 300 100 60 10000
maxmemory $maxmemory
# A broker must refuse new tasks rather than lose queued ones.
maxmemory-policy noeviction
tcp-keepalive 60
user default on #$(hash_of "$secret") ~* &* +@all -@admin -@dangerous +info
user admin on #$(hash_of "$run/admin") -@all +config|set +acl|setuser
CONF
} >"$run/valkey.conf"

watch_mounts &
exec valkey-server "$run/valkey.conf"
