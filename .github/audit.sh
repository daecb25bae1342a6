#!/bin/bash
# Writes what is known of vulnerabilities in the backend's Python packages to $RUNNER_TEMP/audit.json. What it finds decides nothing here.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv "$RUNNER_TEMP/audit"
"$RUNNER_TEMP/audit/bin/pip" install --quiet --require-hashes --requirement .github/pip-audit.lock
# Exits with 1 when it finds something.
"$RUNNER_TEMP/audit/bin/pip-audit" --requirement "images/backend/requirements-$RELEASE.lock" --require-hashes --disable-pip \
    --vulnerability-service osv --progress-spinner off --format json --output "$RUNNER_TEMP/audit.json" || [[ -s $RUNNER_TEMP/audit.json ]]
