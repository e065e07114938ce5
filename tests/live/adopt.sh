#!/bin/bash
# podd is killed, ends, is started again; someone stops, starts, deletes: pods are adopted, and nothing happens twice or is lost.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }

sleeper() { # NAME [LABEL]: a pod of two containers that sleep
	pod "$1" "${2:-}" <<'END'
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
END
}
members() { echo "$(member_pid "$1" app) $(member_pid "$1" beside) $(sandbox "$1")"; }

# --- killed ------------------------------------------------------------------------------------------------------------------------------

mkdir "$ROOT/facts"
for p in steady removed edited; do sleeper $p; done
pod ends <<END
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "echo start >>/facts/ends; [ -e /facts/second ] || { until [ -e /facts/end ]; do sleep 0.02; done; >/facts/second; exit 42; }; exec sleep infinity"]
    volumeMounts: [{name: facts, mountPath: /facts}]
  volumes: [{name: facts, hostPath: {path: "$ROOT/facts"}}]
END
pod once <<END
  restartPolicy: Never
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "echo start >>/facts/once; until [ -e /facts/end ]; do sleep 0.02; done; exit 43"]
    volumeMounts: [{name: facts, mountPath: /facts}]
  volumes: [{name: facts, hostPath: {path: "$ROOT/facts"}}]
END
ok "five pods are ready" podctl wait --for=ready steady removed edited ends once --timeout 60s
steady=$(members steady) box=$(sandbox edited) edited=$(member_pid edited app) beside=$(member_pid edited beside) removed=$(member_pid removed app)
ends=$(member_pid ends app)
podd_kill
rm "$PODS/removed.yaml"
sleeper added
sed 's/name: app, image: "rootfs:\/", command: \[sleep, infinity\]/name: app, image: "rootfs:\/", command: [sleep, "1000003"]/' "$PODS/edited.yaml" | put edited.yaml
touch "$ROOT/facts/end"
await 20 eval '[ ! -e /proc/$ends ] || grep -q zombie /proc/$ends/status'
podd_start
ok "podd killed and started: who was ready is ready" ready steady
is "nobody was restarted" "$(members steady)" "$steady"
is "nor counted as such" "$(podctl get pod steady -o json | jq -c '[.status.containerStatuses[].restartCount]')" "[0,0]"
ok "a pod whose manifest was removed meanwhile is stopped" await 20 gone removed
ok "with its processes" eval '[ ! -e /proc/$removed ]'
ok "one that was added is started" ready added
ok "an edit made meanwhile is carried out" await 20 replaced edited app "$edited"
is "as an edit: the other container and the sandbox stay" "$(member_pid edited beside) $(sandbox edited)" "$beside $box"
ok "a member that exited meanwhile is restarted" await 20 eval '[ "$(wc -l <"$ROOT/facts/ends")" = 2 ] && restarts_are ends app 1'
is "and its exit code not lost" "$(of ends app .lastState.terminated.exitCode)" 42
ok "one that is not to be restarted has ended" await 20 phase_is once Failed
is "with its exit code" "$(of once app .state.terminated.exitCode)" 43
is "and ran once" "$(wc -l <"$ROOT/facts/once")" 1
rm "$PODS"/{edited,added,ends,once}.yaml

# --- ended, doubled ----------------------------------------------------------------------------------------------------------------------

podd_stop
is "SIGTERM ends podd, by itself" $? 0
ok "its members run on" kill -0 $(cut -d' ' -f1,2 <<<"$steady")
podd_start
is "and are adopted" "$(members steady)" "$steady"
second=$("$builddir/bin/podd" --root "$ROOT" --cgroup-root "$PODD_HOST" 2>&1)
is "a second podd on the same root exits 1" $? 1
like "and names the pid of the first" "$second" "(^|[^0-9])$PODD_PID([^0-9]|$)"
is "the first one answers as before" "$(members steady)" "$steady"

# --- /run wiped ----------------------------------------------------------------------------------------------------------------------------

await 20 eval 'gone edited && gone added && gone ends && gone once'
podd_kill
umount -R "$ROOT"/run/podd/pods/*/* 2>/dev/null
rm -rf "$ROOT"/run/podd
podd_start
ok "with /run wiped while podd was dead, pods are ready" ready steady
is "and the same: their anchors made new sockets" "$(members steady)" "$steady"
app=$(member_pid steady app)
kill -KILL "$app"
ok "a member is restarted there" await 20 replaced steady app "$app"
ok "commands run there" podctl exec steady -c app -- cat /etc/hosts
steady=$(members steady)

# --- by hand -----------------------------------------------------------------------------------------------------------------------------

uid=$(pod_uid steady)
podctl restart steady -c app >/dev/null
ok "restart -c restarts one container" await 20 replaced steady app "$(cut -d' ' -f1 <<<"$steady")"
is "and not the other" "$(member_pid steady beside) $(sandbox steady)" "$(cut -d' ' -f2- <<<"$steady")"
ok "stop stops a pod" podctl stop steady
is "with its processes" "$(member_pid steady app)$(member_pid steady beside)$(anchor_pid steady)" ""
like "get shows it" "$(podctl get pods)" '^steady +0/2'
held() { exists steady && [ -z "$(anchor_pid steady)" ]; }
podd_kill
podd_start
ok "podd's restart does not start it" held
sleeper steady label
await 20 eval '[ "$(field steady .metadata.labels.version)" = label ]'
ok "nor does an edit of a label" held
ok "start does" podctl start steady
ok "and it is ready" ready steady
is "with its uid" "$(pod_uid steady)" "$uid"
podctl stop steady >/dev/null
sed -i 's/GracePeriodSeconds: 1/GracePeriodSeconds: 2/; s/sleep, infinity/sleep, "1000004"/' "$PODS/steady.yaml"
ok "an edit of the spec ends a stop as well" ready steady
is "podctl restart of what is not there fails" "$(podctl restart nobody 2>/dev/null; echo $?)" 1

# --- deleted --------------------------------------------------------------------------------------------------------------------------------

polite() { # NAME: it leaves when it was asked and may
	pod "$1" <<END
  terminationGracePeriodSeconds: 30
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "trap 'echo asked >>/facts/$1; until [ -e /facts/leave-$1 ]; do sleep 0.02; done; echo left >>/facts/$1; exit 0' TERM; >/facts/trapped-$1; while :; do sleep 0.02; done"]
    volumeMounts: [{name: facts, mountPath: /facts}]
  volumes: [{name: facts, hostPath: {path: "$ROOT/facts"}}]
END
}
polite polite
ready polite
await 20 [ -e "$ROOT/facts/trapped-polite" ]
rm "$PODS/polite.yaml"
ok "a deleted pod's members are asked to end" await 20 grep -q asked "$ROOT/facts/polite"
like "it is Terminating within its grace period" "$(podctl get pods)" '^polite .*Terminating'
podd_kill
podd_start
ok "podd's restart does not end its grace" eval 'podctl get pods | grep -q "^polite .*Terminating" && ! grep -q left "$ROOT/facts/polite"'
touch "$ROOT/facts/leave-polite"
ok "when they have ended, it is gone" await 20 gone polite
is "they were let end" "$(tail -n 1 "$ROOT/facts/polite")" left
ok "asked once by each podd, at most" [ "$(grep -c asked "$ROOT/facts/polite")" -le 2 ]

pod stubborn <<'END'
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "trap : TERM; while :; do sleep 0.02; done"]}
END
ready stubborn
pid=$(member_pid stubborn app)
ok "podctl delete waits until the pod is gone" podctl delete pod stubborn
ok "a member that does not end is killed after the grace period" eval '[ ! -e "/proc/$pid" ] && gone stubborn'

sleeper hasty
rm "$PODS/hasty.yaml"
ok "deleted at once after it was written: nothing remains" await 20 gone hasty
for i in {1..20}; do
	sleeper hasty
	await 20 exists hasty
	rm "$PODS/hasty.yaml"
done
ok "deleted while it starts, twenty times: gone" await 60 gone hasty

polite again
ready again
await 20 [ -e "$ROOT/facts/trapped-again" ]
app=$(member_pid again app)
rm "$PODS/again.yaml"
await 20 eval 'podctl get pods | grep -q "^again .*Terminating"'
rm "$ROOT/facts/trapped-again"
polite again
touch "$ROOT/facts/leave-again"
ok "put back while it stops: it runs again" await 20 replaced again app "$app"
ok "and is ready" ready again
await 20 [ -e "$ROOT/facts/trapped-again" ]

leaves_nothing
finish
