#!/bin/bash
# hostUsers: false: root inside is nobody outside; files of image, emptyDir and hostPath have the right owners on both sides; ids are the pod's
# alone and survive podd.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

busybox=$(command -v busybox) || { echo "not ok 1 - busybox is installed"; exit 1; }
image=$ROOT/image shared=$ROOT/shared
mkdir -p "$image/bin" "$image/etc" "$image/srv" "$shared"
cp "$busybox" "$image/bin/busybox" && cp "$builddir/tests/lib/inmate" "$image/bin/inmate"
for a in sh cat ls stat touch id chown mkdir hostname sleep mknod mount rm; do ln -s busybox "$image/bin/$a"; done
echo root-owned >"$image/srv/root" && echo dora >"$image/srv/dora" && chown 500:501 "$image/srv/dora"
echo outside >"$shared/root" && chmod 600 "$shared/root"

users() { # NAME [MORE OF THE CONTAINER]
	pod "$1" <<X
  hostUsers: false
  terminationGracePeriodSeconds: 0
  volumes: [{name: e, emptyDir: {}}, {name: h, hostPath: {path: $shared}}, {name: m, emptyDir: {medium: Memory}}]
  containers:
  - name: c
    image: "rootfs:$image"
    command: [/bin/inmate, sleep]
    volumeMounts: [{name: e, mountPath: /e}, {name: h, mountPath: /h}, {name: m, mountPath: /m}]
    ${2:-}
X
}
in_it() { podctl exec "$@" 2>&1; }
outside() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$(member_pid "$1" c)/status"; }
first() { awk '{ print $2 }' "/proc/$(member_pid "$1" c)/uid_map"; }
owner() { stat -c '%u:%g' "$@"; }

podd_start || exit 1
users a
users b
users c 'securityContext: {runAsUser: 1000, runAsGroup: 1000}'
users unmasked 'securityContext: {procMount: Unmasked}'
users admin 'securityContext: {capabilities: {add: [SYS_ADMIN]}}'
users mighty 'securityContext: {privileged: true}'
pod plain <<X
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: "rootfs:$image", command: [/bin/inmate, sleep]}]
X
for p in a b c unmasked admin mighty plain; do ready $p; done
base=$(first a)
state=$ROOT/var/lib/podd/pods/$(pod_uid a)

ok "ids of its own, 65536 of them, beyond all users of the host" [ "$base" -ge $((1 << 30)) ]
is "the whole map" "$(cat "/proc/$(member_pid a c)/uid_map" "/proc/$(member_pid a c)/gid_map" | xargs)" "0 $base 65536 0 $base 65536"
is "root inside is that id outside" "$(outside a Uid) $(outside a Gid)" "$base $base"
like "... and root to itself" "$(in_it a -- /bin/id)" '^uid=0 gid=0'
is "a user inside" "$(outside c Uid) $(outside c Gid)" "$(($(first c) + 1000)) $(($(first c) + 1000))"
ok "two pods share no id" [ "$(first a)" != "$(first b)" ]
is "an exec is there too" "$(in_it a -- /bin/inmate facts | grep -E '^(uid_map|status.(Uid|CapEff|CapBnd|Seccomp))')" \
	"$(grep -hE '^(Uid|CapEff|CapBnd|Seccomp):' "/proc/$(member_pid a c)/status" | tr '\t' ' ' | sed "s/^/status./; s/$base/0/g"; sed 's/^/uid_map./' <<<"         0 $base      65536")"

# --- files ---
is "the image's files inside" "$(in_it a -- /bin/stat -c '%u:%g' /srv/root /srv/dora / | xargs)" "0:0 500:501 0:0"
is "... and outside, untouched" "$(owner "$image/srv/root" "$image/srv/dora" | xargs)" "0:0 500:501"
is "a file in an emptyDir" "$(in_it a -- /bin/sh -c 'touch /e/f && chown 7:8 /e/f && stat -c %u:%g /e/f')" 7:8
is "... outside" "$(owner "$(find "$state" -name f)")" 7:8
is "a file in a hostPath" "$(in_it a -- /bin/sh -c 'touch /h/a && stat -c %u:%g /h/a /h/root | xargs' | xargs)" "0:0 0:0"
is "... outside" "$(owner "$shared/a")" 0:0
is "root inside reads root's files in a volume" "$(in_it a -- /bin/cat /h/root)" outside
like "another user does not" "$(in_it c -- /bin/cat /h/root)" 'Permission denied'
is "another pod sees the same owner" "$(in_it b -- /bin/stat -c '%u:%g' /h/a)" 0:0
is "a file of its own root file system" "$(in_it a -- /bin/sh -c 'mkdir /own && stat -c %u:%g /own')" 0:0
is "... is nobody's outside" "$(owner "/proc/$(member_pid a c)/root/own")" "$base:$base"
is "a volume in memory" "$(in_it a -- /bin/sh -c 'touch /m/x && stat -c %u:%g /m/x')" 0:0

# --- what works inside, and what does not ---
ok "sysfs" podctl exec a -- /bin/ls /sys/class/net/eth0
ok "message queues" podctl exec a -- /bin/touch /dev/mqueue/q
is "ping" "$(in_it a -- /bin/inmate call socket_ping)" "call.socket_ping 0"
is "sethostname, with the capability" "$(in_it admin -- /bin/sh -c 'hostname other && hostname')" other
ok "... mounting, likewise" podctl exec admin -- /bin/mount -t tmpfs none /srv
like "... but nothing that was hidden appears" "$(in_it admin -- /bin/inmate facts | grep reach./proc/kallsyms)" 'content:no'
ok "/dev is its own" podctl exec a -- /bin/touch /dev/log
is "a port below 1024" "$(in_it a -- /bin/inmate facts | grep -c 'ip_unprivileged_port_start.0')" 1
like "device nodes can't be made" "$(in_it mighty -- /bin/mknod /e/null c 1 3)" 'not permitted'
like "privileged is not so here: the host's kernel can't be told anything" "$(in_it mighty -- /bin/sh -c 'echo 1 >/proc/sys/kernel/panic')" 'Permission denied|Read-only|nonexistent'
like "procMount Unmasked shows all of /proc" "$(in_it unmasked -- /bin/inmate facts | grep reach./proc/sys\ )" 'open:0 content:yes'
is "... nothing is mounted over it" "$(grep -c ' /proc/' "/proc/$(member_pid unmasked c)/mountinfo")" 0
is "the network namespace is the pod's users'" "$(readlink "/proc/$(member_pid a c)/ns/user")" "$(in_it a -- /bin/ls -l /proc/self/ns/user | sed 's/.* //')"

# --- podd goes and comes ---
before=$(sandbox a; member_pid a c)
podd_kill
podd_start
ready a
is "podd's death changes nothing" "$(sandbox a; member_pid a c)" "$before"
old=$(member_pid a c)
kill -9 "$old"
ok "a member that ends is back" await 20 replaced a c "$old"
is "... with the same ids" "$(first a)" "$base"
is "... and its files" "$(in_it a -- /bin/stat -c %u:%g /e/f)" 7:8
podd_stop
rm "$ROOT/var/lib/podd/leases.ids"
podd_start
ready a
old=$(member_pid a c)
kill -9 "$old"
ok "without the file of leases, too" await 20 replaced a c "$old"
is "... the ids stay" "$(first a) $(in_it a -- /bin/sh -c 'touch /dev/log && stat -c %u:%g / /dev/log' | xargs)" "$base 0:0 0:0"
users d
ready d
ok "a new pod gets others" [ "$(first d)" != "$base" ]
leaves_nothing
podd_stop
finish
