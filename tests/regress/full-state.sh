#!/bin/bash
# What was added while the disk of podd's state was full was stopped and begun anew by the next restart of podd: its uid was lost. Jobs ran twice.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mkdir -p "$ROOT/var" && mount -t tmpfs -o size=1M,mode=755 var "$ROOT/var"
podd_start || exit 1
dd if=/dev/zero of="$ROOT/var/fill" bs=64k 2>/dev/null
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]
END
put job.yaml <<'END'
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "rootfs:/", command: ["true"]}]
END
job_pods() { podctl get pods -l job-name=once -o name; }
complete() { podctl get jobs | grep -q '^once .*Complete'; }
ready web
await 60 complete
ok "that it could not be saved is told" await 30 eval 'podctl events | grep -q "NotSaved.*No space left"'
before="$(sandbox web) $(member_pid web app) $(job_pods)"
podd_kill
podd_start || exit 1
is "podd restarted on the full disk: the same pods" "$(sandbox web) $(member_pid web app) $(job_pods)" "$before"
ok "and the job does not run again" complete
rm "$ROOT/var/fill"
podd_kill
podd_start || exit 1
is "restarted when there is room: the same" "$(sandbox web) $(member_pid web app) $(job_pods)" "$before"
is "nothing is left in memory" "$(ls "$ROOT"/run/podd/{accepted,jobs})" "$(printf '%s:\n' "$ROOT/run/podd/accepted"; echo; printf '%s:\n' "$ROOT/run/podd/jobs")"
leaves_nothing
podd_stop
finish
