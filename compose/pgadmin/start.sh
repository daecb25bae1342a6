#!/bin/sh
# Makes the settings database with its one user and Orcheo's server, then serves. Nothing is kept: the volume is tmpfs.
set -eu
if [ ! -s "$PGADMIN_DEFAULT_PASSWORD_FILE" ]; then
    echo "pgadmin: $PGADMIN_DEFAULT_PASSWORD_FILE is missing or empty; run compose/prepare.sh" >&2
    exit 78
fi
export PGADMIN_SETUP_EMAIL="$PGADMIN_DEFAULT_EMAIL"
PGADMIN_SETUP_PASSWORD=$(cat "$PGADMIN_DEFAULT_PASSWORD_FILE")
export PGADMIN_SETUP_PASSWORD
python3 setup.py setup-db
python3 setup.py load-servers /etc/pgadmin/servers.json --user "$PGADMIN_DEFAULT_EMAIL"
unset PGADMIN_SETUP_PASSWORD
exec gunicorn --bind "0.0.0.0:$PGADMIN_LISTEN_PORT" --workers 1 --threads 25 --timeout 86400 --worker-tmp-dir /tmp \
    --access-logfile - --config /dev/null pgAdmin4:app
