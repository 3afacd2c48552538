#!/bin/busybox sh
# The first program of a guest: this machine's files, with the guest's memory above them, become its root.
fail() { echo "in-vm: $1"; /bin/busybox poweroff -f; }
busybox=/bin/busybox
. /told
$busybox mount -t devtmpfs dev /dev
$busybox mount -t proc proc /proc
for module in $MODULES; do $busybox insmod "/modules/$module" || fail "$module"; done

$busybox mkdir /lower /upper
options=trans=virtio,version=9p2000.L,msize=512000
$busybox mount -t 9p -o ro,$options,cache=loose machine /lower || fail 'no files of this machine'
$busybox mount -t tmpfs -o size=80% tmpfs /upper
$busybox mkdir /upper/files /upper/work
# metacopy: a file whose owner changes is not copied for it.
$busybox mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work,metacopy=on overlay /new || fail 'no overlay'

$busybox mount -t proc proc /new/proc
$busybox mount -t sysfs sysfs /new/sys
$busybox mount -t devtmpfs dev /new/dev
$busybox mount -t tmpfs -o mode=755 tmpfs /new/run
$busybox mount -t 9p -o $options,cache=none shared "/new$SHARED" || fail 'nothing to run'
$busybox mkdir /new/run/vm
$busybox cp /told /guest /new/run/vm
exec $busybox switch_root /new /bin/bash /run/vm/guest </dev/ttyS1 >/dev/ttyS1 2>&1
