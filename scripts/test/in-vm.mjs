/**
 * A command on another kernel: `node in-vm.mjs [--user] KERNEL COMMAND [ARGUMENT...]`, in a guest that qemu emulates.
 *
 * KERNEL is a package of Debian, such as linux-image-6.12.111+deb12-amd64, or a folder with one unpacked. The guest
 * sees this machine's files at their places, and what it changes is gone with it: only the memory of the guest is
 * written to. Whether it sees what changes here meanwhile is left open. The command runs in the folder where this was
 * started, as root or with --user as an ordinary user, to whom the checkout then belongs. Its output and its exit code
 * are passed on; 125 means that it did not run.
 *
 * Other than here, control groups are those of version 2 alone, with memory, pids and cpu delegated in the one that
 * SANDLOCK_TEST_CGROUP names, and `modprobe` finds the kernel's modules, of btrfs say. Emulation takes 5 to 15 times as
 * long: raise timeouts (`vitest run --testTimeout=600000`).
 *
 * It needs qemu-system-x86, busybox-static, cpio and kmod. SANDLOCK_VM_MEMORY, SANDLOCK_VM_CPUS: 5G and 2 without them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../setup/root.mjs';
import { findKernel } from './vm/kernel.mjs';
import { makeInitrd } from './vm/initrd.mjs';

const NOT_RUN = 125;

const args = process.argv.slice(2);
const asUser = args[0] === '--user';
const [name, ...command] = asUser ? args.slice(1) : args;
if (name === undefined || command.length === 0) {
  console.error('usage: node in-vm.mjs [--user] KERNEL COMMAND [ARGUMENT...]');
  process.exit(NOT_RUN);
}

mkdirSync(join(root, '.cache/vm'), { recursive: true });
// What the two sides hand each other: the command, and the way it ended.
const shared = mkdtempSync(join(root, '.cache/vm/run-'));
const consoleLog = join(shared, 'console.log');
try {
  const kernel = findKernel(name, join(root, '.cache/vm'));
  const initrd = makeInitrd(kernel, { checkout: root, shared, asUser }, shared);
  writeFileSync(join(shared, 'command'), script(command));

  // It ends with this process, however that ends.
  const { error } = spawnSync('nice', ['-n', '5', 'setpriv', '--pdeathsig', 'TERM', 'qemu-system-x86_64',
    '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', process.env.SANDLOCK_VM_CPUS ?? '2', '-m', process.env.SANDLOCK_VM_MEMORY ?? '5G',
    '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
    '-kernel', kernel.image, '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1',
    '-serial', `file:${consoleLog}`, '-serial', 'stdio',
    // Every file is shown with the owner that it has. Read only: the guest writes to its memory, above these.
    ...folder('machine', '/', 'on'), ...folder('shared', shared, 'off'),
  ], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;

  const status = join(shared, 'status');
  if (!existsSync(status)) throw new Error(`The guest ended before the command did. Its console:\n${readFileSync(consoleLog, 'utf8')}`);
  process.exitCode = Number(readFileSync(status, 'utf8'));
} catch (error) {
  console.error(`in-vm: ${error.message}`);
  process.exitCode = NOT_RUN;
} finally {
  rmSync(shared, { recursive: true });
}

function folder(tag, path, readonly) {
  return ['-fsdev', `local,id=${tag},path=${path},security_model=none,multidevs=remap,readonly=${readonly}`, '-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`];
}

/** For bash, with what a test run takes from its environment. */
function script(words) {
  const kept = Object.entries(process.env).filter(([key]) => key === 'PATH' || key === 'CI' || key.startsWith('SANDLOCK_'));
  return [
    ...kept.map(([key, value]) => `export ${key}=${quoted(value)}`),
    'export SANDLOCK_TEST_CGROUP=/sys/fs/cgroup/delegated',
    `cd ${quoted(process.cwd())} && exec ${words.map(quoted).join(' ')}`,
    '',
  ].join('\n');
}

function quoted(word) {
  return `'${word.replaceAll('\'', '\'\\\'\'')}'`;
}
