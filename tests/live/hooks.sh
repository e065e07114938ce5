#!/bin/bash
# Hooks: postStart before a container counts as started, preStop before its stop signal; and the stop signal itself.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/told"
told() { tr '\n' ' ' <"$ROOT/told/$1" 2>/dev/null; }
told_is() { [ "$(told "$1")" = "$2" ]; }
event_is() { podctl events 2>/dev/null | grep -qE -- "$1"; }

pod hooks <<END
  terminationGracePeriodSeconds: 20
  initContainers:
  - name: proxy
    image: rootfs:/
    restartPolicy: Always
    command: [sh, -c, "trap 'echo -proxy >>/told/hooks; exit 0' TERM; echo +proxy >>/told/hooks; while :; do sleep 0.02; done"]
    lifecycle: {postStart: {exec: {command: [sh, -c, "until [ -s /told/hooks ]; do sleep 0.02; done; sleep 0.3; echo post >>/told/hooks"]}}}
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
pod again <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, infinity]
    lifecycle: {postStart: {exec: {command: ["false"]}}}
END
ok "a pod with hooks is ready" ready hooks
ok "who comes after a sidecar waits for its postStart hook" await 20 told_is hooks "+proxy post +app "
ok "a postStart hook that fails ends the container" await 20 phase_is bad Failed
ok "and is told" await 20 event_is 'FailedPostStartHook.*false exited with 1'
waits_as() { [ "$(of again app '.state.waiting | "\(.reason): \(.message)"' | sed 's/; until .*//')" = "$1" ]; }
ok "while the next start waits, that is why" await 20 waits_as 'PostStartHookError: PostStartHook failed: false exited with 1'
rm "$PODS/again.yaml" "$PODS/hooks.yaml"
ok "the pod goes" await 20 gone hooks
is "preStop, then the stop signal of its own, then the sidecar" "$(told hooks)" "+proxy post +app pre -app -proxy "

# Requests, the log of hooks, and hooks that outlive podd.
cat >"$ROOT/told/serve" <<'END'
#!/bin/sh
while read -r line && line=${line%?} && [ -n "$line" ]; do
	case $line in GET* | User-Agent* | X-*) printf '%s;' "$line" >>/told/requests ;; esac
done
printf 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'
END
chmod +x "$ROOT/told/serve"
pod web <<END
  terminationGracePeriodSeconds: 20
  containers:
  - name: app
    image: rootfs:/
    command: [socat, "TCP-LISTEN:8080,fork,reuseaddr", "EXEC:/told/serve"]
    ports: [{name: www, containerPort: 8080}]
    lifecycle:
      postStart: {exec: {command: [sh, -c, "echo out of the hook; until bash -c '>/dev/tcp/127.0.0.1/8080'; do sleep 0.02; done"]}}
      preStop: {httpGet: {path: "/bye", port: www, httpHeaders: [{name: X-Who, value: me}]}}
    volumeMounts: [{name: told, mountPath: /told}]
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END
pod deaf <<END
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, infinity]
    lifecycle: {postStart: {httpGet: {port: 8081}}}
END
for hook in postStart preStop; do
	pod "slow-${hook,,}" <<END
  terminationGracePeriodSeconds: 60
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "trap 'echo -app >>/told/$hook; exit 0' TERM; while :; do sleep 0.02; done"]
    lifecycle: {$hook: {exec: {command: [sh, -c, "echo begun >>/told/$hook; until [ -e /told/go ]; do sleep 0.02; done; echo done >>/told/$hook"]}}}
    volumeMounts: [{name: told, mountPath: /told}]
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END
done
ok "pods with slower hooks are there" ready web
ok "what a hook prints is in the container's log" await 20 said web app '^out of the hook$'
ok "a request that nobody answers fails the start" await 20 phase_is deaf Failed
ok "and is told" await 20 event_is 'FailedPostStartHook.*http://.*:8081/.*refused'
ok "one is in its postStart hook" await 20 told_is postStart "begun "
ok "one is ready" ready slow-prestop
rm "$PODS/slow-prestop.yaml" "$PODS/web.yaml"
ok "and begins to stop" await 20 told_is preStop "begun "
ok "preStop asks the container, by the name of its port, whatever the answer" await 20 gone web
is "with its header, as the kubelet does" "$(told requests)" 'GET /bye HTTP/1.1;User-Agent: kube-lifecycle/podd;X-Who: me;'
podd_kill
podd_start
ok "hooks outlive podd, which waits for them" told_is preStop "begun "
podd_kill
touch "$ROOT/told/go"
ok "one ends while podd is away" await 20 told_is preStop "begun done "
podd_start
ok "postStart ran once, and its container is ready" ready slow-poststart
is "once" "$(told postStart)" "begun done "
ok "the stop goes on" await 20 gone slow-prestop
is "and preStop ran once" "$(told preStop)" "begun done -app "

leaves_nothing
podd_stop
finish
