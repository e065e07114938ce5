#!/bin/bash
# Ten writers flood a log disk of 200 MB with more than 300 MB, which the caps would allow: is what does not fit dropped and counted, by line?
. "$(dirname "$0")/../lib/host.sh"
WRITERS=10 LINES=400000
mkdir -p "$ROOT/var/log/pods"
mount -t tmpfs -o size=200m,mode=750 logs "$ROOT/var/log/pods"
cri='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z std(out|err) [FP] '
went_on() { [ "$(podctl logs quiet --tail 1)" != "$1" ]; } # its last line is another one
parses() { ! LC_ALL=C find "$ROOT"/var/log/pods/default_"$1"_* -type f -exec grep -avhE "$cri" {} + | grep -q .; }
podd_start || exit 1
{
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: quiet}\nspec:\n  terminationGracePeriodSeconds: 0\n  containers:\n'
	echo '  - {name: app, image: "rootfs:/", command: [sh, -c, "i=0; while :; do echo quiet $i; i=$((i + 1)); sleep 0.1; done"]}'
} | put quiet.yaml
ready quiet
{
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: flood}\nspec:\n  terminationGracePeriodSeconds: 0\n  containers:\n'
	for i in $(seq $WRITERS); do
		printf '  - {name: w%s, image: "rootfs:/", command: [sh, -c, "seq -f %s 1 %s; exec sleep 31536000"]}\n' "$i" "'line %.0f of the flood, long enough to count'" $LINES
	done
} | put flood.yaml
ok "all writers wrote all they had" await 300 eval '[ "$(pgrep -cfx "sleep 31536000")" = '$WRITERS' ]'
ok "what was dropped is an event" await 20 eval 'podctl events | grep -q "LogDropped.*flood"'
like "with a number and the reason" "$(podctl events | grep 'LogDropped.*flood' | head -n 1)" '[0-9]+ .*No space left'
ok "the disk was full" await 60 eval '[ "$(df --output=avail "$ROOT/var/log/pods" | tail -n 1)" -lt 1024 ]'
ok "its logs parse" await 60 parses flood
ok "and those of others" await 60 parses quiet
is "no file is beyond its cap" "$(find "$ROOT/var/log/pods" -type f -size +10485760c)" ""
rm "$PODS/flood.yaml"
ok "the flood goes" await 30 eval '! podctl get pod flood'
last=$(podctl logs quiet --tail 1)
ok "others go on" await 30 went_on "$last"
ok "and parse" await 60 parses quiet
rm "$PODS/quiet.yaml"
ok "nothing is left over" await 30 census_clean
podd_stop
umount "$ROOT/var/log/pods"
finish
