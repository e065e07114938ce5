#!/bin/bash
# The Pod Security Standards, seen from inside: a pod that satisfies *restricted* has each of its properties, and a pod that says nothing
# is within *baseline*. Main program, exec, probes and hooks are confined alike, fact by fact.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

image=$ROOT/image
mkdir -p "$image/bin"
cp "$builddir/tests/lib/inmate" "$image/bin/inmate"
podd_start || exit 1

# The main program leaves its facts in /dev/shm, which every pod can write to.
pod plain <<X
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: "rootfs:$image", command: [/bin/inmate, /dev/shm/facts]}
X
pod restricted <<X
  terminationGracePeriodSeconds: 0
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: c
    image: "rootfs:$image"
    command: [/bin/inmate, /dev/shm/facts]
    securityContext:
      runAsUser: 1000
      runAsGroup: 1000
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
X
pod mixed <<X
  terminationGracePeriodSeconds: 0
  securityContext: {supplementalGroups: [7000]}
  containers:
  - name: c
    image: "rootfs:$image"
    command: [/bin/inmate, /dev/shm/facts]
    workingDir: /var/work
    env: [{name: COLOUR, value: green}]
    resources: {requests: {memory: 64Mi}, limits: {memory: 128Mi}}
    securityContext: {runAsUser: 2000, capabilities: {drop: [KILL], add: [NET_ADMIN]}}
X
# One whose probes and hooks look around too.
out=$ROOT/out
mkdir -m 0777 "$out"
pod watched <<X
  terminationGracePeriodSeconds: 20
  volumes: [{name: out, hostPath: {path: "$out"}}]
  containers:
  - name: c
    image: "rootfs:$image"
    command: [/bin/inmate, /out/main]
    workingDir: /out
    volumeMounts: [{name: out, mountPath: /out}]
    resources: {requests: {memory: 64Mi}, limits: {memory: 128Mi, cpu: 500m}}
    startupProbe: {exec: {command: [/bin/inmate, into, /out/startup]}, timeoutSeconds: 60}
    livenessProbe: {exec: {command: [/bin/inmate, into, /out/liveness]}, timeoutSeconds: 60}
    readinessProbe: {exec: {command: [/bin/inmate, into, /out/readiness]}, timeoutSeconds: 60}
    lifecycle:
      postStart: {exec: {command: [/bin/inmate, into, /out/postStart]}}
      preStop: {exec: {command: [/bin/inmate, into, /out/preStop]}}
    securityContext:
      runAsUser: 1000
      runAsGroup: 1001
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
X
# Apart from where its streams lead; each process beside the main one has a cgroup of its own, in the container's one, the
# root of its namespace.
same() { grep -v '^fd\.' | sed -E '/^cgroup\./s|:/x[0-9]+$|:/|'; } # standard input
declare -A main exec
for p in plain restricted mixed; do
	ready $p
	await 30 grep -q call.create_module "/proc/$(member_pid $p c)/root/dev/shm/facts"
	main[$p]=$(cat "/proc/$(member_pid $p c)/root/dev/shm/facts")
	exec[$p]=$(podctl exec $p -- /bin/inmate facts)
	is "$p: an exec finds what the main program finds" \
		"$(diff <(same <<<"${main[$p]}") <(same <<<"${exec[$p]}"))" ""
	is "$p: some 180 facts" "$(($(wc -l <<<"${main[$p]}") >= 170))" 1
done

has() { # POD: each line of standard input is one of its facts
	while IFS= read -r line; do
		[ -z "$line" ] || is "$1: $line" "$(grep -cFx -- "$line" <<<"${main[$1]}")" 1
	done
}
has plain <<'X'
status.Uid: 0 0 0 0
status.Gid: 0 0 0 0
status.Groups: 0 
status.CapInh: 0000000000000000
status.CapPrm: 00000000000005fb
status.CapEff: 00000000000005fb
status.CapBnd: 00000000000005fb
status.CapAmb: 0000000000000000
status.NoNewPrivs: 0
status.Seccomp: 2
status.SigBlk: 0000000000000000
status.SigIgn: 0000000000000000
oom.1000
umask 0022
cwd /
securebits 0
pdeathsig 0
subreaper 0
personality 0x0
nice 0
hostname plain
rlimit.4 0 0
env.PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
env.HOSTNAME=plain
env.HOME=/root
fd.0 tty 0
fd.1 tty 0
fd.2 tty 0
mount./ overlay rw,nodev,relatime super:rw
mount./proc proc rw,nosuid,nodev,noexec,relatime super:rw
mount./dev tmpfs rw,nosuid super:rw
mount./dev/pts devpts rw,nosuid,noexec,relatime super:rw
mount./dev/shm tmpfs rw,nosuid,nodev,noexec,relatime super:rw
mount./dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime super:rw
mount./sys sysfs ro,nosuid,nodev,noexec,relatime super:rw
mount./sys/fs/cgroup tmpfs ro,nosuid,nodev,noexec,relatime super:rw
mount./proc/bus proc ro,nosuid,nodev,noexec,relatime super:rw
mount./proc/fs proc ro,nosuid,nodev,noexec,relatime super:rw
mount./proc/irq proc ro,nosuid,nodev,noexec,relatime super:rw
mount./proc/sys proc ro,nosuid,nodev,noexec,relatime super:rw
dev./dev/tty 20666 5:0 open:ENXIO
dev./dev/urandom 20666 1:9 open:0
dev./dev/random 20666 1:8 open:0
dev./dev/full 20666 1:7 open:0
dev./dev/zero 20666 1:5 open:0
dev./dev/null 20666 1:3 open:0
reach./dev/mem ENOENT
reach./dev/kmsg ENOENT
/proc/sys/net/ipv4/ip_unprivileged_port_start.0
/proc/sys/net/ipv4/ping_group_range.0 2147483647
/proc/sys/kernel/hostname.plain
X
has restricted <<'X'
status.Uid: 1000 1000 1000 1000
status.Gid: 1000 1000 1000 1000
status.Groups: 1000 
status.CapInh: 0000000000000000
status.CapPrm: 0000000000000000
status.CapEff: 0000000000000000
status.CapBnd: 0000000000000000
status.CapAmb: 0000000000000000
status.NoNewPrivs: 1
status.Seccomp: 2
mount./ overlay ro,nodev,relatime super:rw
env.HOME=/
call.mount EPERM
call.unshare EPERM
call.bpf EPERM
X
has mixed <<'X'
status.Uid: 2000 2000 2000 2000
status.Gid: 0 0 0 0
status.Groups: 0 7000 
status.CapBnd: 00000000000015db
status.CapEff: 0000000000000000
cwd /var/work
env.COLOUR=green
X
like "mixed: Burstable's place in the queue of the OOM killer" "$(grep '^oom\.' <<<"${main[mixed]}")" '^oom\.(9[0-9][0-9])$'
# Masked: not there, or empty.
for path in /proc/acpi /proc/asound /proc/interrupts /proc/kallsyms /proc/kcore /proc/keys /proc/kmsg /proc/latency_stats \
	/proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/firmware /sys/kernel/debug /sys/kernel/security \
	/sys/devices/virtual/powercap; do
	like "masked: $path" "$(grep -F "reach.$path " <<<"${main[plain]}")" ' (ENOENT|open:0 content:no .*)$'
done
for path in /proc/bus /proc/fs /proc/irq /proc/sysrq-trigger /sys; do
	like "read-only: $path" "$(grep -F "reach.$path " <<<"${main[plain]}")" ' (ENOENT|.*write:(EROFS|EACCES))$'
done
is "no device beyond the six of /dev" "$(grep -c '^dev\..* 2[0-9]*6[0-9]* ' <<<"${main[plain]}")" 6
a=$(member_pid plain c)
for ns in mnt pid net ipc uts; do
	isnt=$([ "$(readlink "/proc/$a/ns/$ns")" != "$(readlink /proc/self/ns/$ns)" ] && echo own)
	is "a $ns namespace of its own" "$isnt" own
done

ready watched
podctl exec watched -- /bin/inmate into /out/exec
await 60 eval '[ -e "$out/main" ] && [ -e "$out/liveness" ]'
rm "$PODS/watched.yaml"
await 30 gone watched
for who in exec startup readiness liveness postStart preStop; do
	is "$who: confined as the main program is" "$(diff <(same <"$out/main") <(same <"$out/$who") 2>&1)" ""
	is "$who: nothing but the three streams is open" "$(grep -oE '^fd\.[0-9]+' "$out/$who" | sort | paste -sd' ')" "fd.0 fd.1 fd.2"
done
is "main: nothing but the three streams is open" "$(grep -oE '^fd\.[0-9]+' "$out/main" | sort | paste -sd' ')" "fd.0 fd.1 fd.2"
is "the facts name each namespace" "$(grep -cE '^ns\.[a-z]+ [a-z]+:\[[0-9]+\]$' "$out/main")" 8
leaves_nothing
podd_stop
finish
