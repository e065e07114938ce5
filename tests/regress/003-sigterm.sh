#!/bin/bash
# SIGTERM while podd still waits for an anchor that does not answer ends podd. (It was once taken by the waiting and lost.)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || exit 1
printf '  terminationGracePeriodSeconds: 1\n  containers:\n  - {name: c, image: "rootfs:/", command: [sleep, "1000"]}\n' | pod p
ok "a pod runs" ready p
member=$(member_pid p c) anchor=$(anchor_pid p)
podd_stop
kill -STOP "$anchor"
podd_spawn
listens() { grep -qE "^SigCgt:.*[4-7c-f]...$" "/proc/$PODD_PID/status"; } # bit 14: SIGTERM has a handler
await 20 listens
kill -TERM "$PODD_PID"
ends() { ! kill -0 "$PODD_PID" 2>/dev/null; }
ok "podd ends on SIGTERM while an anchor does not answer" await 20 ends
kill -CONT "$anchor"
podd_start || exit 1
await 20 ready_is p True
is "the pod did not notice" "$(member_pid p c)" "$member"
podd_stop

for i in $(seq 20); do # a storm of them, at all moments of a start
	podd_spawn
	sleep 0.0$((i % 10))
	kill -TERM "$PODD_PID" 2>/dev/null
	kill -TERM "$PODD_PID" 2>/dev/null
	await 20 ends || break
	wait "$PODD_PID" 2>/dev/null
done
ok "twenty starts that are told to end do end" ends
podd_start || exit 1
is "the pod did not notice these either" "$(member_pid p c)" "$member"

leaves_nothing
podd_stop
finish
