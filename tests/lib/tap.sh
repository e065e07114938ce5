# TAP for shell tests: `ok "name" command...` runs a command and says how it went; finish ends the test.
tap_count=0 tap_failed=0

pass() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $*"; }
fail() { tap_count=$((tap_count + 1)); tap_failed=$((tap_failed + 1)); echo "not ok $tap_count - $*"; }
note() { echo "# $*"; }

ok() { # NAME COMMAND...: passes if the command succeeds
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then pass "$name"; else
		fail "$name"
		printf '%s\n' "command: $*" "$out" | sed 's/^/#   /' | tail -n 25
	fi
}

is() { # NAME GOT WANTED
	if [ "$2" = "$3" ]; then pass "$1"; else
		fail "$1"
		note "  got:    $2"
		note "  wanted: $3"
	fi
}

like() { # NAME TEXT PATTERN (extended regular expression)
	if grep -qE -- "$3" <<<"$2"; then pass "$1"; else
		fail "$1"
		note "  no match for: $3"
		sed 's/^/#   /' <<<"$2" | tail -n 25
	fi
}

unlike() { # NAME TEXT PATTERN: there is a text, and it has no such thing
	if [ -n "$2" ] && ! grep -qE -- "$3" <<<"$2"; then pass "$1"; else
		fail "$1"
		note "  nothing, or a match for: $3"
		sed 's/^/#   /' <<<"$2" | tail -n 25
	fi
}

# Waits until a command succeeds. The limit is a hang guard, far beyond what is usual.
await() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

finish() { echo "1..$tap_count"; [ $tap_failed = 0 ]; exit $?; }
