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

# --- by name
mkdir -p "$ROOT/etc/cdi" "$ROOT/lib"
echo driver >"$ROOT/lib/driver"
named() { # NAME DEVICES [SECURITY]
	put "$1.yaml" <<X
apiVersion: v1
kind: Pod
metadata: {name: $1, annotations: {podd.dev/devices: "$2"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: "rootfs:$image", command: [/bin/inmate, sleep], env: [{name: WHICH, value: none}], securityContext: ${3:-{\}}}
X
}
in_it() { podctl exec "$1" -- /bin/busybox sh -c "$2"; }
says() { of "$1" c .state.waiting.message | grep -qF -- "$2"; }
cat >"$ROOT/etc/cdi/gpu.yaml" <<X
cdiVersion: 0.6.0
kind: vendor.com/gpu
containerEdits:
  env: [GPU=yes]
  additionalGids: [4321]
devices:
- name: "0"
  containerEdits:
    env: [WHICH=first]
    deviceNodes:
    - {path: /dev/gpu/card0, hostPath: $ROOT/dev/fuse, type: c, major: 10, minor: 229, permissions: r}
    mounts: [{hostPath: $ROOT/lib, containerPath: /usr/lib/gpu, options: [ro, nosuid, nodev, bind]}]
- name: all
  containerEdits: {deviceNodes: [{path: /dev/gpu/loop, hostPath: $ROOT/dev/loop, fileMode: 384, uid: 7, gid: 8}]}
- {name: wrong, containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $ROOT/dev/loop, major: 8}]}}
X
cat >"$ROOT/etc/cdi/hooks.json" <<X
{"cdiVersion": "0.6.0", "kind": "vendor.com/hooked", "devices": [{"name": "0", "containerEdits":
  {"hooks": [{"hookName": "createContainer", "path": "/bin/true"}]}}]}
X
named gpu "vendor.com/gpu=0, vendor.com/gpu=all"
named user "vendor.com/gpu=0" "{runAsUser: 1000}"
named late "vendor.com/late=0"
named wrong "vendor.com/gpu=wrong"
named hooked "vendor.com/hooked=0"
ready gpu && ready user
is "its nodes, as the vendor or the host has them" "$(in_it gpu 'stat -c "%F %t:%T %a %u:%g" /dev/gpu/card0 /dev/gpu/loop')" \
	"character special file a:e5 $(stat -c %a "$ROOT/dev/fuse") 0:0
block special file 7:0 600 7:8"
is "the user's, where nothing else is said" "$(in_it user 'stat -c %u:%g /dev/gpu/card0')" 1000:0
is "variables, groups and files, in an exec as in the container" "$(in_it gpu 'echo $GPU $WHICH $(id -G) $(cat /usr/lib/gpu/driver)'
	tr "\0" "\n" <"/proc/$(member_pid gpu c)/environ" | grep -E "GPU|WHICH" | sort | xargs; awk '$1 == "Groups:" { print $3 }' "/proc/$(member_pid gpu c)/status")" \
	"yes first 0 4321 driver
GPU=yes WHICH=first
4321"
like "read-only, if so" "$(in_it gpu 'echo >/usr/lib/gpu/driver' 2>&1)" 'Read-only'
is "they can be opened" "$(in_it gpu 'exec 3</dev/gpu/card0' 2>&1; write_to gpu /dev/gpu/loop | grep 'not permitted')" ""
like "with the permissions of the vendor" "$(write_to gpu /dev/gpu/card0)" 'not permitted'
ok "one that nobody describes makes the container wait" await 20 says late "device vendor.com/late=0 is in no file of"
like "with a word about files that are of no use" "$(of late c .state.waiting.message)" 'hooks.json:2:.*hooks: not supported by podd'
ok "a node that is another one than it should be, too" await 20 says wrong "is another one than its specification says: b 7:0"
ok "hooks are refused" await 20 says hooked "hooks: not supported by podd"
mkdir -p "$ROOT/var/run" && mkdir "$ROOT/var/run/.cdi"
sed 's/gpu/late/; s/"0"/0x/' "$ROOT/etc/cdi/gpu.yaml" >"$ROOT/var/run/.cdi/late.yaml"
chmod g+w "$ROOT/var/run/.cdi/late.yaml" && mv "$ROOT/var/run/.cdi" "$ROOT/var/run/cdi"
podctl restart late
ok "a file that others can write to is not believed" await 20 says late "must be a file of root that nobody else can write to"
chmod g-w "$ROOT/var/run/cdi/late.yaml"
sed 's/gpu/late/' "$ROOT/etc/cdi/gpu.yaml" >"$ROOT/var/run/cdi/.new" && mv "$ROOT/var/run/cdi/.new" "$ROOT/var/run/cdi/late.yaml"
ok "it starts when its description comes" ready late
leaves_nothing
finish
