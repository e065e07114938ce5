#!/bin/bash
# A command for a pod whose anchor had been stopped by SIGSTOP waited for ever, and a probe failed for it.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || exit 1
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "1000"]
    livenessProbe: {exec: {command: ["true"]}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 60}
END
ready web
anchor=$(anchor_pid web)
kill -STOP "$anchor"
like "a command is told" "$(timeout 60 "$builddir/bin/podctl" --root "$ROOT" exec web -- touch /late 2>&1)" "anchor, process $anchor, is stopped"
like "so is a hand on the container" "$(timeout 60 "$builddir/bin/podctl" --root "$ROOT" attach web 2>&1)" "anchor, process $anchor, is stopped"
ok "and who reads events" eval 'podctl events | grep -q "AnchorStuck.*process $anchor, is stopped"'
kill -CONT "$anchor"
ok "it goes on: commands run" await 20 podctl exec web -- true
is "those that were given up do not" "$(podctl exec web -- ls /late 2>/dev/null)" ""
is "the container was not to blame" "$(of web app '.restartCount | tostring')" 0
leaves_nothing
podd_stop
finish
