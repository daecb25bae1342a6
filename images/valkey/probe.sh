#!/bin/sh
# Connects like the application, except for TLS: the password is passed in the environment, never on a command line.
set -eu
REDISCLI_AUTH=$(cat /run/secrets/orcheo/valkey-password)
export REDISCLI_AUTH
[ "$(timeout 4 valkey-cli --no-auth-warning -s /tmp/valkey/socket ping)" = PONG ]
