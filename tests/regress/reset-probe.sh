#!/bin/bash
# A server that resets the connection has answered its probe by that: podd says so at once, and does not spin until the probe's time is over.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod rude <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: rootfs:/
    command: [socat, -u, "EXEC:sleep 0.2", "TCP-LISTEN:8080,reuseaddr,fork,linger=0"]
    readinessProbe: {httpGet: {path: /, port: 8080}, timeoutSeconds: 60, periodSeconds: 1}
END

refused() { podctl events 2>/dev/null | grep -qE "reset by peer|EOF|broken pipe"; }
ok "a reset is the probe's answer" await 20 refused
leaves_nothing
podd_stop
finish
