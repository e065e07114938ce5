#!/bin/bash
# Containers that hold up who starts beside them, or use up a disk's inodes: nobody but their own pod suffers,
# and that pod can be removed.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mkdir -p "$ROOT/var" && mount -t tmpfs -o nr_inodes=500,mode=755 var "$ROOT/var"
podd_start || exit 1
spec() { # NAME: standard input is more of it
	pod "$1" < <(printf '  terminationGracePeriodSeconds: 0\n' && cat)
}
app() { # COMMAND
	printf '{name: app, image: "rootfs:/", command: %s, volumeMounts: [{name: v, mountPath: /mnt}]}' "$1"
}
spec other <<END
  volumes: [{name: v, emptyDir: {}}]
  containers: [$(app '[sleep, "1000"]')]
END
ready other

# It stops each process it sees: who joins its neighbour, and podd-launch on its way there.
spec stopper <<'END'
  shareProcessNamespace: true
  containers:
  - name: stopper
    image: rootfs:/
    command: [perl, -e, 'my $me = readlink "/proc/self"; while (1) { opendir D, "/proc"; for (readdir D) { kill STOP => $_ if /^[0-9]+$/ && $_ != $me && $_ != 1 } }']
  - {name: app, image: "rootfs:/", command: [sleep, "1000"]}
END
stopped() { grep -q '^State:.T' "/proc/$(member_pid stopper app)/status"; }
ok "a container stops its neighbour" await 60 stopped
"$builddir/bin/podctl" --root "$ROOT" exec stopper -c app -- true 2>/dev/null &
client=$!
ok "others are answered" podctl exec other -- true
podctl restart stopper -c app >/dev/null
podd_kill
podd_start
rm "$PODS/stopper.yaml"
ok "the pod ends, though a start of it was held up when podd was killed" await 60 gone stopper
wait $client

# Inodes.
spec filler <<END
  volumes: [{name: v, emptyDir: {}}]
  containers: [$(app '[sh, -c, "i=0; while touch /mnt/$i; do i=$((i + 1)); done; exec sleep 1000"]')]
END
full() { [ "$(df --output=iavail "$ROOT/var" | tail -n 1 | xargs)" = 0 ]; }
ok "a container uses up the inodes" await 60 full
spec late <<END
  volumes: [{name: v, emptyDir: {}}]
  containers: [$(app '[sleep, "1000"]')]
END
told() { podctl describe pod late | grep -q 'No space left on device'; }
ok "another pod can't start, and says why" await 60 told
old=$(member_pid other app)
podd_kill
podd_start
is "one that runs goes on, also without podd" "$(member_pid other app)" "$old"
ok "... and can be entered" podctl exec other -- true
rm "$PODS/filler.yaml"
ok "the pod with the files can be removed" await 60 gone filler
ok "... then the other starts" ready late
leaves_nothing
podd_stop
finish
