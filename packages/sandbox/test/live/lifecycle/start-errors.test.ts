import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { action, on, type RunOptions, Sandbox, type SandboxOptions } from '../../../src/index.js';
import { box, grants, marked, newMark } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'start-errors-'));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
}

const sandbox = box({ fsReadable: [...grants.fsReadable!, folder] });
const exec = (errno: number, path: string) => ({ name: 'ProcessError', code: 'ERR_SANDLOCK_EXEC', errno: -errno, path, syscall: 'execve', step: 'exec' });

describe('a program that cannot be executed', () => {
  it.each([
    ['does not exist', '/does/not/exist', 2],
    ['has a name that is too long', `/${'x'.repeat(300)}`, 36],
    ['is a directory', '/usr', 13],
  ])('rejects when it %s', async (_, program, errno) => {
    await expect(sandbox.run([program])).rejects.toMatchObject(exec(errno, program));
  });

  it('rejects when it is not executable, has no known format or no interpreter', async () => {
    const plain = file('plain', '#!/bin/sh\n', 0o644);
    await expect(sandbox.run([plain])).rejects.toMatchObject(exec(13, plain));
    const unknown = file('unknown', 'echo no shell guesses this\n');
    await expect(sandbox.run([unknown])).rejects.toMatchObject(exec(8, unknown));
    const lost = file('lost', '#!/does/not/exist\n');
    await expect(sandbox.run([lost])).rejects.toMatchObject(exec(2, lost));
    const good = file('good', '#!/bin/sh\necho good\n');
    expect((await sandbox.run([good])).text()).toBe('good');
  });

  it('rejects when no grant covers it', async () => {
    const good = file('outside', '#!/bin/sh\necho good\n');
    await expect(box().run([good])).rejects.toMatchObject(exec(13, good));
  });

  it('rejects when arguments are too large together or one alone', async () => {
    await expect(sandbox.run(['/bin/true', 'x'.repeat(200_000)])).rejects.toMatchObject({
      code: 'ERR_SANDLOCK_SPAWN', syscall: 'clone', errno: -7, message: expect.stringContaining('Arguments and environment') as unknown,
    });
    await expect(sandbox.run(['/bin/true', ...Array<string>(60).fill('x'.repeat(120_000))])).rejects.toMatchObject({ syscall: 'clone' });
  });

  it('rejects every way to start it', async () => {
    const missing = ['/does/not/exist'];
    await expect(sandbox.spawn(missing)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC' });
    await expect((await sandbox.popen(missing)).wait()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC' });
    const created = await sandbox.create(missing);
    await expect(created.start()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC' });
    await expect(created.wait()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC' });
    await expect(sandbox.runInteractive(missing)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC' });
  });
});

describe('arguments', () => {
  it('arrive near the limits of the kernel', async () => {
    const word = 'x'.repeat(131_000); // MAX_ARG_STRLEN is 131072
    const { stdout } = await sandbox.run(['/bin/sh', '-c', 'echo "${#1} ${#WORD} $#"', 'sh', word, ...Array<string>(5).fill(word)], { env: { WORD: word } });
    expect(stdout.toString()).toBe('131000 131000 6\n');
  });

  it('arrive as bytes', async () => {
    const { stdout } = await sandbox.run(['/usr/bin/printf', '%s', Uint8Array.of(0xff, 0xfe, 0x41)]);
    expect(stdout).toEqual(Buffer.of(0xff, 0xfe, 0x41));
  });

  it('may be empty, and may look like anything', async () => {
    const words = ['', ' ', '-n', '$HOME', '*', '\n', '"'];
    const { stdout } = await sandbox.run(['/usr/bin/printf', '[%s]', ...words]);
    expect(stdout.toString()).toBe(words.map((word) => `[${word}]`).join(''));
  });
});

describe('options of a call that cannot be', () => {
  const issues = async (cmd: unknown, options?: object): Promise<string[]> => {
    const error: unknown = await sandbox.run(cmd as string[], options).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_SANDLOCK_CONFIG' });
    return (error as { issues: { path: string }[] }).issues.map(({ path }) => path);
  };

  it.each([[[], ['cmd']], ['ls', ['cmd']], [[''], ['cmd[0]']], [['ls', 'a\0b', 3], ['cmd[1]', 'cmd[2]']], [[Buffer.from('a\0')], ['cmd[0]']], [['ls', '\ud800'], ['cmd[1]']]])(
    'are refused for the command %j', async (cmd, paths) => {
      expect(await issues(cmd)).toEqual(paths);
    });

  it('are refused for a hole in the command', async () => {
    // eslint-disable-next-line no-sparse-arrays
    expect(await issues(['ls', , 'x'])).toEqual(['cmd[1]']);
  });

  it.each([null, 5, 'text', []])('are refused where they are no object (%#)', async (options) => {
    expect(await issues(['ls'], options as unknown as object)).toEqual(['']);
  });

  it.each(['input', 'check', 'env', 'fds', 'maxBuffer', 'cwd', 'handlers'])('are refused for %s of another type, and nothing starts', async (name) => {
    const mark = newMark();
    const command = ['/bin/sh', '-c', `sleep 60; : ${mark}`];
    for (const value of [null, 5.5, true, Symbol('x')].filter((each) => name !== 'check' || each !== true)) {
      const error: unknown = await sandbox.run(command, { [name]: value }).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: name }] });
    }
    expect(marked(mark)).toEqual([]);
  });

  it('are all named at once, and nothing starts', async () => {
    expect(await issues(['ls', '\0'], {
      timeout: -1, killGrace: NaN, signal: {}, env: { 'A=B': 'x', C: 1, D: '\0' }, cwd: '\0', maxBuffer: '12 parsecs', name: 'a/b', handlers: 1,
      fds: { 1: 1, 40: 2, 5: -1, 6: 2 ** 32 }, unknown: 1,
    })).toEqual([
      'cmd[1]', 'unknown', 'timeout', 'killGrace', 'signal', 'cwd', 'env.A=B', 'env.C', 'env.D', 'maxBuffer', 'name', 'handlers', 'fds.1', 'fds.5',
      'fds.6', 'fds.40',
    ]);
  });

  it('are refused for what is no record, no number as it is written, and no call', async () => {
    const handlers = [on('getppid', () => action.continue()), on('no_such_call', () => action.continue()), undefined];
    expect(await issues(['ls'], {
      env: new Map([['A', '1']]), fds: { '03': 2, '3': 2, '4.0': 2, '1e1': 2, ' 5': 2, '+6': 2 }, handlers,
    })).toEqual(['env', 'handlers[1]', 'handlers[2]', 'fds.03', 'fds.4.0', 'fds.1e1', 'fds. 5', 'fds.+6']);
    expect(await issues(['ls'], { fds: new Map([[3, 2]]) })).toEqual(['fds']);
    expect((await sandbox.run(['/bin/sh', '-c', 'echo $A >&3'], { env: process.env as Record<string, string>, fds: { 3: 2 }, handlers: [handlers[0]!] })).ok).toBe(true);
  });

  it.each([
    ['fsReadable', { fsReadable: ['/does/not/exist'] }, 'fsReadable[0]'], ['cwd', { cwd: '/does/not/exist' }, 'cwd'], ['cwd', { cwd: '/etc/passwd' }, 'cwd'],
  ] as [string, SandboxOptions, string][])('are refused for a missing %s', async (_, options, path) => {
    await expect(new Sandbox(options).run(['/bin/true'])).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path }] });
  });

  it('are refused for a cwd of the call that is not there', async () => {
    for (const cwd of ['/does/not/exist', '/etc/passwd']) {
      await expect(sandbox.run(['/bin/true'], { cwd })).rejects.toMatchObject({ step: 'cwd' });
    }
  });

  it('are refused for a descriptor that is not open', async () => {
    await expect(sandbox.run(['/bin/true'], { fds: { 5: 9999 } })).rejects.toMatchObject({ code: 'ERR_SANDLOCK_SPAWN', errno: -9 });
    await expect(sandbox.popen(['/bin/true'], { stdout: 9999 })).rejects.toMatchObject({ code: 'ERR_SANDLOCK_SPAWN', errno: -9 });
  });
});

describe('PATH', () => {
  const run = (PATH: string | undefined, name = 'tool', cwd = folder) => {
    const env = PATH === undefined ? { cleanEnv: false } : { env: { PATH } };
    return sandbox.with(env).run([name], { cwd });
  };
  for (const [directory, mode] of [['first', 0o644], ['second', 0o755]] as const) {
    mkdirSync(join(folder, directory));
    file(`${directory}/tool`, `#!/bin/sh\necho ${directory}\n`, mode);
  }
  file('here', '#!/bin/sh\necho here\n');
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];

  it('is searched in order, past what cannot be executed', async () => {
    expect((await run(`/does/not/exist:/etc/passwd:${first}:${second}`)).text()).toBe('second');
  });

  it('of the call is the one that counts', async () => {
    expect((await sandbox.with({ env: { PATH: first } }).run(['tool'], { env: { PATH: second } })).text()).toBe('second');
  });

  it('with only what cannot be executed gives EACCES, with nothing ENOENT', async () => {
    await expect(run(`${first}:/does/not/exist`)).rejects.toMatchObject(exec(13, 'tool'));
    await expect(run('/does/not/exist:/usr/bin')).rejects.toMatchObject(exec(2, 'tool'));
  });

  it('with an empty entry means the working directory', async () => {
    for (const path of ['', ':/does/not/exist', '/does/not/exist:', '/does/not/exist::/nor/this']) {
      expect((await run(path, 'here')).text()).toBe('here');
    }
  });

  it('is not asked for a name with a slash', async () => {
    expect((await run('/does/not/exist', './here')).text()).toBe('here');
    await expect(run(folder, 'second/here')).rejects.toMatchObject(exec(2, 'second/here'));
  });

  it('that is not set is that of the C library', async () => {
    const { PATH } = process.env;
    delete process.env['PATH'];
    try {
      expect((await sandbox.run(['echo', 'found'])).text()).toBe('found');
      await expect(sandbox.run(['here'], { cwd: folder })).rejects.toMatchObject(exec(2, 'here'));
    } finally {
      process.env['PATH'] = PATH;
    }
  });
});

describe('an option of a run', () => {
  const values = { timeout: 20_000, killGrace: 1, signal: new AbortController().signal, env: {}, cwd: '/', maxBuffer: 10, name: undefined, handlers: [], fds: {}, input: '', check: true };

  it.each(['of its own', 'inherited'])('is read once: %s', async (kind) => {
    const reads: Record<string, number> = {};
    const getters = Object.defineProperties({}, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, {
      enumerable: true,
      get: () => {
        reads[name] = (reads[name] ?? 0) + 1;
        return value;
      },
    }])));
    const options = (kind === 'inherited' ? Object.create(getters) : getters) as RunOptions;
    expect((await box().run(['/bin/echo', 'done'], options)).stdout.toString()).toBe('done\n');
    expect(reads).toEqual(Object.fromEntries(Object.keys(values).map((name) => [name, 1])));
  });

  it('that cannot be read ends the handlers that were given, and starts nothing', async () => {
    let disposed = 0;
    const handlers = [on('uname', { handle: () => action.continue(), dispose: () => void disposed++ })];
    const failing = { get timeout(): number { throw new Error('on purpose'); } };
    await expect(box({ handlers }).run(['/bin/true'], failing)).rejects.toThrow('on purpose');
    expect(disposed).toBe(1);
  });
});
