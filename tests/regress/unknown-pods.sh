#!/bin/bash
# What was left of a pod stayed for good when its accepted version was lost and the machine booted: nobody knew the pod any more.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

STATE=$ROOT/var/lib/podd
writer() { # NAME
	pod "$1" <<-'END'
	  terminationGracePeriodSeconds: 0
	  volumes: [{name: data, emptyDir: {}}]
	  containers:
	  - name: app
	    image: rootfs:/
	    volumeMounts: [{name: data, mountPath: /mnt}]
	    command: [sh, -c, "echo start >>/mnt/file; exec sleep 1000"]
	END
}
there() { [ -d "$STATE/pods/$1" ] && [ -n "$(ls -d "$ROOT"/var/log/pods/*_"$1" 2>/dev/null)" ]; }
starts() { cat "$STATE/pods/$1/volumes/data/file" 2>/dev/null | wc -l; }
starts_are() { [ "$(starts "$1")" = "$2" ]; }

podd_start || exit 1
writer lost
writer kept
ready lost
ready kept
lost=$(pod_uid lost) kept=$(pod_uid kept)
await 20 starts_are "$kept" 1
foreign=${kept/????/0000}
podd_kill
rm "$PODS/lost.yaml" "$STATE/accepted/default_lost.json"
mkdir "$STATE/pods/notes" "$ROOT/var/log/pods/kube-system_dns_$foreign"
reboot_host
podd_start || exit 1
ok "a known pod runs" ready kept
ok "with what its emptyDir held" await 20 starts_are "$kept" 2
ok "nothing is left of the unknown one" eval '! there "$lost" && [ ! -d "$STATE/pods/$lost" ]'
ok "which is told" eval 'podctl events | grep -q "Swept.*$lost"'
ok "what is not podd's stays" test -d "$STATE/pods/notes" -a -d "$ROOT/var/log/pods/kube-system_dns_$foreign"
rmdir "$STATE/pods/notes" "$ROOT/var/log/pods/kube-system_dns_$foreign"

podd_kill
echo oops >>"$STATE/accepted/default_kept.json"
rm "$PODS/kept.yaml"
reboot_host
podd_start || exit 1
ok "a pod that a damaged file may be about keeps what it has" there "$kept"
ok "which is told" grep -q "stay, since one of the damaged files" "$ROOT/podd.log"
podd_kill
rm "$STATE"/accepted/.bad-*
podd_start || exit 1
ok "until that file is removed" await 20 eval '! there "$kept"'
leaves_nothing
podd_stop
finish
