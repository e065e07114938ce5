#!/bin/bash
# Does an edit arrive exactly once, whatever program makes it, and does a broken one leave the running pod alone?
. "$(dirname "$0")/../lib/host.sh"
FILE=$PODS/web.yaml
STARTS=$ROOT/starts
mkdir -p "$STARTS"
: >"$STARTS/log"

# What is required comes last, in quotes: no beginning of this text is a pod by itself. Each start leaves its value in a file.
manifest() { # VALUE [KEY]: the value moves the key to another line, too
	yes "# a line" | head -n "$1"
	cat <<-EOF
	apiVersion: v1
	kind: Pod
	metadata: {name: web}
	spec:
	  terminationGracePeriodSeconds: 1
	  volumes:
	  - {name: starts, hostPath: {path: $STARTS}}
	  ${2:-containers}:
	  - image: rootfs:/
	    env: [{name: VALUE, value: "$1"}]
	    volumeMounts: [{name: starts, mountPath: /mnt}]
	    command: [sh, -c, "echo \$VALUE >>/mnt/log; exec sleep infinity"]
	    name: "app"
	EOF
}

# --- writers: each makes $FILE contain the file $1 ---------------------------------------------------------------------------------

w_shell() { cat "$1" >"$FILE"; }
w_cp() { cp "$1" "$FILE"; }
w_append() { # three times opened, written and closed, pausing for less than the time that counts as quiet
	head -c 60 "$1" >"$FILE"
	sleep 0.05
	tail -c +61 "$1" | head -c 100 >>"$FILE"
	sleep 0.05
	tail -c +161 "$1" >>"$FILE"
}
w_held_open() { # pauses, longer than that, while it keeps the file open
	{
		head -c 100 "$1"
		sleep 0.5
		tail -c +101 "$1"
	} >"$FILE"
}
w_bytes() {
	local text i
	text=$(<"$1")
	for ((i = 0; i < ${#text}; i++)); do
		printf '%s' "${text:i:1}"
		read -rt 0.001 <&8
	done 8<>"$ROOT/idle" >"$FILE"
}
w_mv() { cp "$1" "$ROOT/etc/whole" && mv "$ROOT/etc/whole" "$FILE"; }
w_hidden_temporary() { cp "$1" "$PODS/.web.yaml.Xa81kq" && mv "$PODS/.web.yaml.Xa81kq" "$FILE"; } # rsync, kubectl, ansible
w_sed() { # replaces the whole text, in place as sed does it
	sed -i -e "1r $1" -e d "$FILE" 2>/dev/null
	cmp -s "$1" "$FILE" || { sed -i -e "\$r $1" -e 'd' "$FILE"; }
}
w_install() { install -m 644 "$1" "$FILE"; }
vim_with() { vim -es -u NONE -N -c "set nocompatible backup writebackup $1" -c '%d _' -c "r $2" -c 'wq!' "$FILE" </dev/null; rm -f "$FILE~"; }
w_vim_auto() { vim_with backupcopy=auto "$1"; }
w_vim_yes() { vim_with backupcopy=yes "$1"; }
w_vim_no() { vim_with backupcopy=no "$1"; }
w_symlink_swap() {
	cp "$1" "$ROOT/etc/target.$((++swaps))"
	ln -s "$ROOT/etc/target.$swaps" "$PODS/.new" && mv -T "$PODS/.new" "$FILE"
}
w_data_swap() { # as a ConfigMap volume is updated: the names are links through ..data, and only that one moves
	mkdir "$PODS/..$((++swaps))"
	cp "$1" "$PODS/..$swaps/web.yaml"
	ln -s "..$swaps" "$PODS/..data_tmp" && mv -T "$PODS/..data_tmp" "$PODS/..data"
	[ "$(readlink "$FILE")" = ..data/web.yaml ] || { ln -s ..data/web.yaml "$PODS/.link" && mv -T "$PODS/.link" "$FILE"; }
}
w_exchange() { cp "$1" "$PODS/other" && "$ROOT/exchange" "$PODS/other" "$FILE" && rm "$PODS/other"; }
w_directory_moved() { mv "$PODS" "$ROOT/etc/away" && rm "$ROOT/etc/away/web.yaml" && cp "$1" "$ROOT/etc/away/web.yaml" && mv "$ROOT/etc/away" "$PODS"; }
w_delete_first() { # within the settling time, however slow this machine
	kill -STOP "$PODD_PID"
	rm "$FILE" && cp "$1" "$FILE"
	kill -CONT "$PODD_PID"
}
swaps=0

${CC:-cc} -D_GNU_SOURCE -x c -o "$ROOT/exchange" - <<'EOF' || exit 1
#include <fcntl.h>
#include <stdio.h>
int main(int argc, char **argv) { return argc != 3 || renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE); }
EOF
mkfifo "$ROOT/idle"

started() { [ "$(tail -n 1 "$STARTS/log")" = "$1" ]; }
status_says() { grep -qE -- "$1" <<<"$(podctl status)"; }
all_well() { ! status_says refused; }

# --- the tests ---------------------------------------------------------------------------------------------------------------------

manifest 0 | put web.yaml
podd_start || exit 1
await 20 started 0
wanted=0 value=0
for writer in shell cp append held_open bytes mv hidden_temporary sed install vim_auto vim_yes vim_no delete_first exchange directory_moved \
	symlink_swap data_swap; do
	case $writer in vim_*) if ! command -v vim >/dev/null; then
		pass "$writer # SKIP vim is not installed"
		continue
	fi ;; esac
	value=$((value + 1))
	pid=$(member_pid web app)
	manifest "$value" containres >"$ROOT/text"
	w_$writer "$ROOT/text"
	like "$writer: a broken edit is named by file, line, column, field and way out" \
		"$(await 30 status_says "web.yaml:$((8 + value)):3:"; podctl status)" \
		"/web.yaml:$((8 + value)):3: error: spec.containres: unknown field .*did you mean \"containers\""
	is "$writer: the pod is not touched by it" "$(member_pid web app)" "$pid"
	manifest "$value" >"$ROOT/text"
	w_$writer "$ROOT/text"
	ok "$writer: a good edit arrives" await 30 started "$value"
	ok "$writer: and all is well" await 20 all_well
	ready web
	wanted="$wanted $value"
done
sleep 0.5 # time for what must not happen: a second application
is "each edit started the container exactly once" "$(xargs <"$STARTS/log")" "$wanted"

# Nothing of this is an edit.
kill -STOP "$PODD_PID"
rm -rf "$FILE" "$PODS"/..*
manifest "$value" >"$FILE"
kill -CONT "$PODD_PID"
await 20 all_well
pid=$(member_pid web app)
touch "$FILE"
chmod 600 "$FILE"
chmod 644 "$FILE"
chown root:root "$FILE"
cp "$FILE" "$ROOT/same" && cat "$ROOT/same" >"$FILE"
sleep 0.5
{ echo "# a comment"; cat "$ROOT/same"; } >"$FILE"
sleep 0.5
{ sed -n '/^kind/p; /^apiVersion/p' "$ROOT/same" | sort -r; sed '/^kind/d; /^apiVersion/d' "$ROOT/same"; } >"$FILE"
sleep 0.5
is "touch, chmod, chown, the same text, a comment, another order of keys: not an edit" "$(member_pid web app)" "$pid"
ok "and no finding" all_well

# What half-done writers leave behind.
: >"$FILE"
ok "an emptied file is a finding" await 20 status_says '/web.yaml.*empty'
is "and stops nothing" "$(member_pid web app)" "$pid"
sed 's/^/# /' "$ROOT/same" >"$FILE"
ok "a file of comments alone, too" await 20 status_says '/web.yaml.*empty'
head -c 200 "$ROOT/same" >"$FILE"
ok "a writer that died half way leaves a finding" await 20 status_says '/web.yaml:[0-9]+:[0-9]+: error'
is "and stops nothing either" "$(member_pid web app)" "$pid"
cp "$ROOT/same" "$FILE"
ok "the whole file heals it" await 20 all_well
is "and restarts nothing" "$(member_pid web app)" "$pid"
is "no start of any of these" "$(xargs <"$STARTS/log")" "$wanted"

podd_stop

# A disk that fills up under the editor.
mkdir "$ROOT/small"
mount -t tmpfs -o size=16k,mode=755 small "$ROOT/small"
rm "$FILE"
FILE=$ROOT/small/web.yaml
manifest "$value" >"$FILE"
podd_start --manifests "$ROOT/small" || exit 1
ok "and its file takes the place of the other" await 20 status_says "small/web.yaml: ok"
is "with the pod that runs" "$(member_pid web app)" "$pid"
{ head -n 3 "$FILE"; printf '# %04000d\n' 1 2 3 4; sed 1,3d "$FILE"; } >"$ROOT/text"
cat "$ROOT/text" >"$FILE" 2>/dev/null && fail "the disk is full"
ok "what a full disk cut off is a finding" await 20 status_says "small/web.yaml.*refused, last good"
is "and stops nothing" "$(member_pid web app)" "$pid"
manifest $((value + 1)) >"$FILE"
ok "a text that fits is taken" await 20 started $((value + 1))
podd_stop
finish
