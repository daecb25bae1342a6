#!/bin/bash
# What drift.yml and preview.yml need on a fresh runner: Pulumi, AWS credentials for an hour, the cluster's kubeconfig.
# Reads PULUMI_BACKEND_URL, AWS_ROLE_ARN, AWS_REGION, EKS_CLUSTER and KUBE_CONTEXT; writes to $GITHUB_ENV and $GITHUB_PATH.
set -euo pipefail

# The version of the SDK that package-lock.json names, checked against the sums of the same release.
version=$(jq -r '.packages["node_modules/@pulumi/pulumi"].version' package-lock.json)
archive=pulumi-v$version-linux-x64.tar.gz
directory=$RUNNER_TEMP/pulumi-$version
mkdir -p "$directory"
gh release download "v$version" --repo pulumi/pulumi --dir "$directory" --pattern "$archive" --pattern "pulumi-$version-checksums.txt"
(cd "$directory" && sha256sum --check --strict <(grep " $archive\$" "pulumi-$version-checksums.txt") && tar -xzf "$archive")
echo "$directory/pulumi" >>"$GITHUB_PATH"

# No stored key: GitHub vouches for this run, and AWS lends the role. The token lives for minutes, the credentials for an hour.
token=$(curl -fsS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" | jq -r .value)
echo "::add-mask::$token"
credentials=$(aws sts assume-role-with-web-identity --role-arn "$AWS_ROLE_ARN" --role-session-name "github-$GITHUB_RUN_ID" \
    --web-identity-token "$token" --duration-seconds 3600 --query Credentials --output json)
for name in AccessKeyId SecretAccessKey SessionToken; do
    value=$(jq -r ".$name" <<<"$credentials")
    echo "::add-mask::$value"
    case $name in
        AccessKeyId) variable=AWS_ACCESS_KEY_ID ;;
        SecretAccessKey) variable=AWS_SECRET_ACCESS_KEY ;;
        SessionToken) variable=AWS_SESSION_TOKEN ;;
    esac
    export "$variable=$value"
    echo "$variable=$value" >>"$GITHUB_ENV"
done

aws eks update-kubeconfig --name "$EKS_CLUSTER" --alias "$KUBE_CONTEXT"
"$directory/pulumi/pulumi" login --non-interactive "$PULUMI_BACKEND_URL"
