#!/bin/bash
# Files change hands, names and contents in every way that tools have, while podd is killed by SIGKILL at random moments. Whenever it is quiet, what runs is
# what the directory says: those pods, in those versions, each once. There was never a second instance of any, and in the end nothing is left.
#
# ROUNDS says how often it is looked at (LONG=all: 60, else 6); SEED repeats a run's schedule, as far as the machine does.
case ${LONG:-sample} in all) : "${ROUNDS:=60}" ;; *) : "${ROUNDS:=6}" ;; esac
: "${SEED:=$$}"
export ROUNDS SEED
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
RANDOM=$SEED
note "seed $SEED, $ROUNDS rounds"
mkdir "$ROOT/one" "$ROOT/elsewhere"
version=0 crashes=0
FILES=(f{0..7}.yaml) NAMES=(p{0..9})

# --- what a file holds: line 1 lists it for us, "# name=version ..." -----------------------------------------------------------------------

# Each instance takes a lock that all versions of its name share, for as long as it lives. Who can't have it has met another one.
document() { # NAME VERSION
	local more=
	case $(($2 % 5)) in
	1) more="  initContainers: [{name: init, image: \"rootfs:/\", command: [\"true\"]}]" ;;
	2) more="  hostNetwork: true" ;;
	3) more="  restartPolicy: OnFailure" ;;
	4) more="  priority: $2" ;;
	esac
	cat <<-END
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: $1}
		data: {version: "$2"}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, labels: {version: "$2"}}
		spec:
		  terminationGracePeriodSeconds: $(($2 % 2))
		$more
		  containers:
		  - name: app
		    image: rootfs:/
		    command: [bash, -c, 'exec 9>>/one/$1; flock -n 9 || echo $1 $2 >>/one/met; exec sleep $((1000000 + $2))']
		    volumeMounts: [{name: one, mountPath: /one}, {name: config, mountPath: /config}]
		  volumes: [{name: one, hostPath: {path: "$ROOT/one"}}, {name: config, configMap: {name: $1}}]
	END
}
text() { # NAME...: a file that defines them, each in a new version
	local list= body= name
	for name; do
		version=$((version + 1))
		list+=" $name=$version"
		body+=$(document "$name" $version)$'\n'
	done
	printf '#%s\n%s' "$list" "$body"
}
any() { local a=("$@"); echo "${a[RANDOM % $#]}"; }
some_names() { local n; for ((n = RANDOM % 3; n >= 0; n--)); do any "${NAMES[@]}"; done | sort -u; }
listed() { head -qn 1 "$PODS"/*.yaml 2>/dev/null | grep -o 'p[0-9]*=[0-9]*' | sort; }

act() {
	local file other fresh=$ROOT/elsewhere/fresh
	file=$(any "${FILES[@]}") other=$(any "${FILES[@]}")
	case $((RANDOM % 10)) in
	0 | 1) text $(some_names) >"$fresh" && mv "$fresh" "$PODS/$file" ;;
	2) text $(some_names) >"$fresh" && cp "$fresh" "$PODS/$file" ;; # in place
	3) text $(some_names) >"$PODS/.$file.Xa1b2c" && mv "$PODS/.$file.Xa1b2c" "$PODS/$file" ;; # rsync
	4) text $(some_names) >"$fresh" && rm -f "$PODS/$file" && mv "$fresh" "$PODS/$file" ;; # an editor
	5 | 6) # two files swap their names
		mv "$PODS/$file" "$PODS/swap" && mv "$PODS/$other" "$PODS/$file"
		mv "$PODS/swap" "$PODS/$other" ;;
	7) mv "$PODS/$file" "$PODS/$other" ;;
	8) rm "$PODS/$file" ;;
	9) sed -i 's/containers:/containres:/' "$PODS/$file" ;; # broken, until it is written again
	esac 2>/dev/null
}

# Makes it a directory that says one thing: nothing broken, and each name once.
tidy() {
	local f seen=' ' names n
	for f in "$PODS"/*.yaml; do
		[ -f "$f" ] || continue
		names=
		for n in $(head -n 1 "$f" | grep -o 'p[0-9]*='); do
			[[ $seen = *" $n "* ]] || names+=" ${n%=}"
			seen+="$n "
		done
		if [ -z "$names" ]; then
			rm "$f"
		elif grep -q containres "$f" || [ "$(wc -w <<<"$names")" != "$(head -n 1 "$f" | grep -o '=' | wc -l)" ]; then
			text $names >"$ROOT/elsewhere/tidy" && mv "$ROOT/elsewhere/tidy" "$f"
		fi
	done
}

# --- what is -----------------------------------------------------------------------------------------------------------------------------------

running() { # the instances that are there, whoever podd thinks they are
	podctl get pods -o json | jq -r '.items[] | select(.status.conditions[] | select(.type == "Ready").status == "True") |
		"\(.metadata.uid) \(.metadata.name)=\(.metadata.labels.version)"' | while read -r uid what; do
		pid=$(find "$(cgroup_v2)/$PODD_HOST" -path "*pod$uid/members/app.*" -name cgroup.procs -exec cat {} +)
		[ "$(cat "/proc/$pid/root/config/version")" = "${what#*=}" ] &&
			[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep $((1000000 + ${what#*=})) " ] && echo "$what"
	done 2>/dev/null | sort
}
true_now() { [ "$(running)" = "$(listed)" ] && [ "$(podctl get pods -o name | wc -l)" = "$(listed | wc -l)" ] && ! podctl status | grep -q refused; }

nap() { sleep "0.$(printf %03d $((RANDOM % $1)))"; } # MILLISECONDS at most
podd_start || { fail "podd starts"; finish; }
for ((round = 1; round <= ROUNDS; round++)); do
	for ((i = RANDOM % 12; i >= 0; i--)); do
		act
		[ $((RANDOM % 3)) = 0 ] && nap 60
		if [ $((RANDOM % 3)) = 0 ]; then
			kill -0 "$PODD_PID" 2>/dev/null || crashes=$((crashes + 1))
			podd_kill
			[ $((RANDOM % 2)) = 0 ] && act
			podd_spawn
		fi
	done
	tidy
	await 60 podd_answers
	if ! await 120 true_now; then
		fail "in round $round what runs is what the directory says"
		diff <(listed) <(running) | sed 's/^/#   /'
		{ podctl get pods; podctl status; } | sed 's/^/#   /'
		tail -n 40 "$ROOT/podd.log" | sed 's/^/#   /'
		break
	fi
done
kill -0 "$PODD_PID" 2>/dev/null || crashes=$((crashes + 1))
ok "$version versions in $ROUNDS rounds: each time what ran was what the directory said" [ $round -gt "$ROUNDS" ]
ok "podd never ended by itself" [ $crashes = 0 ]
is "there was never a second instance" "$(cat "$ROOT/one/met" 2>/dev/null)" ""
is "podd met nothing that it did not expect" "$(grep -E 'InternalError|level=error' "$ROOT/podd.log" | head -n 3)" ""
leaves_nothing
finish
