# A throw-away host for live tests: private mount, network, IPC and PID namespaces, podd's own root and cgroup root. A test sources this file
# first; it is then started again inside. When it ends, nothing of it is left: the PID namespace takes the processes along, and the
# outside removes directory and cgroups.
#
# Inside: $ROOT (podd's --root), $PODS (manifest directory), podd_start, podd_stop, podctl, sandbox facts, and the independent census.
set -u
srcdir=$(cd "${srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd)
. "$srcdir/tests/lib/tap.sh"

host_hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

# Removes what a test (also one that was killed) left behind.
host_sweep() { # NAME ROOT
	local h d
	for h in $(host_hierarchies); do
		[ -d "$h/$1" ] || continue
		if [ -e "$h/$1/cgroup.kill" ]; then # a test that was killed: what runs has lost its parent, not its life
			echo 1 >"$h/$1/cgroup.kill"
			while grep -q 'populated 1' "$h/$1/cgroup.events"; do sleep 0.02; done
		fi
	done
	for h in $(host_hierarchies); do
		[ -d "$h/$1" ] || continue
		find "$h/$1" -depth -type d | while read -r d; do rmdir "$d" 2>/dev/null; done
	done
	rm -rf --one-file-system "$2"
}

# The same for tests that were killed and could not: their shell is gone, or its number is this one's by now.
host_sweep_dead() {
	local d pid h
	for d in "${TMPDIR:-/var/tmp}"/podd-test-*; do
		pid=$(cat "$d/.pid" 2>/dev/null) || continue
		[ "$pid" != $$ ] && [ -d "/proc/$pid" ] || host_sweep "podd-test-$pid" "$d"
	done
	for h in $(host_hierarchies); do
		for d in "$h"/podd-test-*; do
			pid=${d##*-}
			[ "$pid" != $$ ] && [ -d "/proc/$pid" ] || find "$d" -depth -type d -exec rmdir {} + 2>/dev/null
		done
	done
}

host_enter() { # the test's own path and arguments
	local name=podd-test-$$ root status child
	host_sweep_dead
	root=$(mktemp -d "${TMPDIR:-/var/tmp}/podd-test-XXXXXX") || exit 1
	echo $$ >"$root/.pid"
	trap 'host_sweep "$name" "$root"' EXIT
	trap 'kill -KILL $child; wait $child; exit 1' INT TERM
	# In the background, so that a signal is heeded at once; --pdeathsig, so that not even a SIGKILL of this shell leaves the host behind.
	PODD_HOST=$name ROOT=$root srcdir=$srcdir builddir=$builddir setpriv --pdeathsig KILL \
		unshare --mount --net --ipc --pid --fork --kill-child --mount-proc --propagation private -- bash "$@" &
	child=$!
	wait $child
	status=$?
	host_sweep "$name" "$root"
	for h in $(host_hierarchies); do
		if [ -d "$h/$name" ]; then
			echo "not ok 999 - the cgroup $h/$name is gone after the test"
			status=1
		fi
	done
	trap - EXIT
	exit $status
}

if [ -z "${PODD_HOST:-}" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "ok 1 - $0 # SKIP needs root"
		exit 77
	fi
	host_enter "$0" "$@"
fi

# --- inside ----------------------------------------------------------------------------------------------------------------------

PODS=$ROOT/etc/pods
export PODD_SOCKET=$ROOT/run/podd/podd.sock
PODD_PID=
mkdir -p "$PODS"
ip link set lo up
ulimit -S -c 0
mount -t tmpfs -o mode=755 run "$(mkdir -p "$ROOT/run" && echo "$ROOT/run")"

podctl() { "$builddir/bin/podctl" --root "$ROOT" "$@"; }

podd_spawn() { # [ARGUMENT...]
	"$builddir/bin/podd" --root "$ROOT" --cgroup-root "$PODD_HOST" --node-name testnode "$@" 2>>"$ROOT/podd.log" &
	PODD_PID=$!
}
podd_start() { # [ARGUMENT...]: returns when podd is ready
	podd_spawn "$@"
	await 60 podd_answers || { echo "# podd did not start:"; sed 's/^/#   /' "$ROOT/podd.log" | tail -n 20; return 1; }
}
podd_answers() { [ -S "$PODD_SOCKET" ] && podctl version >/dev/null 2>&1; }
podd_stop() { # it ends by itself, and well
	local status
	kill -TERM "$PODD_PID"
	wait "$PODD_PID" 2>/dev/null
	status=$?
	[ $status = 0 ] || fail "podd ends with exit code 0, not $status"
}
podd_kill() { kill -KILL "$PODD_PID"; wait "$PODD_PID" 2>/dev/null; }

# A manifest arrives as editors and tools deliver it best: by rename.
put() { # NAME: standard input becomes the manifest NAME
	cat >"$PODS/.put.$1" && mv "$PODS/.put.$1" "$PODS/$1"
}

pod_uid() { field "$1" .metadata.uid; }
field() { podctl get pod "$1" -o json 2>/dev/null | jq -r "$2 // empty"; } # POD FILTER: from the pod's JSON, as jq says it
ready() { podctl wait --for=ready "$1" --timeout "${2:-60s}" >/dev/null; }

http_get() { # ADDRESS PORT: the page at /
	timeout 20 bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && cat <&3' - "$1" "$2" 2>/dev/null
}

cgroup_v2() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }
# Of the processes below a directory of the cgroup tree the one that started first: numbers begin anew at 32768, and loops get there.
first_pid() { # PATTERN of find's -path
	local p stat first= when=0
	for p in $(find "$(cgroup_v2)/$PODD_HOST" -path "$1" -exec cat {} + 2>/dev/null | sort -n); do
		{ read -r stat <"/proc/$p/stat"; } 2>/dev/null || continue
		set -- ${stat##*)} # from its third field on; the 22nd is the time
		[ -n "$first" ] && [ "${20}" -ge "$when" ] || first=$p when=${20}
	done
	echo "$first"
}
member_pid() { first_pid "*pod$(pod_uid "$1")/members/$2.*/cgroup.procs"; } # POD CONTAINER
anchor_pid() { first_pid "*pod$(pod_uid "$1")/anchor/cgroup.procs"; }
netns_of() { stat -Lc %i "/proc/$1/ns/net"; }

# The independent census: shares no code with podd. Prints everything of podd's that is there.
shell_census() {
	local h
	for h in $(host_hierarchies); do find "$h/$PODD_HOST" -mindepth 1 -type d -name '*pod*' 2>/dev/null; done
	awk -v p="$ROOT/run/podd/pods/" 'index($5, p) == 1 { print "mount " $5 }' /proc/self/mountinfo
	ip -o link show 2>/dev/null | sed -n 's/^[0-9]*: \(pd[^:@]*\).*/link \1/p'
	ls -d "$ROOT"/run/podd/pods/* "$ROOT"/var/lib/podd/pods/* "$ROOT"/var/log/pods/* "$ROOT"/var/lib/podd/accepted/* 2>/dev/null
	for p in /proc/[0-9]*; do
		case $( (tr "\0" " " <"$p/cmdline") 2>/dev/null) in *podd-anchor*) echo "process ${p#/proc/}" ;; esac
	done
}
census_clean() { [ -z "$(shell_census)" ] && podctl census >/dev/null; }
