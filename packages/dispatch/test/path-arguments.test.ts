import { syscallNames } from '@sandlock/bpf';
import { afterEach, describe, expect, it } from 'vitest';

import { action, pathArguments, pathSyscalls } from '../src/index.js';
import { closeAll, supervised } from './supervised.js';

afterEach(closeAll);

const onePath = pathSyscalls().filter((name) => pathArguments(name).length === 1);
const native = new Set(syscallNames('x86_64'));

describe('readPath', () => {
  it.each(onePath.filter((name) => native.has(name)))('finds the path of %s by itself', async (name) => {
    const { listener } = supervised([[name, (context) => {
      const path = context.readPath();
      return action.returnValue(path.ok && path.text === `/for/${name}` ? 1 : 0);
    }]]);
    listener.mapString(1000, 0x5000n, `/for/${name}`);
    const args = [0n, 0n, 0n, 0n, 0n, 0n];
    args[pathArguments(name)[0]!.index] = 0x5000n;
    expect((await listener.notify(name, { args }).answered).value).toBe(1n);
  });

  it.each(['renameat2', 'link', 'symlinkat', 'getpid'])('asks for the index on %s', async (name) => {
    const { listener, supervisor } = supervised([[name, (context) => {
      context.readPath();
      return action.continue();
    }, { onException: 'denyEio' }]]);
    expect((await listener.notify(name).answered).errno).toBe('EIO');
    expect(supervisor.stats().exceptions).toBe(1);
  });

  it('reads either path of a two-path call by index, and refuses an index of 6', async () => {
    const seen: unknown[] = [];
    const { listener } = supervised([['renameat2', (context) => {
      for (const index of [1, 3, 6]) {
        try {
          const path = context.readPath(index);
          seen.push(path.ok ? path.text : path.reason);
        } catch (error) {
          seen.push((error as { code: string }).code);
        }
      }
      return action.continue();
    }]]);
    listener.mapString(1000, 0x5000n, '/old');
    listener.mapString(1000, 0x6000n, '/new');
    await listener.notify('renameat2', { args: [0, 0x5000, 0, 0x6000] }).answered;
    expect(seen).toEqual(['/old', '/new', 'ERR_SANDLOCK_HANDLER_PATH_ARGUMENT']);
  });

  it('denies a path that does not end within PATH_MAX', async () => {
    const { listener } = supervised([['openat', (context) => {
      const path = context.readPath();
      return path.ok ? action.continue() : path.deny();
    }]]);
    listener.mapString(1000, 0x5000n, 'x'.repeat(4095));
    listener.mapString(1000, 0x8000n, 'x'.repeat(4096));
    expect((await listener.notify('openat', { args: [0, 0x5000] }).answered).kind).toBe('continue');
    expect((await listener.notify('openat', { args: [0, 0x8000] }).answered).errno).toBe('ENAMETOOLONG');
  });
});

describe('the table of path arguments', () => {
  it('knows every spelling of an operation', () => {
    for (const name of [
      'openat2', 'faccessat2', 'truncate', 'mknod', 'mknodat', 'chdir', 'chmod', 'fchmodat', 'fchmodat2', 'chown', 'lchown',
      'fchownat', 'getxattr', 'lgetxattr', 'setxattr', 'lsetxattr', 'listxattr', 'llistxattr', 'removexattr', 'lremovexattr',
    ]) expect(pathArguments(name), name).toHaveLength(1);
    expect(pathArguments('toString')).toEqual([]);
  });

  it('names system calls only', () => {
    const known = new Set((['x86_64', 'i386', 'aarch64', 'riscv64', 'arm'] as const).flatMap((arch) => [...syscallNames(arch)]));
    expect(pathSyscalls().filter((name) => !known.has(name) && name !== 'newfstatat' && name !== 'fstatat')).toEqual([]);
  });
});
