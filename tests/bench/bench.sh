#!/bin/bash
# podd against the kernel's floor, in turn, in one throw-away host. Prints a table of figures and goals, also of those that miss.
# Beside them crun, runc and podman, where they are installed, in the same rounds.
# ROUNDS (default 25) of start and restart, and as many of the log pump; DENSITY (default 100) pods at once.
. "$(dirname "$0")/../lib/host.sh"

rounds=${ROUNDS:-25} density=${DENSITY:-100} idle=${IDLE:-30} megabytes=${MEGABYTES:-128}
bench=$ROOT/bench image=$ROOT/image drive=$builddir/tests/bench/drive floor=$builddir/tests/bench/floor
cgroup=$(cgroup_v2)/$PODD_HOST
mkdir -p "$bench" "$image"/{proc,dev,sys,etc,bench} "$ROOT/floor" "$ROOT/run/floor" "$ROOT/var/log/pods"
touch "$image"/etc/{hosts,hostname,resolv.conf}
cp "$builddir/tests/bench/first" "$image/bench-first"
mkfifo -m 666 "$bench/fifo"
mount -t tmpfs log "$ROOT/var/log/pods" # the pump is measured, not the disk

template() { # ARGUMENTS-OF-A RESOURCES
	cat <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: "@"}
	spec:
	  terminationGracePeriodSeconds: 1
	  volumes:
	  - {name: bench, hostPath: {path: $bench, type: Directory}}
	  containers:
	END
	for c in $1; do
		cat <<-END
		  - name: ${c%%:*}
		    image: rootfs:$image
		    command: [/bench-first, ${c//:/, }]
		    volumeMounts: [{name: bench, mountPath: /bench}]
		END
		[ -z "$2" ] || echo "    resources: $2"
	done
}
template "a b" '{limits: {cpu: 500m, memory: 64Mi}}' >"$ROOT/pair"
template "flood:\"$megabytes\"" '{requests: {cpu: 1}}' >"$ROOT/flood"

# One container as crun and runc get it: no network of its own.
template a '{limits: {cpu: 500m, memory: 64Mi}}' | sed 's/^spec:/&\n  hostNetwork: true/' >"$ROOT/single"

# The peers have the cgroups below peers/ for all there are: nothing of theirs is left.
coproc PEERS {
	for h in $(host_hierarchies); do
		mkdir -p "$h/$PODD_HOST/peers"
		for d in "$h/$PODD_HOST" "$h/$PODD_HOST/peers"; do
			for f in cpuset.cpus cpuset.mems; do [ ! -e "$d/$f" ] || cat "$h/$f" >"$d/$f"; done
		done
		echo $BASHPID >"$h/$PODD_HOST/peers/cgroup.procs"
	done
	ROOT=$ROOT PODD_HOST=$PODD_HOST IMAGE=$image BENCH=$bench CGROUPS=$(host_hierarchies | xargs) exec \
		unshare --mount --cgroup --propagation private bash "$srcdir/tests/bench/peers.sh" 2>>"$ROOT/peers.log"
}
ask() { echo "$*" >&"${PEERS[1]}" && read -r answer <&"${PEERS[0]}" && echo "$answer"; }
peers=(crun runc podman)

drive() { local verb=$1; shift; "$drive" "$verb" "$bench" "$PODS" "$cgroup" "$@"; }
floor() { local verb=$1; shift; "$floor" "$verb" "$bench" "$ROOT/floor" "$ROOT/run/floor" "$image" "$PODD_HOST/floor" "$@"; }
start_podd() { # PID of one that has to die first; STARTED: microseconds until it answers
	read -r STARTED PODD_PID < <("$drive" adopt "$PODD_SOCKET" "${1:-0}" "$builddir/bin/podd" --root "$ROOT" --cgroup-root "$PODD_HOST" \
		--node-name bench 2>>"$ROOT/podd.log")
	[ -n "$PODD_PID" ] || die "podd does not start"
}
die() { echo "$1" >&2; tail -n 20 "$ROOT/podd.log" >&2; exit 1; }

# What podd removes later, in a process of its own, would be measured with whatever comes next.
settle() { await 60 eval '[ -z "$(ls -A "$ROOT/var/lib/podd/trash")" ]' || die "podd's trash is not emptied"; }

median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }
least() { sort -n | head -n 1; }
column() { awk -v c="$1" '{ print $c }'; }
helpers() { for p in /proc/[0-9]*; do case $(cat "$p/comm" 2>/dev/null) in podd-anchor | podd-log) echo "${p#/proc/}" ;; esac; done; }
switches() { for p in $PODD_PID $(helpers); do cat "/proc/$p/task"/*/status; done | awk '/ctxt_switches/ { n += $2 } END { print n }'; }

# ROW: what, podd's figure, the floor's, value to judge, "<=" or ">=", goal, unit of the judged value
row() {
	local verdict=misses
	awk -v v="$4" -v g="$6" "BEGIN { exit !(v $5 g) }" && verdict=reached
	printf '%-44s %12s %12s %10s   %s %-10s %s\n' "$1" "$2" "$3" "$4" "$5" "$6$7" "$verdict"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }


echo "# Linux $(uname -r), $(nproc) CPUs,$(awk -F: '/model name/ { print $2; exit }' /proc/cpuinfo), load $(cut -d' ' -f1 /proc/loadavg)," \
	"$rounds rounds, medians"
printf '%-44s %12s %12s %10s   %s\n' figure podd floor judged goal
start_podd

# --- start and restart: two containers, network, limits
for ((i = 0; i < rounds; i++)); do
	floor round >>"$ROOT/floor.round" || die "the floor fails"
	drive round "$ROOT/pair" 2 >>"$ROOT/podd.round" || die "podd's round fails"
	settle
	drive round "$ROOT/single" 1 >>"$ROOT/podd.single" || die "podd's round fails"
	settle
	for peer in "${peers[@]}"; do ask start $peer >>"$ROOT/$peer.start"; done
done
for what in start restart; do
	[ $what = start ] && c=1 || c=2
	p=$(column $c <"$ROOT/podd.round" | median) f=$(column $c <"$ROOT/floor.round" | median)
	[ $what = start ] && text="rename -> both members' first instruction" || text="kill -9 -> new member's first instruction"
	row "$text" "$p us" "$f us" "$(ratio "$p" "$f")" '<=' 2.0 x
	p=$(column $c <"$ROOT/podd.round" | least) f=$(column $c <"$ROOT/floor.round" | least)
	printf '%-44s %12s %12s %10s\n' "  the fastest round, as on a quiet host" "$p us" "$f us" "$(ratio "$p" "$f")"
done

# --- many at once; the last of them stay for the next figures
for ((i = 0; i < 3; i++)); do
	[ $i = 0 ] || drive clear || die "pods do not go"
	settle
	floor burst "$density" >>"$ROOT/floor.burst" || die "the floor's burst fails"
	drive burst "$ROOT/pair" "$density" 2 >>"$ROOT/podd.burst" || die "podd's burst fails"
done
p=$(median <"$ROOT/podd.burst") f=$(median <"$ROOT/floor.burst")
rate() { awk -v n="$density" -v us="$1" 'BEGIN { printf "%.0f", n * 1e6 / us }'; }
row "$density pods at once" "$(rate "$p")/s" "$(rate "$f")/s" "$(ratio "$f" "$p")" '>=' 0.5 x

sleep 3
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$PODD_PID/status")
row "podd's RSS with $density pods" "$rss kB" - "$(ratio "$rss" 1024)" '<=' 6 ' MB'
before=$(switches)
sleep "$idle"
n=$(($(switches) - before))
row "context switches in $idle s, $density idle pods" "$n" - "$n" '<=' 0 ''

anchors=$(helpers | sort | tr '\n' ' ')
for ((i = 0; i < rounds; i++)); do
	start_podd "$PODD_PID"
	echo "$STARTED" >>"$ROOT/podd.adopt"
done
[ "$(helpers | sort | tr '\n' ' ')" = "$anchors" ] || die "an anchor changed while podd was killed"
p=$(median <"$ROOT/podd.adopt")
row "adoption of $density pods" "$p us" - "$(ratio "$p" 1000)" '<=' 200 ' ms'

# --- what a pod's helpers hold, among twenty
for ((i = 20; i < density; i++)); do rm "$PODS/bench-$i.yaml"; done
left() { [ "$(find "$cgroup" -mindepth 1 -maxdepth 2 -name 'pod*' -type d | wc -l)" = 20 ]; }
await 60 left || die "pods do not go"
sleep 1
kb=$(for p in $(helpers); do cat "/proc/$p/smaps_rollup"; done | awk '/^Pss:/ { n += $2 } END { printf "%.0f", n / 20 }')
row "PSS of a pod's helpers, 20 pods" "$kb kB" - "$kb" '<=' 250 ' kB'
drive clear >/dev/null || die "pods do not go"

# --- what goes on in steady state: probes, and a crash loop at the end of its back-off
spent() { # nanoseconds of CPU time so far: podd's, its anchors'
	local ns=0 p
	for p in $(helpers); do ns=$((ns + $(cut -d' ' -f1 "/proc/$p/schedstat"))); done
	echo "$(cut -d' ' -f1 "/proc/$PODD_PID/schedstat") $ns"
}
steady() { # TEXT: CPU times and lateness of probes over `idle` seconds
	local p a podd anchors late n
	read -r p a < <(spent)
	late=$(drive probes "$idle") || die "no probes"
	read -r podd anchors < <(spent)
	row "CPU of podd: $1" "$(share $((podd - p)))" - "$(share $((podd - p)))" '<=' 5 ' %'
	row "CPU of anchors: $1" "$(share $((anchors - a)))" - "$(share $((anchors - a)))" '<=' 5 ' %'
	read -r n p a late <<<"$late"
	row "  of $n probes, 99 % came late by at most" "$a us" - "$(ratio "$a" 1000)" '<=' 100 ' ms'
	row "  the latest of them" "$late us" - "$(ratio "$late" 1000)" '<=' 100 ' ms'
}
share() { awk -v ns="$1" -v s="$idle" 'BEGIN { printf "%.2f", ns / s / 1e7 }'; } # of one core, in percent

exec 9<>"$bench/fifo" # a probe must not wait for its reader
template a '{limits: {cpu: 500m, memory: 64Mi}}' >"$ROOT/probed"
echo '    readinessProbe: {exec: {command: [/bench-first, probe, "@"]}, periodSeconds: 1, timeoutSeconds: 10}' >>"$ROOT/probed"
template crash '' | sed 's/^metadata: .*/metadata: {name: "crash-@", annotations: {podd.dev\/restart-backoff: "initial=1s, max=10s"}}/' >"$ROOT/crash"
drive burst "$ROOT/probed" "$density" 1 >/dev/null || die "probed pods do not start"
sleep 3
steady "$density exec probes a second"
drive clear >/dev/null || die "pods do not go"
settle
drive burst "$ROOT/probed" 1 1 >/dev/null || die "the probed pod does not start"
for ((i = 0; i < density; i++)); do sed "s/@/$i/" "$ROOT/crash" >"$PODS/crash-$i.yaml"; done
sleep 25
steady "$density pods crash every 10 s"
drive clear >/dev/null || die "pods do not go"
settle
exec 9<&-

# --- log
for ((i = 0; i < rounds; i++)); do
	"$floor" log "$ROOT/var/log/pods" "$megabytes" "$PODD_HOST/floor" >>"$ROOT/floor.log" || die "the floor's pump fails"
	drive flood "$ROOT/flood" >>"$ROOT/podd.flood" || die "podd's pump fails"
done
p=$(median <"$ROOT/podd.flood") f=$(median <"$ROOT/floor.log")
speed() { awk -v n="$megabytes" -v us="$1" 'BEGIN { printf "%.0f MB/s", n * 1e6 / us }'; }
row "log, 100-byte lines to files" "$(speed "$p")" "$(speed "$f")" "$(ratio "$f" "$p")" '>=' 0.6 x

# --- manifests of 1.6 KB
mkdir "$ROOT/many"
for ((i = 0; i < 1000; i++)); do
	template "a b c" '{requests: {cpu: 100m, memory: 32Mi}, limits: {cpu: 500m, memory: 64Mi}}' | sed "s/@/many-$i/"
	for ((k = 0; k < 3; k++)); do
		printf '  - name: more-%s\n    image: rootfs:/srv/image\n    command: [/usr/bin/server, --listen, "0.0.0.0:80%s"]\n' $k $k
		printf '    env: [{name: HOME, value: /srv}, {name: LEVEL, value: "3"}]\n    ports: [{containerPort: 80%s0, name: p%s}]\n' $k $k
	done
done >"$ROOT/many/all"
(cd "$ROOT/many" && awk '/^apiVersion/ { n++ } { print >n ".yaml"; if (/^apiVersion/ && n > 1) close(n - 1 ".yaml") }' all && rm all)
size=$(cat "$ROOT"/many/*.yaml | wc -c)
for ((i = 0; i < rounds; i++)); do "$builddir/tests/bench/parse" "$ROOT"/many/*.yaml >>"$ROOT/parse" || die "the manifests are refused"; done
p=$(column 1 <"$ROOT/parse" | median) f=$(column 2 <"$ROOT/parse" | median)
printf '%-44s %12s %12s %10s   %s\n' "1000 manifests of $((size / 1000)) bytes, judged" "$p us" "$f us" "$(ratio "$p" "$f")" "beside libyaml's events"

# --- others, by the same measure and in the same rounds; podd's figures have no network here, as crun's and runc's
crowd=10
burst_podd() { drive burst "$ROOT/single" $crowd 1 && drive clear; }
printf '\n%-44s %12s' "others, medians" podd
printf ' %18s' "${peers[@]}"
echo
peer_row() { # TEXT PODD UNIT COLUMN FILE-ENDING OTHERS-OF
	local p
	printf '%-44s %12s' "$1" "$2 $3"
	for peer in "${peers[@]}"; do
		p=$(grep -v '^-' "$ROOT/$peer.$5" | column "$4" | median)
		printf ' %18s' "$([ -n "$p" ] && echo "$p $3 ($(ratio "$p" "$2")x)" || echo -)"
	done
	echo
}
peer_row "start of a container; podman: a pod of two" "$(column 1 <"$ROOT/podd.single" | median)" us 1 start
peer_row "kill -9 -> its successor" "$(column 2 <"$ROOT/podd.single" | median)" us 2 start
for ((i = 0; i < 3; i++)); do
	burst_podd | head -n 1 >>"$ROOT/podd.many"
	settle
	for peer in "${peers[@]}"; do ask many $peer $crowd >>"$ROOT/$peer.many"; done
done
peer_row "$crowd of them" "$(median <"$ROOT/podd.many")" us 1 many
ask memory podman >"$ROOT/podman.memory"
echo - | tee "$ROOT/crun.memory" >"$ROOT/runc.memory"
peer_row "PSS beside a pod; crun, runc: nobody watches" "$kb" kB 1 memory
for peer in "${peers[@]}"; do command -v $peer >/dev/null || echo "# $peer is not installed"; done
eval "exec ${PEERS[1]}>&-"

kill -TERM "$PODD_PID"
await 10 eval '! kill -0 "$PODD_PID"' || die "podd does not end"
exit 0
