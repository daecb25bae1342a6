#!/bin/sh
# Brings prod.yaml to what compose/.env names now, without a pause of API and canvas: a second container of each starts beside
# the first, which stops when the second is healthy. If it does not become healthy within UPDATE_SECONDS (300), the first stays.
# compose/update.sh [FILE…]: other Compose files to merge.
set -eu
cd "$(dirname "$0")"
if docker compose version >/dev/null 2>&1; then compose="docker compose"; else compose=docker-compose; fi
files="--file prod.yaml"
for file in "$@"; do files="$files --file $file"; done
# shellcheck disable=SC2086 # both are lists of words
c() { $compose $files "$@"; }

# With a wrong setting nothing changes.
c run --rm --no-deps -T check
c up --detach --wait postgres valkey
# The tables of the new release, before anything uses them. The old containers keep running meanwhile.
c run --rm --no-deps -T init
for service in api canvas worker; do
    # Connections to one that does not listen yet, or no longer, are refused, and Traefik takes the other.
    if ! c up --detach --wait --wait-timeout "${UPDATE_SECONDS:-300}" --no-deps --no-recreate --scale $service=2 $service; then
        c logs --no-log-prefix --tail 20 $service >&2
        c up --detach --no-deps --no-recreate --scale $service=1 $service
        echo "compose/update.sh: the new $service did not become healthy and was removed; the old one still runs" >&2
        exit 1
    fi
    # Compose removes the outdated one of the two.
    c up --detach --wait --no-deps --scale $service=1 $service
done
# Beat, of which there may be only one, and Traefik.
c up --detach --wait
