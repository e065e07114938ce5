#!/bin/bash
# Every script parses, and one of bash's that begins as a program may be started; those of sh belong to the guests.
cd "${srcdir:-$(dirname "$0")/../..}" || exit 1
bad=0
count=0

while read -r f; do
	count=$((count + 1))
	case $(head -n 1 "$f") in
	'#!/bin/bash'* | '# '*) shell=bash ;;
	*) shell=sh ;;
	esac
	if ! errors=$($shell -n "$f" 2>&1); then
		echo "not ok - $f does not parse"
		echo "$errors" | sed 's/^/#   /'
		bad=1
	fi
	if head -n 1 "$f" | grep -q '^#!/bin/bash' && [ ! -x "$f" ]; then
		echo "not ok - $f is not executable: tests/run would pass it over"
		bad=1
	fi
done < <(find tests .ci -name '*.sh' -o -path tests/run -o -path .ci/run)

[ "$count" -gt 0 ] || { echo "not ok - no script was found"; bad=1; }
[ $bad = 0 ] && echo "ok - $count scripts"
exit $bad
