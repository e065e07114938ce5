#!/bin/bash
# Termination messages: where they come from, what survives podd, and what a container can do to podd and to the host with the file.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }

message() { of "$1" "$2" '(.state.terminated // .lastState.terminated).message'; }
messages_are() { [ "$(message "$1" "$2")" = "$3" ]; }
messages_dir() { echo "$ROOT/run/podd/pods/$(pod_uid "$1")/volumes/.messages"; }

pod says <<'END'
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - {name: file, image: "rootfs:/", command: [sh, -c, "printf 'the disk is\ngone' >/dev/termination-log; exit 3"]}
  - {name: user, image: "rootfs:/", command: [sh, -c, "echo mine >/dev/termination-log"], securityContext: {runAsUser: 4711, readOnlyRootFilesystem: true}}
  - {name: place, image: "rootfs:/", command: [sh, -c, "echo there >/srv/why"], terminationMessagePath: /srv/why}
  - {name: volume, image: "rootfs:/", command: [sh, -c, "echo within >/data/why"], terminationMessagePath: /data/why, volumeMounts: [{name: data, mountPath: /data}]}
  - {name: logs, image: "rootfs:/", command: [sh, -c, "seq 100; exit 1"], terminationMessagePolicy: FallbackToLogsOnError}
  - {name: long, image: "rootfs:/", command: [sh, -c, "seq -f '%0100.f' 60; exit 1"], terminationMessagePolicy: FallbackToLogsOnError}
  - {name: well, image: "rootfs:/", command: [sh, -c, "echo all is well"], terminationMessagePolicy: FallbackToLogsOnError}
  - {name: both, image: "rootfs:/", command: [sh, -c, "echo log; echo file >/dev/termination-log; exit 1"], terminationMessagePolicy: FallbackToLogsOnError}
  volumes: [{name: data, emptyDir: {}}]
END
# Kinds of mischief; /dev and what is in it is the container's, the file is not.
pod evil <<'END'
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - {name: bytes, image: "rootfs:/", command: [sh, -c, "printf 'a\\033[31m\\000b\\177\\rc' >/dev/termination-log; exit 1"]}
  - {name: hole, image: "rootfs:/", command: [sh, -c, "truncate -s 1G /dev/termination-log; exit 1"]}
END
pod huge <<'END'
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers: # the room is the pod's: a container beside might find none
  - {name: huge, image: "rootfs:/", command: [sh, -c, "head -c 100M /dev/zero | tr '\\0' x >/dev/termination-log; exit 1"]}
END
pod root <<'END'
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - name: link
    image: rootfs:/
    securityContext: {capabilities: {add: [SYS_ADMIN]}}
    command: [sh, -c, "umount /dev/termination-log && rm /dev/termination-log && ln -s /etc/shadow /dev/termination-log && exit 7"]
  - name: fifo
    image: rootfs:/
    securityContext: {capabilities: {add: [SYS_ADMIN]}}
    command: [sh, -c, "umount /dev/termination-log && rm /dev/termination-log && mkfifo /dev/termination-log && exit 7"]
  - name: dir
    image: rootfs:/
    securityContext: {capabilities: {add: [SYS_ADMIN]}}
    command: [sh, -c, "umount /dev/termination-log && rm /dev/termination-log && mkdir /dev/termination-log && exit 7"]
END
mkdir "$ROOT/told"
pod again <<END
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "test -s /dev/termination-log && exit 9; until [ -e /told/die ]; do sleep 0.02; done; rm /told/die; echo died >/dev/termination-log; exit 1"]
    volumeMounts: [{name: told, mountPath: /told}]
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END

ok "a pod whose containers have said why they end" await 20 phase_is says Failed
is "what it wrote is its message" "$(message says file)" $'the disk is\ngone'
is "any user of the container may write it, whatever the root file system is" "$(message says user)" mine
is "the path is the manifest's" "$(message says place)" there
is "it may be in a volume" "$(message says volume)" within
ok "FallbackToLogsOnError: the last 80 lines of the log" await 30 messages_are says logs "$(seq 21 100)"
ok "of which 1536 bytes are this container's share in a pod of eight" await 30 eval '[ "$(of says long ".state.terminated.message | length")" = 1536 ]'
is "only if it has failed" "$(message says well)" ""
is "and the file is empty" "$(message says both)" file
ok "describe shows each line" bash -c '"$1" --root "$2" describe pod says | grep -A1 "Message: *the disk is$" | grep -q "^ *gone$"' - "$builddir/bin/podctl" "$ROOT"

ok "hostile containers end" await 60 eval 'phase_is evil Failed && phase_is huge Failed'
is "control bytes are made safe" "$(message evil bytes)" 'a?[31mb??c'
is "a file that should be huge is as large as the pod's share" "$(of huge huge '.state.terminated.message | length')" 4096
ok "and takes no more of the host" test "$(du -sk "$(messages_dir huge)" | cut -f1)" -le 512
is "a hole is no message" "$(message evil hole)" ""
ok "containers that put something else in the place of the file end" await 20 phase_is root Failed
is "by themselves" "$(field root '[.status.containerStatuses[].state.terminated.exitCode | tostring] | join(" ")')" "7 7 7"
is "and podd reads nobody else's file" "$(field root '[.status.containerStatuses[] | .state.terminated.message // "-"] | join(" ")')" "- - -"

ok "a pod that runs" ready again
pid=$(member_pid again app)
podd_kill
touch "$ROOT/told/die"
ok "its container ends while podd is away" await 30 bash -c '! kill -0 "$1" 2>/dev/null' - "$pid"
podd_start
ok "podd tells its message" await 30 messages_are again app died
ok "the next start has a file of its own" await 30 restarts_are again app 1
ok "and runs" await 30 ready_is again True
podd_kill
podd_start
ok "after another restart of podd the message is still there" await 30 messages_are again app died
is "no more files are kept than told of" "$(ls "$(messages_dir again)")" $'app.0\napp.1'

leaves_nothing
podd_stop
finish
