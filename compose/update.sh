#!/bin/sh
# Brings prod.yaml to what compose/.env names now, without a pause of API and canvas: a second container of each starts beside
# the first, and the first leaves when the second is healthy. compose/update.sh [FILE…]: other Compose files to merge.
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
# The tables of the new release, before anything uses them. The old containers go on meanwhile.
c run --rm --no-deps -T init
for service in api canvas worker; do
    # Connections to one that does not listen yet, or no longer, are refused, and Traefik takes the other.
    c up --detach --wait --no-deps --no-recreate --scale $service=2 $service
    # Of two the one of the former image or settings goes, and finishes what it has begun.
    c up --detach --wait --no-deps --scale $service=1 $service
done
# Beat, which there may be one of only, and Traefik.
c up --detach --wait
