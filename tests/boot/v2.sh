#!/bin/bash
# Pure cgroup v2: pods with limits run, are limited, OOM-killed and restarted; user ids of a pod's own and an image on an older kernel;
# adoption; nothing is left.
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# A disk with a root file system on it: the guest's own is a tmpfs, which its kernel can't show through a map of user ids.
mkdir -p "$work"/disk/{state,image/{bin,etc,proc,sys,dev,tmp,srv}}
install -m 755 /bin/busybox "$work/disk/image/bin/busybox"
for tool in sh cat ls stat touch id chown sleep grep; do ln -s busybox "$work/disk/image/bin/$tool"; done
echo root:x:0:0::/root:/bin/sh >"$work/disk/image/etc/passwd"
truncate -s 48M "$work/disk.ext4"
mke2fs -q -t ext4 -d "$work/disk" "$work/disk.ext4" || exit 1

# An OCI archive of it.
{
	umoci init --layout "$work/layout" && umoci new --image "$work/layout:v1" &&
		umoci insert --rootless --image "$work/layout:v1" "$work/disk/image" / &&
		umoci config --image "$work/layout:v1" --config.entrypoint /bin/sh --config.env FROM=image &&
		tar -C "$work/layout" -cf "$work/image.tar" .
} >"$work/log" 2>&1 || { sed 's/^/# /' "$work/log"; exit 1; }
boot_test "$srcdir/tests/boot/guest/v2.sh" 400 "$srcdir"/manifests/*.yaml "$work/disk.ext4" "$work/image.tar"
