#!/bin/bash
# What containers made hard to remove stayed on the disk for ever, and nobody was told: files that may not change (chattr +i, +a), and directories
# nested deeper than podd may have open files, each of which cost it memory besides.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

ulimit -n 1000
podd_start || exit 1
pod fixed <<'END'
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
  containers:
  - name: app
    image: rootfs:/
    command:
    - sh
    - -c
    - for d in /mnt/v /mnt/m /var; do mkdir -p $d/d/e && echo x >$d/d/f && ln -s f $d/d/link && chattr +i $d/d/f $d/d/e && chattr +a $d/d; done; chattr +i /mnt/v; exec sleep 1000
    securityContext: {capabilities: {add: [LINUX_IMMUTABLE]}}
    volumeMounts: [{name: v, mountPath: /mnt/v}, {name: m, mountPath: /mnt/m}]
END
pod deep <<'END'
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, emptyDir: {}}]
  containers:
  - name: app
    image: rootfs:/
    command: [perl, -e, 'chdir "/mnt/v"; mkdir ".lifted-0"; for (1 .. 1500) { mkdir "d" or die; chdir "d" or die } exec "sleep", "1000"']
    volumeMounts: [{name: v, mountPath: /mnt/v}]
END
volume() { echo "$ROOT/var/lib/podd/pods/$(pod_uid "$1")/volumes/v"; }
ok "a container makes what nobody may change" await 60 eval 'lsattr -d "$(volume fixed)" | grep -q "^....i"'
ok "another nests 1500 directories" await 60 eval '[ "$(find "$(volume deep)" | wc -l)" = 1502 ]'
# As a privileged container may by a mount that is Bidirectional.
mkdir "$ROOT/host" "$(volume deep)/mounted" && echo precious >"$ROOT/host/file" && touch "$(volume deep)/over"
mount --bind "$ROOT/host" "$(volume deep)/mounted" && mount --bind "$ROOT/host/file" "$(volume deep)/over"
rm "$PODS"/*.yaml
ok "their pods go" await 60 eval 'gone fixed && gone deep'
trash() { ls -A "$ROOT/var/lib/podd/trash"; }
ok "and what they left" await 60 eval '[ -z "$(trash)" ]'
is "but nothing that was mounted there" "$(cat "$ROOT/host/file")" precious
is "of which podd has no trouble to tell" "$(grep removing "$ROOT/podd.log")" ""
leaves_nothing
podd_stop
finish
