#!/bin/bash
# What a container sees, what it may do, and that nothing it does or its image contains reaches the host. The image is a directory made
# here, with busybox as all of its programs.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

busybox=$(command -v busybox) || { echo "not ok 1 - busybox is installed"; exit 1; }
image=$ROOT/image canary=$ROOT/canary

make_image() { # DIRECTORY: an image to be spoilt
	mkdir -p "$1"/{bin,tmp,etc,proc,sys,dev,data} && cp "$busybox" "$1/bin/busybox"
	local a
	for a in sh cat ls sleep id mount umount mkdir rm ln mv stat dd chmod grep touch kill readlink echo head awk ulimit env; do
		ln -sf busybox "$1/bin/$a"
	done
	echo 'root:x:0:0::/root:/bin/sh' >"$1/etc/passwd"
}
# A pod of one container c that sleeps; standard input is more of the container, at its indentation.
inmate() { # NAME IMAGE [MORE OF THE SPEC]
	{
		printf '  terminationGracePeriodSeconds: 0\n%s\n' "${3:-}"
		printf '  containers:\n  - name: c\n    image: "rootfs:%s"\n    command: [/bin/sleep, "100000"]\n' "$2"
		cat
	} | pod "$1"
}
in_it() { podctl exec "$@" 2>&1; }                              # POD -- COMMAND...
pid_of() { member_pid "$1" c; }
facts() { grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|SigIgn|SigBlk)' "$1"; }
# The same process facts for the first process (from outside) and for an exec (from inside).
main_facts() { facts "/proc/$(pid_of "$1")/status"; }
exec_facts() { in_it "$1" -- /bin/cat /proc/self/status | facts /dev/stdin; }
capability() { main_facts "$1" | awk -v k="Cap$2:" '$1 == k { print $2 }'; }
unharmed() { [ "$(find "$canary" -printf '%P %y %m %s %T@\n' | sort; cat "$canary"/file)" = "$canary_before" ]; }
says() { podctl get pod "$1" -o json | grep -qE "$2"; }
tables() { awk '{ print $5, $6, $9 }' /proc/self/mountinfo | grep -v "^$ROOT/run/podd/" | sort; }
no_pod() { ! exists "$1"; }

make_image "$image"
mkdir -p "$canary/dir" && echo precious >"$canary/file"
canary_before=$(find "$canary" -printf '%P %y %m %s %T@\n' | sort; cat "$canary"/file)
podd_start || exit 1
tables_before=$(tables)

# --- identity ---
inmate plain "$image" </dev/null
inmate user "$image" <<'X'
    securityContext: {runAsUser: 1234, runAsGroup: 2345, allowPrivilegeEscalation: false}
X
inmate none "$image" <<'X'
    securityContext: {capabilities: {drop: [ALL]}}
X
inmate one "$image" <<'X'
    securityContext: {capabilities: {drop: [ALL], add: [NET_ADMIN]}}
X
inmate mighty "$image" <<'X'
    securityContext: {privileged: true}
X
for p in plain user none one mighty; do
	ready $p
	is "$p: an exec has the identity of the first process" "$(exec_facts $p)" "$(main_facts $p)"
	is "$p: no inheritable or ambient capability" "$(capability $p Inh)$(capability $p Amb)" 00000000000000000000000000000000
	is "$p: the first process has stdio and nothing else" "$(ls "/proc/$(pid_of $p)/fd" | tr '\n' ' ')" "0 1 2 "
done 2>/dev/null
is "an exec has stdio and nothing else" "$(in_it plain -- /bin/ls /proc/self/fd | tr '\n' ' ')" "0 1 2 3 " # 3: the directory that ls reads
is "the default capabilities are nine" "$(capability plain Eff) $(capability plain Bnd)" "00000000000005fb 00000000000005fb"
is "drop: [ALL] leaves none" "$(capability none Prm)$(capability none Bnd)" 00000000000000000000000000000000
is "add gives one" "$(capability one Eff)" 0000000000001000
is "privileged has what podd has" "$(capability mighty Eff)" "$(awk '$1 == "CapBnd:" { print $2 }' /proc/$PODD_PID/status)"
is "a user other than root has no effective capabilities" "$(capability user Eff)" 0000000000000000
like "... and its ids" "$(in_it user -- /bin/id)" '^uid=1234 gid=2345( groups=2345)?$'
like "... and no new privileges" "$(main_facts user)" 'NoNewPrivs:.1'
is "umask" "$(in_it plain -- /bin/sh -c umask)" 0022
is "no core files" "$(in_it plain -- /bin/sh -c 'ulimit -c')" 0
is "it leads a session of its own" "$(awk '{ print $6 == $1 }' "/proc/$(pid_of plain)/stat")" 1
is "it is process 1 of its PID namespace" "$(awk '$1 == "NSpid:" { print $NF }' "/proc/$(pid_of plain)/status")" 1
is "no abstract socket is there to connect to" "$(grep -c '@.*podd' /proc/net/unix)" 0

# --- what it sees ---
attributes() { awk -v m="$2" '$5 == m { print $6 }' "/proc/$(pid_of "$1")/mountinfo" | tail -n 1; }
for m in /proc:nosuid,nodev,noexec /dev:nosuid /dev/pts:nosuid,noexec /dev/shm:nosuid,nodev,noexec /dev/mqueue:nosuid,nodev,noexec \
	/sys:ro,nosuid,nodev,noexec /sys/fs/cgroup:ro,nosuid,nodev,noexec /:nodev; do
	for a in $(tr , ' ' <<<"${m#*:}"); do
		like "${m%%:*} is mounted $a" "$(attributes plain "${m%%:*}")" "(^|,)$a(,|\$)"
	done
done
for f in /etc/hosts /etc/hostname /etc/resolv.conf; do
	like "$f can't be written" "$(in_it plain -- /bin/sh -c "echo x >>$f")" 'Read-only'
done
for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /proc/kallsyms; do
	[ -e $f ] && is "$f is masked" "$(in_it plain -- /bin/sh -c "cat $f | head -c 10")" ""
done
for d in /proc/acpi /sys/firmware /sys/kernel/security; do
	[ -e $d ] && is "$d is masked" "$(in_it plain -- /bin/ls $d)" ""
done
for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity /proc/sys/vm/drop_caches; do
	[ -e $f ] && like "$f can't be written" "$(in_it plain -- /bin/sh -c "echo x >$f")" 'Read-only|denied'
done
like "/sys can't be written" "$(in_it plain -- /bin/sh -c 'echo x >/sys/kernel/uevent_helper; mkdir /sys/fs/cgroup/x')" 'Read-only|denied'
for t in proc sysfs tmpfs cgroup2; do
	like "mounting $t is not permitted" "$(in_it plain -- /bin/mount -t $t none /data)" 'ermission|permitted'
done
like "device nodes can't be made" "$(in_it plain -- /bin/busybox mknod /tmp/disk b 7 0)" 'permitted'
mounts_of_host() { ! grep -qE "$ROOT/(etc|var|image)" "/proc/$(pid_of plain)/mountinfo" || awk '{ print $5 }' "/proc/$(pid_of plain)/mountinfo" | grep -qv "$ROOT"; }
ok "its mount table shows nothing outside of it" mounts_of_host
is "there is no way up from /" "$(in_it plain -- /bin/sh -c 'cd /../../..; ls -d /image /etc/passwd; pwd')" "$(printf 'ls: /image: No such file or directory\n/etc/passwd\n/')"

# --- the working directory ---
is "the working directory is / when nobody says" "$(in_it plain -- /bin/readlink /proc/self/cwd)" /
inmate cwd "$image" <<'X'
    workingDir: /made/for/it
X
ready cwd
is "a working directory that is not there is made" "$(readlink "/proc/$(pid_of cwd)/cwd")" /made/for/it
for n in 3 4 5 7 9 12 510 511 512 513 514 515 516 520; do
	inmate "fd$n" "$image" <<<"    workingDir: /proc/self/fd/$n"
done
for n in 3 4 5 7 9 12 510 511 512 513 514 515 516 520; do
	await 20 says "fd$n" 'working directory|No such file|Not a directory|symbolic links|chdir' && [ -z "$(of "fd$n" c .state.running)" ] || fail "fd $n as working directory leads nowhere"
done
pass "no descriptor of podd or the anchor serves as working directory"
rm -f "$PODS"/fd*.yaml

# --- images that mean harm ---
spoilt() { # NAME, COMMANDS that spoil it are standard input, run in the image
	make_image "$ROOT/spoilt-$1"
	(cd "$ROOT/spoilt-$1" && . /dev/stdin)
}
volume='  volumes: [{name: v, emptyDir: {}}]'
mounted='    volumeMounts: [{name: v, mountPath: /data/deep}]'
spoilt proc <<<'rmdir proc; ln -s "$canary/dir" proc'
spoilt dev <<<'rmdir dev; ln -s "$canary/dir" dev'
spoilt sys <<<'rmdir sys; ln -s "$canary/dir" sys'
for p in proc dev sys; do
	inmate bad-$p "$ROOT/spoilt-$p" </dev/null
	ok "an image in which /$p is a symlink is refused" await 20 says bad-$p 'symbolic link'
done
spoilt etc <<<'rm -r etc; ln -s "$canary/dir" etc'
spoilt hosts <<<'ln -s "$canary/file" etc/hosts; ln -s "$canary/new" etc/resolv.conf; ln -s ../../../../../../../../.."$canary/file" etc/hostname; ln -s "$canary/mtab" etc/mtab; ln -sf "$canary/file" etc/passwd'
spoilt data <<<'rmdir data; ln -s "$canary/dir" data'
spoilt up <<<'rmdir data; ln -s ../../../../../../../../../.."$canary" data'
spoilt root <<<'rmdir data; ln -s / data; ln -s / deep'
spoilt loop <<<'rmdir data; ln -s data data'
spoilt magic <<<'rmdir data; ln -s /proc/1/root data'
for p in etc hosts data up root loop magic; do
	inmate bad-$p "$ROOT/spoilt-$p" "$volume" <<<"$mounted"
done
settled() { [ -n "$(of "$1" c .state.running.startedAt)" ] || says "$1" 'StartError|CreateContainerError|CreateContainerConfigError|RunContainerError'; }
for p in etc hosts data up root loop magic; do
	ok "an image with a harmful $p starts inside itself, or not at all" await 20 settled bad-$p
	[ -n "$(of bad-$p c .state.running.startedAt)" ] || continue # else its process may be podd-launch, which still sees the host
	m=$(pid_of bad-$p)
	ok "... and sees nothing of the host" eval '! grep -qs precious "/proc/$m/root$canary/file"'
done
ok "the host's files are as they were" unharmed

mknod "$image/data/zero" c 1 5 && mknod "$image/data/disk" b 7 0
like "a character device that the image ships can't be opened" "$(in_it plain -- /bin/head -c 1 /data/zero)" 'denied'
like "... nor a block device" "$(in_it plain -- /bin/head -c 1 /data/disk)" 'denied'

# --- hostPath ---
host_path() { # NAME PATH TYPE
	inmate "$1" "$image" "  volumes: [{name: h, hostPath: {path: \"$2\", type: \"$3\"}}]" <<<'    volumeMounts: [{name: h, mountPath: /host}]'
}
i=0
for own in "$ROOT/run/podd" "$ROOT/run/podd/pods" "$ROOT/var/lib/podd" "$ROOT/var/lib/podd/accepted"; do
	i=$((i + 1))
	host_path own$i "$own" ""
	ok "podd's own ${own#"$ROOT"} is no volume" await 20 says own$i 'belongs to podd'
done
ln -s "$ROOT/var/lib/podd" "$ROOT/indirect"
host_path own5 "$ROOT/indirect" ""
ok "... nor by way of a symlink" await 20 says own5 'belongs to podd'
for t in Directory File Socket CharDevice BlockDevice; do
	n=$(tr '[:upper:]' '[:lower:]' <<<$t)
	case $t in Directory) wrong=$canary/file ;; *) wrong=$canary/dir ;; esac
	host_path "wrong-$n" "$wrong" $t
	ok "a hostPath that is no $t says so" await 20 says "wrong-$n" 'is not a'
done
rm -f "$PODS"/own*.yaml "$PODS"/wrong-*.yaml "$PODS"/bad-*.yaml

# --- its neighbours ---
inmate shared "$image" '  shareProcessNamespace: true' <<'X'
    securityContext: {capabilities: {add: [SYS_PTRACE]}}
X
ready shared
in_it shared -- /bin/sh -c 'kill -9 1; kill -TERM 1; kill -STOP 1' >/dev/null
waits() { [ "$(awk '$1 == "State:" { print $2 }' "/proc/$(pgrep -P "$(anchor_pid shared)" podd-pause)/status")" = S ]; }
ok "process 1 of a shared PID namespace can't be killed or stopped from inside" await 20 waits
is "it has no file system to look at" "$(in_it shared -- /bin/sh -c 'ls /proc/1/root/ | head -n 1')" ""
like "it has no descriptors to take" "$(in_it shared -- /bin/ls /proc/1/fd)" '^$|denied'
is "the anchor is not in sight" "$(in_it shared -- /bin/sh -c 'grep -h Name: /proc/[0-9]*/status | grep anchor')" ""

# --- a volume whose paths change under podd's hands ---
inmate swap "$image" '  volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]' <<X
    volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /v/a/b}]
  - name: spinner
    image: "rootfs:$image"
    command: [/bin/sh, -c, "cd /v; mkdir -p x/b; ln -s $canary y; while :; do ln -sfn x a; ln -sfn $canary a; ln -sfn /../../../..$canary a; rm -f a; mv x a; mv a x; done"]
    volumeMounts: [{name: v, mountPath: /v}]
X
await 30 says swap '"started": *true'
for _ in $(seq 40); do
	m=$(pid_of swap)
	[ -z "$m" ] || kill -KILL "$m" 2>/dev/null
	podctl restart swap -c c >/dev/null 2>&1
	sleep 0.05
done
ok "40 starts into a volume that another container turns around do not touch the host" unharmed
rm -f "$PODS/swap.yaml"

# --- the host's mounts ---
in_it mighty -- /bin/sh -c 'umount /dev/shm; umount /sys; mount -t tmpfs none /data; umount -l /proc' >/dev/null
ok "a privileged container's mounts and unmounts are its own" eval '[ "$(tables)" = "$tables_before" ]'
other=$(in_it plain -- /bin/sh -c 'grep -c . /proc/mounts')
ok "... and do not reach other containers" [ "$other" -gt 8 ]
for _ in $(seq 50); do
	m=$(pid_of cwd)
	[ -z "$m" ] || kill -KILL "$m"
	podctl restart cwd >/dev/null 2>&1
	await 20 eval '[ -n "$(pid_of cwd)" ] && [ "$(pid_of cwd)" != "$m" ]'
done
is "the host's mount table is the same after 50 starts" "$(tables)" "$tables_before"

leaves_nothing
ok "the host's files are as they were" unharmed
podd_stop
finish
