#!/bin/bash
# Does the directory mean what it should: conflicts, links, special files, owners, floods of events, and the directory itself going away?
. "$(dirname "$0")/../lib/host.sh"
pod() { # NAME [SECONDS]: a pod whose command tells two versions apart
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  terminationGracePeriodSeconds: %s\n  containers:\n' "$1" "${3:-0}"
	printf '  - {name: app, image: "rootfs:/", command: [sh, -c, "%s"]}\n' "${4:-exec sleep ${2:-31536000}}"
}
status_says() { grep -qE -- "$1" <<<"$(podctl status)"; }
events_say() { grep -qE -- "$1" <<<"$(podctl events)"; }
running() { [ -n "$(member_pid "$1" app)" ]; }
gone() { ! podctl get pod "$1" >/dev/null 2>&1; }
command_of() { tr '\0' ' ' <"/proc/$(member_pid "$1" app)/cmdline"; }
runs() { [ "$(command_of "$1")" = "$2 " ]; }
no_findings() { ! status_says refused; }

# --- missing at the start ----------------------------------------------------------------------------------------------------------
rmdir "$PODS"
podd_start || exit 1
ok "podd starts without its directory and says so" await 20 events_say 'ManifestDirLost.*No such file'
mkdir "$PODS"
pod a | put a.yaml
ok "the directory that comes later is taken" await 60 running a

# --- the same pod twice --------------------------------------------------------------------------------------------------------------
pid=$(member_pid a app)
pod a 1000 | put 0.yaml
ok "a second file with the same pod is an error that names both" await 20 status_says '0.yaml:[0-9]+.*defined by .*a.yaml'
is "the one that runs stays" "$(member_pid a app)" "$pid"
sleep 0.5 # both files have to be settled when podd starts, or it takes its time with the younger one
podd_stop
podd_start || exit 1
await 20 status_says '0.yaml:[0-9]+.*defined by .*a.yaml'
is "also across podd's restart" "$(member_pid a app)" "$pid"
rm "$PODS/a.yaml"
ok "when its file goes, the other one takes over" await 20 runs a "sleep 1000"
ok "and the conflict is over" await 20 no_findings
ln -s 0.yaml "$PODS/link.yaml"
ok "a link to the same file is the same pod twice" await 20 status_says 'link.yaml:[0-9]+.*defined by .*0.yaml'
rm "$PODS/link.yaml"
pid=$(member_pid a app)
mv "$PODS/0.yaml" "$PODS/b.yaml"
ok "a file may be renamed" await 20 status_says '/b.yaml: ok'
is "which the pod does not notice" "$(member_pid a app)" "$pid"

# --- links and special files -------------------------------------------------------------------------------------------------------
ln -s nowhere "$PODS/dangling.yaml"
ln -s loop.yaml "$PODS/loop.yaml"
ln -s /dev/zero "$PODS/zero.yaml"
ln -s /proc/self/fd/0 "$PODS/fd.yaml"
mkfifo "$PODS/fifo.yaml"
mkdir "$PODS/directory.yaml"
mknod "$PODS/device.yaml" c 1 7
: >"$PODS/empty.yaml"
${CC:-cc} -x c -o "$ROOT/bind" - <<'EOF' || exit 1
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	strncpy(sa.sun_path, argc > 1 ? argv[1] : "", sizeof(sa.sun_path) - 1);
	return bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&sa, sizeof(sa)) != 0;
}
EOF
(cd "$PODS" && "$ROOT/bind" socket.yaml)
truncate -s 1G "$PODS/huge.yaml"
pod linked >"$ROOT/etc/outside"
ln -s "$ROOT/etc/outside" "$PODS/linked.yaml"
for name in dangling loop zero fifo directory device socket huge; do
	ok "$name.yaml is a finding" await 20 status_says "/$name.yaml: refused"
done
ok "an empty file is none" await 20 status_says '/empty.yaml: ok'
ok "a link to a regular file elsewhere is followed" await 20 running linked
is "and the pod that was there runs on" "$(member_pid a app)" "$pid"
rm -r "$PODS"/{dangling,loop,zero,fd,fifo,directory,device,empty,socket,huge,linked}.yaml
ok "all of it can be removed" await 20 no_findings
ok "and the linked pod with its link" await 20 gone linked

# --- owners --------------------------------------------------------------------------------------------------------------------------
pod c | put c.yaml
await 20 running c
chmod 664 "$PODS/c.yaml"
ok "a file that others may write is refused with the chmod to run" await 20 status_says 'c.yaml: error: .*chmod go-w .*/c.yaml'
ok "its pod stays" running c
chmod 644 "$PODS/c.yaml"
ok "and the chmod heals it" await 20 no_findings
chown 1000 "$PODS/c.yaml"
ok "a foreign owner is refused with the chown to run" await 20 status_says 'c.yaml: error: .*chown root .*/c.yaml'
chown 0 "$PODS/c.yaml"
ok "and the chown heals it" await 20 no_findings
pid=$(member_pid a app)
chmod 777 "$PODS"
ok "a directory that others may write to is not read" await 20 events_say 'ManifestDirLost.*chmod go-w'
rm "$PODS/c.yaml"
sleep 0.5
ok "its pods stay" running c
chmod 755 "$PODS"
ok "until it is healthy again" await 30 gone c

# --- deleted and back, in all moments -------------------------------------------------------------------------------------------------
kill -STOP "$PODD_PID" # so that the settling time has not passed when podd hears of both, however slow this machine
rm "$PODS/b.yaml"
pod a 1000 | put a.yaml
kill -CONT "$PODD_PID"
await 20 status_says '/a.yaml: ok'
sleep 0.5
is "deleted and back within the settling time: the same process" "$(member_pid a app)" "$pid"
pod slow 1000 2 "trap 'sleep 1; exit' TERM; while :; do sleep 0.1; done" | put slow.yaml
await 20 running slow
rm "$PODS/slow.yaml"
await 20 events_say 'Killing.*slow'
pod slow 2000 | put slow.yaml
ok "added again while it ends: it runs in the new version" await 30 runs slow "sleep 2000"
for i in $(seq 50); do
	pod many "$((3000 + i))" | put many.yaml
	[ $((i % 5)) = 0 ] && rm "$PODS/many.yaml"
done
pod many 4000 | put many.yaml
ok "changed and deleted many times while it starts: the last version runs" await 30 runs many "sleep 4000"
is "once" "$(pgrep -cfx 'sleep (3[0-9]{3}|4000)')" 1
rm "$PODS/many.yaml" "$PODS/slow.yaml"
pod brief 5000 | put brief.yaml
rm "$PODS/brief.yaml"
ok "deleted at once: nothing stays" await 30 eval 'gone many && gone slow && gone brief'

# --- a file that came and went leaves no work behind ------------------------------------------------------------------------------------
rests() { local before; before=$(switches); sleep 1; [ "$(switches)" = "$before" ]; }
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$PODD_PID/status"; }
echo >"$PODS/passing.yaml" && rm "$PODS/passing.yaml"
ok "podd sleeps when nothing happens" await 30 rests

# --- two files exchange their contents -------------------------------------------------------------------------------------------------
pod left 6001 | put left.yaml
pod right 6002 | put right.yaml
ok "two pods" await 20 eval 'running left && running right'
pids="$(member_pid left app) $(member_pid right app)"
${CC:-cc} -D_GNU_SOURCE -x c -o "$ROOT/exchange" - <<'EOF' || exit 1
#include <fcntl.h>
#include <stdio.h>
int main(int argc, char **argv) { return argc != 3 || renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE); }
EOF
"$ROOT/exchange" "$PODS/left.yaml" "$PODS/right.yaml"
sleep 1
ok "files that exchanged their pods are fine" await 20 no_findings
is "and no pod noticed" "$(member_pid left app) $(member_pid right app)" "$pids"
rm "$PODS/right.yaml"
ok "now the other file is the one that defines it" await 20 gone left
ok "and only it" running right

# --- time that goes backwards -----------------------------------------------------------------------------------------------------------
touch -d '2001-01-01' "$ROOT/then"
pod right 6003 >"$ROOT/etc/new" && touch -r "$ROOT/then" "$ROOT/etc/new" && mv "$ROOT/etc/new" "$PODS/left.yaml"
ok "an older file of the same size is a new version" await 20 runs right "sleep 6003"
pod right 6004 >"$PODS/left.yaml" && touch -r "$ROOT/then" "$PODS/left.yaml"
ok "and one with the same size and time" await 20 runs right "sleep 6004"

# --- the directory itself ---------------------------------------------------------------------------------------------------------------
pids="$(member_pid a app) $(member_pid right app)"
same_pids() { [ "$(member_pid a app) $(member_pid right app)" = "$pids" ]; }
mv "$PODS" "$ROOT/etc/away"
ok "renamed away: an event says so" await 20 events_say 'ManifestDirLost.*No such file'
ok "the pods stay" same_pids
podd_stop
podd_start || exit 1
sleep 1
ok "also when podd starts without it" same_pids
mv "$ROOT/etc/away" "$PODS"
ok "it is found when it is back" await 60 events_say 'ManifestDirFound'
mount -t tmpfs -o mode=755 none "$PODS"
kill -HUP "$PODD_PID"
ok "covered by an empty one: an event says so" await 20 events_say 'ManifestDirLost.*without any manifest'
sleep 2 # beyond some more looks at a directory that is lost
ok "the pods stay" same_pids
umount "$PODS"
pod new 7000 | put new.yaml
ok "uncovered: it goes on" await 60 running new
ok "with what was there" same_pids
mount -t tmpfs -o mode=755 none "$PODS"
cp "$ROOT"/etc/outside "$PODS/z.yaml"
podd_stop
podd_start || exit 1
ok "podd started on a file system that is mounted there takes what it holds" await 30 running linked
umount "$PODS"
ok "unmounted under podd: what was below counts again" await 60 eval 'running a && running new && gone linked'
chmod 0 "$PODS"
sleep 0.5
ok "mode 0 keeps nobody out who is root" running a
chmod 755 "$PODS"

# --- floods -------------------------------------------------------------------------------------------------------------------------------
pids="$(member_pid a app) $(member_pid right app)"
kill -STOP "$PODD_PID" # events queue up meanwhile, more than the kernel keeps
limit=$(cat /proc/sys/fs/inotify/max_queued_events)
for i in $(seq 2000); do echo "broken $i" >"$PODS/flood-$i.yaml"; done
for ((i = 0; i < limit / 2; i++)); do : >"$PODS/flood-1.yaml"; : >"$PODS/flood-2.yaml"; done
for i in $(seq 1001 2000); do rm "$PODS/flood-$i.yaml"; done
pod last 8000 >"$PODS/last.yaml"
rm "$PODS/new.yaml"
kill -CONT "$PODD_PID"
ok "after a flood that overflowed the queue: what was added runs" await 60 running last
ok "what was removed is gone" await 60 gone new
ok "and status knows each of the files" await 60 eval '[ "$(podctl status | grep -c "flood-[0-9]*.yaml: ")" = 1000 ]'
ok "the pods that were there stay" eval '[ "$(member_pid a app) $(member_pid right app)" = "$pids" ]'
rm "$PODS"/*.yaml
ok "all is removed" await 60 eval '[ -z "$(podctl get pods -A -o name 2>/dev/null)" ]'
ok "nothing is left over" await 20 census_clean
podd_stop
finish
