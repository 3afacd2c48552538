/**
 * The blocklist, call by call, in the running kernel.
 *
 * The arguments are senseless, so that a call which got through would do nothing; the kernel's own answer to them,
 * asked beside it, is another one wherever the kernel asks for no privilege first.
 */
import { syscallNumber } from '@sandlock/bpf';
import { expect, it } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { arch, call, confined, describeConfined, inContainer, isRoot, said, unconfined, type Argument, type Step } from './calls.js';

const BLOCKED = `
  mount umount umount2 pivot_root chroot fchroot fsopen fsconfig fsmount fspick move_mount open_tree open_tree_attr mount_setattr
  statmount listmount swapon swapoff reboot sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex syslog
  kexec_load kexec_file_load init_module finit_module delete_module bpf create_module get_kernel_syms query_module
  unshare setns listns perf_event_open ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise process_mrelease
  move_pages migrate_pages lookup_dcookie userfaultfd memfd_secret keyctl add_key request_key open_by_handle_at name_to_handle_at
  fanotify_init ioperm iopl quotactl quotactl_fd acct nfsservctl io_uring_setup io_uring_enter io_uring_register personality vhangup
  uselib sysfs ustat _sysctl modify_ldt vm86 vm86old
`.trim().split(/\s+/);
const SYSV_IPC = 'shmget shmat shmdt shmctl msgget msgsnd msgrcv msgctl semget semop semctl semtimedop'.split(' ');
const POSIX_MQ = 'mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr'.split(' ');
const PTRACE = 'ptrace process_vm_readv process_vm_writev kcmp'.split(' ');
const WITHOUT_SUPERVISOR = `
  swapon swapoff reboot kexec_load kexec_file_load init_module finit_module delete_module bpf create_module get_kernel_syms
  query_module perf_event_open ioperm iopl io_uring_setup io_uring_enter io_uring_register
`.trim().split(/\s+/);

/** All bits set is no address, no descriptor, no process and no flag. Where that would do something, something else. */
const JUNK: Readonly<Record<string, readonly Argument[]>> = {
  msgget: [0x7a6b5c4d, 0], // all bits would make a queue
  vhangup: [],
  personality: [0xffffffff],
};
const existing = (names: readonly string[]): string[] => names.filter((name) => syscallNumber(arch, name) !== undefined);
const steps = (names: readonly string[]): Step[] => names.map((name) => call(name, ...(JUNK[name] ?? Array<number>(6).fill(-1))));

async function verdicts(names: readonly string[], options: SandboxOptions = {}): Promise<Record<string, string>> {
  const answers = said(await confined(steps(names), options));
  return Object.fromEntries(names.map((name, i) => [name, answers[i]!]));
}

const every = (names: readonly string[], verdict: string): Record<string, string> => Object.fromEntries(names.map((name) => [name, verdict]));
const refused = (all: Record<string, string>): string[] => Object.keys(all).filter((name) => all[name] === 'EPERM');

/** What the kernel itself refuses to everybody here, or only to those without privileges. */
const own = (): Record<string, string> => {
  const names = existing([...BLOCKED, ...SYSV_IPC, ...POSIX_MQ]).filter((name) => name !== 'vhangup' && name !== 'reboot');
  const answers = said(unconfined(steps(names)));
  return Object.fromEntries(names.map((name, i) => [name, answers[i]!]));
};

describeConfined('the blocklist', () => {
  it('answers EPERM to every call on it', async () => {
    const names = existing([...BLOCKED, ...SYSV_IPC, ...POSIX_MQ]);
    expect(names.length).toBeGreaterThan(arch === 'x86_64' ? 85 : 70);
    expect(await verdicts(names)).toEqual(every(names, 'EPERM'));
  });

  it.skipIf(inContainer)('is not what the kernel answers by itself [needs no container]', () => {
    const all = own();
    const different = Object.keys(all).filter((name) => all[name] !== 'EPERM');
    // A user is refused some by the kernel itself; what anybody may call is different for both.
    expect(different.length).toBeGreaterThan(isRoot ? 80 : 45);
    expect(different).toEqual(expect.arrayContaining([
      'ptrace', 'process_vm_readv', 'unshare', 'setns', 'keyctl', 'add_key', 'personality', 'shmget', 'mq_open', 'move_pages', 'semget',
    ]));
  });

  it('answers the same without a supervisor to its smaller list, and leaves the rest to the kernel', async () => {
    const names = existing([...WITHOUT_SUPERVISOR, ...SYSV_IPC, ...POSIX_MQ]);
    expect(await verdicts(names, { noSupervisor: true })).toEqual(every(names, 'EPERM'));
    const left = ['ptrace', 'process_vm_readv', 'personality', ...(inContainer ? [] : ['setns', 'keyctl'])];
    expect(refused(await verdicts(left, { noSupervisor: true }))).toEqual([]);
  });

  it('gives up a group that is allowed, and no other', async () => {
    const names = [...SYSV_IPC, ...POSIX_MQ, ...PTRACE, 'unshare', 'keyctl'].filter((name) => !(inContainer && name === 'kcmp'));
    const ptrace = PTRACE.filter((name) => names.includes(name));
    expect(refused(await verdicts(names, { extraAllowSyscalls: ['sysv_ipc'] }))).toEqual([...POSIX_MQ, ...ptrace, 'unshare', 'keyctl']);
    expect(refused(await verdicts(names, { extraAllowSyscalls: ['posix_mq'] }))).toEqual([...SYSV_IPC, ...ptrace, 'unshare', 'keyctl']);
    expect(refused(await verdicts(names, { extraAllowSyscalls: ['ptrace'] }))).toEqual([...SYSV_IPC, ...POSIX_MQ, 'unshare', 'keyctl']);
  });

  it('takes further calls, under whatever name they are known', async () => {
    const names = ['getcwd', 'newfstatat', 'pipe2', 'getpid'];
    expect(refused(await verdicts(names))).toEqual([]);
    expect(refused(await verdicts(names, { extraDenySyscalls: ['getcwd', 'newfstatat'] }))).toEqual(['getcwd', 'newfstatat']);
  });
});
