#!/bin/bash
# When /var/log/pods was removed under podd, no pod could be started until podd was started anew, and those that ran had no log until the end of
# their sandbox.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || exit 1
rm -rf "$ROOT/var/log"
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "echo here; exec sleep 1000"]}
  - {name: talker, image: "rootfs:/", command: [sh, -c, "while :; do echo talk; sleep 0.1; done"]}
END
ok "a pod starts" ready web
ok "and has a log" await 30 said web app here
is "for nobody else's eyes" "$(stat -c %a "$ROOT/var/log/pods")" 750
before=$(sandbox web) pid=$(member_pid web app)
rm -rf "$ROOT"/var/log/pods/*
kill -KILL "$pid"
ok "the logs are removed, a container is started again" await 20 replaced web app "$pid"
ok "it has a log" await 10 said web app here
ok "and so has the one beside it" await 10 said web talker talk
ok "the loss is told" eval 'podctl events | grep -q LogsLost'
podd_kill
rm -rf "$ROOT/var/log"
podd_start || exit 1
ok "removed while there was no podd: they go on" await 10 said web talker talk
is "all that in one sandbox" "$(sandbox web)" "$before"
leaves_nothing
podd_stop
finish
