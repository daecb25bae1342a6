#!/bin/sh
# Builds the images of this checkout with Docker, and writes them by digest to compose/.env. The engine needs the containerd
# image store, the default of new installations since Docker 29: only there an image has its digest before it is pushed.
set -eu
cd "$(dirname "$0")"
version=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' ../package.json | head -n 1)
# The default in dev.yaml; there ORCHEO_SOURCE is the tree that is worked on.
source=$(sed -n 's/^ *orcheo: ${ORCHEO_SOURCE:-\(.*\)}$/\1/p' dev.yaml)
# By tag, also where compose/.env has digests of an earlier build.
ORCHEO_BACKEND_IMAGE='' ORCHEO_POSTGRES_IMAGE='' ORCHEO_VALKEY_IMAGE='' \
    docker compose --file dev.yaml build check postgres valkey
docker build --tag orcheo/canvas:dev --build-arg "VERSION=$version" --build-context "orcheo=$source" ../images/canvas
docker build --tag orcheo/backup:dev --build-arg "VERSION=$version" ../images/backup
touch .env
for name in backend canvas postgres valkey backup; do
    variable=ORCHEO_$(echo "$name" | tr '[:lower:]' '[:upper:]')_IMAGE
    reference=$(docker image inspect --format '{{index .RepoDigests 0}}' orcheo/$name:dev)
    case $reference in
    *@sha256:*) ;;
    *) echo "compose/build.sh: orcheo/$name:dev has no digest; switch the engine to the containerd image store" >&2 && exit 78 ;;
    esac
    # Not `sed -i`, which is another on a Mac.
    { grep -v "^$variable=" .env || true; } >.env.next
    echo "$variable=docker.io/$reference" >>.env.next
    cat .env.next >.env
    rm .env.next
    echo "$variable=docker.io/$reference"
done
