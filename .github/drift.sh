#!/bin/bash
# Compares the stack with the cluster and changes nothing. Its findings go to $GITHUB_STEP_SUMMARY.
# Exit code: not 0 when anything was changed outside of Pulumi, or when the comparison could not be made.
set -uo pipefail
found=$RUNNER_TEMP/drift.txt
preview=$RUNNER_TEMP/drift-preview.txt
status=0
# Reports the fields that the stack sets, and what was deleted.
pulumi refresh --stack "$PULUMI_STACK" --non-interactive --preview-only --expect-no-changes --diff | tee "$found" || status=$?
# Its warnings also name what kubectl has added.
pulumi preview --stack "$PULUMI_STACK" --non-interactive --suppress-outputs >"$preview" || { status=$?; tail -n 50 "$preview"; }
if grep '^ *warning: .*outside of Pulumi:' "$preview" | sort -u | tee -a "$found" | grep -q .; then
    [[ $status != 0 ]] || status=1
fi
{
    if [[ $status == 0 ]]; then echo 'Nothing was changed by hand.'; else echo 'Something is not as Pulumi left it:'; fi
    echo '```'
    tail -c 60000 "$found"
    echo '```'
} >>"$GITHUB_STEP_SUMMARY"
exit "$status"
