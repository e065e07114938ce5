#!/bin/bash
# Pods of an OCI runtime, Debian's crun and its runc: what podd promises of its own containers holds of theirs.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mkdir -p "$ROOT/etc/podd"
cat >"$ROOT/etc/podd/podd.yaml" <<END
runtimes:
- {name: crun, path: $(command -v crun)}
- {name: runc, path: $(command -v runc)}
- {name: absent, path: /nonexistent/runtime}
END
runtime_class() { # NAME HANDLER
	printf 'apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: %s}\nhandler: %s\n' "$1" "$2" | put "class-$1.yaml"
}
# On a hybrid host crun wants a v2 tree without controllers.
mount --bind /dev/null "$(cgroup_v2)/cgroup.controllers"
podd_start || { fail "podd starts"; finish; }

web() { # NAME [CLASS]
	pod "$1" <<END
  runtimeClassName: "${2:-}"
  hostname: front
  terminationGracePeriodSeconds: 20
  securityContext: {runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000}
  volumes:
  - {name: data, emptyDir: {}}
  containers:
  - name: app
    image: "rootfs:/"
    command: [bash, -c, "echo born \$GREETING; echo trouble >&2; trap 'exit 3' TERM; while :; do sleep 0.05; done"]
    env: [{name: GREETING, value: hello}]
    resources: {limits: {memory: 64Mi}}
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}
    volumeMounts: [{name: data, mountPath: /data}]
    readinessProbe: {exec: {command: [test, -d, /data]}, periodSeconds: 1, timeoutSeconds: 20}
  - name: root
    image: "rootfs:/"
    command: [bash, -c, "trap 'exit 0' TERM; while :; do sleep 0.05; done"]
    securityContext: {runAsUser: 0, seccompProfile: {type: Unconfined}, capabilities: {drop: [ALL], add: [CHOWN]}}
END
}
short() { # NAME CLASS
	pod "$1" <<END
  runtimeClassName: $2
  restartPolicy: Never
  containers: [$(for ((i = 0; i < 5; i++)); do printf '{name: c%d, image: "rootfs:/", command: [sh, -c, exit %d]}, ' $i $((i + 7)); done)]
END
}
lonely() { # NAME CLASS COMMAND
	printf '  runtimeClassName: %s\n  terminationGracePeriodSeconds: 1\n  containers: [{name: app, image: "rootfs:/", command: [%s]}]\n' "$2" "$3" | pod "$1"
}

web plain
for r in crun runc; do
	web $r $r
	short short-$r $r
	lonely wrong-$r $r no-such-program
done
lonely absent absent sleep
lonely unknown kata sleep
runtime_class fast crun
runtime_class slow kata
lonely by-class fast 'sleep, infinity'
lonely by-slow-class slow sleep

# --- what is inside ------------------------------------------------------------------------------------------------------------------

in_pod() { podctl exec "$1" -c "$2" -- "${@:3}"; }
# Who it is, what it may do, what it sees and what limits it; without what names this start.
facts() { # /proc/PID
	grep -E '^(Uid|Gid|Groups|Umask|Cap|NoNewPrivs|Seccomp:)' "$1/status"
	grep -v 'Max pending' "$1/limits"
	cut -d' ' -f5,6 "$1/mountinfo" | grep -v '^/proc/\|^/sys/' | sed 's/,nodev\b//; s/ \(r[ow]\).*/ \1/' | sort
	tr '\0' '\n' <"$1/environ" | sort
	readlink "$1/cwd"
}
exec_facts() { in_pod "$1" "$2" sh -c 'grep -E "^(Uid|Gid|Groups|Umask|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; cat /proc/self/limits' | grep -v 'Max pending'; }

ok "the same pod of podd's own is ready" ready plain
for r in crun runc; do
	ok "$r: a pod is ready, by an exec probe" ready $r
	app=$(member_pid $r app) root=$(member_pid $r root)
	is "$r: its first process is the anchor's child" "$(awk '/^PPid/ { print $2 }' "/proc/$app/status")" "$(anchor_pid $r)"
	is "$r: it is in the pod's network namespace" "$(netns_of "$app")" "$(netns_of "$(anchor_pid $r)")"
	for c in app root; do
		is "$r: $c has podd's users, capabilities, limits, mounts, environment" \
			"$(facts "/proc/$(member_pid $r $c)")" "$(facts "/proc/$(member_pid plain $c)")"
		like "$r: exec in $c is confined as $c is" "$(facts "/proc/$(member_pid $r $c)" | grep -cxFf <(exec_facts $r $c))" '^2[0-9]$'
	done
	is "$r: the mounts of /proc are hidden as podd hides them" \
		"$(cut -d' ' -f5 "/proc/$root/mountinfo" | grep '^/proc/\|^/sys/' | sort)" \
		"$(cut -d' ' -f5 "/proc/$(member_pid plain root)/mountinfo" | grep '^/proc/\|^/sys/' | sort)"
	is "$r: in podd's cgroups, with podd's limit" \
		"$(grep -c "/members/app.0$" "/proc/$app/cgroup") $(find /sys/fs/cgroup/memory/"$PODD_HOST" -path "*$(pod_uid $r)/members/app.0/memory.limit_in_bytes" -exec cat {} +)" \
		"$(grep -c "/members/app.0$" <(sed 's/app.1/app.0/' "/proc/$app/cgroup")) 67108864"
	ok "$r: its logs" await 30 eval '[ "$(podctl logs $r -c app | sort | xargs)" = "born hello trouble" ]'
	is "$r: hostname, and /etc/hosts" "$(in_pod $r root hostname) $(in_pod $r root grep -c front /etc/hosts)" "front $(in_pod plain root grep -c front /etc/hosts)"
	ok "$r: the volume is written" in_pod $r app touch /data/mine
	is "$r: and it is podd's" "$(find "$ROOT/var/lib/podd/pods/$(pod_uid $r)" -path '*/mine' | wc -l)" 1
	is "$r: a forbidden system call is forbidden" "$(in_pod $r app unshare -U true 2>&1 | grep -o 'not permitted')" "not permitted"
	is "$r: get shows the class" "$(field $r .spec.runtimeClassName)" $r
	await 30 phase_is short-$r Failed
	is "$r: what ends at once has its exit code" "$(for i in 0 1 2 3 4; do of short-$r c$i .state.terminated.exitCode; done | xargs)" "7 8 9 10 11"
	ok "$r: a program that is not there is an error in the runtime's words" \
		await 30 bash -c "$(declare -f podctl); builddir=$builddir ROOT=$ROOT; podctl events | grep wrong-$r | grep -q 'OCI runtime: .*no-such-program.*not found'"
done
event_is() { podctl events | grep -qE -- "$1"; }
ok "a runtime whose program is missing is named" await 30 event_is 'running the OCI runtime: /nonexistent/runtime: No such file'
ok "a class that nobody configured has a way out" await 30 event_is '"kata" is not one of this node.s runtimes: crun, runc, absent; name it under `runtimes` in .*podd.yaml'

ok "nor has a RuntimeClass whose handler nobody configured" await 30 event_is '"slow": the handler of this RuntimeClass, kata is not one of'
ok "a RuntimeClass is its handler" ready by-class
like "which runs the pod" "$(ls "$ROOT/run/podd/pods/$(pod_uid by-class)/runtime")" app.0

# --- its life ------------------------------------------------------------------------------------------------------------------------

declare -A before app root
for r in crun runc; do
	before[$r]=$(sandbox $r) app[$r]=$(member_pid $r app) root[$r]=$(member_pid $r root)
	kill -KILL "${root[$r]}"
done
for r in crun runc; do
	ok "$r: a container that dies is replaced" await 20 replaced $r root "${root[$r]}"
	is "$r: in the same sandbox" "$(sandbox $r)" "${before[$r]}"
	is "$r: status tells why" "$(of $r root '.lastState.terminated | "\(.exitCode) \(.signal)"') $(of $r root .restartCount)" "137 9 1"
	root[$r]=$(member_pid $r root)
done
podd_kill
kill -KILL "${root[crun]}" "${root[runc]}"
podd_start
for r in crun runc; do
	ok "$r: what died while podd was away is replaced" await 20 replaced $r root "${root[$r]}"
	is "$r: and told" "$(of $r root '.lastState.terminated | "\(.exitCode) \(.signal)"') $(of $r root .restartCount)" "137 9 2"
	is "$r: the other one was not touched" "$(member_pid $r app) $(of $r app '.restartCount | tostring')" "${app[$r]} 0"
	is "$r: exec goes on" "$(in_pod $r app cat /proc/1/comm)" bash
done

# podd dies with launches under way: each container is started once, and known.
for r in crun runc; do lonely late-$r $r 'sleep, infinity'; done
bundles() { # of one of them
	local p uid
	for p in late-crun late-runc; do
		uid=$(pod_uid $p)
		[ -n "$uid" ] && [ -e "$ROOT/run/podd/pods/$uid/runtime/app.0/config.json" ] && return
	done
	return 1
}
ok "one has begun" await 30 bundles
podd_kill
podd_start
for r in crun runc; do ok "$r: a launch outlives podd" ready late-$r; done

# --- its end -------------------------------------------------------------------------------------------------------------------------

for r in crun runc; do
	podctl stop $r --wait=false >/dev/null
done
for r in crun runc; do
	ok "$r: stop ends it by its signal" await 30 eval '[ "$(of $r app .state.terminated.exitCode)" = 3 ]'
done
leaves_nothing
is "not in hierarchies of cgroups that podd does not use either" \
	"$(for h in $(host_hierarchies); do find "$h/$PODD_HOST" -mindepth 1 -name 'pod*-*' 2>/dev/null; done)" ""
finish
