#!/bin/bash
# Groups and kernel parameters: what the manifest gives, what the image gives, and what a pod may not have.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

image=$ROOT/image
mkdir -p "$image/bin" "$image/etc" "$ROOT/etc/podd"
cp "$builddir/tests/lib/inmate" "$image/bin/inmate"
echo 'dora:x:500:501::/home/dora:/bin/sh' >"$image/etc/passwd"
echo 'allowedUnsafeSysctls: [net.core.somaxconn, "kernel.msg*"]' >"$ROOT/etc/podd/podd.yaml"

inmate() { # NAME POD-SECURITY-CONTEXT [MORE]
	pod "$1" <<X
  terminationGracePeriodSeconds: 0
  securityContext: $2
${3:-}
  containers:
  - {name: c, image: "rootfs:$image", command: [/bin/inmate, sleep]}
X
}
facts() { podctl exec "$1" -- /bin/inmate facts; }
groups_of() { awk '$1 == "Groups:" { $1 = ""; print }' "/proc/$(member_pid "$1" c)/status" | xargs; }
inside() { nsenter -t "$(member_pid "$1" c)" -n -i cat "/proc/sys/$2" | tr '\t' ' '; }
reason_is() { [ "$(of "$1" c .state.waiting.reason)" = "$2" ]; }

podd_start || exit 1
inmate merged '{runAsUser: 500, runAsGroup: 501, supplementalGroups: [600, 601]}'
inmate strict '{runAsUser: 500, runAsGroup: 501, supplementalGroups: [600, 601], supplementalGroupsPolicy: Strict}'
inmate safe '{sysctls: [{name: net.ipv4.tcp_syncookies, value: "0"}, {name: net/ipv4/ip_local_port_range, value: 2000 3000}]}'
inmate unsafe '{sysctls: [{name: net.ipv4.tcp_mem, value: "1 2 3"}]}'
inmate allowed '{sysctls: [{name: net.core.somaxconn, value: "77"}, {name: kernel.msgmax, value: "4242"}]}'
inmate hosts '{sysctls: [{name: kernel.panic, value: "1"}]}'
inmate wrong '{sysctls: [{name: net.ipv4.tcp_syncookies, value: many}]}'
inmate strange '{sysctls: [{name: net.core.somaxconn/../../../kernel/panic, value: "1"}]}'
for p in merged strict safe allowed; do ready $p; done
is "groups of the manifest beside the primary one" "$(groups_of merged)" "501 600 601"
is "Strict: without those of the image" "$(groups_of strict)" "501 600 601"
is "an exec has them too" "$(facts strict | sed -n 's/^status.Groups: //p' | xargs)" "501 600 601"
is "a safe sysctl" "$(inside safe net/ipv4/tcp_syncookies)" 0
is "... written with slashes" "$(inside safe net/ipv4/ip_local_port_range)" "2000 3000"
is "... is the pod's alone" "$(cat /proc/sys/net/ipv4/ip_local_port_range | tr '\t' ' ')" "$(inside merged net/ipv4/ip_local_port_range)"
is "sysctls that the node allows, of network and IPC" "$(inside allowed net/core/somaxconn) $(inside allowed kernel/msgmax)" "77 4242"
ok "a sysctl that the node does not allow" await 20 reason_is unsafe SysctlForbidden
like "... with the way out" "$(of unsafe c .state.waiting.message)" 'net.ipv4.tcp_mem.*allowedUnsafeSysctls'
ok "a sysctl of the host's" await 20 reason_is hosts SysctlForbidden
like "... says that it is" "$(of hosts c .state.waiting.message)" "kernel.panic.*is the host's"
ok "a value that the kernel refuses" await 20 reason_is wrong FailedCreatePodSandBox
like "... names both" "$(of wrong c .state.waiting.message)" 'net.ipv4.tcp_syncookies to "many"'
like "a name that is a path out" "$(podctl status)" 'strange.yaml:.*sysctls\[0\].name'
panic=$(cat /proc/sys/kernel/panic)
leaves_nothing
is "the host's own is as it was" "$(cat /proc/sys/kernel/panic)" "$panic"
podd_stop
finish
