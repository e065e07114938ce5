#!/bin/bash
# Containers that attack podd's programs, who joins them, and the kernel's interfaces; images that lie about their users. What the others here do
# not ask: confine.sh and mounts-attack.sh (mounts, paths), standards.sh (what a process starts with), seccomp.sh, identity.sh, users.sh.
ulimit -S -c "$(ulimit -H -c)" # podd's own limit: its containers must not have it
. "$(dirname "$0")/../lib/host.sh"
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
container orphans '[/bin/sh, -c, "setsid attacker nap & until cat /told/go; do :; done 2>/dev/null"]' '{}' '  restartPolicy: Never' <$X
container floods '[/bin/attacker, nap]' '{}' <<'END'
    readinessProbe: {exec: {command: [/bin/yes, 0123456789012345678901234567890123456789]}, timeoutSeconds: 1, periodSeconds: 1}
END
container lingers '[/bin/attacker, nap]' '{}' <<'END'
    readinessProbe: {exec: {command: [/bin/attacker, linger, /told/lingers]}, timeoutSeconds: 1, periodSeconds: 1}
END
for p in plain twin tracer locked users shared pauser free other mighty group same; do ready $p || fail "$p runs"; done 2>/dev/null

# --- podd's programs, and who joins -----------------------------------------------------------------------------------------------------------

echo '#!/proc/self/exe' >"$image/bin/itself" && chmod +x "$image/bin/itself"
container itself '[/bin/itself]' '{privileged: true}' '  restartPolicy: Never' <$X
for _ in $(seq 30); do
	execs=()
	for p in tracer locked users; do
		podctl exec $p -- /bin/true &
		execs+=($!)
	done
	wait "${execs[@]}"
done
for p in tracer locked users shared; do
	ok "$p: it saw who joins" await 10 said $p c '^saw '
	is "$p: ... but nobody who is more than itself, or has no filter" "$(podctl logs $p -c c | grep breach | sort | uniq -c)" ""
done
ok "tracer: it had podd's program in its hands" said tracer c 'programs [1-9]'
podctl logs tracer | tail -n 1
finish
