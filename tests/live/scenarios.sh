#!/bin/bash
# What people who know other runners of Pods count on. Each file of scenarios/ is a manifest with what is expected of it in comments; all
# are dropped into one podd at once. The pod's name is the file's, without its number. A word may be a pattern of the shell, also a LINE.
#
#   # expect: phase|ready|qos|reason VALUE       of the pod
#   # expect: exit|last|restarts|waiting CONTAINER VALUE
#                                                of a container: code and reason of its end, or of its end before; reason and message
#   # expect: log [POD/]CONTAINER LINE           such lines of a scenario, in their order, are all that its present start has printed
#   # expect: refused TEXT                       podctl status says so of the file
#   # expect: event TEXT                         podctl events says so of the pod
#   # expect: host COMMAND                       succeeds on the host
#   # after: COMMAND                             succeeds on the host when the pods are gone
#
# /mnt is a tmpfs: /mnt/told is for what pods tell, /mnt/data for what they find, /mnt/tools.tar an image with busybox in it.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

SCENARIOS=$srcdir/tests/live/scenarios
declare -A fact missing

host_facts() {
	mount -t tmpfs -o mode=755 mnt /mnt
	mkdir -p /mnt/told /mnt/data/dir /mnt/tools "$ROOT/etc/podd/seccomp"
	chmod 777 /mnt/told
	echo file >/mnt/data/file
	echo deep >/mnt/data/dir/deep
	mknod /mnt/data/null c 1 3
	ln -s /etc /mnt/data/link
	image_base /mnt/tools
	image /mnt/tools.tar tools /mnt/tools \
		'{"Entrypoint": ["/bin/echo", "entry"], "Cmd": ["cmd"], "Env": ["FROM=image", "KEPT=image"], "User": "web", "WorkingDir": "/tmp"}'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}' \
		>"$ROOT/etc/podd/seccomp/no-mkdir.json"
}

# All pods in one look: fact[POD phase], fact[POD/CONTAINER exit] and so on.
look() {
	local key value
	fact=()
	while IFS=$'\t' read -r key value; do fact[$key]=$value; done < <(podctl get pods -A -o json 2>/dev/null | jq -r '
		.items[] | .metadata.name as $pod | .status
		| [$pod + " phase", .phase], [$pod + " qos", .qosClass], [$pod + " reason", .reason // ""],
		  (.conditions[]? | select(.type == "Ready") | [$pod + " ready", .status]),
		  ((.initContainerStatuses // []) + (.containerStatuses // []) | .[] | ($pod + "/" + .name) as $c
		   | [$c + " restarts", (.restartCount | tostring)],
		     (.state.terminated // empty | [$c + " exit", "\(.exitCode) \(.reason)"]),
		     (.lastState.terminated // empty | [$c + " last", "\(.exitCode) \(.reason)"]),
		     (.state.waiting // empty | [$c + " waiting", "\(.reason): \(.message)"]))
		| @tsv')
	status=$(podctl status 2>/dev/null)
	events=$(podctl events -A -o json 2>/dev/null | jq -r '.items[] | "\(.involvedObject.name) \(.reason): \(.message)"')
}

# What is expected of a scenario, as KIND REST; the lines of one container's log are one, with a unit separator between them.
expectations() { # FILE
	awk '/^# expect: log / { c = $4; sub(/^# expect: log [^ ]+ ?/, ""); log_of[c] = log_of[c] "\037" $0; next }
		/^# expect: / { sub(/^# expect: /, ""); print }
		END { for (c in log_of) print "log", c, substr(log_of[c], 2) }' "$1"
}

# shellcheck disable=SC2053 # patterns
met() { # FILE POD KIND REST
	local key=$2/${4%% *} value=${4#* }
	case $3 in
	phase | ready | qos | reason) [[ ${fact[$2 $3]-} == $4 ]] ;;
	exit | last | restarts | waiting) [[ ${fact[$key $3]-} == $value ]] ;;
	log)
		case $key in */*/*) key=${key#*/} ;; esac
		[[ $(podctl logs "${key%/*}" -c "${key#*/}" 2>&1) == ${value//$'\037'/$'\n'} ]]
		;;
	refused) grep -F "$1" <<<"$status" | grep -qF -- "$4" ;;
	event) grep -qF -- "$4" <<<"$(grep "^$2 " <<<"$events")" ;;
	host) eval "$4" >/dev/null 2>&1 ;;
	*) false ;;
	esac
}

settled() { # FILE: all that is expected of it holds; else missing[FILE] says what does not
	local pod=${1#*-} kind rest
	pod=${pod%.*}
	while read -r kind rest; do
		met "$1" "$pod" "$kind" "$rest" || { missing[$1]="$kind ${rest//$'\037'/ | }"; return 1; }
	done < <(expectations "$SCENARIOS/$1")
}

why() { # FILE
	local pod=${1#*-}
	pod=${pod%.*}
	note "not yet: ${missing[$1]}"
	{
		printf '%s\n' "${!fact[@]}" | grep -E "^${pod}[ /]" | sort | while read -r key; do echo "$key: ${fact[$key]}"; done
		grep -F "$1" <<<"$status"
		grep "^$pod " <<<"$events" | tail -n 5
		podctl logs "$pod" --all-containers --prefix 2>&1 | tail -n 15
	} | sed 's/^/#   /'
}

host_facts
podd_start --node-label zone=cellar || { fail "podd starts"; finish; }
waiting=($(cd "$SCENARIOS" && ls))
for file in "${waiting[@]}"; do
	expectations "$SCENARIOS/$file" | grep -q . || fail "$file expects something"
	install -m 600 "$SCENARIOS/$file" "$PODS/.put.$file" && mv "$PODS/.put.$file" "$PODS/$file"
done

SECONDS=0
while [ ${#waiting[@]} != 0 ] && [ $SECONDS -lt 300 ]; do
	look
	still=()
	for file in "${waiting[@]}"; do
		if settled "$file"; then pass "${file%.*}: $(sed -n '1s/^# //p' "$SCENARIOS/$file")"; else still+=("$file"); fi
	done
	waiting=("${still[@]}")
done
for file in "${waiting[@]}"; do
	fail "${file%.*}: $(sed -n '1s/^# //p' "$SCENARIOS/$file")"
	why "$file"
done

# --- and when they go -------------------------------------------------------------------------------------------------------------------

leaves_nothing
for file in $(cd "$SCENARIOS" && grep -l '^# after: ' -- *); do
	ok "${file%.*}: $(sed -n 's/^# after: //p' "$SCENARIOS/$file")" eval "$(sed -n 's/^# after: //p' "$SCENARIOS/$file")"
done
podd_stop
finish
