import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { DispatchTable, pathSyscalls, type HandlerBinding } from '../src/index.js';
import { allowPaths, auditPaths, denyPaths, logSyscalls, type PathAccess, type PathPattern } from '../src/presets.js';
import { closeAll, supervised } from './supervised.js';

afterEach(closeAll);

/** The task whose /proc is looked at: ourselves. */
const PID = process.pid;
const AT_FDCWD = -100;

let root: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'presets-')));
  for (const name of ['public', 'secret']) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'file'), name);
  }
  symlinkSync('../secret', join(root, 'public', 'link'));
  symlinkSync(join(root, 'public', 'loop'), join(root, 'public', 'loop'));
});
afterAll(() => { rmSync(root, { recursive: true }); });

function running(bindings: readonly HandlerBinding[]) {
  const started = supervised(new DispatchTable({ arch: 'x86_64' }).addAll(bindings));
  return async (path: string | Uint8Array | undefined, name = 'openat', args: (bigint | number)[] = [AT_FDCWD, 0x5000]) => {
    const at = 0x5000n;
    if (path !== undefined) started.listener.mapString(PID, at, path);
    const response = await started.listener.notify(name, { pid: PID, args }).answered;
    return response.errno ?? response.kind;
  };
}

/** One call over a supervisor of its own. */
function answer(bindings: readonly HandlerBinding[], path: string | Uint8Array | undefined, name?: string, args?: (bigint | number)[]) {
  return running(bindings)(path, name, args);
}

describe('denyPaths', () => {
  const denying = () => denyPaths([join(root, 'secret')]);

  it('refuses the path and what is below, and nothing beside', async () => {
    expect(await answer(denying(), join(root, 'secret'))).toBe('EPERM');
    expect(await answer(denying(), join(root, 'secret/file'))).toBe('EPERM');
    expect(await answer(denying(), join(root, 'secrets'))).toBe('continue');
    expect(await answer(denying(), join(root, 'public/file'))).toBe('continue');
  });

  it.each<[string, () => string]>([
    ['dots', () => `${root}/public/../secret/./file`], ['doubled slashes', () => `//${root}///secret//file`],
    ['a symbolic link', () => `${root}/public/link/file`], ['/proc/self/root', () => `/proc/self/root${root}/secret/file`],
    ['/proc/thread-self', () => `/proc/thread-self/root${root}/secret/file`], ['a name yet to be made', () => `${root}/public/link/new`],
  ])('is not dodged by %s', async (_, path) => {
    expect(await answer(denying(), path())).toBe('EPERM');
  });

  it('takes /proc/self and relative paths for those of the task, not ours', async () => {
    const child = spawn('sleep', ['60'], { cwd: join(root, 'secret'), stdio: 'ignore' });
    try {
      const ask = async (pid: number, path: string) => {
        const { listener } = supervised(new DispatchTable({ arch: 'x86_64' }).addAll(denying()));
        listener.mapString(pid, 0x5000n, path);
        return (await listener.notify('openat', { pid, args: [AT_FDCWD, 0x5000] }).answered).errno;
      };
      for (const path of ['/proc/self/cwd/file', '/proc/thread-self/cwd/file', '/dev/fd/../cwd/file', 'file']) {
        expect(await ask(child.pid!, path), path).toBe('EPERM');
        expect(await ask(PID, path), path).toBe(undefined);
      }
    } finally {
      child.kill('SIGKILL');
      await new Promise((resolve) => { child.once('exit', resolve); });
    }
  });

  it('judges nothing of a task that went away while its directory was looked at', async () => {
    const { listener } = supervised(new DispatchTable({ arch: 'x86_64' }).addAll(denying()));
    listener.mapString(PID, 0x5000n, join(root, 'public/file'));
    let checks = 0;
    listener.idValid = () => (++checks > 2 ? -2 : 0); // valid before and after the path was read
    expect((await listener.notify('openat', { pid: PID, args: [AT_FDCWD, 0x5000] }).answered).errno).toBe('EACCES');
    expect(checks).toBe(3);
  });

  it('follows relative paths from the directory of the task', async () => {
    expect(await answer(denyPaths([process.cwd()]), 'package.json')).toBe('EPERM');
    expect(await answer(denyPaths([join(process.cwd(), 'src')]), 'package.json')).toBe('continue');
  });

  it.each(['open', 'openat2', 'stat', 'truncate', 'chdir', 'execve', 'getxattr'])('covers %s', async (name) => {
    const args = name === 'openat2' ? [AT_FDCWD, 0x5000] : [0x5000];
    expect(await answer(denying(), join(root, 'secret/file'), name, args)).toBe('EPERM');
    expect(await answer(denying(), join(root, 'public/file'), name, args)).toBe('continue');
  });

  it('looks at both paths of a rename, and at where a symbolic link is made but not at what it says', async () => {
    const rename = async (first: string, second: string) => {
      const { listener } = supervised(new DispatchTable({ arch: 'x86_64' }).addAll(denying()));
      listener.mapString(PID, 0x5000n, first);
      listener.mapString(PID, 0x9000n, second);
      const response = async (name: string) => (await listener.notify(name, { pid: PID, args: [0x5000, 0x9000] }).answered);
      return [(await response('rename')).errno, (await response('symlink')).errno];
    };
    const [good, bad] = [join(root, 'public/x'), join(root, 'secret/x')];
    expect(await rename(good, bad)).toEqual(['EPERM', 'EPERM']);
    expect(await rename(bad, good)).toEqual(['EPERM', undefined]);
    expect(await rename(good, good)).toEqual([undefined, undefined]);
  });

  it('refuses what it cannot read', async () => {
    expect(await answer(denying(), undefined)).toBe('EACCES'); // no memory of that task at all
    const ask = running(denying());
    expect(await ask(join(root, 'public/file'))).toBe('continue');
    expect(await ask(undefined, 'openat', [AT_FDCWD, 0xdead0000])).toBe('EFAULT');
    expect(await ask(undefined, 'openat', [12345, 0x5000])).toBe('continue'); // absolute: the directory does not matter
    expect(await answer(denying(), 'relative', 'openat', [12345, 0x5000])).toBe('EBADF');
    expect(await answer(denying(), join(root, 'public/loop'))).toBe('EACCES');
    expect(await answer(denying(), `/${'x'.repeat(5000)}`)).toBe('ENAMETOOLONG');
  });

  it('matches bytes that are not UTF-8', async () => {
    const deny = () => denyPaths([/\/\udcff$/]);
    expect(await answer(deny(), Buffer.from([0x2f, 0xff]))).toBe('EPERM');
    expect(await answer(deny(), Buffer.from([0x2f, 0xfe]))).toBe('continue');
  });

  it('takes expressions with memory as if they had none', async () => {
    const ask = running(allowPaths([/public/g, /secret\/file/y]));
    for (let i = 0; i < 3; i++) expect(await ask(join(root, 'public/file'))).toBe('continue');
  });

  it('refuses a spelling too, wherever it leads', async () => {
    expect(await answer(denyPaths([/\/link\//]), join(root, 'public/link/file'))).toBe('EPERM');
    expect(await answer(denyPaths([/\/link\//]), join(root, 'secret/file'))).toBe('continue');
  });

  it.each<[string, unknown]>([['a string', '/x'], ['a relative path', ['x']], ['a number', [5]]])('refuses %s for patterns', (_, patterns) => {
    expect(() => denyPaths(patterns as PathPattern[])).toThrow(TypeError);
  });

  it('registers every path call beside a blocklist', () => {
    const table = new DispatchTable({ arch: 'x86_64', blocklist: new Set([165]) }).addAll(denying());
    const names = new Set(table.registrations().map(({ name }) => name));
    expect(names.has('mount')).toBe(false);
    expect(names.has('openat')).toBe(true);
    expect(pathSyscalls().length - names.size).toBeLessThan(8);
  });
});

describe('allowPaths', () => {
  it('refuses all but what leads to a match', async () => {
    const allowing = () => allowPaths([join(root, 'public')]);
    expect(await answer(allowing(), join(root, 'public/file'))).toBe('continue');
    expect(await answer(allowing(), join(root, 'secret/file'))).toBe('EACCES');
    expect(await answer(allowing(), `${root}/public/link/file`)).toBe('EACCES');
    expect(await answer(allowing(), `${root}/public/../secret/file`)).toBe('EACCES');
    expect(await answer(allowPaths([]), join(root, 'public/file'))).toBe('EACCES');
    expect(await answer(allowPaths(['/']), join(root, 'public/file'))).toBe('continue');
  });
});

describe('auditPaths', () => {
  it('tells what was used and lets it through, also when nothing could be read or the callback throws', async () => {
    const seen: PathAccess[] = [];
    const ask = running(auditPaths((access) => {
      seen.push(access);
      if (seen.length === 3) throw new Error('audit');
    }));
    expect(await ask(`${root}/public/link/file`)).toBe('continue');
    expect(await ask(undefined, 'openat', [AT_FDCWD, 0xdead0000])).toBe('continue');
    expect(await ask(undefined)).toBe('continue');
    expect(seen).toEqual([
      { syscall: 'openat', pid: PID, path: join(root, 'secret/file') },
      { syscall: 'openat', pid: PID, path: null },
      { syscall: 'openat', pid: PID, path: join(root, 'secret/file') },
    ]);
  });
});

describe('logSyscalls', () => {
  it('writes a line for each call', async () => {
    const lines: string[] = [];
    expect(await answer(logSyscalls((line) => lines.push(line), ['getpid']), undefined, 'getpid', [1, 255])).toBe('continue');
    expect(lines).toEqual([`${PID} getpid(0x1, 0xff, 0x0, 0x0, 0x0, 0x0)`]);
  });
});
