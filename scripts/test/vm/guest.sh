#!/bin/bash
# What a command finds in a guest: see in-vm.mjs.
. /run/vm/told
stty -F /dev/ttyS1 raw -echo
mkdir -p /dev/pts /dev/shm "/lib/modules/$(uname -r)"
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t securityfs securityfs /sys/kernel/security
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -sfn /proc/self/fd /dev/fd
ln -sfn fd/0 /dev/stdin; ln -sfn fd/1 /dev/stdout; ln -sfn fd/2 /dev/stderr
mount --bind "$MODULE_TREE" "/lib/modules/$(uname -r)"
mount -t tmpfs -o mode=1777 tmpfs /tmp
ip link set lo up
hostname sandlock-vm
ulimit -c 0

# A group that is the command's to make others in, and one in it that the command is in: nobody may be in the first itself.
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
echo '+memory +pids +cpu' > /sys/fs/cgroup/cgroup.subtree_control
mkdir -p /sys/fs/cgroup/delegated/command

run=(bash "$SHARED/command")
export HOME=/tmp USER=root LOGNAME=root
if [[ $AS_USER ]]; then
  id=65533 # no entry of the user table has it, and nothing on the machine is its own
  mkdir /tmp/home
  chown $id:$id /tmp/home /sys/fs/cgroup/delegated/{,command} /sys/fs/cgroup/delegated/{,command/}cgroup.{procs,threads,subtree_control}
  # Test tools write beside what they run, and the checkout may stand where only root can look.
  chown -R $id:$id "$CHECKOUT"/packages "$CHECKOUT"/apps
  for folder in "$SHARED" "$CHECKOUT"; do while [[ $folder != / ]]; do chmod a+rx "$folder"; folder=$(dirname "$folder"); done; done
  export HOME=/tmp/home USER=sandlock-test LOGNAME=sandlock-test
  run=(setpriv --reuid $id --regid $id --clear-groups --bounding-set=-all --inh-caps=-all "${run[@]}")
fi

bash -c 'echo $$ > /sys/fs/cgroup/delegated/command/cgroup.procs && exec "$@"' - "${run[@]}" < /dev/null
echo $? > "$SHARED/status"
sync
echo o > /proc/sysrq-trigger
sleep 60
