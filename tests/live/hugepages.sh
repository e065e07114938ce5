#!/bin/bash
# Huge pages: their limits are written, 0 for who asks for none beside one who does; volumes of them; a pod is refused where there are none.
# The pages themselves would have to be reserved by the host, whose settings are not a test's to change.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

huge=/sys/kernel/mm/hugepages
top=$(cgroup_v2)
before=$(cat "$top/cgroup.subtree_control")
of_controller() { grep -qw hugetlb "$top/cgroup.controllers" || awk '$3 == "cgroup" && $4 ~ /hugetlb/ { f = 1 } END { exit !f }' /proc/mounts; }
limit() { # POD CONTAINER SIZE
	local h f
	for h in $(host_hierarchies); do
		for f in "$h/$PODD_HOST"/*/pod"$(pod_uid "$1")"/members/"$2".*/hugetlb."$3".{max,limit_in_bytes}; do [ ! -f "$f" ] || cat "$f"; done
	done
}
waits_because() { of "$1" app .state.waiting.message | grep -qF -- "$2"; }
asks() { # NAME SIZE AMOUNT
	pod "$1" <<EOF
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"], resources: {limits: {memory: 64Mi, hugepages-$2: $3}}}]
EOF
}
podd_start || exit 1
if of_controller && [ -d $huge/hugepages-2048kB ]; then
	pod both <<'EOF'
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "1000"]
    resources: {limits: {memory: 64Mi, hugepages-2Mi: 4Mi}}
    env: [{name: HUGE, valueFrom: {resourceFieldRef: {resource: limits.hugepages-2Mi, divisor: 1Mi}}}]
    volumeMounts: [{name: v, mountPath: /mnt}]
  - {name: other, image: "rootfs:/", command: [sleep, "1000"]}
  volumes: [{name: v, emptyDir: {medium: HugePages-2Mi}}]
EOF
	ready both
	is "the limit" "$(limit both app 2MB)" 4194304
	is "who asks for none has none" "$(limit both other 2MB)" 0
	is "a volume of them" "$(podctl exec both -c app -- stat -fc '%T %S' /mnt)" "hugetlbfs 2097152"
	is "of which everybody may take, as of any emptyDir" "$(podctl exec both -c app -- stat -c %a /mnt)" 777
	is "a variable" "$(podctl exec both -c app -- printenv HUGE)" 4
	before_pid=$(anchor_pid both)
	sed -i 's/hugepages-2Mi: 4Mi/hugepages-2Mi: 2Mi/' "$PODS/both.yaml"
	ok "another limit is another sandbox" await 20 eval '[ "$(limit both app 2MB)" = 2097152 ] && [ "$(anchor_pid both)" != "$before_pid" ]'
	mount -t tmpfs none $huge && mkdir $huge/hugepages-2048kB # a kernel without the other size
	asks small 1Gi 1Gi
	ok "a size that the kernel does not have" await 20 waits_because small 'this kernel has no huge pages of 1Gi'
	umount $huge
else
	asks small 2Mi 2Mi
	ok "without controller or pages a pod is refused" await 20 waits_because small 'huge'
fi
leaves_nothing
podd_stop
# Enabled here for the first time, it goes again from where it stays: the top of the tree.
if [ "$(cat "$top/cgroup.subtree_control")" != "$before" ]; then
	find "$top/$PODD_HOST" -depth -type d | while read -r d; do echo -hugetlb >"$d/cgroup.subtree_control"; done
	echo -hugetlb >"$top/cgroup.subtree_control" 2>/dev/null # unless another test's podd needs it by now
fi
finish
