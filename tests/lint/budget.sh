#!/bin/bash
# The tail is what makes a tree hard to live in: no file over 600 lines, no function over 80. What is over has its reason in
# docs/HACKING.md, in a line "budget: PATH[:FUNCTION] reason".
cd "${srcdir:-$(dirname "$0")/../..}" || exit 1
bad=0

excused() { grep -qF "budget: $1 " docs/HACKING.md; }

while read -r lines file; do
	[ "$file" = total ] && continue
	if [ "$lines" -gt 600 ] && ! excused "$file"; then
		echo "not ok - $file has $lines lines (limit 600)"
		bad=1
	fi
done < <(find src podd -name '*.[ch]' -print0 | xargs -0 wc -l)

# A function is what lies between a line that starts with a name and ends a parameter list, "{" alone, and "}" alone.
while read -r file name lines; do
	if ! excused "$file:$name"; then
		echo "not ok - $file: $name() has $lines lines (limit 80)"
		bad=1
	fi
done < <(find src podd -name '*.c' -print0 | xargs -0 awk '
	FNR == 1 { name = "" }
	/^[a-z_].*\(/ && !/;$/ { match($0, /[a-z_0-9]+\(/); candidate = substr($0, RSTART, RLENGTH - 1) }
	/^{$/ { name = candidate; start = FNR }
	/^}$/ && name != "" { if (FNR - start > 80) print FILENAME, name, FNR - start; name = "" }')

[ $bad = 0 ] && echo "ok - budgets of files and functions"
exit $bad
