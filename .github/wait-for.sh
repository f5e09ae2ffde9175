#!/bin/bash
# Waits until each HOST:PORT accepts connections: the images of databases do so only once they are set up.
# Change WITHIN when a server takes longer to come up.
set -eu
WITHIN=180
for address in "$@"; do
  host=${address%:*} port=${address##*:}
  until (echo >"/dev/tcp/$host/$port") 2>/dev/null; do
    if [ "$SECONDS" -gt "$WITHIN" ]; then
      echo "$address does not accept connections after $WITHIN s" >&2
      exit 1
    fi
    sleep 1
  done
done
