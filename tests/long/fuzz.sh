#!/bin/bash
# Builds each tests/fuzz/fuzz_*.c with libFuzzer, ASan and UBSan and runs it for a while, seeded by tests/fuzz/corpus/fuzz_*; where there is no
# such directory, by the manifests of tests/manifest.
# FUZZ_SECONDS for each; LONG=sample runs them shortly. A finding is left in $FUZZ_KEEP, if that is set.
cd "${srcdir:-$(dirname "$0")/../..}" || exit 1
. tests/lib/tap.sh

if ! command -v clang >/dev/null; then
	echo "ok 1 - fuzz # SKIP no clang"
	exit 0
fi
seconds=${FUZZ_SECONDS:-$([ "${LONG:-all}" = sample ] && echo 15 || echo 120)}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/corpus" "$work/out"
for f in tests/manifest/*valid/*; do
	cp "$f" "$work/corpus/$(tr / - <<<"$f")"
done

fuzz() { # FILE NAME
	clang -g -O1 -std=gnu11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Isrc "$1" src/base/*.c \
		src/manifest/*.c -lyaml -o "$work/$2" || return 1
	[ -d "tests/fuzz/corpus/$2" ] && cp -r "tests/fuzz/corpus/$2" "$work/corpus-$2" || cp -r "$work/corpus" "$work/corpus-$2"
	"$work/$2" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=8192 -artifact_prefix="${FUZZ_KEEP:-$work/out}/" \
		"$work/corpus-$2" 2>&1 | tail -n 30
	return "${PIPESTATUS[0]}"
}

for f in tests/fuzz/fuzz_*.c; do
	ok "$(basename "$f" .c) for $seconds s" fuzz "$f" "$(basename "$f" .c)"
done
finish
