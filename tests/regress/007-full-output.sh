#!/bin/bash
# podctl says so when its output can't be written, whichever the verb, and does not follow what nobody gets. (What had been flushed on the
# way was not looked at again: `podctl get pods >/dev/full` said yes, `logs -f` went on for ever.)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod p <<<'  terminationGracePeriodSeconds: 0
  containers: [{name: a, image: "rootfs:/", command: [sh, -c, "while :; do echo line; sleep 0.05; done"]}]'
ok "a pod prints" await 20 said p a line
full() { timeout 60 "$builddir/bin/podctl" --root "$ROOT" "$@" 2>&1 >/dev/full; echo "exit $?"; }
for verb in "get pods" "get pods -w" "get pod p -o json" "get pod p -o yaml" "get pods -o name" "logs p" "logs -f p" "events" "events -f" \
	"top --once" "status" "describe pod p" "version" "help" "help logs"; do
	is "$verb" "$(full $verb)" "podctl: can't write: No space left on device
exit 1"
done
leaves_nothing
podd_stop
finish
