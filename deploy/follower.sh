#!/bin/sh
# Takes the first free seat among the followers of a consortium and runs its node.
#
# A node is one identity and one directory: two processes must never share them. The lock on a seat dies with the
# container that holds it, so replicas can come and go; one more replica than there are seats ends with code 75.
#
# usage: changbai-follower DIR SEAT…
set -eu
consortium=$1
shift
for seat in "$@"; do
    exec 9>"$consortium/.$seat.seat"
    if flock --nonblock 9; then
        # The lock stays with file descriptor 9, which the node inherits.
        exec changbai node run --config "$consortium/$seat/changbai.toml"
    fi
done
echo "changbai-follower: no free seat among: $*" >&2
exit 75
