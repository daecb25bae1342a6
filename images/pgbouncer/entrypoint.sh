#!/bin/bash
# Writes PgBouncer's configuration to /tmp, from the URL of the database, and starts it: transactions of many clients share
# few connections. Reloads renewed certificates, and lets its clients leave before it stops.
set -euo pipefail

secrets=${PGBOUNCER_SECRETS:-/run/secrets/orcheo}
tls=${PGBOUNCER_TLS:-/etc/orcheo/tls}
run=${PGBOUNCER_RUN:-/tmp/pgbouncer}
ini=$run/pgbouncer.ini
# While it stops, a client whose connection is unused for so long is disconnected; its pool connects to another replica.
leave_seconds=2
# First, runs end: each has a connection of its own, unused while a step of it takes long.
run_seconds=${PGBOUNCER_RUN_SECONDS:-0}
# The backend's pools keep no connection for longer (components/backend/secret-files.plan.ts). Whoever is left then is
# disconnected between two transactions.
longest_seconds=${PGBOUNCER_LONGEST_SECONDS:-35}

# Exit code 78 (EX_CONFIG): permanent failure, retrying will not help.
die() {
    printf 'pgbouncer: %s\n' "$1" >&2
    exit 78
}

number() { # number NAME LEAST MOST
    [[ ${!1-} =~ ^[0-9]{1,6}$ ]] && ((10#${!1} >= $2 && 10#${!1} <= $3)) || die "$1 is \"${!1-}\"; give a whole number from $2 to $3."
}

# %XX becomes its byte. A byte that ends a line would add a setting.
decoded() {
    local escaped=${1//\\/\\\\}
    printf '%b' "${escaped//%/\\x}"
}

# As a value of [databases].
quoted() { # quoted PART-OF-THE-URL NAME
    local value
    [[ ! $1 =~ %(0|1|7[Ff]) ]] || die "the database's URL has a control character in its $2."
    value=$(decoded "$1")
    printf "'%s'" "${value//\'/\'\'}"
}

# Query keys that change nothing here: TLS is always verified, and the pooler has its own timeouts.
without_effect='application_name|fallback_application_name|client_encoding|connect_timeout|gssencmode|keepalives|keepalives_count|keepalives_idle|keepalives_interval|require_auth|sslrootcert|sslsni|ssl_min_protocol_version|tcp_user_timeout'

check_query() {
    local pair
    local -a pairs
    IFS='&' read -ra pairs <<<"$1"
    for pair in "${pairs[@]}"; do
        [[ $pair =~ ^($without_effect)= ]] && continue
        case $pair in
        sslmode=verify-full | channel_binding=prefer | sslnegotiation=postgres | target_session_attrs=any) ;;
        *) die "the database's URL has the query key \"${pair%%=*}\" with a value that a pooler cannot keep to: leave it out, or set database.pooler to none." ;;
        esac
    done
}

# The URL itself is shown in no message.
database_line() {
    local url user password host port name
    url=$(cat "$secrets/postgres-dsn")
    [[ $url =~ ^postgres(ql)?://([^:/?#@[:space:]]+):([^/?#@[:space:]]+)@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:([0-9]{1,5}))?(/([^/?#[:space:]]*))?(\?([^#[:space:]]*))?$ ]] ||
        die "the database's URL is not of the form postgresql://user:password@host:port/database; write other characters as %XX."
    user=${BASH_REMATCH[2]} password=${BASH_REMATCH[3]} host=${BASH_REMATCH[4]} port=${BASH_REMATCH[6]:-5432} name=${BASH_REMATCH[8]:-${BASH_REMATCH[2]}}
    check_query "${BASH_REMATCH[10]}"
    [[ $port == "$POSTGRES_PORT_OPEN" ]] || die "the database's URL names port $port; the network policies open $POSTGRES_PORT_OPEN (database.port)."
    host=${host#[} host=${host%]}
    # One a line: only the last of several would end the script.
    user=$(quoted "$user" user)
    password=$(quoted "$password" password)
    name=$(quoted "$name" database)
    printf "orcheo = host=%s port=%s dbname=%s user=%s password=%s\n" "$host" "$port" "$name" "$user" "$password"
}

write_ini() { # write_ini SECONDS-THAT-A-CLIENT-MAY-BE-IDLE (0: for ever)
    umask 077
    mkdir -p "$run"
    {
        printf '[databases]\n'
        database_line
        cat <<INI
[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = $secrets/userlist.txt
default_pool_size = $PGBOUNCER_POOL
max_client_conn = $PGBOUNCER_CLIENTS
max_prepared_statements = 200
ignore_startup_parameters = extra_float_digits
client_idle_timeout = $1
# A lease that could not be renewed for 45 seconds is given up: its renewal must fail long before.
query_wait_timeout = 10
server_connect_timeout = 5
server_login_retry = 1
# While pods change from the pooler to the server, these would be in addition to theirs.
server_idle_timeout = 60
tcp_keepidle = 15
tcp_keepintvl = 5
tcp_keepcnt = 3
tcp_user_timeout = 20000
client_tls_sslmode = require
client_tls_cert_file = $tls/tls.crt
client_tls_key_file = $tls/tls.key
client_tls_ca_file = $tls/ca.crt
client_tls_protocols = secure
server_tls_sslmode = verify-full
server_tls_ca_file = $PGSSLROOTCERT
server_tls_protocols = secure
log_connections = 0
log_disconnections = 0
log_stats = 0
INI
    } >"$ini.new"
    mv "$ini.new" "$ini"
}

fingerprint() {
    cat "$secrets/userlist.txt" "$secrets/postgres-dsn" "$tls/tls.crt" "$PGSSLROOTCERT" 2>/dev/null | cksum
}

watch_mounts() {
    local seen now
    seen=$(fingerprint)
    while sleep "${ORCHEO_RELOAD_SECONDS:-3600}"; do
        now=$(fingerprint)
        if [[ $now != "$seen" ]]; then
            printf 'pgbouncer: mounted files changed: reading certificates, passwords and the URL again\n'
            # A URL that is refused leaves the former configuration.
            if (write_ini 0); then kill -HUP "$server"; fi
            seen=$now
        fi
    done
}

# Connections to its port, 6432.
clients() {
    grep -ohE '^ *[0-9]+: [0-9A-F]+:1920 [0-9A-F:]+ 01 ' /proc/net/tcp /proc/net/tcp6 2>/dev/null | wc -l
}

wait_for_clients() { # wait_for_clients SECONDS-AT-MOST
    for ((end = SECONDS + $1; SECONDS < end; )); do
        [[ $(clients) -gt 0 ]] || break
        sleep 0.5
    done
}

# The replica gets no new clients any more. SIGINT: the end once no transaction is under way; a second one, or another
# signal before it, would cut transactions off.
leave() {
    trap '' TERM INT
    kill "$watcher" 2>/dev/null || true
    wait_for_clients "$run_seconds"
    (write_ini "$leave_seconds") || true
    kill -HUP "$server" 2>/dev/null || true
    wait_for_clients "$longest_seconds"
    kill -INT "$server" 2>/dev/null || true
    wait "$server" || true
    exit 0
}

number PGBOUNCER_POOL 1 10000
number PGBOUNCER_CLIENTS 1 100000
number POSTGRES_PORT_OPEN 1 65535
for file in "$secrets/postgres-dsn" "$secrets/userlist.txt" "$tls/tls.crt" "$tls/tls.key" "$tls/ca.crt" "${PGSSLROOTCERT:?}"; do
    [[ -r $file && -s $file ]] || die "$file is missing, empty or not readable by uid $(id -u): mount it."
done
write_ini 0
pgbouncer "$ini" &
server=$!
watch_mounts &
watcher=$!
trap leave TERM INT
status=0
wait "$server" || status=$?
kill "$watcher" 2>/dev/null || true
exit "$status"
