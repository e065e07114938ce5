#!/bin/bash
# podd is killed by SIGKILL at random moments, its own start among them, while manifests are added, edited and removed. No member of a steady
# pod is restarted for that, no line of a log is missing, no exit status is lost, nothing is started twice, nothing stays behind.
#
# ROUNDS says how often (LONG=all: 500, else 25); SEED repeats a run's schedule, as far as the machine does.
case ${LONG:-sample} in all) : "${ROUNDS:=500}" ;; *) : "${ROUNDS:=25}" ;; esac
: "${SEED:=$$}"
export ROUNDS SEED
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
RANDOM=$SEED
note "seed $SEED, $ROUNDS rounds"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/facts"
crashes=0

podd_lives() { kill -0 "$PODD_PID" 2>/dev/null; }
nap() { sleep "0.$(printf %03d $((RANDOM % $1)))"; } # MILLISECONDS at most
shoot() {
	podd_lives || { crashes=$((crashes + 1)); note "podd had ended by itself in round $round"; }
	podd_kill
}

# --- steady pods: they count, in a shell without children, so that a pace of milliseconds costs little ----------------------------------------------

steady() { # NAME LABEL
	pod "$1" "$2" <<END
  terminationGracePeriodSeconds: 0
  containers:
  - name: fast
    image: rootfs:/
    command: [bash, /facts/count, fast]
    volumeMounts: [{name: facts, mountPath: /facts}]
  - name: wide
    image: rootfs:/
    command: [bash, /facts/count, wide]
    volumeMounts: [{name: facts, mountPath: /facts}]
  volumes: [{name: facts, hostPath: {path: "$ROOT/facts"}}]
END
}
# `wide` begins with more than a file holds, so that the log is rotated. When asked, they say how far they came, and print no more.
cat >"$ROOT/facts/count" <<'END'
mkfifo /tmp/never && exec 9<>/tmp/never
trap 'stop=1' USR1
i=0 pad= fast=0
[ "$1" = wide ] && printf -v pad '%01000d' 0 && fast=11000
until [ -n "$stop" ]; do
	echo "$i $pad"
	((i++ < fast)) || read -r -t 0.00$((RANDOM % 9 + 1)) -u 9
done
echo $((i - 1)) >"/facts/$HOSTNAME.$1.last"
while :; do read -r -u 9; done
END
steady_pods=(steady0 steady1 steady2)
for p in "${steady_pods[@]}"; do steady "$p" 0; done
ok "three pods of two counting members are ready" podctl wait --for=ready "${steady_pods[@]}" --timeout 30s
identity() { for p in "${steady_pods[@]}"; do echo "$(member_pid "$p" fast) $(member_pid "$p" wide) $(sandbox "$p")"; done; }
before=$(identity)

# --- pods that come and go ------------------------------------------------------------------------------------------------------------------

declare -A ending=() sleeping=() # pods that are there now; of those that end: which codes
serial=0
add_ending() { # three members that end by themselves, each with a code of its own
	local p=end$serial i
	serial=$((serial + 1))
	ending[$p]=
	for i in 0 1 2; do ending[$p]+="$((RANDOM % 256)) "; done
	{
		printf '  restartPolicy: Never\n  containers:\n'
		i=0
		for code in ${ending[$p]}; do
			printf '  - {name: c%d, image: "rootfs:/", command: [sh, -c, "echo start >>/facts/%s.c%d; sleep 0.%03d; exit %d"], ' \
				$i $p $i $((RANDOM % 800)) "$code"
			printf 'volumeMounts: [{name: facts, mountPath: /facts}]}\n'
			i=$((i + 1))
		done
		printf '  volumes: [{name: facts, hostPath: {path: "%s"}}]\n' "$ROOT/facts"
	} | pod "$p"
}
put_sleeping() { # NAME
	pod "$1" <<END
  terminationGracePeriodSeconds: $((RANDOM % 2))
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, "$((100000 + RANDOM))"], ports: [{containerPort: 80, hostPort: $((20000 + ${1#sleep} * 2 + RANDOM % 2))}]}
END
	sleeping[$1]=1
}
any() { local a=("$@"); echo "${a[RANDOM % $#]}"; }
act() {
	case $((RANDOM % 8)) in
	0 | 1 | 2) add_ending ;;
	3) serial=$((serial + 1)) && put_sleeping sleep$serial ;;
	4) [ ${#sleeping[@]} = 0 ] || put_sleeping "$(any "${!sleeping[@]}")" ;;
	5 | 6) [ ${#sleeping[@]} = 0 ] || { local p; p=$(any "${!sleeping[@]}"); rm "$PODS/$p.yaml"; unset "sleeping[$p]"; } ;;
	7) steady "$(any "${steady_pods[@]}")" "$RANDOM" ;;
	esac
}

wrong_codes= wrong_starts= checked=0
has_ended() { [[ $(phase "$1") == @(Succeeded|Failed) ]]; }
check_ending() { # with podd up: all that was to end has ended, as it was to, after one start; then it is removed
	local p i code
	for p in "${!ending[@]}"; do
		await 60 has_ended "$p" || wrong_codes+="$p has not ended; "
		i=0
		for code in ${ending[$p]}; do
			[ "$(of "$p" c$i '.state.terminated.exitCode | tostring')" = "$code" ] ||
				wrong_codes+="$p c$i: $(of "$p" c$i '.state | tostring') instead of $code; "
			[ "$(wc -l <"$ROOT/facts/$p.c$i")" = 1 ] || wrong_starts+="$p c$i: $(wc -l <"$ROOT/facts/$p.c$i") starts; "
			i=$((i + 1)) checked=$((checked + 1))
		done
		rm -f "$PODS/$p.yaml" "$ROOT"/facts/"$p".*
		unset "ending[$p]"
	done
}

# --- the rounds -----------------------------------------------------------------------------------------------------------------------------

for ((round = 1; round <= ROUNDS; round++)); do
	act
	nap $((RANDOM % 3 ? 250 : 20))
	[ $((RANDOM % 2)) = 0 ] && act
	shoot
	[ $((RANDOM % 3)) = 0 ] && act
	nap 40
	podd_spawn
	if [ $((round % 10)) = 0 ]; then
		await 60 podd_answers || {
			fail "podd answers in round $round"
			tail -n 20 "$ROOT/podd.log" | sed 's/^/#   /'
			grep -E '^(State|Threads)' "/proc/$PODD_PID/status" | sed 's/^/#   /'
			sed 's/^/#   /' "/proc/$PODD_PID/wchan" "/proc/$PODD_PID/stack" 2>/dev/null
			finish
		}
		check_ending
	fi
done
podd_lives || crashes=$((crashes + 1))
await 60 podd_answers
check_ending

ok "podd never ended by itself" [ $crashes = 0 ]
ok "pods that were to end did: $checked members" [ $checked -gt 0 ]
is "each with its own exit code" "$wrong_codes" ""
is "each after one start" "$wrong_starts" ""
ok "the pods that remain become ready" podctl wait --for=ready "${steady_pods[@]}" "${!sleeping[@]}" --timeout 120s
for p in "${!sleeping[@]}"; do # one that is not says all that is known of it
	[ "$(field "$p" '.status.conditions[] | select(.type == "Ready").status')" = True ] && continue
	podctl describe pod "$p" 2>&1 | sed 's/^/#   /'
	grep -F "default/$p " "$ROOT/podd.log" | tail -n 30 | sed 's/^/#   /'
	find "$(cgroup_v2)/$PODD_HOST" -path "*pod$(pod_uid "$p")*" -name cgroup.procs -exec sh -c 'echo "#   $1: $(tr "\n" " " <"$1")"' - {} \;
done
is "no steady member was restarted: same processes, same sandboxes" "$(identity)" "$before"
is "nor counted as restarted" "$(for p in "${steady_pods[@]}"; do podctl get pod "$p" -o json | jq -c '[.status.containerStatuses[].restartCount]'; done | sort -u)" "[0,0]"
is "podd met nothing that it did not expect" "$(grep -E 'InternalError|level=error' "$ROOT/podd.log" | head -n 3)" ""

# On a slow machine the wide ones have not printed a file's worth yet.
rotated() { [ "$(find "$ROOT"/var/log/pods/default_steady*/wide -name '0.log.1' | wc -l)" = 3 ]; }
ok "the logs of the wide ones are rotated" await 120 rotated
for p in "${steady_pods[@]}"; do
	kill -USR1 "$(member_pid "$p" fast)" "$(member_pid "$p" wide)"
done
complete() { # POD CONTAINER: all lines from the first to the one that the member printed last, each once
	local last
	last=$(cat "$ROOT/facts/$1.$2.last") && printed "$(pod_uid "$1")" "$2" | cut -d' ' -f1 | sort -n |
		awk -v last="$last" '$1 != NR - 1 { print "line " NR - 1 " is " $1; bad = 1; exit } END { if (!bad && NR - 1 != last) print "ends with " NR - 1 ", not " last; exit bad || NR - 1 != last }'
}
for p in "${steady_pods[@]}"; do
	for c in fast wide; do
		await 60 [ -s "$ROOT/facts/$p.$c.last" ]
		await 60 complete "$p" $c
		ok "no line of $p's $c log is missing, of $(cat "$ROOT/facts/$p.$c.last")" complete "$p" $c
	done
done

leaves_nothing
finish
