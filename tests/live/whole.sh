#!/bin/bash
# The whole order of a pod with two init containers, two sidecars, two members, probes and hooks: whole.yaml, told in whole.order; in virtual
# time tests/trace/whole.trace.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mount -t tmpfs -o mode=755 mnt /mnt
mkdir /mnt/told
told() { grep -qx -e "$1" /mnt/told/order 2>/dev/null; }
all_told() { for w in app:postStart app:readiness app:liveness db:readiness; do told $w || return 1; done; }

# Says what is wrong with the order of $1: what was told never, twice, or before its turn.
wrong() {
	awk 'NR == FNR { if (++n[$1] > 1) print $1 " twice"; at[$1] = NR; next }
		/^#/ { next }
		{
			for (i = 1; i <= NF; i++) {
				known[$i] = 1
				if (!($i in at)) { if (!never[$i]++) print $i " never" }
				else if (i > 1 && at[$(i - 1)] >= at[$i]) print $i " before " $(i - 1)
			}
		}
		END { for (w in at) if (!(w in known)) print w " out of nowhere" }' "$1" "$srcdir/tests/live/whole.order"
}

lives() { # WHAT [COMMAND...]: its whole life, with a COMMAND while it starts
	local removed
	rm -f /mnt/told/*
	put whole.yaml <"$srcdir/tests/live/whole.yaml"
	await 60 told +second
	"${@:2}"
	ok "$1: it gets ready" ready whole 60s
	ok "$1: all probes and hooks of its start have run" await 60 all_told
	removed=$(date +%s%N)
	echo removed >>/mnt/told/order
	rm "$PODS/whole.yaml"
	ok "$1: it goes" await 60 gone whole
	is "$1: all in order" "$(wrong /mnt/told/order)" ""
	[ -z "$(wrong /mnt/told/order)" ] || note "$(xargs </mnt/told/order)"
	ok "$1: a preStop hook that sleeps keeps the stop signal back so long" test $(($(cat /mnt/told/db) - removed)) -ge 1000000000
}
another_podd() { podd_kill; podd_start; }

printf '%s\n' +first +first >"$ROOT/planted"
like "the test sees what is told twice, and never" "$(wrong "$ROOT/planted" | paste -sd ' ')" '^\+first twice -first never '
sed 's/^#.*//' "$srcdir/tests/live/whole.order" | tr ' ' '\n' | grep . | sort -u >"$ROOT/planted"
like "and what is out of order" "$(wrong "$ROOT/planted")" '^removed before app:postStart$|^\+second before proxy:startup$'
podd_start || { fail "podd starts"; finish; }
lives "undisturbed"
lives "with another podd in between" another_podd
leaves_nothing
podd_stop
finish
