#!/bin/bash
# Previews the stack with the policy pack. What a reviewer needs goes to the step's output `comment` and to the run's summary,
# all of it to $RUNNER_TEMP/preview.md, which the run uploads as $ARTEFACT. With $PLAN, the update plan goes to that file, and its
# SHA-256 and the number of changes to the outputs `plan-sha256` and `changes`.
# $POLICY_CONFIG: a file of the pack's settings; with those of image-signed, and cosign on the PATH, the comment says which packages differ.
# Exit code: Pulumi's own, which a mandatory violation makes non-zero.
set -euo pipefail
preview=$RUNNER_TEMP/preview.json
log=$RUNNER_TEMP/preview.log
status=0
plan=()
settings=()
if [[ -n ${POLICY_CONFIG:-} ]]; then
    settings=(--policy-pack-config "$POLICY_CONFIG")
    if ! command -v cosign >/dev/null && [[ -e local/toolchain/build.ts ]]; then
        tools=$(node local/toolchain/build.ts cosign)
        export PATH=$tools:$PATH
    fi
fi
if [[ -n ${PLAN:-} ]]; then plan=(--save-plan "$PLAN"); fi
# With what stays the same: rules on the whole stack need all of it, and the providers' default tags.
pulumi preview --stack "$PULUMI_STACK" --non-interactive --json --show-sames "${plan[@]}" --policy-pack policies "${settings[@]}" >"$preview" 2>"$log" || status=$?
cat "$log" >&2

flags=(--stack "$PULUMI_STACK" --whole "$RUNNER_TEMP/preview.md")
if [[ -n ${POLICY_CONFIG:-} ]]; then flags+=(--config "$POLICY_CONFIG"); fi
if [[ $status != 0 ]]; then flags+=(--failed); fi
# The exceptions, where the stack has a config file; its name may be that of an organization's stack.
config=Pulumi.${PULUMI_STACK##*/}.yaml
if [[ -e $config ]]; then flags+=(--stack-config "$config"); fi
if [[ -n ${GITHUB_RUN_ID:-} ]]; then
    flags+=(--where "\`preview.md\`, artefact \`$ARTEFACT\` of [this run]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID#artifacts)")
fi
comment=$RUNNER_TEMP/comment.md
node policies/review.ts "${flags[@]}" "$preview" >"$comment"
# The text holds what others wrote: no line of it may end the output early.
end=END_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
{
    echo "comment<<$end"
    cat "$comment"
    echo "$end"
} >>"$GITHUB_OUTPUT"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then cat "$comment" >>"$GITHUB_STEP_SUMMARY"; fi
if [[ -n ${PLAN:-} && $status == 0 ]]; then
    {
        echo "plan-sha256=$(sha256sum "$PLAN" | cut -d' ' -f1)"
        echo "changes=$(jq '[.steps[] | select(.op != "same" and .op != "read")] | length' "$preview")"
    } >>"$GITHUB_OUTPUT"
fi
exit "$status"
