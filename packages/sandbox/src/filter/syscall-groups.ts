/**
 * The blocklist, as data: which system calls no program in a sandbox gets, in groups with a reason each.
 *
 * Names that an architecture lacks are left out there. A call that is denied only with certain arguments is
 * not here; those rules are in the files beside this one.
 */
export interface SyscallGroup {
  /** Why nobody in a sandbox may. */
  readonly reason: string;
  readonly syscalls: readonly string[];
  /** Denied also without a supervisor. What is left out there is what a supervised sandbox inside needs. */
  readonly withoutSupervisor?: true;
  /** May be switched on with `extraAllowSyscalls`: what is at risk then is told in its reason. */
  readonly allowable?: true;
}

const groups = {
  mount: {
    reason: 'They change which files a path names, or read how the host is put together.',
    syscalls: [
      'mount', 'umount', 'umount2', 'pivot_root', 'chroot', 'fchroot', 'fsopen', 'fsconfig', 'fsmount', 'fspick',
      'move_mount', 'open_tree', 'open_tree_attr', 'mount_setattr', 'statmount', 'listmount',
    ],
  },
  power: {
    reason: 'Swap space and power belong to the whole host.',
    syscalls: ['swapon', 'swapoff', 'reboot'],
    withoutSupervisor: true,
  },
  host_identity: {
    reason: 'The name of the host is everybody\'s; the supervisor shows another one instead.',
    syscalls: ['sethostname', 'setdomainname'],
  },
  host_clock: {
    reason: 'There is one clock for the whole host.',
    syscalls: ['settimeofday', 'clock_settime', 'clock_adjtime', 'adjtimex'],
  },
  host_log: {
    reason: 'The kernel\'s log tells of other programs and of kernel addresses.',
    syscalls: ['syslog'],
  },
  kernel_code: {
    reason: 'They put code into the kernel.',
    syscalls: [
      'kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module', 'bpf',
      'create_module', 'get_kernel_syms', 'query_module',
    ],
    withoutSupervisor: true,
  },
  namespaces: {
    reason: 'They leave or reshape the confinement, and open much of the kernel to the unprivileged.',
    syscalls: ['unshare', 'setns', 'listns'],
  },
  perf: {
    reason: 'It measures other programs and the kernel, and has a long record of kernel faults.',
    syscalls: ['perf_event_open'],
    withoutSupervisor: true,
  },
  ptrace: {
    reason: 'They read and steer other processes. Debuggers need them, and programs that are built with LeakSanitizer (ASan has it) unless '
      + '`ASAN_OPTIONS=detect_leaks=0` is set. Allowed, they reach the processes of the same sandbox only: '
      + 'Landlock keeps its domain from tracing anything outside.',
    syscalls: ['ptrace', 'process_vm_readv', 'process_vm_writev', 'kcmp'],
    allowable: true,
  },
  other_processes: {
    reason: 'They take descriptors from other processes or move and drop their memory.',
    syscalls: ['pidfd_getfd', 'process_madvise', 'process_mrelease', 'move_pages', 'migrate_pages', 'lookup_dcookie'],
  },
  unreadable_memory: {
    reason: 'They stop a reader where it reads, or hide memory from the supervisor: races and blind spots.',
    syscalls: ['userfaultfd', 'memfd_secret'],
  },
  keyring: {
    reason: 'Keyrings are the user\'s, shared with everything the user runs on the host.',
    syscalls: ['keyctl', 'add_key', 'request_key'],
  },
  file_handles: {
    reason: 'A file opened by handle passes every check that is made on its path.',
    syscalls: ['open_by_handle_at', 'name_to_handle_at'],
  },
  file_watch: {
    reason: 'It watches files of the whole host.',
    syscalls: ['fanotify_init'],
  },
  port_io: {
    reason: 'They talk to hardware past the kernel.',
    syscalls: ['ioperm', 'iopl'],
    withoutSupervisor: true,
  },
  accounting: {
    reason: 'Quotas, accounting and the NFS server belong to the whole host.',
    syscalls: ['quotactl', 'quotactl_fd', 'acct', 'nfsservctl'],
  },
  io_uring: {
    reason: 'Its operations are system calls that no filter sees.',
    syscalls: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    withoutSupervisor: true,
  },
  personality: {
    reason: 'It switches address space randomisation and the system call ABI.',
    syscalls: ['personality'],
  },
  terminal: {
    reason: 'It hangs up the caller\'s terminal.',
    syscalls: ['vhangup'],
  },
  legacy: {
    reason: 'Nothing in use calls them, and the kernel code behind them is old.',
    syscalls: ['uselib', 'sysfs', 'ustat', '_sysctl', 'modify_ldt', 'vm86', 'vm86old'],
  },
  sysv_ipc: {
    reason: 'System V shared memory, queues and semaphores have one key space for the whole host: two sandboxes, or a '
      + 'sandbox and the host, could meet there.',
    syscalls: [
      'shmget', 'shmat', 'shmdt', 'shmctl', 'msgget', 'msgsnd', 'msgrcv', 'msgctl', 'semget', 'semop', 'semctl', 'semtimedop',
    ],
    withoutSupervisor: true,
    allowable: true,
  },
  posix_mq: {
    reason: 'POSIX message queues have one name space for the whole host, which Landlock does not cover.',
    syscalls: ['mq_open', 'mq_unlink', 'mq_timedsend', 'mq_timedreceive', 'mq_notify', 'mq_getsetattr'],
    withoutSupervisor: true,
    allowable: true,
  },
} as const satisfies Record<string, SyscallGroup>;

export type SyscallGroupName = keyof typeof groups;

export const SYSCALL_GROUPS: Readonly<Record<SyscallGroupName, SyscallGroup>> = groups;

export const SYSCALL_GROUP_NAMES = Object.keys(groups) as readonly SyscallGroupName[];

/** Those that `extraAllowSyscalls` takes. */
export const ALLOWABLE_GROUPS = SYSCALL_GROUP_NAMES.filter((name) => SYSCALL_GROUPS[name].allowable === true);

export function isSyscallGroup(name: string): name is SyscallGroupName {
  return Object.hasOwn(SYSCALL_GROUPS, name);
}
