#!/bin/bash
# The house's habits that a compiler does not see.
cd "${srcdir:-$(dirname "$0")/../..}" || exit 1
bad=0

never() { # WHAT PATTERN: an extended regular expression that no source line may match
	local hits
	hits=$(find src podd -name '*.[ch]' -print0 | xargs -0 grep -nE "$2" | head -n 5)
	[ -z "$hits" ] && return
	echo "not ok - $1"
	echo "$hits" | sed 's/^/#   /'
	bad=1
}
never "typedef of a struct or enum" '^typedef (struct|enum)'
never "unbounded string functions" '\b(sprintf|strcat|gets)\('
never "libuv's thread pool" '\b(uv_fs_[a-z]+|uv_getaddrinfo|uv_queue_work|uv_spawn)\('
never "trailing white space" '[[:space:]]$'

hits=$(grep -rnIE '(^|[^[:alnum:]_.])/(work|home/[a-z0-9]+|Users/[A-Za-z]+)/' .ci docs manifests podd src tests units README.md Makefile.am configure.ac GNUmakefile \
	--exclude=words.sh | head -n 5)
if [ -n "$hits" ]; then
	echo "not ok - paths of a developer's machine"
	echo "$hits" | sed 's/^/#   /'
	bad=1
fi

[ $bad = 0 ] && echo "ok - habits"
exit $bad
