#!/bin/bash
# Builds every image for this machine's own processor and pushes it as $STAGING/<image>:$VERSION-$TAG.
# VERSION: the release, RELEASE: the generation of Orcheo, ARCHIVE: where Debian's packages of images/pins.json are from, if not snapshot.debian.org.
set -euo pipefail
cd "$(dirname "$0")/../images"
read -r canvas_git canvas_tag < <(jq -r --arg release "$RELEASE" '.releases[$release].canvas | "\(.git) \(.tag)"' backend/releases.json)
epoch=1767225600
docker buildx create --name publish --driver docker-container --use
# Provenance and SBOM are attested later, signed.
common=(--provenance=false --sbom=false --build-arg "SOURCE_DATE_EPOCH=$epoch")
output=push=true,rewrite-timestamp=true,oci-mediatypes=true
read -r base snapshot < <(jq -r '"\(.baseImage) \(.snapshot)"' pins.json)
if [[ $base != null ]]; then
    metadata=$(mktemp)
    docker buildx build "${common[@]}" --build-arg "BASE_IMAGE=$base" --build-arg "SNAPSHOT=$snapshot" ${ARCHIVE:+--build-arg "ARCHIVE=$ARCHIVE"} \
        --metadata-file "$metadata" --output "type=image,name=$STAGING/base:$VERSION-$TAG,$output" base
    common+=(--build-arg "BASE_IMAGE=$STAGING/base@$(jq -r '.["containerimage.digest"]' "$metadata")")
fi
for image in backend canvas postgres pgbouncer valkey backup; do
    options=()
    if [[ $image == canvas ]]; then options+=(--build-context "orcheo=$canvas_git#$canvas_tag"); fi
    if [[ $image == backend ]]; then options+=(--build-arg "ORCHEO_RELEASE=$RELEASE"); fi
    # As components/images/images.plan.ts: images of servers that pods are connected to know nothing of the release.
    if [[ $image != postgres && $image != pgbouncer && $image != valkey ]]; then
        options+=(--build-arg "VERSION=$VERSION" --build-arg "REVISION=$GITHUB_SHA")
    fi
    # Without pins a cache has the packages of the day that it was made.
    if [[ $base != null ]]; then
        options+=(--cache-from "type=registry,ref=$STAGING/cache:$image-$TAG" --cache-to "type=registry,ref=$STAGING/cache:$image-$TAG,mode=max")
    fi
    docker buildx build "${common[@]}" "${options[@]}" --build-arg "CREATED=$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" \
        --output "type=image,name=$STAGING/$image:$VERSION-$TAG,$output" \
        "$image"
done
