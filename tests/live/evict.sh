#!/bin/bash
# Limits on the disk: who holds more is evicted, stays so over podd's death, and begins anew, with empty volumes, when it is edited or restarted.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mkdir -p "$ROOT/etc/podd"
echo 'volumeStatsAggPeriod: 100ms' >"$ROOT/etc/podd/podd.yaml"
evicted() { [ "$(field "$1" .status.phase)" = Failed ] && [ "$(field "$1" .status.reason)" = Evicted ]; }
message() { podctl get pod "$1" -o json | jq -r .status.message; }
volume_is() { [ "$(ls -A "$ROOT/var/lib/podd/pods/$(pod_uid "$1")/volumes/v" 2>&1)" = "$2" ]; }
holds() { podctl exec "$1" -c app -- sh -c "$2" >/dev/null; } # POD COMMAND
fill="dd if=/dev/zero bs=64k count=32 2>/dev/null" # 2 Mi
podd_start || exit 1

pod volume <<EOF
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "$fill of=/mnt/full; exec sleep 1000"], volumeMounts: [{name: v, mountPath: /mnt}]}
  volumes: [{name: w, emptyDir: {}}, {name: v, emptyDir: {sizeLimit: 1Mi}}]
EOF
pod layer <<EOF
  containers:
  - {name: idle, image: "rootfs:/", command: [sleep, "1000"], resources: {limits: {ephemeral-storage: 8Mi}}}
  - {name: app, image: "rootfs:/", command: [sh, -c, "$fill of=/var/tmp/podd-full; exec sleep 1000"], resources: {limits: {ephemeral-storage: 1Mi}}}
EOF
pod logs <<EOF
  restartPolicy: Never
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "$fill | od -v; exec sleep 1000"], resources: {limits: {ephemeral-storage: 1Mi}}}
EOF
pod good <<'EOF'
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "1000"]
    resources: {limits: {ephemeral-storage: 4Mi}}
    volumeMounts: [{name: v, mountPath: /mnt}]
  volumes: [{name: v, emptyDir: {sizeLimit: 2Mi}}]
EOF
ready good
holds good 'head -c 1000000 /dev/zero >/mnt/a && ln /mnt/a /mnt/b && ln /mnt/a /mnt/c && ln -s / /mnt/host && truncate -s 1G /mnt/sparse'
for p in volume layer logs; do ok "$p: more than its limit" await 20 evicted $p; done
is "a volume, in the kubelet's words" "$(message volume)" 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '
is "a container" "$(message layer)" 'Container app exceeded its local ephemeral storage limit "1Mi". '
is "a pod, here by its log" "$(message logs)" 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. '
like "a warning tells" "$(podctl events)" 'Warning.*Evicted.*exceeds the limit'
ok "what the pod held is gone" await 20 eval '[ ! -e "$ROOT/var/lib/podd/pods/$(pod_uid volume)/volumes" ]'
ok "its containers have ended" await 20 eval '[ "$(of volume app .state.terminated.exitCode)" = 137 ]'

podd_kill
podd_start
ok "evicted it stays when podd was killed" await 20 evicted volume
is "for the same reason" "$(message volume) $(of volume app .restartCount)" 'Usage of EmptyDir volume "v" exceeds the limit "1Mi".  0'

sed -i 's/sizeLimit: 1Mi/sizeLimit: 4Mi/' "$PODS/volume.yaml"
podctl restart layer >/dev/null
ready volume
ok "an edit begins anew, with what the limit allows" await 20 volume_is volume full
ok "a restart by hand begins anew, too, and ends likewise" await 20 eval '[ "$(of layer app .restartCount)" = 1 ] && evicted layer'
is "links count once, holes and what they lead to do not" "$(field good .status.phase) $(of good app .restartCount)" "Running 0"
holds good 'cd /mnt; i=0; while [ $i -lt 420 ]; do mkdir d && cd -P d || exit 1; i=$((i + 1)); done'
ok "nobody hides in directories that are nested too deep" await 20 evicted good
leaves_nothing
podd_stop
finish
