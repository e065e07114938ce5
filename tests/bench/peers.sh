# The peers' side of the bench: what crun, runc and podman take for the same container. Started by bench.sh in namespaces of its own; reads
# one question a line, answers with one line of figures (microseconds), or "-" where the peer is not installed or fails.
#
#   start PEER      to the first instruction of one container (podman: of both of a pod), and to that of the next after a kill -9
#   many PEER N     N of them, one after the other
#   memory podman   kB (PSS) of what stands beside one pod of two containers
set -u
dir=$ROOT/peers drive=$builddir/tests/bench/drive
mkdir -p "$dir"/{store,run,tmp,bundle}
for d in /dev/shm /run; do mount -t tmpfs peers "$d"; done # locks and state of podman's
for h in $CGROUPS; do mount --bind "$h/$PODD_HOST/peers" "$h"; done

podman() {
	command podman --root "$dir/store" --runroot "$dir/run" --tmpdir "$dir/tmp" --cgroup-manager cgroupfs --events-backend none "$@"
}
export -f podman
export dir

# The same program, image and bind mount as podd's and the floor's, without a network.
jq -n --arg image "$IMAGE" --arg bench "$BENCH" '{
	ociVersion: "1.0.2", root: {path: $image, readonly: true}, linux: {cgroupsPath: "/peers/one",
		namespaces: [{type: "pid"}, {type: "mount"}, {type: "ipc"}, {type: "uts"}, {type: "cgroup"}],
		resources: {memory: {limit: 67108864}, cpu: {quota: 50000, period: 100000}}},
	process: {cwd: "/", args: ["/bench-first", "p"], user: {uid: 0, gid: 0}, noNewPrivileges: true},
	mounts: [{destination: "/proc", type: "proc", source: "proc"},
		{destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"]},
		{destination: "/bench", type: "bind", source: $bench, options: ["rbind", "rw"]}]}' >"$dir/bundle/config.json"
pod() { # NAME
	cat <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: $1}
	spec:
	  hostNetwork: true
	  volumes: [{name: bench, hostPath: {path: $BENCH, type: Directory}}]
	  containers:
	  - {name: a, image: "localhost/bench:latest", command: [/bench-first, a], volumeMounts: [{name: bench, mountPath: /bench}]}
	  - {name: b, image: "localhost/bench:latest", command: [/bench-first, b], volumeMounts: [{name: bench, mountPath: /bench}]}
	END
}
if command -v podman >/dev/null; then
	tar -C "$IMAGE" -c . | podman import - bench
	for i in {1..20}; do pod "p$i" >"$dir/p$i.yaml"; done
fi >>"$dir/log" 2>&1

loop='while :; do "$0" --root "$1/state" run --bundle "$1/bundle" --pid-file "$1/pid" one; done'
start_runtime() { # RUNTIME: supervised by a loop of the shell
	local first again loop_pid
	read -r first loop_pid < <("$drive" peer "$BENCH" 1 sh -c "$loop" "$1" "$dir") || return
	sleep 0.1
	again=$("$drive" again "$BENCH" "$(cat "$dir/pid")")
	kill -KILL "$loop_pid"
	"$1" --root "$dir/state" delete -f one 2>>"$dir/log"
	echo "$first $again"
}
start_podman() {
	local first again
	read -r first _ < <("$drive" peer "$BENCH" 2 bash -c 'podman kube play "$dir/p1.yaml"') || return
	sleep 0.5
	again=$("$drive" again "$BENCH" "$(podman inspect -f '{{.State.Pid}}' p1-a)")
	podman pod rm -fa -t 0 >>"$dir/log" 2>&1
	echo "$first $again"
}
many='for i in $(seq "$2"); do "$0" --root "$1/state" run --detach --bundle "$1/bundle$i" "$i"; done'
many_runtime() { # RUNTIME N
	local i all
	for ((i = 1; i <= $2; i++)); do
		mkdir -p "$dir/bundle$i" && sed "s|/peers/one|/peers/$i|" "$dir/bundle/config.json" >"$dir/bundle$i/config.json"
	done
	read -r all _ < <("$drive" peer "$BENCH" "$2" sh -c "$many" "$1" "$dir" "$2") || return
	for ((i = 1; i <= $2; i++)); do "$1" --root "$dir/state" delete -f "$i"; done 2>>"$dir/log"
	echo "$all"
}
many_podman() { # N
	local all
	read -r all _ < <("$drive" peer "$BENCH" $(($1 * 2)) bash -c 'for i in $(seq "$0"); do podman kube play "$dir/p$i.yaml"; done' "$1") || return
	cat /proc/$(pgrep -d ' ' -x 'conmon|catatonit' | sed 's| |/smaps_rollup /proc/|g')/smaps_rollup 2>/dev/null |
		awk -v n="$1" '/^Pss:/ { kb += $2 } END { printf "%.0f\n", kb / n }' >"$dir/memory"
	podman pod rm -fa -t 0 >>"$dir/log" 2>&1
	echo "$all"
}

answer() { # WHAT PEER...
	command -v "$2" >/dev/null || [ "$2" = podman ] || return
	case $1 in
	start) [ "$2" = podman ] && start_podman || start_runtime "$2" ;;
	many) [ "$2" = podman ] && many_podman "$3" || many_runtime "$2" "$3" ;;
	memory) cat "$dir/memory" ;;
	esac
}
while read -r what peer n; do
	a=$(answer "$what" "$peer" "$n" 2>>"$dir/log")
	echo "${a:--}"
done
