#!/bin/bash
# A pod's anchor dies, or hangs; its log process dies. What remains, what is rebuilt, what goes on.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }

# Each start of a member adds a line to a file of the host, so that none can be overlooked.
mkdir "$ROOT/facts"
put_pod() { # NAME
	pod "$1" <<END
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "echo start >>/facts/$1; exec sleep infinity"]
    volumeMounts: [{name: facts, mountPath: /facts}, {name: kept, mountPath: /kept}]
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
  volumes:
  - {name: facts, hostPath: {path: "$ROOT/facts"}}
  - {name: kept, emptyDir: {}}
END
}
starts() { wc -l <"$ROOT/facts/$1"; }
starts_are() { [ "$(starts "$1")" = "$2" ]; }
link_of() { ip -o link show | sed -n "s/^[0-9]*: \(pd[^:@]*\).*/\1/p"; }
log_process() { # POD: of the anchor's two processes, the child
	local a
	a=$(anchor_pid "$1")
	for p in $(find "$(cgroup_v2)/$PODD_HOST" -path "*pod$(pod_uid "$1")/anchor/cgroup.procs" -exec cat {} +); do
		[ "$(awk '/^PPid:/ { print $2 }' "/proc/$p/status" 2>/dev/null)" = "$a" ] && echo "$p"
	done
}
rebuilt() { # POD ANCHOR
	local a
	a=$(anchor_pid "$1")
	[ -n "$a" ] && [ "$a" != "$2" ] && ready_is "$1" True
}
other_log_process() { local now; now=$(log_process "$1"); [ -n "$now" ] && [ "$now" != "$2" ]; } # POD PID
dead() { local p; for p; do [ ! -e "/proc/$p" ] || [ "$(awk '/^State:/ { print $2 }' "/proc/$p/status" 2>/dev/null)" = Z ] || return 1; done; }

# --- killed --------------------------------------------------------------------------------------------------------------------------

put_pod web
ok "the pod is ready" ready web
podctl exec web -c app -- sh -c 'echo survives >/kept/file'
uid=$(pod_uid web) ip=$(field web .status.podIP) a=$(anchor_pid web) net=$(netns_of "$(anchor_pid web)")
app=$(member_pid web app) beside=$(member_pid web beside) logger=$(log_process web)
is "the anchor is two processes" "$(wc -w <<<"$logger")" 1
await 20 starts_are web 1
exec 7<"/proc/$a/ns/net" # as long as it is held, no other one has its number
kill -KILL "$a"
ok "an anchor that is killed is replaced, and the pod is ready again" await 30 rebuilt web "$a"
is "uid and address are the same" "$(pod_uid web) $(field web .status.podIP)" "$uid $ip"
ok "the network namespace is another one" [ "$(netns_of "$(anchor_pid web)")" != "$net" ]
exec 7<&-
ok "it was rebuilt exactly once" await 20 starts_are web 2
ok "members and log process of old are dead" await 20 dead "$app" "$beside" "$logger"
ok "one link is left, the new one" await 20 eval '[ "$(link_of | wc -l)" = 1 ]'
ok "one anchor directory is left" await 20 eval '[ "$(find "$(cgroup_v2)/$PODD_HOST" -type d -name anchor | wc -l)" = 1 ]'
ok "no directory of an old start is left" await 20 eval '[ "$(find "$(cgroup_v2)/$PODD_HOST" -path "*/members/app.*" -prune | wc -l)" = 1 ]'
is "the emptyDir kept what was in it" "$(podctl exec web -c app -- cat /kept/file)" survives
is "the members are restarted ones" "$(of web app .restartCount) $(of web beside .restartCount)" "1 1"
like "events say that it was lost" "$(podctl events)" 'AnchorLost'
ok "the census finds nothing amiss" await 20 podctl census

a=$(anchor_pid web)
kill -KILL "$a"
ok "killed once more, it is rebuilt once more" await 60 rebuilt web "$a"
ok "by one more start" await 20 starts_are web 3

# --- killed while podd is dead -----------------------------------------------------------------------------------------------------------

a=$(anchor_pid web) app=$(member_pid web app)
podd_kill
kill -KILL "$a"
podd_start
ok "killed while podd was dead: the pod is rebuilt" await 60 rebuilt web "$a"
ok "exactly once" await 20 starts_are web 4
ok "the member of old is dead" await 20 dead "$app"
is "uid and address are the same" "$(pod_uid web) $(field web .status.podIP)" "$uid $ip"
ok "one link is left" await 20 eval '[ "$(link_of | wc -l)" = 1 ]'
ok "the census finds nothing amiss" await 20 podctl census

a=$(anchor_pid web) app=$(member_pid web app)
podd_kill
kill -KILL "$a"
mv "$PODS/web.yaml" "$ROOT/"
podd_start
ok "killed, and the manifest removed, while podd was dead: the pod goes" await 30 gone web
ok "with its member" await 20 dead "$app"
ok "and all that was its own" await 20 census_clean

# --- stopped ----------------------------------------------------------------------------------------------------------------------------

put_pod slow
ok "a pod is ready" ready slow
before=$(sandbox slow) a=$(anchor_pid slow) app=$(member_pid slow app)
kill -STOP "$a"
podctl restart slow -c app >/dev/null
podd_kill
podd_start
is "with its anchor stopped, and podd killed and started, the member runs on" "$(member_pid slow app)" "$app"
ok "the stopped anchor is reported" await 40 eval 'podctl events | grep -q AnchorStuck'
is "and left as it is" "$(anchor_pid slow) $(starts slow)" "$a 1"
kill -CONT "$a"
ok "when it continues, the pod is ready" ready slow
is "in the same sandbox" "$(sandbox slow)" "$before"
app=$(member_pid slow app)
kill -KILL "$app"
ok "and members are supervised as before" await 20 replaced slow app "$app"

# --- the log process ----------------------------------------------------------------------------------------------------------------------

pod talk <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "i=0; while :; do echo line $i; i=$((i + 1)); sleep 0.01; done"]}
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
END
ready talk
counted() { [ "$(printed "$uid" app | wc -l)" -ge "$1" ]; }
uid=$(pod_uid talk)
await 20 counted 20
logger=$(log_process talk) app=$(member_pid talk app) beside=$(member_pid talk beside)
# What it has read and not yet written dies with it: it is caught with nothing in its hands, and lines that wait for it.
state() { [[ $(<"/proc/$1/stat") == *") $2 "* ]]; }
writes() { awk '$1 == "syscw:" { print $2 }' "/proc/$app/io"; }
kill -STOP "$app"
await 20 state "$app" T
await 20 state "$logger" S
kill -STOP "$logger"
n=$(writes)
kill -CONT "$app"
ok "a log process is late" await 20 eval '[ "$(writes)" -ge $((n + 20)) ]'
kill -KILL "$logger"
ok "a log process that is killed is replaced" await 20 other_log_process talk "$logger"
n=$(printed "$uid" app | wc -l)
ok "the log goes on" await 20 counted $((n + 20))
is "the members run on" "$(member_pid talk app) $(member_pid talk beside)" "$app $beside"
ok "no line is missing or double" await 20 eval 'printed "$uid" app | awk "{ if (\$2 != NR - 1) { print NR \": \" \$0; bad = 1 } } END { exit bad }"'
kill -KILL "$(log_process talk)" "$beside"
ok "killed together with a member: the exit is seen" await 20 replaced talk beside "$beside"
is "and what it was" "$(of talk beside .lastState.terminated.exitCode)" 137
logger=$(await 20 eval '[ -n "$(log_process talk)" ]'; log_process talk)
kill -STOP "$logger"
kill -KILL "$(member_pid talk app)"
ok "with the log process stopped, an exit is seen and the member replaced" await 20 replaced talk app "$app"
kill -CONT "$logger"
app=$(member_pid talk app)
n=$(printed "$uid" app | wc -l)
ok "when it continues, the log does too" await 20 counted $((n + 20))

leaves_nothing
# --- hangs under a running podd ----------------------------------------------------------------------------------------------------

put looping.yaml <<END
apiVersion: v1
kind: Pod
metadata: {name: looping, annotations: {podd.dev/restart-backoff: "initial=100ms, max=300ms, reset=10m"}}
spec:
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "exit 1"]}
END
ok "a pod that is started again and again" await 20 eval '[ "$(of looping app .restartCount)" -ge 2 ]'
a=$(anchor_pid looping)
kill -STOP "$a"
ok "an anchor that does not answer a start is reported" await 60 eval 'podctl events | grep looping | grep -q AnchorStuck'
count=$(of looping app .restartCount)
kill -CONT "$a"
ok "once it answers, all goes on" await 30 eval '[ "$(of looping app .restartCount)" -gt "$count" ]'
is "in the same sandbox" "$(anchor_pid looping)" "$a"
rm "$PODS/looping.yaml"
ok "and it can be removed" await 30 eval '! podctl get pod looping'

finish
