#!/bin/bash
# podd-image killed in the middle, again and again: its jail ends with it, a record is whole or not there, and the next one sweeps.
. "${srcdir:-$(dirname "$0")/../..}/tests/image/lib.sh"

mkdir -p tree && (cd tree && seq 2000 | xargs touch && head -c 8M /dev/urandom >large)
umoci init --layout img && umoci new --image img:t && umoci insert --image img:t tree /tree

helpers() { local p; for p in /proc/[0-9]*; do [ "$(cat "$p/comm" 2>/dev/null)" = podd-image ] && echo "$p"; done; }
none() { [ -z "$(helpers)" ]; }
broken=0 killed=0
for i in $(seq 24); do
	"$builddir/bin/podd-image" import --transport oci --name oci:/t 3<images 4<img </dev/null >result 2>/dev/null &
	pid=$!
	read -rt "0.$(printf %03d $((i * 5)))" <> <(:)
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ $? = 137 ] && killed=$((killed + 1))
	await 20 none || fail "the jail ends with podd-image"
	for f in images/refs/*.json; do # a record names what is there
		[ -e "$f" ] || continue
		[ "$(ls "images/layers/$(jq -r '.layers[0]' "$f")/tree" | wc -l)" = 2001 ] || broken=1
	done
	rm -f images/refs/*.json
	[ $((i % 4)) = 0 ] && rm -rf images/layers/*
done
ok "$killed of 24 were killed" [ $killed -gt 3 ]
is "no record names what is not there" $broken 0
ok "the next one imports" podd_image img --transport oci --name oci:/t
is "and sweeps what the others left" "$(ls images/tmp)" ""
is "and has all files" "$(ls images/layers/*/tree | wc -l)" 2001

# Two at the same time take the same layers.
rm -rf images/refs/* images/layers/*
podd_image img --transport oci --name oci:/a >a & podd_image img --transport oci --name oci:/b >b
wait
is "two at once both succeed" "$(jq -r '.references[0]' a b | tr '\n' ' ')" "oci:/a oci:/b "
is "and share the layer" "$(ls images/layers | wc -l) $(ls images/tmp)" "1 "

# A small store: a clean error, and nothing stays.
mkdir small && mount -t tmpfs -o size=6m small small && "$builddir/bin/podd-image" import --transport oci --name oci:/t 3<small 4<img </dev/null >result 2>/dev/null
like "a store that is too small says so" "$(cat result)" 'No space|no space'
is "and nothing stays in it" "$(find small -type f | wc -l) $(ls small/layers small/tmp | grep -c '^[0-9a-f]')" "0 0"
finish
