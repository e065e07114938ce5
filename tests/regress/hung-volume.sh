#!/bin/bash
# A volume on a file system that did not answer, or was frozen, stopped podd itself, which looked it up.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

# A FUSE server that never answers: nobody reads what the kernel asks.
mkdir "$ROOT/hung" "$ROOT/frozen"
truncate -s 16M "$ROOT/disk"
if ! exec 9<>/dev/fuse || ! mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 hung "$ROOT/hung" ||
	! mkfs.ext4 -q "$ROOT/disk" || ! mount -o loop "$ROOT/disk" "$ROOT/frozen"; then
	pass "a hung volume # SKIP this host has no FUSE or no loop devices"
	finish
fi
fsfreeze -f "$ROOT/frozen"
trap 'fsfreeze -u "$ROOT/frozen" 2>/dev/null' EXIT
podd_start 9>&- || { fail "podd starts"; finish; }

volume() { # NAME HOSTPATH MOUNT
	pod "$1" <<-END
		  terminationGracePeriodSeconds: 0
		  volumes: [{name: v, hostPath: $2}]
		  containers:
		  - {name: app, image: "rootfs:/", command: [sleep, infinity], volumeMounts: [{name: v, $3}]}
	END
}
volume hung "{path: $ROOT/hung/dir}" 'mountPath: /mnt'
volume deleted "{path: $ROOT/hung/dir}" 'mountPath: /mnt'
volume frozen "{path: $ROOT/frozen/dir, type: DirectoryOrCreate}" 'mountPath: /mnt'
volume part "{path: $ROOT/frozen}" 'mountPath: /mnt, subPath: part'
volume well "{path: $ROOT/new, type: DirectoryOrCreate}" 'mountPath: /mnt'
ok "a pod beside them starts" ready well
is "they wait" "$(for p in hung deleted frozen part; do of $p app .state.waiting.reason; done)" "$(printf 'ContainerCreating\n%.0s' 1 2 3 4)"
rm "$PODS/deleted.yaml"
ok "one can be deleted" await 20 gone deleted
fsfreeze -u "$ROOT/frozen"
ok "when the disk goes on, so do those that it held up" eval 'ready frozen 60s && ready part 60s'
ok "in what was made for them" [ -d "$ROOT/frozen/dir" -a -d "$ROOT/frozen/part" ]
exec 9>&- # now the kernel answers in the server's place
ok "a server that died is told" await 60 eval 'podctl describe pod hung | grep -qF "volume \"v\": hostPath $ROOT/hung/dir: Transport endpoint is not connected"'
leaves_nothing
umount "$ROOT/frozen"
podd_stop
finish
