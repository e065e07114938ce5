#!/bin/bash
# Hooks: postStart before a container counts as started, preStop before its stop signal; and the stop signal itself.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/told"
told() { tr '\n' ' ' <"$ROOT/told/$1" 2>/dev/null; }
event_is() { podctl events 2>/dev/null | grep -qE -- "$1"; }

pod hooks <<END
  terminationGracePeriodSeconds: 20
  initContainers:
  - name: proxy
    image: rootfs:/
    restartPolicy: Always
    command: [sh, -c, "trap 'echo -proxy >>/told/hooks; exit 0' TERM; echo +proxy >>/told/hooks; while :; do sleep 0.02; done"]
    lifecycle: {postStart: {exec: {command: [sh, -c, "sleep 0.3; echo post >>/told/hooks"]}}}
    volumeMounts: [{name: told, mountPath: /told}]
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "trap 'echo -app >>/told/hooks; exit 0' QUIT; echo +app >>/told/hooks; while :; do sleep 0.02; done"]
    lifecycle: {stopSignal: SIGQUIT, preStop: {exec: {command: [sh, -c, "sleep 0.3; echo pre >>/told/hooks"]}}}
    volumeMounts: [{name: told, mountPath: /told}]
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END
pod bad <<'END'
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, infinity]
    lifecycle: {postStart: {exec: {command: ["false"]}}}
END
ok "a pod with hooks is ready" ready hooks
is "who comes after a sidecar waits for its postStart hook" "$(told hooks)" "+proxy post +app "
ok "a postStart hook that fails ends the container" await 20 phase_is bad Failed
ok "and is told" event_is 'FailedPostStartHook.*false exited with 1'
rm "$PODS/hooks.yaml"
ok "the pod goes" await 20 gone hooks
is "preStop, then the stop signal of its own, then the sidecar" "$(told hooks)" "+proxy post +app pre -app -proxy "

leaves_nothing
podd_stop
finish
