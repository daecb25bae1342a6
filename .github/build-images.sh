#!/bin/bash
# Builds every image for this machine's own processor and pushes it as $STAGING/<image>:$TAG, with a cache in the registry.
# VERSION: the release, RELEASE: the generation of Orcheo.
set -euo pipefail
cd "$(dirname "$0")/../images"
read -r canvas_git canvas_tag < <(jq -r --arg release "$RELEASE" '.releases[$release].canvas | "\(.git) \(.tag)"' backend/releases.json)
epoch=1767225600
docker buildx create --name publish --driver docker-container --use
for image in backend canvas postgres pgbouncer valkey backup; do
    options=()
    if [[ $image == canvas ]]; then options+=(--build-context "orcheo=$canvas_git#$canvas_tag"); fi
    if [[ $image == backend ]]; then options+=(--build-arg "ORCHEO_RELEASE=$RELEASE"); fi
    # As components/images/images.plan.ts: images of servers that pods are connected to know nothing of the release.
    if [[ $image != postgres && $image != pgbouncer && $image != valkey ]]; then
        options+=(--build-arg "VERSION=$VERSION" --build-arg "REVISION=$GITHUB_SHA")
    fi
    # Provenance and SBOM are attested later, signed.
    docker buildx build "${options[@]}" --provenance=false --sbom=false \
        --build-arg "SOURCE_DATE_EPOCH=$epoch" --build-arg "CREATED=$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" \
        --cache-from "type=registry,ref=$STAGING/cache:$image-$TAG" \
        --cache-to "type=registry,ref=$STAGING/cache:$image-$TAG,mode=max" \
        --output "type=image,name=$STAGING/$image:$VERSION-$TAG,push=true,rewrite-timestamp=true,oci-mediatypes=true" \
        "$image"
done
