#!/bin/bash
# Compares the images that were built with the pins of images/pins.json and with those of $PINS (in base64). What a pull request says goes to the step's
# output `proposal`, in base64, and to the run's summary; nothing when no package changes.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(node local/toolchain/build.ts crane)
export PATH=$tools:$PATH
crane auth login "${STAGING%%/*}" --username "$REGISTRY_USER" --password-stdin <<<"$REGISTRY_PASSWORD"
bash .github/audit.sh
export NEWEST=$RUNNER_TEMP/pins.json AUDIT=$RUNNER_TEMP/audit.json PROPOSAL=$RUNNER_TEMP/proposal.md
export WHERE="the summary of [the run]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID) has all"
base64 --decode <<<"$PINS" >"$NEWEST"
node local/publish/pins.ts compare
if [[ ! -e $PROPOSAL ]]; then
    echo "no package changes: the pins stay as they are" >>"$GITHUB_STEP_SUMMARY"
    exit 0
fi
cat "$PROPOSAL.whole" >>"$GITHUB_STEP_SUMMARY"
echo "proposal=$(base64 --wrap 0 "$PROPOSAL")" >>"$GITHUB_OUTPUT"
