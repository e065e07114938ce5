# What live tests put into pods and ask about them. Sourced after host.sh.

# A pod whose spec is standard input (what stands below `spec:`).
pod() { # NAME [LABEL]
	{
		printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n' "$1"
		[ -z "${2:-}" ] || printf '  labels: {version: "%s"}\n' "$2"
		printf 'spec:\n'
		cat
	} | put "$1.yaml"
}

# A container of its status: `of web server .restartCount`; nothing where there is none.
of() { # POD CONTAINER FILTER
	podctl get pod "$1" -o json 2>/dev/null | jq -r --arg c "$2" ".status.containerStatuses[] | select(.name == \$c) | $3 // empty"
}
phase() { field "$1" .status.phase; }
phase_is() { [ "$(phase "$1")" = "$2" ]; }
exists() { podctl get pod "$1" >/dev/null 2>&1; }
gone() { ! exists "$1"; }
restarts_are() { [ "$(of "$1" "$2" '.restartCount | tostring')" = "$3" ]; }
ready_is() { [ "$(field "$1" '.status.conditions[] | select(.type == "Ready") | .status')" = "$2" ]; }

# Running, and by another process than PID.
replaced() { # POD CONTAINER PID
	local now
	now=$(member_pid "$1" "$2")
	[ -n "$now" ] && [ "$now" != "$3" ] && [ -n "$(of "$1" "$2" .state.running)" ]
}

# All lines that a container has printed, over all starts and rotated files, without the columns of the CRI format.
printed() { # UID CONTAINER
	find "$ROOT"/var/log/pods/*_"$1"/"$2" -type f -exec cat {} + | LC_ALL=C sort -s -k1,1 | cut -d' ' -f4-
}
said() { podctl logs "$1" -c "$2" 2>/dev/null | grep -qE -- "$3"; } # POD CONTAINER PATTERN: its present start has printed it

# The identity of a sandbox: what must not change as long as it is the same one.
sandbox() { # POD
	local a
	a=$(anchor_pid "$1")
	echo "anchor $a net $(netns_of "$a") ip $(field "$1" .status.podIP) uid $(pod_uid "$1")"
}

no_process() { # of podd's or its pods
	local h
	for h in $(host_hierarchies); do ! find "$h/$PODD_HOST" -name cgroup.procs -exec cat {} + 2>/dev/null | grep -q . || return 1; done
	! pgrep podd-anchor && ! pgrep -x podd
}

# As the power switch does it: no process gets a word, and what is in memory is gone.
reboot_host() {
	local p
	for p in $(ps -e -o pid=); do [ "$p" = 1 ] || [ "$p" = $$ ] || kill -KILL "$p" 2>/dev/null; done
	wait "$PODD_PID" 2>/dev/null
	await 60 no_process
	awk -v p="$ROOT/run" 'index($5, p) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r m; do umount -l "$m"; done
	mount -t tmpfs -o mode=755 run "$ROOT/run"
	for l in $(ip -o link show | sed -n 's/^[0-9]*: \(pd[^:@]*\).*/\1/p'); do ip link del "$l" 2>/dev/null; done
	nft flush ruleset 2>/dev/null
	local h
	for h in $(host_hierarchies); do find "$h/$PODD_HOST" -depth -mindepth 1 -type d -exec rmdir {} \; 2>/dev/null; done
}

remove_all() { rm -f "$PODS"/*.yaml; await 120 no_pods; }
no_pods() { [ -z "$(podctl get pods -A -o name 2>/dev/null)" ]; }

# A test's last question, whatever it did before.
leaves_nothing() {
	ok "all pods are gone when their manifests are" remove_all
	ok "podd's census and the shell's agree that nothing is left" await 60 census_clean
	census_clean || { shell_census | sed 's/^/# /'; podctl census | awk 'NF > 3' | sed 's/^/# /' | tail -n 15; }
}
