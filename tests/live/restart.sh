#!/bin/bash
# Members end and are started again, in the same sandbox; and what a member sees of its pod.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }

# --- killed ------------------------------------------------------------------------------------------------------------------------

pod web <<'END'
  hostname: front
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
END
ok "a pod of two containers is ready" ready web
before=$(sandbox web) app=$(member_pid web app) beside=$(member_pid web beside)
kill -KILL "$app"
ok "a member killed by SIGKILL is replaced" await 20 replaced web app "$app"
is "its sandbox is the same: anchor, network namespace, address, uid" "$(sandbox web)" "$before"
is "its hostname is the same" "$(podctl exec web -c app -- hostname)" front
is "its neighbour was not touched" "$(member_pid web beside) $(of web beside '.restartCount | tostring')" "$beside 0"
is "restartCount counts it" "$(of web app .restartCount)" 1
is "lastState tells exit code, signal and reason" "$(of web app '.lastState.terminated | "\(.exitCode) \(.signal) \(.reason)"')" "137 9 Error"
like "lastState tells when" "$(of web app '.lastState.terminated | .startedAt + " " + .finishedAt')" '^20[0-9-]+T[0-9:]+Z 20[0-9-]+T[0-9:]+Z$'

# --- exit codes and signals ----------------------------------------------------------------------------------------------------------

for base in 0 64 128 192; do
	{
		printf '  restartPolicy: Never\n  containers:\n'
		for ((i = base; i < base + 64; i++)); do
			printf '  - {name: c%d, image: "rootfs:/", command: [sh, -c, exit %d]}\n' $i $i
		done
	} | pod "codes$base"
done
deadly=$(echo {1..16} {24..27} {29..31} 34 64) # not those that stop, continue or are ignored
{
	printf '  restartPolicy: Never\n  shareProcessNamespace: true\n  containers:\n'
	for i in $deadly; do
		printf '  - {name: s%d, image: "rootfs:/", command: [sh, -c, "kill -%d $$$$; sleep infinity"]}\n' "$i" "$i"
	done
} | pod signals
ended() { [[ $(phase "$1") == @(Succeeded|Failed) ]]; }
codes=
for base in 0 64 128 192; do
	ok "64 containers with the exit codes from $base on end" await 120 ended "codes$base"
	codes+="$(podctl get pod "codes$base" -o json | jq -r '[.status.containerStatuses[].state.terminated.exitCode] | join(" ")') "
done
is "all exit codes from 0 to 255 are told exactly" "$codes" "$(echo {0..255}) "
is "exit code 0 is Completed, another one Error" "$(of codes0 c0 .state.terminated.reason) $(of codes0 c1 .state.terminated.reason)" "Completed Error"
is "a pod with an exit code that is not 0 has failed" "$(phase codes0)" Failed
ok "members that signals end, end" await 60 ended signals
is "all deadly signals are told exactly" \
	"$(podctl get pod signals -o json | jq -r '.status.containerStatuses[].state.terminated | "\(.exitCode) \(.signal)"')" \
	"$(for i in $deadly; do echo "$((128 + i)) $i"; done)"
rm "$PODS"/codes*.yaml "$PODS"/signals.yaml

# --- restartPolicy -----------------------------------------------------------------------------------------------------------------

for policy in Never OnFailure Always; do
	pod "${policy,,}" <<END
  restartPolicy: $policy
  containers:
  - {name: good, image: "rootfs:/", command: [sh, -c, exit 0]}
  - {name: bad, image: "rootfs:/", command: [sh, -c, exit 5]}
END
done
pod succeeds <<'END'
  restartPolicy: OnFailure
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, exit 0]}
END
succeeded_once() { [ "$(of onfailure good '"\(.restartCount) \(.state.terminated.reason)"')" = "0 Completed" ]; }
restarted_often() { [ "$(of "$1" "$2" .restartCount)" -ge 4 ]; }
ok "Never: the pod fails" await 20 phase_is never Failed
is "Never: nothing was restarted" "$(podctl get pod never -o json | jq -c '[.status.containerStatuses[].restartCount]')" "[0,0]"
ok "OnFailure: what fails is restarted" await 60 restarted_often onfailure bad
ok "OnFailure: what succeeds is not" await 60 succeeded_once
ok "OnFailure: a pod whose containers succeed has succeeded" await 20 phase_is succeeds Succeeded
ok "Always: what succeeds is restarted" await 60 restarted_often always good
ok "Always: what fails is restarted" await 60 restarted_often always bad
is "Always: the pod is Running all the while" "$(phase always)" Running

looping() { [ "$(of always bad .state.waiting.reason)" = CrashLoopBackOff ]; }
ok "a crash loop waits in CrashLoopBackOff" await 60 looping
ok "get pods says so" await 60 eval 'podctl get pods | grep -q "^always .*CrashLoopBackOff"'
is "between restarts, lastState has the exit code" "$(of always bad '.lastState.terminated | "\(.exitCode) \(.reason)"')" "5 Error"
mkdir "$ROOT/starts"
pod loop <<END
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, "date +%s%N >>/starts/times; exit 1"]
    volumeMounts: [{name: starts, mountPath: /starts}]
  volumes: [{name: starts, hostPath: {path: "$ROOT/starts"}}]
END
await 60 eval '[ "$(wc -l <"$ROOT/starts/times")" -ge 6 ]'
ok "it backs off: at least 100, 200, 400, 800 ms between the starts after the second" awk '
	NR > 2 && $1 - last < 1e8 * 2 ^ (NR - 3) { print "start " NR " after " $1 - last " ns"; bad = 1 } { last = $1 } END { exit bad || NR < 6 }' "$ROOT/starts/times"
rm "$PODS"/{never,onfailure,always,succeeds,loop}.yaml

# --- what can't be started -----------------------------------------------------------------------------------------------------------

pod nosuch <<'END'
  containers:
  - {name: app, image: "rootfs:/", command: [/bin/no-such-program]}
END
pod nosuchonce <<'END'
  restartPolicy: Never
  containers:
  - {name: app, image: "rootfs:/", command: [no-such-program]}
  - {name: dir, image: "rootfs:/", command: [/etc]}
  - {name: where, image: "rootfs:/", command: ["true"], workingDir: /etc/passwd}
END
ok "a program that does not exist: StartError" await 20 eval '[ "$(of nosuch app .lastState.terminated.reason)" = StartError ]'
is "with exit code 128" "$(of nosuch app .lastState.terminated.exitCode)" 128
like "the status names the program and why" "$(of nosuch app .lastState.terminated.message)" '/bin/no-such-program.*No such file'
like "describe says so" "$(podctl describe pod nosuch)" '/bin/no-such-program.*No such file'
ok "with restartPolicy Never the pod fails" await 20 phase_is nosuchonce Failed
like "a name that is not in PATH is named" "$(of nosuchonce app .state.terminated.message)" 'no-such-program'
like "a directory is no program" "$(of nosuchonce dir .state.terminated.message)" '/etc.*(Permission denied|directory)'
like "a file is no working directory" "$(of nosuchonce where .state.terminated.message)" '/etc/passwd.*Not a directory'
rm "$PODS"/nosuch*.yaml

# --- seen from inside ------------------------------------------------------------------------------------------------------------------

pod facts <<'END'
  hostname: inside
  terminationGracePeriodSeconds: 0
  containers:
  - name: plain
    image: rootfs:/
    command: [sh, -c, "echo '$(GREETING)'; exec sleep $(TIME)"]
    args: [argument, $(GREETING)]
    workingDir: /usr/lib
    env:
    - {name: TIME, value: infinity}
    - {name: GREETING, value: "hello, $(WHO)"}
    - {name: WHO, value: world}
    - {name: LATER, value: "$(WHO)!"}
    - {name: KEPT, value: "$$(WHO) $(NOBODY)"}
  - name: user
    image: rootfs:/
    command: [sleep, infinity]
    securityContext: {runAsUser: 1234, runAsGroup: 2345, allowPrivilegeEscalation: false}
  - name: caps
    image: rootfs:/
    command: [sleep, infinity]
    securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
  - name: read
    image: rootfs:/
    command: [sleep, infinity]
    securityContext: {readOnlyRootFilesystem: true}
    volumeMounts: [{name: scratch, mountPath: /mnt}]
  - name: privileged
    image: rootfs:/
    command: [sleep, infinity]
    securityContext: {privileged: true}
  volumes: [{name: scratch, emptyDir: {}}]
END
see() { local c=$1; shift; podctl exec facts -c "$c" -- "$@" 2>&1; }
proc() { see "$1" sed -n "s/^$2:[[:space:]]*//p" /proc/1/status; }
ns() { stat -Lc %i "/proc/self/ns/$1"; }
ok "the pod that is looked at is ready" ready facts
is "the working directory" "$(see plain sh -c 'readlink /proc/1/cwd')" /usr/lib
is "environment: a reference to an earlier variable is expanded, to a later one not" "$(see plain sh -c "tr '\0' '\n' </proc/1/environ | grep -E '^(GREETING|LATER|KEPT)=' | sort | tr '\n' ';'")" \
	'GREETING=hello, $(WHO);KEPT=$(WHO) $(NOBODY);LATER=world!;'
is "references in command and args are expanded" "$(see plain sh -c "tr '\0' ' ' </proc/1/cmdline")" "sleep infinity "
ok "and printed" await 30 said facts plain '^hello, \$\(WHO\)$'
is "HOSTNAME is set" "$(see plain sh -c "tr '\0' '\n' </proc/1/environ | sed -n s/^HOSTNAME=//p")" inside
is "the hostname" "$(see plain hostname)" inside
is "/etc/hostname" "$(see plain cat /etc/hostname)" inside
like "/etc/hosts knows the pod" "$(see plain cat /etc/hosts)" "^$(field facts .status.podIP)[[:space:]].*inside"
is "by default a member is root" "$(see plain id -u)" 0
is "by default it has nine capabilities" "$(proc plain CapEff)" 00000000000005fb
is "runAsUser and runAsGroup" "$(proc user Uid) $(proc user Gid)" "$(printf '1234\t1234\t1234\t1234 2345\t2345\t2345\t2345')"
is "who is not root has no effective capability" "$(proc user CapEff)" 0000000000000000
is "allowPrivilegeEscalation: false sets no_new_privs" "$(proc user NoNewPrivs) $(proc plain NoNewPrivs)" "1 0"
is "capabilities: drop ALL, add one" "$(proc caps CapEff) $(proc caps CapBnd) $(proc caps CapInh) $(proc caps CapAmb)" \
	"0000000000000400 0000000000000400 0000000000000000 0000000000000000"
ok "a root file system can be written" podctl exec facts -c plain -- touch /written
ok "a read-only one can't" eval '! podctl exec facts -c read -- touch /written'
ok "a volume in it can" podctl exec facts -c read -- touch /mnt/written
is "what one container writes, the other does not see" "$(see caps sh -c 'ls /written 2>/dev/null')" ""
ok "the host's root was not written" eval '[ ! -e /written ]'
is "members share the pod's network, IPC and UTS namespaces" "$(see plain stat -Lc %i /proc/1/ns/net /proc/1/ns/ipc /proc/1/ns/uts)" \
	"$(see user stat -Lc %i /proc/1/ns/net /proc/1/ns/ipc /proc/1/ns/uts)"
ok "which are not the host's" eval '[ "$(see plain stat -Lc %i /proc/1/ns/net)" != "$(ns net)" ] && [ "$(see plain stat -Lc %i /proc/1/ns/ipc)" != "$(ns ipc)" ]'
ok "each has a PID namespace of its own" eval '[ "$(see plain stat -Lc %i /proc/1/ns/pid)" != "$(see user stat -Lc %i /proc/1/ns/pid)" ]'
is "and is process 1 there" "$(see plain cat /proc/1/comm)" sleep
ok "a member can't mount" eval '! podctl exec facts -c plain -- mount -t tmpfs none /mnt'
ok "a privileged one can" podctl exec facts -c privileged -- mount -t tmpfs none /mnt
see plain rm -f /etc/debian_version >/dev/null
plain=$(member_pid facts plain)
kill -KILL "$plain"
await 20 replaced facts plain "$plain"
ok "each start has a fresh root file system" podctl exec facts -c plain -- sh -c '[ ! -e /written ] && [ -e /etc/debian_version ]'
rm "$PODS/facts.yaml"

pod shared <<'END'
  shareProcessNamespace: true
  terminationGracePeriodSeconds: 0
  containers:
  - {name: one, image: "rootfs:/", command: [sleep, "1000001"]}
  - {name: two, image: "rootfs:/", command: [sleep, "1000002"]}
END
pod host <<'END'
  hostNetwork: true
  hostPID: true
  hostIPC: true
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
END
ok "a pod with shareProcessNamespace is ready" ready shared
like "its members see each other" "$(podctl exec shared -c one -- busybox ps -o args)" 'sleep 1000002'
is "process 1 is the pod's own" "$(podctl exec shared -c one -- busybox ps -o pid,args | grep -c '^ *1 sleep')" 0
one=$(member_pid shared one) two=$(member_pid shared two)
kill -KILL "$one"
ok "one that is killed is replaced" await 20 replaced shared one "$one"
is "the other is not touched" "$(member_pid shared two)" "$two"
ok "the new one joined the same namespace" eval 'podctl exec shared -c one -- busybox ps -o args | grep -q "sleep 1000002"' 
ok "a pod in the host's namespaces is ready" ready host
is "its network, PID and IPC namespaces are the host's" "$(podctl exec host -- stat -Lc %i /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/ipc)" \
	"$(ns net; ns pid; ns ipc)"
is "its hostname is the host's" "$(podctl exec host -- hostname)" "$(hostname)"
app=$(member_pid host app)
kill -KILL "$app"
ok "its member is replaced as well" await 20 replaced host app "$app"

# --- podd itself -------------------------------------------------------------------------------------------------------------------------

descriptors() { find "/proc/$PODD_PID/fd" -mindepth 1 2>/dev/null | wc -l; }
back_to() { [ "$(descriptors)" -le "$1" ]; }
pod often <<END
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
END
ready often
base=$(descriptors)
runs_again() { [ "$(of often app '"\(.restartCount) \(.state.running != null)"')" = "$1 true" ]; }
restart_by_hand() {
	local i
	for ((i = 1; i <= 200; i++)); do
		podctl restart often >/dev/null && await 60 runs_again $i || return 1
	done
}
ok "a member is restarted 200 times by hand" restart_by_hand
is "each is counted" "$(of often app .restartCount)" 200
ok "podd has no more descriptors than before ($base)" await 20 back_to "$base"
is "podd has one thread" "$(awk '/^Threads:/ { print $2 }' "/proc/$PODD_PID/status")" 1

leaves_nothing
podd_stop
is "podd ends on SIGTERM, by itself" $? 0
finish
