#!/bin/bash
# The core decides and does nothing: no symbol of its archive may reach the kernel, a clock, the log or a library that does.
archive=${builddir:-.}/libpodd_core.a
[ -f "$archive" ] || { echo "not ok 1 - there is no $archive to look into"; exit 1; }

found=$(nm -u "$archive" | awk '$1 == "U" { print $2 }' | sed -E 's/^__(.*)_chk$/\1/' | sort -u |
	grep -E '^(read|write|p?(read|write)v?(64)?|open(at|64|dir)?|close|fork|vfork|clone|exec.*|poll|select|epoll_.*|ioctl|socket|connect|send(to|msg)?|recv(from|msg)?|kill|signal|sig(action|procmask)|usleep|nanosleep|sleep|time|gettimeofday|clock_.*|random|rand|getrandom|syscall|getenv|f?printf|v?fprintf|puts|perror|fopen|uv_.*|nl_.*|yaml_.*|fd_.*|file_.*|dir_.*|tree_.*|log_.*)$')
if [ -n "$found" ]; then
	echo "not ok 1 - the core's archive calls: $(echo $found)"
	exit 1
fi
planted=$(nm "$archive" | grep -ci planted)
[ "$planted" = 0 ] || { echo "not ok 1 - the core's archive holds a planted bug"; exit 1; }
echo "ok 1 - the core's archive is pure ($(nm -u "$archive" | awk '$1 == "U"' | sort -u | wc -l) outside symbols looked at)"
