#!/bin/bash
# Hostile images: each refused with words, or harmless as its case says; nothing outside touched, nothing left behind, cost bounded.
. "${srcdir:-$(dirname "$0")/../..}/tests/image/lib.sh"

mkdir cases podd-canary.d && echo canary >podd-canary && echo canary >"$ROOT/podd-canary" && echo canary >images/podd-canary
"$srcdir/tests/image/hostile.py" cases >list || { fail "the cases are made"; finish; }
canaries() { find . "$ROOT" /etc/passwd -path ./images -prune -o -path "*/cases/*" -prune -o -path '*/podd-canary*' -printf '%p %i %m %U %n %s %T@\n' -o -path /etc/passwd -printf '%p %i %m %U %s %T@\n' | sort; }
before=$(canaries)
memory=0 slowest=0

while IFS=$'\t' read -r name transport file want; do
	case $transport in archive) as=(--stem drop) ;; *) as=(--name "$transport:/x") ;; esac
	begin=${EPOCHREALTIME/./}
	# %M: the jail's, too. The timeout is a hang guard.
	result=$(exec 2>usage; timeout 60 /usr/bin/time -f %M "$builddir/bin/podd-image" import --transport "$transport" "${as[@]}" 3<images 4<"cases/$file" </dev/null)
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	kib=$(tail -n 1 usage)
	[ "$kib" -gt $memory ] && memory=$kib
	[ $took -gt $slowest ] && slowest=$took slow=$name
	case $want in
	refuse\ *)
		if jq -e '.reason == "ErrImagePull"' <<<"$result" >/dev/null; then
			like "$name is refused" "$(jq -r .message <<<"$result")" "${want#refuse }"
		else
			fail "$name is refused: $result"
		fi
		is "$name leaves nothing" "$(find images -mindepth 1 ! -name podd-canary | sort | tr '\n' ' ')" "images/blobs images/blobs/sha256 images/layers images/refs images/tmp "
		;;
	ok\ *)
		top=$(cat images/refs/*.json 2>/dev/null | jq -r '.layers[-1]')
		ok "$name is harmless" bash -c "cd images/layers/$top && ${want#ok }"
		[ -n "$top" ] || note "$result"
		;;
	esac
	rm -rf images/refs/* images/layers/* images/blobs/sha256/* images/tmp/*
	rm -rf "cases/$file"
done <list
ok "there were more than 60 cases" [ "$(wc -l <list)" -gt 60 ]
is "nothing outside was touched" "$(canaries)" "$before"
note "$(wc -l <list) cases; most memory $memory KiB; slowest $slow, $slowest ms"
finish
