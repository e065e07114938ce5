# Boots a Debian kernel in QEMU with podd inside. No root, no network in the guest, nothing installed: the kernel package is only
# unpacked, into the build directory.
set -u
srcdir=$(cd "${srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd)
cache=$builddir/tests/boot
kernel=$cache/kernel
mkdir -p "$cache"

skip() { echo "ok 1 - $(basename "$0" .sh) # SKIP $*"; exit 77; }

# A bzImage's ELF kernel, which QEMU boots by its PVH note: no BIOS, no decompressor. Offsets: Documentation/arch/x86/boot.rst.
extract_vmlinux() { # BZIMAGE OUT
	local sects offset length magic
	sects=$(od -An -tu1 -j497 -N1 "$1" | tr -d ' ')
	offset=$(((sects + 1) * 512 + $(od -An -tu4 -j584 -N4 "$1" | tr -d ' ')))
	length=$(od -An -tu4 -j588 -N4 "$1" | tr -d ' ')
	magic=$(od -An -tx1 -j$offset -N4 "$1" | tr -d ' ')
	case $magic in
	02214c18) set -- "$1" "$2" lz4 -dcf ;;
	fd377a58) set -- "$1" "$2" xz -dc --single-stream ;;
	28b52ffd) set -- "$1" "$2" zstd -dcf ;;
	*) return 1 ;;
	esac
	# The payload's last four bytes are its length, which is no part of the stream.
	tail -c+$((offset + 1)) "$1" | head -c $((length - 4)) | "${@:3}" >"$2" 2>/dev/null
	[ "$(od -An -tx1 -N4 "$2" | tr -d ' ')" = 7f454c46 ]
}

get_kernel() {
	local package tmp
	[ -e "$kernel/ok" ] && return
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
	[ -n "$package" ] || return 1
	tmp=$(mktemp -d) && rm -rf "$kernel" && mkdir -p "$kernel" || return 1
	(cd "$tmp" && chmod 777 . && apt-get -q download "$package" >/dev/null 2>&1) && dpkg-deb -x "$tmp"/*.deb "$kernel"
	rm -rf "$tmp"
	release=$(ls "$kernel/lib/modules") || return 1
	depmod -b "$kernel" "$release" && extract_vmlinux "$kernel/boot/vmlinuz-$release" "$kernel/vmlinux" && echo "$release" >"$kernel/ok"
}

copy_program() { # PROGRAM TARGET ROOT: with the libraries that it needs
	local library
	install -D -m 755 "$1" "$3$2"
	ldd "$1" 2>/dev/null | awk '/=> \// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
		[ -e "$3$library" ] || install -D -m 755 "$(readlink -f "$library")" "$3$library"
	done
}

copy_modules() { # ROOT MODULE...: with what they depend on, in load order in /lib/modules/load
	local root=$1 module path
	shift
	mkdir -p "$root/lib/modules"
	for module; do
		modprobe -d "$kernel" -S "$(cat "$kernel/ok")" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++' | while read -r path; do
		cp "$path" "$root/lib/modules/"
		echo "/lib/modules/$(basename "$path")"
	done >"$root/lib/modules/load"
}

# A guest whose /init runs SCRIPT by busybox sh, after /lib/boot-init.sh has mounted what is usual.
make_guest() { # SCRIPT OUT [FILE...]: files are copied to /files
	local root script=$1 out=$2 applet
	shift 2
	root=$(mktemp -d) || return 1
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,etc,root,var,usr/bin,usr/sbin,lib,lib64,files,newroot}
	install -m 755 /bin/busybox "$root/bin/busybox"
	for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
	rm -f "$root/bin/ip"
	copy_program "$(command -v ip)" /usr/sbin/ip "$root"
	copy_program "$(command -v nft || echo /usr/sbin/nft)" /usr/sbin/nft "$root"
	for program in podd podctl podd-anchor podd-launch podd-image podd-probe; do copy_program "$builddir/bin/$program" "/usr/sbin/$program" "$root"; done
	copy_program "$(command -v apparmor_parser || echo /usr/sbin/apparmor_parser)" /usr/sbin/apparmor_parser "$root"
	install -D -m 644 /etc/apparmor.d/abi/3.0 "$root/etc/apparmor.d/abi/3.0"
	install -m 644 "$srcdir/units/apparmor/podd-default" "$root/etc/apparmor.d/"
	copy_modules "$root" overlay loop zram lzo-rle veth nf_tables nft_ct nft_nat nft_masq nft_chain_nat nft_fib_ipv4 nft_fib_inet
	cp "$srcdir/tests/boot/init.sh" "$root/init"
	cp "$script" "$root/test.sh"
	for file; do cp "$file" "$root/files/"; done
	chmod 755 "$root/init"
	(cd "$root" && find . -print0 | cpio --null -o -H newc --quiet) >"$out"
	rm -rf "$root"
}

# Boots it; the serial console is the output. One retry, for emulators hang now and then before the first line.
boot() { # INITRAMFS SECONDS [QEMU-OPTION...]
	local attempt log=$cache/console.log initramfs=$1 seconds=$2
	shift 2
	for attempt in 1 2; do
		timeout -k 2 "$seconds" qemu-system-x86_64 -M q35,usb=off,vmport=off,graphics=off -accel tcg,thread=multi -cpu max -m 768 -smp 1 \
			-nodefaults -no-user-config -nic none -display none -serial stdio -monitor none -no-reboot \
			-kernel "$kernel/vmlinux" -initrd "$initramfs" -append "console=ttyS0 quiet panic=-1" "$@" </dev/null 2>&1 | tr -d '\r' >"$log"
		grep -q '^# guest started' "$log" && break
	done
	cat "$log"
}

boot_test() { # SCRIPT SECONDS [FILE...]: TAP lines of the guest become this test's
	local script=$1 seconds=$2 out
	shift 2
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	command -v cpio >/dev/null || skip "no cpio"
	[ -x "$builddir/bin/podctl" ] || skip "not built"
	get_kernel || skip "no Debian kernel package can be had"
	make_guest "$script" "$cache/guest.cpio" "$@" || exit 1
	out=$(boot "$cache/guest.cpio" "$seconds")
	rm -f "$cache/guest.cpio"
	guest_tap "$out"
}

guest_tap() { # CONSOLE: the guest's TAP lines become this test's
	grep -aE '^(ok|not ok|#|1\.\.)' <<<"$1"
	if ! grep -qaE '^1\.\.[0-9]+$' <<<"$1"; then
		echo "not ok 999 - the guest came to an end"
		tail -n 30 <<<"$1" | sed 's/^/# /'
		exit 1
	fi
	! grep -qaE '^not ok' <<<"$1"
}
