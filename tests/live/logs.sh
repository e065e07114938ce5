#!/bin/bash
# Do logs hold their caps, their lines and their readers: floods, long and binary lines, the run before, a full disk, a frozen one?
. "$(dirname "$0")/../lib/host.sh"
SIZE=65536 COUNT=3
mkdir -p "$ROOT/etc/podd" "$ROOT/var/log/pods"
printf 'containerLogMaxSize: 64Ki\ncontainerLogMaxFiles: %s\n' $COUNT >"$ROOT/etc/podd/podd.yaml"
pod() { # NAME COMMAND...: containers c1, c2, ... one for each command
	local name=$1 i=0 c
	shift
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  terminationGracePeriodSeconds: 0\n  restartPolicy: %s\n  containers:\n' "$name" "${POLICY:-Never}"
	for c; do
		i=$((i + 1))
		printf '  - {name: c%s, image: "rootfs:/", command: [sh, -c, %s]}\n' $i "$(jq -n --arg c "$c" '$c')"
	done
}
ended() { podctl get pod "$1" -o json | jq -e '[.status.containerStatuses[].state.terminated != null] | all' >/dev/null; }
files() { find "$ROOT/var/log/pods" -path "*/default_$1_*" -type f; }
went_on() { [ "$(podctl logs quiet --tail 1)" != "$1" ]; } # its last line is another one
cri='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z std(out|err) [FP] '
# POD: every line of its logs, and each file ends with a line. Who reads while podd writes may see half of a line: to be awaited.
parses() {
	local f bad=0
	while read -r f; do
		[ ! -s "$f" ] || [ "$(tail -c 1 "$f" | od -An -tx1)" = " 0a" ] || bad=1
		! LC_ALL=C grep -avqE "$cri" "$f" || bad=1
	done < <(files "$1")
	[ $bad = 0 ]
}
podd_start || exit 1

# --- caps --------------------------------------------------------------------------------------------------------------------------------
writer='i=0; while [ $i -lt 20000 ]; do echo "line $i of a flood, made long enough to be one ........................"; i=$((i + 1)); done'
pod flood "$writer" "$writer" "$writer" "$writer" "$writer" "$writer" "$writer" "$writer" "$writer" "$writer" | put flood.yaml
await 20 eval '[ -n "$(files flood)" ]'
worst_file=0 worst_start=0
until ended flood; do
	while read -r s; do
		[ "$s" -le $worst_file ] || worst_file=$s
	done < <(find "$ROOT"/var/log/pods/default_flood_*/ -type f -printf '%s\n' 2>/dev/null)
	n=$(find "$ROOT"/var/log/pods/default_flood_*/c1 -type f 2>/dev/null | wc -l)
	[ "$n" -le $worst_start ] || worst_start=$n
done
# The end of a container may be known before its last lines are in the log.
last_line() { podctl logs flood -c "$1" | tail -n 1 | cut -d' ' -f1-2; }
all_drained() { local i; for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(last_line c$i)" = "line 19999" ] || return 1; done; }
ok "the last line of each is there" await 60 all_drained
ok "ten writers flood their logs: no file was ever larger than its cap" [ $worst_file -le $SIZE ]
ok "nor were there more files than configured" [ $worst_start -le $COUNT ]
ok "the caps were reached" [ $worst_file -gt $((SIZE / 2)) ]
is "$COUNT files a container stay" "$(files flood | wc -l)" $((10 * COUNT))
ok "every line parses" await 60 parses flood
like "and no line is missing before the last one" "$(podctl logs flood -c c7 | awk '{ if (p != "" && $2 != p + 1) gap++; p = $2 } END { print gap + 0, NR }')" '^0 [0-9]+'
rm "$PODS/flood.yaml"

# --- lines ---------------------------------------------------------------------------------------------------------------------------------
pod lines "busybox head -c 40000 /dev/zero | busybox tr '\\0' x; echo; busybox head -c 16384 /dev/zero | busybox tr '\\0' y; echo; printf 'no end'" \
	"printf 'a\\000b\\377\\033[31m\\n'; echo to stderr >&2; printf '\\n'; busybox head -c 20000 /dev/urandom" | put lines.yaml
ok "long and binary lines" await 20 ended lines
log=$(files lines | grep c1/0.log)
await 20 grep -q 'no end' "$log"
await 20 eval '[ "$(podctl logs lines -c c2 | wc -c)" -gt 20000 ]'
is "a line of 40000 bytes is two pieces of 16 KiB and the rest; one of 16384 is whole; one without an end is a piece" \
	"$(awk '{ printf "%s%d ", $3, length($0) - 40 }' "$log")" "P16384 P16384 F7232 F16384 P6 "
is "podctl puts the pieces together" "$(podctl logs lines -c c1 | awk '{ printf "%d ", length($0) }')" "40000 16384 6 "
ok "binary lines parse" await 60 parses lines
is "NUL and other bytes arrive as they are" "$(podctl logs lines -c c2 | head -n 1 | od -An -tx1)" " 61 00 62 ff 1b 5b 33 31 6d 0a"
ok "stderr is marked" await 20 eval '[ "$(grep -ac " stderr F to stderr$" "$(files lines | grep c2/0.log)")" = 1 ]'
rm "$PODS/lines.yaml"

# --- the run before ------------------------------------------------------------------------------------------------------------------------
POLICY=Always pod again 'echo run $(busybox date +%s%N); sleep 0.2; exit 1' | put again.yaml
await 30 eval '[ "$(field again .status.containerStatuses[0].restartCount)" -ge 3 ]' # the counter is beyond the first few
podctl stop again >/dev/null
ok "logs of this run and of the one before are kept, older ones go" await 30 eval '[ "$(files again | wc -l)" = 2 ]'
ok "the one before can be read" await 30 eval 'podctl logs --previous again | grep -q "^run "'
rm "$PODS/again.yaml"
ok "with their pods the logs go" await 30 eval '[ -z "$(ls "$ROOT/var/log/pods")" ]'
podd_stop

# --- a full disk ---------------------------------------------------------------------------------------------------------------------------
rm "$ROOT/etc/podd/podd.yaml"
mount -t tmpfs -o size=20m,mode=750 logs "$ROOT/var/log/pods"
podd_start || exit 1
pod quiet 'i=0; while :; do echo "quiet $i"; i=$((i + 1)); sleep 0.1; done' | put quiet.yaml
ready quiet
head -c 12M /dev/zero >"$ROOT/var/log/pods/filler"
# 4 MB each, two of them fit
flood='busybox yes "a line of a flood that fills the disk" | busybox head -c 16000000; sleep 31536000'
pod full "$flood" "$flood" | put full.yaml
ok "a full log disk: what was dropped is an event" await 60 eval 'podctl events | grep -q "LogDropped.*full"'
like "with a number and the reason" "$(podctl events | grep 'LogDropped.*full' | head -n 1)" '[0-9]+ .*No space left'
ok "describe tells, too" eval 'podctl describe pod full | grep -q LogDropped'
ok "the members run on" eval '[ -n "$(member_pid full c1)" ] && [ -n "$(member_pid quiet c1)" ]'
ok "their logs parse" await 60 parses full
ok "and those of others" await 60 parses quiet
rm "$ROOT/var/log/pods/filler" "$PODS/full.yaml"
last=$(podctl logs quiet --tail 1)
ok "with space again the others go on" await 60 went_on "$last"
ok "and parse" await 60 parses quiet
rm "$PODS/quiet.yaml"
ok "nothing of them is left" await 30 eval '[ -z "$(ls "$ROOT/var/log/pods")" ]'
podd_stop
umount "$ROOT/var/log/pods"

# --- a frozen disk -------------------------------------------------------------------------------------------------------------------------
truncate -s 64M "$ROOT/disk"
if mkfs.ext4 -q "$ROOT/disk" && mount -o loop "$ROOT/disk" "$ROOT/var/log/pods"; then
	rmdir "$ROOT/var/log/pods/lost+found"
	podd_start || exit 1
	pod frozen 'i=0; while :; do echo "line $i $(busybox date +%s)"; i=$((i + 1)); echo $i >/dev/shm/new; mv /dev/shm/new /dev/shm/count; sleep 0.01; done' \
		'until [ -e /dev/shm/end ]; do sleep 0.05; done; exit 7' | put frozen.yaml
	ready frozen
	await 20 eval 'podctl logs frozen -c c1 | grep -q "line 10 "'
	fsfreeze -f "$ROOT/var/log/pods"
	count() { cat "/proc/$(member_pid frozen c1)/root/dev/shm/count"; }
	before=$(count)
	touch "/proc/$(member_pid frozen c2)/root/dev/shm/end"
	ok "a frozen log disk: an exit is seen" await 30 eval '[ "$(field frozen ".status.containerStatuses[] | select(.name == \"c2\").state.terminated.exitCode")" = 7 ]'
	ok "podctl answers" podctl get pods
	sleep 12 # beyond the time after which a disk counts as hung
	ok "the member runs on" await 60 eval '[ "$(count)" -gt $((before + 200)) ]'
	fsfreeze -u "$ROOT/var/log/pods"
	now=$(count)
	log=$(files frozen | grep c1/0.log)
	reached() { [ "$(tail -n 1 "$log" | awk '{ print $5 }')" -gt "$now" ]; }
	ok "thawed: its log goes on" await 30 reached
	ok "and parses" await 60 parses frozen
	# What is missing in the counter is what the notices say: 13 s of lines fit the pipe, so nothing may be missing at all.
	is "what is missing in it was counted" \
		"$(head -n -1 "$log" | awk '/podd: [0-9]+ lines? dropped/ { said += $5; next } { if (p != "" && $5 != p + 1) gap += $5 - p - 1; p = $5 } END { print gap - said }')" 0
	rm "$PODS/frozen.yaml"
	ok "it ends" await 30 eval '! podctl get pod frozen'
	ok "nothing is left over" await 20 census_clean
	podd_stop
	umount "$ROOT/var/log/pods"
else
	pass "a frozen log disk # SKIP this host has no loop devices"
fi
finish
