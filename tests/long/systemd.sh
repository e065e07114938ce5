#!/bin/bash
# Debian's own systemd on cgroup v2, podd from its Debian package: the pods outlive restarts and the death of podd, a shutdown stops them within
# their grace, a removal leaves nothing. Two boots of one disk.
. "$(dirname "$0")/../boot/lib.sh"
. "$srcdir/tests/lib/tap.sh"
disk=$cache/disk.ext4

for program in qemu-system-x86_64 cpio mmdebstrap mke2fs dpkg-buildpackage; do command -v $program >/dev/null || skip "no $program"; done
[ "${LONG:-all}" = all ] || skip "two boots take minutes: not in the sample"
[ "$(id -u)" = 0 ] || skip "needs root"
get_kernel || skip "no Debian kernel package can be had"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work" "$disk" "$cache/systemd.cpio"' EXIT

debian() { # PACKAGES OUT: a small one that runs /root/test.sh when it is up, as a file system
	local tree=$work/tree
	mmdebstrap --quiet --variant=essential --include="systemd,systemd-sysv,iproute2,procps,$1" --aptopt='APT::Sandbox::User "root"' \
		--dpkgopt=force-unsafe-io --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
		--dpkgopt=path-exclude='/usr/share/locale/*' bookworm "$tree" >/dev/null 2>&1 || return 1
	echo guest >"$tree/etc/hostname"
	ln -sf /dev/null "$tree/etc/systemd/system/getty.target"
	cat >"$tree/etc/systemd/system/guest.service" <<-'U'
		[Unit]
		After=basic.target
		[Service]
		ExecStart=bash /root/test.sh
		StandardOutput=tty
		StandardError=tty
		TTYPath=/dev/ttyS0
	U
	mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
	ln -s ../guest.service "$tree/etc/systemd/system/multi-user.target.wants/"
	mke2fs -q -t ext4 -d "$tree" "$2.new" 600M && mv "$2.new" "$2"
	rm -rf "$tree"
}

# With what the package depends on; kept for the next time.
make_base() {
	local packages base
	packages=$(dpkg-deb -f "$work"/podd_*.deb Depends | sed 's/([^)]*)//g; s/[[:space:]]//g')
	base=$cache/debian-$(md5sum <<<"$packages" | head -c 8).ext4
	[ -e "$base" ] || { rm -f "$cache"/debian-*.ext4 && debian "$packages" "$base"; } || return 1
	cp --sparse=always "$base" "$disk"
}

make_package() { # built as any user would, from a copy of the source
	mkdir "$work/podd" && tar -C "$srcdir" --exclude ./build --exclude ./.git -cf - . | tar -C "$work/podd" -xf - &&
		(cd "$work/podd" && DEB_BUILD_OPTIONS=parallel=2 dpkg-buildpackage -us -uc -b >"$work/log" 2>&1) ||
		{ tail -n 20 "$work/log"; return 1; }
}

put_test() {
	debugfs -w "$disk" >/dev/null 2>&1 <<-D
		write $(echo "$work"/podd_*.deb) /root/podd.deb
		write $srcdir/tests/boot/guest/systemd.sh /root/test.sh
		write $srcdir/tests/lib/tap.sh /root/tap.sh
	D
}

make_initramfs() { # modules, then the disk
	local root=$work/initramfs
	mkdir -p "$root"/{bin,proc,dev,disk}
	install -m 755 /bin/busybox "$root/bin/busybox"
	copy_modules "$root" virtio_pci virtio_blk ext4 overlay veth nf_tables nft_ct nft_nat nft_masq nft_chain_nat nft_fib_ipv4 nft_fib_inet
	cat >"$root/init" <<-'I'
		#!/bin/busybox sh
		/bin/busybox mount -t devtmpfs dev /dev
		while read -r m; do /bin/busybox insmod "$m" 2>/dev/null; done </lib/modules/load
		/bin/busybox mount -t ext4 /dev/vda /disk || exec /bin/busybox poweroff -f
		/bin/busybox umount /dev
		exec /bin/busybox switch_root /disk /sbin/init systemd.show_status=0
	I
	chmod 755 "$root/init"
	(cd "$root" && find . -print0 | cpio --null -o -H newc --quiet) >"$cache/systemd.cpio"
}

boot_disk() { guest_tap "$(boot "$cache/systemd.cpio" 240 -drive "file=$disk,format=raw,if=virtio")"; }
on_disk() { debugfs -R "cat $1" "$disk" 2>/dev/null; }
said_after() { # PATTERN PATTERN: the log's line with the second comes after that with the first
	awk -v a="$1" -v b="$2" '$0 ~ a { at = NR } $0 ~ b && at { found = 1 } END { exit !found }' "$work/said"
}

ok "dpkg-buildpackage" make_package
ok "lintian has no complaint" sh -c "! command -v lintian >/dev/null || lintian --allow-root --fail-on error,warning '$work'/podd_*.deb"
ok "a Debian with systemd" make_base
ok "podd and the test on its disk" put_test
ok "an initramfs" make_initramfs
note "first boot: installed, restarted, killed"
boot_disk || tap_failed=1
on_disk /srv/said >"$work/said"
ok "poweroff: a pod has the time that it needs" said_after "^slow TERM" "^slow done"
ok "another, too" said_after "^quick TERM" "^quick done"
ok "the disk was unmounted" sh -c "! dumpe2fs -h '$disk' 2>/dev/null | grep -q needs_recovery"
note "second boot: removed"
boot_disk || tap_failed=1
finish
