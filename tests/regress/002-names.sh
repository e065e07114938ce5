#!/bin/bash
# The longest pod name runs, its hostname cut as Kubernetes cuts it; a pod whose file has a newline in its name is known again after a
# restart of podd. (The anchor once refused the name, and the accepted version was once damaged by its own header.)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

sleeper() { printf '  terminationGracePeriodSeconds: 0\n  containers:\n  - {name: c, image: "rootfs:/", command: [sh, -c, "hostname; sleep 1000"]}\n' | pod "$1"; }
repeat() { printf "$1%.0s" $(seq "$2"); }

podd_start || exit 1
long=$(repeat a 62).$(repeat b 62).$(repeat c 63).$(repeat d 63)
sleeper short
await 20 exists short
sed "s/name: short/name: $long/" "$PODS/short.yaml" | put short.yaml
await 20 exists "$long"
ok "a pod with a name of ${#long} characters runs" ready "$long"
is "its hostname has at most 63, and does not end in a dot" "$(podctl exec "$long" -- hostname)" "$(repeat a 62)"
is "/etc/hostname says the same" "$(podctl exec "$long" -- cat /etc/hostname)" "$(repeat a 62)"
is "and \$HOSTNAME" "$(podctl exec "$long" -- sh -c 'echo $HOSTNAME')" "$(repeat a 62)"
ok "its log can be read" await 20 eval '[ "$(podctl logs "$long")" = "$(repeat a 62)" ]'

file="$PODS/two
lines.yaml"
sleeper odd
mv "$PODS/odd.yaml" "$PODS/.odd" && mv "$PODS/.odd" "$file"
await 20 exists odd
ok "a manifest with a newline in its name runs" ready odd
before="$(pod_uid odd) $(member_pid odd c)" long_before=$(member_pid "$long" c)
podd_kill
podd_start || exit 1
await 20 ready_is odd True
is "podd knows it again" "$(pod_uid odd) $(member_pid odd c)" "$before"
is "... and the one with the long name" "$(member_pid "$long" c)" "$long_before"

leaves_nothing
podd_stop
finish
