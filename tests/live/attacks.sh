#!/bin/bash
# Containers that attack podd's programs, who joins them, and the kernel's interfaces; images that lie about their users. What the others here do
# not ask: confine.sh and mounts-attack.sh (mounts, paths), standards.sh (what a process starts with), seccomp.sh, identity.sh, users.sh.

# podd has a session keyring and may dump core: its containers must have neither.
if [ -z "${KEYRING:-}" ]; then
	keyctl=250
	[ "$(uname -m)" = x86_64 ] || keyctl=219
	KEYRING=own exec perl -e 'syscall(shift @ARGV, 1, 0) >= 0 or die "keyctl: $!"; exec @ARGV' $keyctl bash "$0" "$@"
fi
. "$(dirname "$0")/../lib/host.sh"
ulimit -S -c "$(ulimit -H -c)"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

image=$ROOT/image told=$ROOT/told
image_base "$image"
cp "$builddir"/tests/lib/{inmate,attacker} "$image/bin"
ln -s busybox "$image/bin/yes" && ln -s busybox "$image/bin/setsid"
mkdir -m 0777 "$told" && install -m 0604 -o 0 -g 4321 /dev/null "$told/not-for-the-group"

# NAME COMMAND SECURITY-CONTEXT [MORE OF THE SPEC]; standard input is more of the container
container() {
	{
		printf '  terminationGracePeriodSeconds: 0\n%s\n  volumes: [{name: told, hostPath: {path: "%s"}}]\n' "${4:-}" "$told"
		printf '  containers:\n  - name: c\n    image: "rootfs:%s"\n    command: %s\n    securityContext: %s\n    volumeMounts: [{name: told, mountPath: /told}]\n' \
			"$image" "$2" "$3"
		cat
	} | pod "$1"
	sed -i 's/^metadata:/metadata:\n  annotations: {podd.dev\/restart-backoff: "initial=1ms, max=1ms"}/' "$PODS/$1.yaml"
}
inside() { podctl exec "$1" -- "${@:2}" 2>&1; }
programs() { sha256sum "$builddir"/bin/podd{,-anchor,-launch,-image} "$builddir/bin/podctl"; }
programs_before=$(programs)
podd_start || exit 1
X=/dev/null
container plain '[/bin/attacker, nap]' '{}' <$X
container twin '[/bin/attacker, nap]' '{}' <$X
container tracer '[/bin/attacker, seize]' '{capabilities: {add: [SYS_PTRACE]}}' <$X
container locked '[/bin/attacker, seize]' '{capabilities: {add: [SYS_PTRACE]}, allowPrivilegeEscalation: false}' <$X
container users '[/bin/attacker, seize]' '{capabilities: {add: [SYS_PTRACE]}}' '  hostUsers: false' <$X
container shared '[/bin/attacker, seize, shared]' '{}' '  shareProcessNamespace: true' <<END
  - {name: other, image: "rootfs:$image", command: [/bin/true]}
END
container pauser '[/bin/attacker, nap]' '{capabilities: {add: [SYS_PTRACE]}}' '  shareProcessNamespace: true' <$X
container free '[/bin/attacker, nap]' '{seccompProfile: {type: Unconfined}}' <$X
container other '[/bin/attacker, nap]' '{seccompProfile: {type: Unconfined}}' <$X
container mighty '[/bin/attacker, nap]' '{privileged: true}' <$X
container group '[/bin/attacker, nap]' '{runAsUser: 1234, runAsGroup: 4321}' <$X
container same '[/bin/attacker, nap]' '{runAsUser: 1000, runAsGroup: 1001, allowPrivilegeEscalation: false, capabilities: {drop: [KILL]}}' \
	'  securityContext: {supplementalGroups: [5, 6]}' <$X
container crash '[/bin/attacker, crash]' '{}' '  restartPolicy: Never' <<<'    workingDir: /told'
container orphans '[/bin/sh, -c, "setsid attacker nap & until cat /told/go; do sleep 0.02; done 2>/dev/null"]' '{}' '  restartPolicy: Never' <$X
container floods '[/bin/attacker, nap]' '{}' <<'END'
    readinessProbe: {exec: {command: [/bin/yes, for ever and ever]}, timeoutSeconds: 1, periodSeconds: 1}
END
container lingers '[/bin/attacker, nap]' '{}' <<'END'
    readinessProbe: {exec: {command: [/bin/attacker, linger, /told/lingers]}, timeoutSeconds: 1, periodSeconds: 1}
END
for p in plain twin tracer locked users shared pauser free other mighty group same; do ready $p || fail "$p runs"; done 2>/dev/null

# --- podd's programs, and who joins -----------------------------------------------------------------------------------------------------------

echo '#!/proc/self/exe' >"$image/bin/itself" && chmod +x "$image/bin/itself"
container itself '[/bin/itself]' '{privileged: true}' '  restartPolicy: Never' <$X
# Over the socket itself: a podctl for each would take longer than the sessions do.
joins=$(perl -MIO::Socket::UNIX -e '
	my ($path, $rounds, @pods) = @ARGV;
	my $well = 0;
	local $/;
	for (1 .. $rounds) {
		for my $s (map {
				my $s = IO::Socket::UNIX->new($path) or die "$path: $!";
				print $s "POST /apis/podd.dev/v1/namespaces/default/pods/$_/exec?command=/bin/true HTTP/1.1\r\n",
					"Host: podd\r\nConnection: Upgrade\r\nUpgrade: podd-exec\r\n\r\n";
				$s } (@pods) x 8) {
			$well += <$s> =~ m{^HTTP/1.1 101 };
		}
	}
	print $well' "$PODD_SOCKET" 10 tracer locked users)
is "240 commands join three pods while an attacker in each looks at every new process" "$joins" 240
# A joiner is seen if the attacker has the processor just then: on a busy machine it takes more of them.
saw() { said "$1" c "^saw .*$2" || { podctl exec "$1" -- /bin/true; false; }; } # POD PATTERN
for p in tracer locked users shared; do
	ok "$p: it saw who joins" await 60 saw $p ''
	is "$p: ... but nobody who is more than itself, or has no filter" "$(podctl logs $p -c c | grep breach | sort | uniq -c)" ""
done
ok "tracer: it had podd's program in its hands" await 60 saw tracer 'programs [1-9]'

ended() { [ -n "$(of "$1" c .state.terminated)" ]; }
ok "an image whose program is #!/proc/self/exe ends" await 20 ended itself
rm "$PODS"/{tracer,locked,users,shared,itself}.yaml
like "PID 1 of a shared PID namespace gives nothing away, though it may be traced, and heeds no signal" "$(inside pauser /bin/attacker pause | paste -sd' ')" \
	'root / .*environ (empty|hidden) .*descriptors 0 trace (done|refused) capabilities 0$'
waits() { [ "$(awk '$1 == "State:" { print $2 }' "/proc/$(pgrep -P "$(anchor_pid pauser)" podd-pause)/status")" = S ]; }
ok "... and goes on waiting" await 20 waits
spaces() { for n in mnt pid net ipc uts cgroup; do readlink "/proc/$(member_pid "$1" c)/ns/$n"; done; }
is "two pods have no namespace in common" "$(sort <(spaces plain) <(spaces twin) | uniq -d)" ""

# --- who it is --------------------------------------------------------------------------------------------------------------------------------

identity() { grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' "/proc/$(member_pid same c)/status"; }
restart() { local old; old=$(member_pid same c); kill -9 "$old"; await 20 replaced same c "$old"; }
first=$(identity) changed=
like "an identity" "$first" 'Uid:.1000.*'
for _ in 1 2 3 4 5; do
	restart
	[ "$(identity)" = "$first" ] || changed+=x
done
podd_kill
podd_start
ready same
[ "$(identity)" = "$first" ] || changed+=y
restart
[ "$(identity)" = "$first" ] || changed+=z
is "it is the same after five restarts, after podd's, and after another" "$changed" ""
like "what a file denies to the primary group it denies to the container" "$(inside group cat /told/not-for-the-group)" 'Permission denied'
is "... which has it among its groups, too" "$(inside group /bin/inmate facts | sed -n 's/^status.Groups: //p' | xargs)" 4321

# An image's own list of users; what reads it is podd.
for flaw in pipe device shadow huge line; do
	cp -a "$image" "$ROOT/$flaw" && rm "$ROOT/$flaw/etc/passwd"
	passwd=$ROOT/$flaw/etc/passwd
	case $flaw in
	pipe) mkfifo "$passwd" ;;
	device) mknod "$passwd" c 1 5 ;;
	shadow) ln -s /etc/shadow "$passwd" ;;
	huge) truncate -s 1G "$passwd" ;;
	line) head -c 1048000 /dev/zero | tr '\0' x >"$passwd" ;; # what is larger is not read: "huge"
	esac
	image=$ROOT/$flaw container "number-$flaw" '[/bin/attacker, nap]' '{}' <$X
	[ $flaw = huge ] && truncate -s 2M "$passwd"
	[ $flaw = device ] || image "$ROOT/$flaw.tar" "$flaw" "$ROOT/$flaw" '{"User": "web"}'
	sed "s|rootfs:$ROOT/$flaw|docker-archive:$ROOT/$flaw.tar|; s/name: number-/name: name-/" "$PODS/number-$flaw.yaml" | put "name-$flaw.yaml"
done
rm "$PODS/name-device.yaml"
for flaw in pipe device shadow huge line; do ok "a user by number needs no passwd, whatever it is ($flaw)" ready "number-$flaw"; done
who() { [ -n "$(of "$1" c .state.waiting.message | tee "$ROOT/who" | grep "user")" ]; }
while read -r flaw text; do
	ok "a user by name: $flaw" await 20 who "name-$flaw"
	like "... says what is wrong" "$(cat "$ROOT/who")" "$text"
done <<'END'
pipe its /etc/passwd is no regular file
shadow "web" is not in its /etc/passwd
huge its /etc/passwd is larger than 1 MiB
line "web" is not in its /etc/passwd
END

# An image's own list of volumes. As in Kubernetes, what is not in the manifest is not mounted; nothing is made for it either.
long=$(printf '/%.0sx' $(seq 3000))
image "$ROOT/volumes.tar" volumes "$image" "$(jq -n --arg long "$long" '{Volumes: (["", "/", "..", "/proc", "/dev", "/../../etc", "/etc/../../x", "relative", $long, "/told"] | map({(.): {}}) | add)}')"
container volumes '[/bin/attacker, nap]' '{}' <$X
sed -i "s|rootfs:$image|docker-archive:$ROOT/volumes.tar|" "$PODS/volumes.yaml"
mounts() { inside "$1" cat /proc/mounts | awk '{ print $2, $3 }'; }
ok "an image with volumes of strange names runs" ready volumes
is "... and has the mounts that any container has" "$(mounts volumes)" "$(mounts plain)"
is "... and nothing is made for them" "$(inside volumes ls -A / | xargs)" "$(inside plain ls -A / | xargs)"

# --- the kernel's interfaces --------------------------------------------------------------------------------------------------------------------

if [ "$(uname -m)" = x86_64 ]; then
	is "each system call and family of sockets, in the three ways to make one, meets what the golden table says" \
		"$(diff <(grep -v '^#' "$srcdir/tests/live/attacks.calls") <(inside plain /bin/attacker calls))" ""
fi
files() { inside plain /bin/attacker files "$@"; }
is "no file of /proc or /sys can be written to, but for what wakes its writer under pressure" "$(files /proc /sys | grep '^w ' | grep -v '^w /proc/pressure/')" ""
is "... or read, but for those known to tell nothing of who uses the host" "$(files /proc | sed -E 's,^(w )?/proc/,,; s,/.*,,' | sort -u | grep -vxE \
	'buddyinfo|bus|cgroups|cmdline|config.gz|consoles|cpuinfo|crypto|devices|diskstats|dma|driver|execdomains|fb|filesystems|fs|iomem|ioports|irq|key-users|kpage.*|loadavg|locks|meminfo|misc|modules|mtrr|pagetypeinfo|partitions|pressure|slabinfo|softirqs|stat|swaps|sys|sysvipc|tty|uptime|version|vmallocinfo|vmstat|zoneinfo')" ""
is "a key that one pod adds" "$(inside free /bin/attacker key add)" done
like "... is not found in another" "$(inside other /bin/attacker key find)" 'not available'
is "... nor are there keys under the default profile" "$(inside plain /bin/attacker key add)$(inside plain /bin/attacker key find)" \
	"Operation not permittedOperation not permitted"
await 20 ended crash
like "a container that dumps core is told of" "$(of crash c '.state.terminated.signal, .state.terminated.exitCode' | xargs)" '^(6 134|11 139)$' 
is "... but there is no core" "$(find "$told" -name 'core*')" ""
out=$("$builddir/tests/lib/typist" -- bash -c "'$builddir/bin/podctl' --root '$ROOT' exec -it mighty -- /bin/attacker type; read -r -t 0.3 line; echo \"[read \$line]\"")
like "what a privileged container types at its terminal" "$out" typed
like "... the shell from which it was started does not get" "$out" '\[read \]'
orphan() { pgrep -f "^attacker nap$"; }
ok "a process that heeds no signal" await 20 orphan
touch "$told/go"
ok "... ends with the first process of its container" await 20 eval '! orphan'

# --- what it costs podd ---------------------------------------------------------------------------------------------------------------------------

descriptors() { find "/proc/$PODD_PID/fd" -type l | wc -l; }
resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$PODD_PID/status"; }
unhealthy() { podctl events --for "$1" -o json | grep -q Unhealthy; }
ok "a probe that prints for ever fails in time" await 20 unhealthy floods
ok "a probe that hangs, and left a process that heeds no signal, fails in time" await 20 unhealthy lingers
ok "... after that process began" await 20 grep -qx here "$told/lingers"
rm "$PODS"/{floods,lingers}.yaml
ok "... and nothing of both is left" await 20 eval '! pgrep -f "attacker linger|^/bin/yes"'
leaves() { find "$(cgroup_v2)/$PODD_HOST" -path '*/c.*/x*' -type d | wc -l; }
sessions() { find "$(cgroup_v2)/$PODD_HOST" -path '*/c.*/x*/cgroup.procs' -exec cat {} +; }
before=$(descriptors) resident_before=$(resident)
for _ in 1 2 3 4 5; do
	clients=()
	for _ in $(seq 20); do
		"$builddir/bin/podctl" --root "$ROOT" exec plain -- /bin/sleep 1000 >/dev/null 2>&1 &
		clients+=($!)
		"$builddir/bin/podctl" --root "$ROOT" attach twin -c c >/dev/null 2>&1 &
		clients+=($!)
	done
	await 20 eval '[ "$(leaves)" -ge 15 ]'
	kill -KILL "${clients[@]}"
	wait "${clients[@]}" 2>/dev/null
done
ok "200 clients of exec and attach that were killed leave no descriptor, no process" \
	await 20 eval '[ -z "$(sessions)" ] && [ "$(descriptors)" -le $((before + 10)) ]'
ok "... and no memory to speak of: $resident_before KiB before" await 20 eval '[ "$(resident)" -le $((resident_before + 8192)) ]' # the heap is trimmed later
note "$(resident) KiB after"

# A line without an end: 100 MB of it.
peak() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status"; }
anchors() { find "$(cgroup_v2)/$PODD_HOST" -path "*pod$(pod_uid "$1")/anchor/cgroup.procs" -exec cat {} +; }
log_peak() { for p in $(anchors endless); do peak "$p"; done | sort -n | tail -n 1; }
before=$(peak "$PODD_PID")
container endless '[/bin/sh, -c, "busybox head -c 100000000 /dev/zero; echo >/told/endless; exec attacker nap"]' '{}' <$X
ok "a line of 100 MB is written" await 120 [ -e "$told/endless" ]
ok "... of which as much is kept as of any other" await 20 eval '[ "$(podctl logs endless | wc -c)" -gt 10000000 ]'
is "... and the end can be asked for" "$(podctl logs endless --tail 1 | tail -c 3 | od -An -tx1)" " 00 00 00"
ok "... and described" podctl describe pod endless
ok "... who writes it down needs little memory: $(log_peak) KiB" [ "$(log_peak)" -le 4096 ]
ok "... and podd not more than before: $before KiB, $(peak "$PODD_PID")" [ "$(peak "$PODD_PID")" -le $((before + 8192)) ]

leaves_nothing
is "podd's programs are what they were" "$(programs)" "$programs_before"
podd_stop
finish
