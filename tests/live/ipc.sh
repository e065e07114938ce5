#!/bin/bash
# What becomes of the IPC objects of a container that died? Those that only the dead knew go before it starts again; nobody else's do.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mkdir "$ROOT/t"
# Notes what it finds and leaves one more of each kind. The start of the given number stays alive, those before it fail; 0: it succeeds.
cat >"$ROOT/t/leak" <<'END'
my ($pod, $last, $mib) = @ARGV;
sub lines { open my $f, "<", "/proc/sysvipc/$_[0]" or die; my @l = <$f>; $#l }
sub files { opendir my $d, $_[0] or die; scalar grep !/^\./, readdir $d }
my $found = join " ", lines("shm"), lines("sem"), lines("msg"), files("/dev/shm"), files("/dev/mqueue");
my $id = shmget(0, $mib << 20, 01600) // die "shmget: $!";
my $page = "x" x (1 << 20);
shmwrite($id, $page, $_ << 20, 1 << 20) or die "shmwrite: $!" for 0 .. $mib - 1;
semget(0, 1, 01600) // die; msgget(0, 01600) // die;
open my $f, ">", "/dev/shm/$$-" . time . rand or die; open $f, ">", "/dev/mqueue/$$-" . time . rand or die;
open $f, ">>", "/t/$pod" or die; syswrite $f, "$found\n";
exit 0 if !$last;
exit 1 if (split /\n/, `cat /t/$pod`) < $last;
sleep;
END
# Attaches the segment with this key, which one of two makes unless it is there.
cat >"$ROOT/t/share" <<'END'
use IPC::SysV "shmat";
my ($key, $make) = @ARGV;
my $id;
select undef, undef, undef, 0.02 until defined($id = shmget(hex $key, 4096, $make ? 01600 : 0600));
shmat($id, undef, 0) // die;
shmget(0, 4096, 01600) // die;
semget(0, 1, 01600) // die;
$| = 1; print "attached\n";
sleep;
END

leaker() { # POD LAST MIB [FIELD...]
	local name=$1 last=$2 mib=$3
	shift 3
	{
		printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, annotations: {podd.dev/restart-backoff: "initial=10ms, max=10ms"}}\nspec:\n' "$name"
		printf '  terminationGracePeriodSeconds: 0\n  volumes: [{name: t, hostPath: {path: "%s"}}]\n' "$ROOT/t"
		[ $# = 0 ] || printf '  %s\n' "$@"
		printf '  containers:\n  - {name: app, image: "rootfs:/", command: [perl, /t/leak, "%s", "%s", "%s"], volumeMounts: [{name: t, mountPath: /t}]}\n' \
			"$name" "$last" "$mib"
	} | put "$name.yaml"
}
init='initContainers: [{name: init, image: "rootfs:/", command: [perl, /t/leak, init, "0", "1"], volumeMounts: [{name: t, mountPath: /t}]}]'
starts() { [ "$(cat "$ROOT/t/$1" 2>/dev/null | wc -l)" -ge "$2" ]; }
found() { sort "$ROOT/t/$1" | uniq -c | awk '{ $1 = $1; print }'; } # POD: how often what

mount -t tmpfs shm /dev/shm # the pod with hostIPC writes there
podd_start || { fail "podd starts"; finish; }
leaker crash 21 64
leaker heir 4 1 "$init"
leaker mapped 4 1 'hostUsers: false'
leaker host 4 1 'hostIPC: true'
pod pair <<END
  terminationGracePeriodSeconds: 0
  volumes: [{name: t, hostPath: {path: "$ROOT/t"}}]
  initContainers:
  - {name: init, image: "rootfs:/", command: [ipcmk, -M, "4096"]}
  containers:
  - {name: a, image: "rootfs:/", command: [perl, /t/share, "2222", make], volumeMounts: [{name: t, mountPath: /t}]}
  - {name: b, image: "rootfs:/", command: [perl, /t/share, "2222"], volumeMounts: [{name: t, mountPath: /t}]}
END

# --- beside a living member ------------------------------------------------------------------------------------------------------

shared() { podctl exec pair -c "$1" -- awk 'NR > 1 { printf "%x %s\n", $1 % 2 ^ 32, $7 }' /proc/sysvipc/shm | sort; } # key, attached
ok "two members share a segment" await 20 eval 'said pair b attached && said pair a attached'
is "there are theirs, one that each has alone, and what the init container left" "$(shared b | cut -d' ' -f2 | sort | uniq -c | awk '{ $1 = $1; print }')" "3 0
1 2"
a=$(member_pid pair a)
kill -KILL "$a"
ok "its maker is killed and starts again" await 20 eval 'replaced pair a "$a" && said pair a attached'
is "what the other has attached is there, with its key" "$(shared b | grep '^2222 ')" "2222 2"
is "what only the dead one knew is not" "$(shared b | wc -l)" 4
is "semaphores stay: nobody knows whose they are" "$(podctl exec pair -c b -- sed 1d /proc/sysvipc/sem | wc -l)" 3
b=$(member_pid pair b)
kill -KILL "$b"
ok "the other is killed, too" await 20 eval 'replaced pair b "$b" && said pair b attached'
is "and finds it again" "$(shared b | grep '^2222 ')" "2222 2"
like "what the init container left is there" "$(podctl exec pair -c b -- ipcs -m)" '644 +4096 +0'

# --- alone in the pod ------------------------------------------------------------------------------------------------------------

ok "a member leaves 64 MiB of shared memory, crashes and is started again, 20 times" await 120 starts crash 21
is "each start found none of it, no semaphore, no message queue, no file in /dev/shm and /dev/mqueue" "$(found crash)" "21 0 0 0 0 0"
is "the pod holds 64 MiB" "$(podctl exec crash -- awk 'NR > 1 { sum += $15 } END { print sum / 1024 / 1024 }' /proc/sysvipc/shm)" 64
ok "one that starts after an init container" await 20 starts heir 4
is "finds what that left, each time" "$(found heir)" "4 1 1 1 1 1"
ok "one with user ids of its own" await 20 starts mapped 4
is "finds nothing either" "$(found mapped)" "4 0 0 0 0 0"
ok "one with the host's IPC namespace" await 20 starts host 4
is "finds all: what is the host's is not touched" "$(found host)" "1 0 0 0 0 0
1 1 1 1 1 1
1 2 2 2 2 2
1 3 3 3 3 3"

# --- podd is away ----------------------------------------------------------------------------------------------------------------

podd_kill
kill -KILL "$(pgrep -f 'perl /t/leak heir')"
podd_start
ok "a member that died while podd was away is started again" await 20 starts heir 5
is "and finds what it should" "$(found heir)" "5 1 1 1 1 1"

leaves_nothing
podd_stop
finish
