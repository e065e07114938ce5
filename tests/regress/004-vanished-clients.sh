#!/bin/bash
# Clients that vanish in the middle of exec and logs -f, and half-open requests, leave nothing: no descriptor of podd, no process, no
# cgroup. (The cgroup of a session was removed before its processes were dead, and stayed as long as the container.)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

client() { "$builddir/bin/podctl" --root "$ROOT" "$@" >/dev/null 2>&1 & clients+=($!); }
descriptors() { find "/proc/$PODD_PID/fd" -type l | wc -l; }
leaves() { find "$(cgroup_v2)/$PODD_HOST" -path '*/c.*/x*' -type d | wc -l; }

podd_start || exit 1
pod p <<'X'
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "rootfs:/", command: [sh, -c, "while :; do echo line; sleep 0.01; done"]}
X
ok "a pod runs" ready p
before=$(descriptors)
for round in 1 2; do
	clients=()
	for _ in $(seq 15); do
		client exec p -- sleep 5000
		client logs -f p
	done
	await 60 eval '[ "$(leaves)" = 15 ]'
	kill -KILL "${clients[@]}"
	wait "${clients[@]}" 2>/dev/null
	ok "round $round: the sessions' cgroups are gone" await 20 eval '[ "$(leaves)" = 0 ]'
	ok "round $round: podd's descriptors are as before" await 20 eval "[ \$(descriptors) -le $before ]"
done
is "no process of a session is left" "$(pgrep -cf '^sleep 5000')" 0

leaves_nothing
podd_stop
finish
