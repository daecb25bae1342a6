#!/bin/bash
# Previews the stack with the policy pack and writes what a reviewer needs, as Markdown, to the step's output `comment`.
# Exit code: Pulumi's own, which a mandatory violation makes non-zero.
set -euo pipefail
preview=$RUNNER_TEMP/preview.json
log=$RUNNER_TEMP/preview.log
status=0
# With what stays the same: rules on the whole stack need all of it, and the providers' default tags.
pulumi preview --stack "$PULUMI_STACK" --non-interactive --json --show-sames --policy-pack policies >"$preview" 2>"$log" || status=$?
cat "$log" >&2

comment() {
    echo "### Preview of \`$PULUMI_STACK\`: $([[ $status == 0 ]] && echo passed || echo failed)"
    echo
    if jq -e '.steps' "$preview" >/dev/null 2>&1; then
        jq -r '"Changes: " + ((.changeSummary // {}) | to_entries | map("\(.value) \(.key)") | join(", "))' "$preview"
        echo
        jq -r '[.steps[] | select(.op != "same")][:100][] | "- \(.op) `\(.urn | split("::") | (.[2] | split("$") | last) + " " + .[3])`"' "$preview"
        echo
        # The exceptions, where the stack has a config file; its name may be that of an organization's stack.
        local config=Pulumi.${PULUMI_STACK##*/}.yaml exceptions=()
        if [[ -e $config ]]; then exceptions=(--stack-config "$config"); fi
        # What is only read is someone else's, and its properties are not in the preview.
        jq 'del(.steps[] | select(.op == "read"))' "$preview" |
            node policies/report.ts --markdown "${exceptions[@]}" - || true
    else
        echo 'The preview did not come to an end; the log of the run says why.'
    fi
}
text=$(comment)
{
    echo 'comment<<END_OF_COMMENT'
    # A comment holds 65,536 characters.
    echo "${text:0:60000}"
    echo 'END_OF_COMMENT'
} >>"$GITHUB_OUTPUT"
exit "$status"
