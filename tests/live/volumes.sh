#!/bin/bash
# Volumes and how they are mounted: claims outlive pods, parts and options of a mount, types of hostPath.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

in_pod() { podctl exec "$1" -c app -- sh -c "$2" 2>/dev/null; } # POD COMMAND
refused() { ! "$@"; }
waits_for() { of "$1" app .state.waiting.message | grep -qF -- "$2"; } # POD TEXT
options() { in_pod "$1" "awk '\$5 == \"$2\" { print \$6, \$7 }' /proc/self/mountinfo"; } # POD PATH

mkdir -p "$ROOT/data/below" "$ROOT/data/dir" && echo file >"$ROOT/data/file" && echo deep >"$ROOT/data/dir/deep"
mount --bind "$ROOT/data" "$ROOT/data" && mount --make-shared "$ROOT/data"
mount -t tmpfs below "$ROOT/data/below"
podd_start || exit 1

pod web <<EOF
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "1000"]
    env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    volumeMounts:
    - {name: host, mountPath: /mnt/deep, subPath: dir/deep}
    - {name: host, mountPath: /mnt/plain, readOnly: true}
    - {name: host, mountPath: /mnt/recursive, readOnly: true, recursiveReadOnly: Enabled}
    - {name: host, mountPath: /mnt/follows, mountPropagation: HostToContainer, bindMountOptions: [noexec, nosuid]}
    - {name: scratch, mountPath: /mnt/expr, subPathExpr: \$(POD)/logs}
    - {name: scratch, mountPath: /mnt/scratch}
    - {name: claim, mountPath: /mnt/claim}
    - {name: claim, mountPath: /mnt/claim-ro, readOnly: true}
    - {name: memory, mountPath: /mnt/memory}
    - {name: facts, mountPath: /mnt/facts}
  securityContext: {fsGroup: 2000, fsGroupChangePolicy: OnRootMismatch}
  volumes:
  - {name: facts, downwardAPI: {defaultMode: 0400, items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
  - {name: host, hostPath: {path: $ROOT/data, type: Directory}}
  - {name: scratch, emptyDir: {mode: 0o750}}
  - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
  - {name: claim, persistentVolumeClaim: {claimName: db}}
EOF
ready web
is "a part of a volume" "$(in_pod web 'cat /mnt/deep')" deep
is "a part whose name has a variable is made" "$(in_pod web 'echo x >/mnt/expr/log; cat /mnt/scratch/web/logs/log')" x
is "volumes belong to the pod's group, the mode of an emptyDir is its own" \
	"$(in_pod web 'stat -c "%a %g" /mnt/scratch /mnt/memory /mnt/claim | tr "\n" " "; stat -Lc "%a %g" /mnt/facts/name; id -G')" \
	"2770 2000 2777 2000 2777 2000 440 2000
0 2000"
ok "an emptyDir in memory ends at its size" refused in_pod web 'head -c 2000000 /dev/zero >/mnt/memory/full'
ok "read-only is not what is mounted below" in_pod web 'touch /mnt/below 2>/dev/null; touch /mnt/plain/below/x'
ok "unless that is asked for" refused in_pod web 'touch /mnt/recursive/below/y'
like "options of a mount" "$(options web /mnt/follows)" 'nosuid.*noexec'
like "it follows the host's mounts" "$(options web /mnt/follows)" 'master:'
is "the others are private" "$(options web /mnt/plain | grep -cE 'shared|master')" 0
mkdir "$ROOT/data/late" && mount -t tmpfs late "$ROOT/data/late" && touch "$ROOT/data/late/seen"
is "a later mount of the host shows where it is to" "$(in_pod web 'ls /mnt/follows/late /mnt/plain/late | tr -d "\n"')" "/mnt/follows/late:seen/mnt/plain/late:"
umount "$ROOT/data/late"

in_pod web 'echo kept >/mnt/claim/file'
ok "a claim that is mounted read-only is" refused in_pod web 'touch /mnt/claim-ro/x'
rm "$PODS/web.yaml"
await 20 gone web
is "a claim is a directory that stays" "$(cat "$ROOT/var/lib/podd/volumes/db/file")" kept
{
	printf 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: db}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n'
	printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: again}\nspec:\n  terminationGracePeriodSeconds: 0\n'
	cat <<'EOF'
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: c, mountPath: /mnt}]}
  volumes: [{name: c, persistentVolumeClaim: {claimName: db, readOnly: true}}]
EOF
} | put again.yaml
ready again
is "the next pod finds it, also with a document of the claim" "$(in_pod again 'cat /mnt/file')" kept
ok "and can't write to it, as it asked" refused in_pod again 'touch /mnt/x'
{ cat "$PODS/again.yaml" | sed 's/name: again/name: other, namespace: lab/; s/, readOnly: true//'; } | put lab.yaml
await 30 test -d "$ROOT/var/lib/podd/volumes/lab_db"
ok "another namespace has claims of its own" test -d "$ROOT/var/lib/podd/volumes/lab_db"

# --- hostPath types -----------------------------------------------------------------------------------------------------------

(cd "$ROOT/data" && mkfifo fifo && ln -s dir link && mknod null c 1 3 && mknod loop b 7 200 && ln -s nowhere dangling)
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1) or die' "$ROOT/data/socket" 2>/dev/null
type_pod() { # NAME PATH TYPE
	pod "$1" <<EOF
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: v, mountPath: /mnt/v}]}]
  volumes: [{name: v, hostPath: {path: $ROOT/data/$2, type: "$3"}}]
EOF
}
good="dir:Directory link:Directory dir: made:DirectoryOrCreate file:File made.txt:FileOrCreate null:CharDevice loop:BlockDevice"
[ -S "$ROOT/data/socket" ] && good="$good socket:Socket"
bad="file:Directory dir:File dir:FileOrCreate file:DirectoryOrCreate fifo:File file:Socket file:CharDevice null:BlockDevice none:Directory none:File dangling:"
n=0
for c in $good $bad; do n=$((n + 1)); type_pod "t$n" "${c%%:*}" "${c#*:}"; done
# The first loop device: a container can open it only where the manifest says so. (Without a driver the kernel says so, ENXIO, beyond the cgroup.)
type_pod device loop BlockDevice
type_pod nodevice "" Directory
ready device && ready nodevice
opens() { podctl exec "$1" -c app -- sh -c "exec 3<$2" 2>&1; }
ok "a device named as such may be opened" sh -c "! grep -q 'not permitted'" <<<"$(opens device /mnt/v)"
like "one that only lies in a directory may not" "$(opens nodevice /mnt/v/loop)" 'not permitted|denied'
n=0
for c in $good; do n=$((n + 1)); ok "hostPath ${c%%:*} is a good \"${c#*:}\"" ready "t$n"; done
for c in $bad; do
	n=$((n + 1))
	ok "hostPath ${c%%:*} is no \"${c#*:}\"" await 30 waits_for "t$n" 'volume "v": hostPath'
done

umount "$ROOT/data/below"
leaves_nothing
umount "$ROOT/data"
finish
