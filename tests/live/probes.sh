#!/bin/bash
# Probes: startup holds the others back, readiness decides over Ready, liveness ends what is sick; commands, requests, connections.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/told"
event_is() { podctl events 2>/dev/null | grep -qE -- "$1"; }
restarted() { [ "$(of probed app .restartCount)" -gt 0 ]; } # its next probe may have ended it again
changed_since() { # the container's start
	[[ $(field probed '.status.conditions[] | select(.type == "Ready") | .lastTransitionTime') > $(of probed app .state.running.startedAt) ]]
}
ready_of() { [ "$(of "$1" "$2" '.ready | tostring')" = "$3" ]; }
began() { [ "$(of "$1" "$2" '.started | tostring')" = "$3" ]; }
sidecar_waits() { [ "$(field probed '.status.initContainerStatuses[0].started | tostring')" = false ]; }

pod probed <<END
  terminationGracePeriodSeconds: 0
  initContainers:
  - name: proxy
    image: rootfs:/
    restartPolicy: Always
    command: [sleep, infinity]
    startupProbe: {exec: {command: [test, -e, /told/up]}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 100}
    volumeMounts: [{name: told, mountPath: /told}]
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, infinity]
    readinessProbe: {exec: {command: [sh, -c, "cat /told/ready"]}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}
    livenessProbe: {exec: {command: [sh, -c, "! cat /told/sick 2>/dev/null"]}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}
    volumeMounts: [{name: told, mountPath: /told}]
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END
pod slow <<'END'
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, infinity]
    startupProbe: {exec: {command: [sleep, "60"]}, periodSeconds: 1, failureThreshold: 1}
END
cat >"$ROOT/told/serve" <<'END'
#!/bin/sh
read -r method path version
while read -r line && [ ${#line} -gt 1 ]; do case $line in X-Who:*me*) who=1 ;; esac; done
status=503
[ "$method $path $who" != "GET /ok%20then?x=1 1" ] || status=204
printf 'HTTP/1.1 %s As It Is\r\nConnection: close\r\n\r\n' $status
END
chmod +x "$ROOT/told/serve"
pod web <<END
  terminationGracePeriodSeconds: 0
  containers:
  - name: http
    image: rootfs:/
    command: [socat, "TCP-LISTEN:8080,fork,reuseaddr", "EXEC:/told/serve"]
    volumeMounts: [{name: told, mountPath: /told}]
    ports: [{name: www, containerPort: 8080}]
    readinessProbe: {httpGet: {path: "/ok then?x=1", port: www, httpHeaders: [{name: X-Who, value: me}]}, periodSeconds: 1}
  - name: sick
    image: rootfs:/
    command: [sleep, infinity]
    readinessProbe: {httpGet: {path: /no, port: 8080, httpHeaders: [{name: X-Who, value: me}]}, periodSeconds: 1}
  - name: tcp
    image: rootfs:/
    command: [sleep, infinity]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
  - name: deaf
    image: rootfs:/
    command: [sleep, infinity]
    readinessProbe: {tcpSocket: {port: 8081}, periodSeconds: 1}
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END

ok "a sidecar whose startup probe fails has not started" await 20 event_is 'Startup probe failed'
ok "and says so" sidecar_waits
is "who comes after it waits" "$(of probed app .state.waiting.reason)" "PodInitializing"
touch "$ROOT/told/up"
ok "the others run when it has succeeded" await 20 began probed app true
ok "a container whose readiness probe fails is not ready" await 20 event_is 'Readiness probe failed: cat: /told/ready: No such file'
ok "nor is its pod" ready_is probed False
touch "$ROOT/told/ready"
ok "one success makes both ready" ready probed
rm "$ROOT/told/ready"
ok "one failure makes both unready" await 20 ready_is probed False
is "and ends nothing" "$(of probed app '.restartCount | tostring')" 0
touch "$ROOT/told/ready"
ok "it is ready again" ready probed
ok "since the probe says so, not since it runs" changed_since
ok "a startup probe that takes too long ends a container that is not restarted" await 20 phase_is slow Failed
ok "and says how long it took" await 20 event_is 'Startup probe failed: command timed out: "sleep 60" timed out after 1s'
podd_kill
podd_start
ok "it is ready still when podd is started anew" ready_is probed True
before=$(member_pid probed app)
echo pale >"$ROOT/told/new" && mv "$ROOT/told/new" "$ROOT/told/sick"
ok "a liveness probe that fails ends the container" await 20 restarted
rm "$ROOT/told/sick"
ok "that runs on when it is well" await 20 replaced probed app "$before"
ok "in the kubelet's words" await 20 event_is 'Killing.*Container app failed liveness probe, will be restarted'
ok "with what the probe said" await 20 event_is 'Unhealthy.*Liveness probe failed: pale'

ok "a request with path, query and header is answered" await 20 ready_of web http true
ok "a connection is enough" await 20 ready_of web tcp true
ok "an answer of 503 is a failure" await 20 event_is 'Readiness probe failed: HTTP probe failed with statuscode: 503'
ok "so is a refused connection" await 20 event_is 'Readiness probe failed: dial tcp [0-9.]*:8081: connect: connection refused'
ok "neither is ready" ready_of web sick false
ok "nor the other" ready_of web deaf false

leaves_nothing
podd_stop
finish
