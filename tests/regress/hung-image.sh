#!/bin/bash
# An image in files, or a file of images.d, on a file system that did not answer stopped podd itself, which looked at it.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

HUNG=$ROOT/hung
if ! exec 9<>/dev/fuse; then
	pass "a hung image # SKIP this host has no FUSE"
	finish
fi
mkdir "$HUNG"
image_base "$HUNG/root"
image "$HUNG/image.tar" registry.example/base:1 "$HUNG/root" '{"Cmd": ["sleep", "1000"]}'
image "$HUNG/late.tar" registry.example/late:1 "$HUNG/root" '{"Cmd": ["sleep", "1000"]}'
skopeo --insecure-policy copy -q "docker-archive:$HUNG/image.tar" "oci:$HUNG/layout:base" || { fail "an OCI layout"; finish; }
podd_start 9>&- || { fail "podd starts"; finish; }

runs() { # NAME IMAGE [VOLUME]
	pod "$1" <<-END
		  terminationGracePeriodSeconds: 0
		  volumes: [{name: v, ${3:-emptyDir: {\}}}]
		  containers:
		  - {name: app, image: "$2", command: [sleep, "1000"], volumeMounts: [{name: v, mountPath: /mnt}]}
	END
}
runs before "rootfs:$HUNG/root"
pod hooked <<END
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: "rootfs:$HUNG/root", command: [sleep, "1000"], lifecycle: {preStop: {exec: {command: ["true"]}}}}
END
ok "pods run while the file system answers" eval 'ready before && ready hooked'

# A FUSE server that never answers: nobody reads what the kernel asks. It hides what is there until it goes.
mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 hung "$HUNG" || { fail "mounting it"; finish; }
runs root "rootfs:$HUNG/root"
runs top "rootfs:$HUNG"
runs layout "oci:$HUNG/layout"
runs archive "docker-archive:$HUNG/image.tar"
runs volume rootfs:/ "image: {reference: 'docker-archive:$HUNG/image.tar'}"
runs deleted "docker-archive:$HUNG/image.tar"
ln -s "$HUNG/late.tar" "$ROOT/var/lib/podd/images.d/late.tar"
runs well rootfs:/
ok "a pod beside them starts" ready well
all_wait() { local p; for p in root top layout archive volume deleted; do [ "$(of $p app .state.waiting.reason)" = ContainerCreating ] || return 1; done; }
ok "they wait" await 60 all_wait
rm "$PODS/deleted.yaml"
ok "one can be deleted" await 60 gone deleted
podd_kill
podd_start 9>&- || { fail "podd starts anew beside them"; finish; }
ok "nor do they hold up a new podd" ready well
podctl exec before -- true 9>&- &
exec=$!
rm "$PODS/hooked.yaml" "$PODS/top.yaml"
ok "a hook in a container from there, which must wait, holds up nobody" await 60 eval 'gone hooked && podctl exec well -- true'
runs late registry.example/late:1

umount -l "$HUNG" # what is asked from now on finds the directory beneath
exec 9>&-         # and now the kernel answers those that wait, in the server's place
ln -s "$HUNG/late.tar" "$ROOT/link" && mv -T "$ROOT/link" "$ROOT/var/lib/podd/images.d/late.tar"
ok "when the server is back they start, also what came by images.d" eval 'ready root && ready layout && ready archive && ready volume && ready late'
wait $exec
is "and a command in a container that ran all the time is run" $? 0
leaves_nothing
podd_stop
finish
