#!/bin/bash
# Which devices a container can open: the standard ones and those that its manifest names, whatever nodes it makes.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

image=$ROOT/image
mkdir -p "$image/bin" "$ROOT/dev"
cp "$builddir/tests/lib/inmate" "$image/bin/inmate"
cp /bin/busybox "$image/bin/busybox"
mknod "$ROOT/dev/fuse" c 10 229 && mknod "$ROOT/dev/loop" b 7 0
podd_start || exit 1

spec() { # MOUNTS [SECURITY]
	cat <<X
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: "rootfs:$image"
    command: [/bin/inmate, sleep]
    securityContext: ${2:-{capabilities: {add: [MKNOD]\}\}}
    volumeMounts: [{name: nodes, mountPath: /nodes}, $1]
  volumes:
  - {name: nodes, emptyDir: {}}
  - {name: fuse, hostPath: {path: $ROOT/dev/fuse, type: CharDevice}}
  - {name: loop, hostPath: {path: $ROOT/dev/loop, type: BlockDevice}}
X
}
spec "" | pod plain
spec "{name: fuse, mountPath: /mnt/fuse}, {name: loop, mountPath: /mnt/loop, readOnly: true}" | pod given
spec "" "{privileged: true}" | pod mighty
ready plain && ready given && ready mighty

list() { printf '%s ' "c 1:3" "c 1:5" "c 1:7" "c 1:8" "c 1:9" "$@" "c 5:0" "c 5:1" "c 5:2"; printf 'c 136:%d ' {0..15} {229..255}; }
opened() { podctl exec "$1" -- /bin/inmate open /nodes | tr '\n' ' '; }
write_to() { podctl exec "$1" -- /bin/busybox sh -c "exec 3<>$2" 2>&1; }
is "of all nodes that a container makes only the standard ones open" "$(opened plain)" "$(list)"
is "those that its manifest names do besides" "$(opened given)" "$(list | sed "s/c 136/c 10:229 c 136/")b 7:0 "
is "to be read and written" "$(write_to given /mnt/fuse)" ""
podctl exec given -- /bin/busybox mknod /nodes/loop b 7 0
like "or read, where the mount is read-only, whatever the node" "$(write_to given /nodes/loop)" 'not permitted'
podctl exec mighty -- /bin/busybox mknod /nodes/fuse c 10 229
is "privileged: any" "$(write_to mighty /nodes/fuse)" ""
leaves_nothing
finish
