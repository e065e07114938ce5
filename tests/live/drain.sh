#!/bin/bash
# podd --drain: with and without a podd before it, all pods end within their grace, nothing is held afterwards. The cgroup root is absolute, as
# under systemd.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
root="/$PODD_HOST"

drain() { timeout 60 "$builddir/bin/podd" --root "$ROOT" --cgroup-root "$root" --drain 2>>"$ROOT/podd.log"; }

podd_start --cgroup-root "$root"
for name in slow quick; do
	pod $name <<-S
		  terminationGracePeriodSeconds: 30
		  volumes: [{name: said, hostPath: {path: $ROOT, type: Directory}}]
		  containers:
		  - name: app
		    image: rootfs:/
		    volumeMounts: [{name: said, mountPath: /mnt}]
		    command: [sh, -c, 'trap "sleep $([ $name = slow ] && echo 1 || echo 0); echo $name >>/mnt/ended; exit 0" TERM; echo trapped; while :; do sleep 0.1; done']
	S
	ok "$name is ready" ready $name
	await 20 said $name app trapped
done
ok "podd is in no cgroup of its own making" test ! -e "$(cgroup_v2)/$PODD_HOST/supervisor"
ok "beside a podd it refuses" sh -c '! "$1"/bin/podd --root "$2" --drain' - "$builddir" "$ROOT"
podd_stop
pod late <<<"  terminationGracePeriodSeconds: 2
  containers: [{name: app, image: 'rootfs:/', command: [sleep, '1000']}]"
ok "it ends by itself" drain
is "each pod had the time that it needs" "$(sort "$ROOT/ended" | xargs)" "quick slow"
ok "no process is left" sh -c '! grep -q . $(find "$1" -name cgroup.procs) /dev/null' - "$(cgroup_v2)/$PODD_HOST"
is "no mount is left" "$(grep -c " $ROOT/run/podd/" /proc/self/mounts)" 0
ok "again, with nothing to do" drain
podd_start --cgroup-root "$root"
for name in slow quick late; do ok "$name runs when podd is started again" ready $name; done
for name in slow quick; do await 20 said $name app trapped; done
podd_kill
ok "after a podd that was killed" drain
is "each pod had its time" "$(sort "$ROOT/ended" | xargs)" "quick quick slow slow"
podd_start --cgroup-root "$root"
leaves_nothing
podd_stop
finish
