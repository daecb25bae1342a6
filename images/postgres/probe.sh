#!/bin/sh
# ready: accepts connections, and the application's role and database exist.
# live:  the server responds at all; one that is still replaying its log must not be restarted.
set -eu
case ${1-ready} in
ready)
    [ -f /tmp/postgres.ready ]
    exec pg_isready --quiet --host=/tmp --username=postgres --dbname=postgres --timeout=3
    ;;
live)
    pg_isready --quiet --host=/tmp --username=postgres --dbname=postgres --timeout=3 || [ "$?" -eq 1 ]
    ;;
*)
    echo "usage: postgres-probe [ready|live]" >&2
    exit 2
    ;;
esac
