#!/bin/bash
# Whether the main loop responds: it answers PostgreSQL's request for TLS. Not whether the database does: every replica
# would then be taken out of service at once, and clients find that out themselves.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${1:-6432}"
printf '\0\0\0\x08\x04\xd2\x16\x30' >&3
IFS= read -r -n 1 -t 3 answer <&3
[[ $answer == N ]]
