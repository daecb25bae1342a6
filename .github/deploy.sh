#!/bin/bash
# Applies the approved plan of preview.sh in $PLAN if its SHA-256 is $PLAN_SHA256. Pulumi then refuses whatever is not in it.
# Exit code: not 0 when the plan is another one, or when the update was refused or failed.
set -euo pipefail
if ! echo "$PLAN_SHA256  $PLAN" | sha256sum --check --status; then
    echo "$PLAN is not the plan that was approved (SHA-256 $PLAN_SHA256): nothing was changed" >&2
    exit 1
fi
log=$RUNNER_TEMP/deploy.log
status=0
pulumi up --stack "$PULUMI_STACK" --non-interactive --yes --skip-preview --suppress-outputs --plan "$PLAN" --policy-pack policies 2>&1 |
    tee "$log" || status=$?
if grep -q 'violates plan' "$log"; then
    {
        echo "### \`$PULUMI_STACK\` was not deployed as planned"
        echo 'The stack, the cluster or the settings changed after the plan was made. What had been applied by then was part of the plan.'
        echo 'Run the workflow again: it makes a new plan of what is left, for a new approval.'
    } | tee -a "$GITHUB_STEP_SUMMARY" >&2
fi
exit "$status"
