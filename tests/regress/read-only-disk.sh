#!/bin/bash
# podd did not start when the file system of its state had become read-only, as a worn flash does: the appliance's pods stayed down.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

scribbler() { # NAME: fails wherever it can't write
	pod "$1" <<-'END'
	  terminationGracePeriodSeconds: 0
	  volumes: [{name: data, emptyDir: {}}]
	  containers:
	  - name: app
	    image: rootfs:/
	    volumeMounts: [{name: data, mountPath: /mnt}]
	    command: [sh, -ec, "echo >/mnt/file; echo >/file; echo wrote; exec sleep 1000"]
	END
}
facts() { echo "$(sandbox "$1") $(member_pid "$1" app)"; }

mkdir -p "$ROOT/var" && mount -t tmpfs -o mode=755 var "$ROOT/var"
mkdir "$ROOT/var/log" && mount -t tmpfs -o mode=755 log "$ROOT/var/log"
podd_start || exit 1
scribbler web
await 20 said web app wrote
before=$(facts web) uid=$(pod_uid web)
ok "the disk becomes read-only under podd" await 10 mount -o remount,ro "$ROOT/var"
kill -KILL "$(member_pid web app)"
ok "a container that ends is started again" await 20 replaced web app "${before##* }"
ok "and where it writes is told" eval 'podctl events | grep -q DiskReadOnly'
before=$(facts web)
podd_kill
mount --bind -o ro "$ROOT/var/log" "$ROOT/var/log" # by the log's descriptors it is still writable: the kernel makes no other read-only
podd_start || { fail "podd starts on a read-only disk"; finish; }
is "the pod is the same" "$(facts web)" "$before"
ok "status says what follows" eval 'podctl status | grep -q "/var/lib/podd is read-only"'
scribbler late
ok "a new pod runs" ready late
ok "and has a log" await 20 said late app wrote
before=$(facts late)
podd_kill
podd_start || exit 1
is "podd restarted: it is the same" "$(facts late)" "$before"
ok "with its log" said late app wrote
reboot_host
podd_start || { fail "podd starts on a read-only disk after a reboot"; finish; }
ok "the pods run" eval 'ready web && ready late'
is "what was accepted in better times is the same pod" "$(pod_uid web)" "$uid"
ok "and can be read" await 20 said web app wrote
before=$(facts web)
podd_kill
umount "$ROOT/var/log"
mount -o remount,rw "$ROOT/var"
podd_start || exit 1
is "the disk is well again: the pod is the same" "$(facts web)" "$before"
is "nothing is missing" "$(podctl status | grep read-only)" ""
leaves_nothing
podd_stop

umount -l "$ROOT/var"
mount -t tmpfs -o ro var "$ROOT/var"
podd_start || { fail "podd starts where there never was a disk for it"; finish; }
scribbler web
ok "a pod runs" ready web
ok "with its log" await 20 said web app wrote
before=$(facts web)
podd_kill
podd_start || exit 1
is "podd restarted: it is the same" "$(facts web)" "$before"
leaves_nothing
podd_stop
finish
