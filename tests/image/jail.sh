#!/bin/bash
# The jail taken over by what it reads: a podd-image whose work is tests/image/evil.c reaches nothing, and is not believed.
. "${srcdir:-$(dirname "$0")/../..}/tests/image/lib.sh"
PODD_IMAGE=$builddir/tests/image/evil

mkdir source "$ROOT/podd-canary.d" podd-canary.d && echo '{"imageLayoutVersion":"1.0.0"}' >source/oci-layout
echo canary >podd-canary && echo canary >"$ROOT/podd-canary" && echo canary >images/podd-canary && mkdir images/podd-canary.d
podd_image source --transport oci --name oci:/x >list
attempts=$(jq -r .message list)
ok "there are attempts" [ "$(wc -w <<<"$attempts")" -gt 30 ]
canaries() { find podd-canary podd-canary.d "$ROOT"/podd-canary* images/podd-canary* source -printf '%p %i %m %s %T@\n' | sort; getfattr -h -d -m - podd-canary.d images/podd-canary.d 2>/dev/null; cat source/*; }
before=$(canaries)

for attempt in $attempts; do
	[ "$attempt" = say_sound ] && continue
	result=$(timeout 60 bash -c '"$0" import --transport oci --name oci:/x --select "$1" 3<images 4<source </dev/null' "$PODD_IMAGE" "$attempt")
	status=$?
	case $attempt in
	call_*) like "$attempt ends it" "$result" 'ended by its seccomp filter' ;;
	say_opaque_up | say_opaque_link | say_opaque_fifo) ;; # resolved inside of its own layer, or empty: harmless
	say_*) like "$attempt is refused" "$status $result" '^1 .*"reason":"ErrImagePull"' ;;
	*) is "$attempt is held" "$(jq -r .message <<<"$result")" held ;;
	esac
	[ "$(canaries)" = "$before" ] || fail "$attempt: nothing outside was touched"
	case $attempt in say_opaque_up | say_opaque_link | say_opaque_fifo) rm -rf images/refs/* images/layers/* images/blobs/sha256/* ;; esac
	left=$(find images -mindepth 1 -type d -empty -o -path 'images/*' -type f ! -name 'podd-canary*')
	is "$attempt leaves nothing" "$(grep -cvE '^images/(refs|layers|tmp|blobs/sha256|podd-canary.d)$' <<<"$left")" 0
done
ok "a sound one is taken" podd_image source --transport oci --name oci:/x --select say_sound
is "what it tried left no other record" "$(ls images/refs | wc -l) $(ls images/layers | wc -l)" "1 1"
finish
