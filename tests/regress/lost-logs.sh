#!/bin/bash
# When /var/log/pods was removed under podd, no pod could be started until podd was started anew.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || exit 1
rm -rf "$ROOT/var/log"
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sh, -c, "echo here; exec sleep 1000"]}]
END
ok "a pod starts" ready web
ok "and has a log" await 10 said web app here
is "for nobody else's eyes" "$(stat -c %a "$ROOT/var/log/pods")" 750
leaves_nothing
podd_stop
finish
