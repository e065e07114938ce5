#!/bin/sh
# PID 1 of the guest: usual mounts, modules, then the test. Containers need pivot_root, which is refused on the initramfs itself, so
# everything moves to a tmpfs first.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ "$1" != moved ]; then
	mount -t proc proc /proc
	mount -t tmpfs -o size=75%,mode=755 root /newroot
	for d in /*; do
		case $d in /proc | /newroot | /dev | /sys) ;; *) cp -a "$d" /newroot/ ;; esac
	done
	mkdir -p /newroot/proc /newroot/dev /newroot/sys
	umount /proc
	exec switch_root /newroot /init moved
fi
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /etc/pods
mount -t devpts -o mode=620,gid=5,ptmxmode=666 pts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
exec </dev/null >/dev/ttyS0 2>&1
while read -r m; do insmod "$m" 2>/dev/null; done </lib/modules/load
ip link set lo up
hostname guest
echo "root:x:0:0::/root:/bin/sh" >/etc/passwd
printf '\n# guest started\n'
sh /test.sh
sync
poweroff -f
