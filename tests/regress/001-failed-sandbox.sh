#!/bin/bash
# A sandbox that can't be created, because the disk is full or the host lacks a controller, fails alone: podd and the
# other pods do not notice, and it is made when the reason is gone. (Its end once killed the root of all cgroups.)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

sleeper() { printf '  terminationGracePeriodSeconds: 0\n  containers:\n  - {name: c, image: "rootfs:/", command: [sleep, "1000"]}\n' | pod "$1"; }
waits() { podctl get pod "$1" -o json | grep -q "$2"; }
lives() { [ "$(member_pid bystander c)" = "$by" ] && kill -0 "$by" && kill -0 "$PODD_PID"; }
quiet() { # podd used no more than 0.2 s of CPU in the last second
	local before after
	before=$(awk '{ print $14 + $15 }' "/proc/$PODD_PID/stat")
	sleep 1
	after=$(awk '{ print $14 + $15 }' "/proc/$PODD_PID/stat")
	[ $((after - before)) -lt 20 ]
}

mkdir -p "$ROOT/var/lib/podd"
mount -t tmpfs -o size=1m,nr_inodes=300,mode=700 state "$ROOT/var/lib/podd"
podd_start || exit 1
sleeper bystander
ok "a pod runs" ready bystander
by=$(member_pid bystander c)

mkdir "$ROOT/var/lib/podd/filler"
(cd "$ROOT/var/lib/podd/filler" && touch $(seq 300) 2>/dev/null)
sleeper full
ok "a full disk: the new pod says so" await 20 waits full 'No space left'
ok "... and nobody else notices" lives
ok "... and podd is calm" quiet
rm -r "$ROOT/var/lib/podd/filler"
ok "it starts once there is space" ready full 60s

leaves_nothing
podd_stop
finish
