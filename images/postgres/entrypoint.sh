#!/bin/sh
# Starts PostgreSQL on $PGDATA: initializes the cluster on the first start, then keeps the application's role and database
# in line with the mounted files, and reloads renewed certificates. Stays the parent of the server, because the server
# mistakes the exit of an adopted child for a crash of one of its own processes.
set -eu

secret=${POSTGRES_PASSWORD_FILE:-/run/secrets/orcheo/postgres-password}
tls=${POSTGRES_TLS:-/etc/orcheo/tls}
share=${POSTGRES_SHARE:-/usr/share/orcheo/postgres}
mounted=/etc/orcheo/postgres/postgresql.conf
PGDATA=${PGDATA:-/var/lib/postgresql/data/pgdata}
database=${POSTGRES_DATABASE:-orcheo}
sockets=/tmp
ready=/tmp/postgres.ready

# Exit code 78 (EX_CONFIG): permanent failure, retrying will not help.
die() {
    printf 'postgres: %s\n' "$1" >&2
    exit 78
}

check_mounts() {
    [ -s "$secret" ] || die "$secret is missing or empty: mount the password of the role orcheo there."
    [ -r "$secret" ] || die "$secret cannot be read by uid $(id -u): mount it with defaultMode 0440 and fsGroup 1000."
    for file in tls.crt tls.key; do
        [ -r "$tls/$file" ] || die "$tls/$file is missing or not readable by uid $(id -u): this server speaks TLS only."
    done
    case $database in
    '' | [0-9]* | *[!a-z0-9_]* | postgres | template*)
        die "POSTGRES_DATABASE is \"$database\"; give a name of lower-case letters, digits and _ that is not PostgreSQL's own."
        ;;
    esac
}

# A platform may assign a uid that has no name here, or another name (kubernetes.podUser: assigned). initdb and peer
# authentication look up the name, and pg_ident.conf only knows `orcheo`.
name_user() {
    if [ "$(id -un 2>/dev/null)" = orcheo ]; then return 0; fi
    printf 'orcheo:x:%s:%s:Orcheo:/nonexistent:/usr/sbin/nologin\n' "$(id -u)" "$(id -g)" >/tmp/postgres.passwd
    NSS_WRAPPER_PASSWD=/tmp/postgres.passwd
    NSS_WRAPPER_GROUP=/etc/group
    LD_PRELOAD=/usr/lib/orcheo/libnss_wrapper.so
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD
}

# initdb works next to the final directory, so an interrupted start leaves nothing that looks like a database.
ensure_cluster() {
    major=$(postgres --version | sed 's/.* \([0-9]*\)\..*/\1/')
    if [ -s "$PGDATA/PG_VERSION" ]; then
        found=$(cat "$PGDATA/PG_VERSION")
        [ "$found" = "$major" ] || die "$PGDATA was made by PostgreSQL $found and this is $major. Run the image with \
PostgreSQL $found, dump with pg_dump, and restore into an empty volume; nothing was changed."
    elif [ -d "$PGDATA" ] && [ -n "$(ls -A "$PGDATA")" ]; then
        die "$PGDATA holds files but no PostgreSQL cluster (no PG_VERSION). Move them away or use an empty volume; nothing was changed."
    else
        printf 'postgres: making a new cluster in %s\n' "$PGDATA"
        rm -rf "$PGDATA.new"
        initdb --pgdata="$PGDATA.new" --username=postgres --auth-local=peer --auth-host=scram-sha-256 --data-checksums \
            --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8 >/tmp/initdb.log 2>&1 || {
            cat /tmp/initdb.log >&2
            printf 'postgres: initdb failed (above).\n' >&2
            exit 1
        }
        if [ -d "$PGDATA" ]; then rmdir "$PGDATA"; fi
        mv "$PGDATA.new" "$PGDATA"
        sync
    fi
}

# psql reads the password itself, so that it is never on a command line or in the environment.
apply_role() {
    psql --no-psqlrc --quiet --host="$sockets" --username=postgres --dbname=postgres \
        --set=ON_ERROR_STOP=1 --set=database="$database" --set=secret="$secret" --output=/dev/null <<'SQL'
SET log_min_error_statement = panic;
SET log_min_duration_statement = -1;
\set password `cat "$POSTGRES_PASSWORD_FILE"`
SELECT 'CREATE ROLE orcheo' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orcheo') \gexec
ALTER ROLE orcheo LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER orcheo', :'database')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
SQL
}

fingerprint() {
    cat "$secret" "$tls/tls.crt" "$mounted" 2>/dev/null | cksum
}

watch_mounts() {
    seen=$(fingerprint)
    while sleep "${ORCHEO_RELOAD_SECONDS:-3600}"; do
        now=$(fingerprint)
        if [ "$now" != "$seen" ]; then
            printf 'postgres: mounted files changed: reading certificates and settings again, setting the password\n'
            kill -HUP "$1"
            if apply_role; then seen=$now; fi
        fi
    done
}

POSTGRES_PASSWORD_FILE=$secret
export PGDATA POSTGRES_PASSWORD_FILE
umask 077
rm -f "$ready"
check_mounts
name_user
ensure_cluster

# Where json-log reads its log: the collector writes JSON to files only, and these are pipes.
logs=${POSTGRES_LOG:-/tmp/log}
set --
if [ -p "$logs/postgres.json" ]; then
    set -- -c logging_collector=on -c log_destination=jsonlog -c log_directory="$logs" -c log_filename=postgres.log \
        -c log_rotation_age=0 -c log_rotation_size=0
fi

# A postmaster.pid left by a killed container contains a pid that may belong to another process here.
rm -f "$PGDATA/postmaster.pid"
postgres -D "$PGDATA" -c config_file="$share/postgresql.conf" \
    -c hba_file="$share/pg_hba.conf" -c ident_file="$share/pg_ident.conf" \
    -c unix_socket_directories="$sockets" -c unix_socket_permissions=0700 \
    -c ssl=on -c ssl_cert_file="$tls/tls.crt" -c ssl_key_file="$tls/tls.key" -c ssl_min_protocol_version=TLSv1.2 \
    -c password_encryption=scram-sha-256 -c allow_alter_system=off "$@" &
server=$!

# SIGINT is PostgreSQL's fast shutdown: running queries are aborted, nothing is lost. SIGTERM would wait for every client.
trap 'rm -f "$ready"; kill -INT "$server" 2>/dev/null || true' INT TERM
trap 'kill -HUP "$server" 2>/dev/null || true' HUP

until pg_isready --quiet --host="$sockets" --username=postgres --dbname=postgres; do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
done
watcher=""
if kill -0 "$server" 2>/dev/null; then
    if apply_role; then
        touch "$ready"
        watch_mounts "$server" &
        watcher=$!
    else
        printf 'postgres: the role or database of the application could not be set up (above): stopping\n' >&2
        kill -INT "$server"
        wait "$server" || true
        exit 1
    fi
fi
# `wait` also returns after a trap has run; only the exit of the server counts.
status=0
while :; do
    status=0
    wait "$server" || status=$?
    kill -0 "$server" 2>/dev/null || break
done
rm -f "$ready"
if [ -n "$watcher" ]; then kill "$watcher" 2>/dev/null || true; fi
exit "$status"
