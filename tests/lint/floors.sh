#!/bin/bash
# Who may include whom: base <- sys, wire, net <- manifest, image, plan <- core <- programs, never upwards or sideways into a program.
# Libraries have one home each, and the core is pure.
cd "${srcdir:-$(dirname "$0")/../..}" || exit 1
bad=0

say() { echo "not ok - $1"; bad=1; }

allowed() { # floors that a floor may include
	case $1 in
	src/base) echo base ;;
	src/sys) echo base sys ;;
	src/wire) echo base sys wire ;;
	src/net) echo base sys net ;;
	src/manifest) echo base sys wire net manifest ;;
	src/image) echo base sys wire net manifest image ;;
	src/plan) echo base sys wire manifest image plan ;;
	src/core) echo base manifest image plan core ;;
	podd/launch) echo base sys wire launch ;;
	podd/anchor) echo base sys wire anchor ;;
	podd/init) echo base sys wire init ;;
	podd/daemon) echo base sys wire net manifest image plan core daemon ;;
	podd/ctl) echo base sys wire manifest image plan ctl ;;
	podd/image) echo base sys wire image ;;
	podd/probe) echo base sys wire probe ;;
	esac
}

files() { find src podd -name '*.[ch]'; }

while IFS=: read -r file include; do
	floor=$(dirname "$file" | cut -d/ -f1-2)
	target=${include%%/*}
	case " $(allowed "$floor") " in
	*" $target "*) ;;
	*) say "$file includes \"$include\": $floor may include $(allowed "$floor")" ;;
	esac
done < <(files | xargs grep -H '^#include "' | sed 's/:#include "\([^"]*\)".*/:\1/')

only() { # PATTERN WHERE...: a header that has one home
	local pattern=$1 hits
	shift
	hits=$(files | xargs grep -lE "^#include <$pattern" | grep -vE "$(IFS='|'; echo "$*")")
	[ -z "$hits" ] || say "<$pattern> belongs in $*, not in: $hits"
}
only yaml.h ^src/manifest/yaml.c
only netlink/ ^src/net/
only uv.h ^podd/daemon/
only http_parser.h ^podd/daemon/api/http ^podd/daemon/probe/httpget.c ^podd/ctl/client.c ^podd/probe/http.c
only jansson.h ^podd/daemon/ ^podd/ctl/ ^src/image/doc.h ^src/plan/filter_profile.c
only "(archive|archive_entry|openssl/.*).h" ^podd/image/ ^podd/probe/link
only nghttp2/ ^podd/probe/grpc.c
only seccomp.h ^src/sys/seccomp.c ^podd/image/

[ $bad = 0 ] && echo "ok - floors"
exit $bad
