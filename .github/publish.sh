#!/bin/bash
# Joins the images of build-images.sh to one index each, and publishes those: `make publish`, keyless.
# The next release of the default images is in the step's output `digests`.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(node local/toolchain/build.ts crane cosign syft)
export PATH=$tools:$PATH
crane auth login "${REGISTRY%%/*}" --username "$REGISTRY_USER" --password-stdin <<<"$REGISTRY_PASSWORD"
for image in backend canvas postgres pgbouncer valkey backup; do
    # Prints the index by its digest.
    reference=$(crane index append --tag "$STAGING/$image:$VERSION" \
        --manifest "$STAGING/$image:$VERSION-amd64" --manifest "$STAGING/$image:$VERSION-arm64")
    jq -n --arg name "$image" --arg reference "$reference" '{($name): $reference}'
done | jq -s add >"$RUNNER_TEMP/images.json"

bash .github/audit.sh
make publish KEY=keyless IMAGES="$RUNNER_TEMP/images.json" AUDIT="$RUNNER_TEMP/audit.json" ALLOWED=.github/allowed.json
make publish-check
echo "digests=$(base64 --wrap 0 images/published.json)" >>"$GITHUB_OUTPUT"
