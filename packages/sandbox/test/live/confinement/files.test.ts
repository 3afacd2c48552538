/** Files: what the grants give, and that everything else is refused. */
import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { call, compiled, confined, describeConfined, programFolder, said, scratch, step, unconfined, type Step } from './calls.js';

const CWD = -100;
const O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0o100, O_TRUNC = 0o1000, O_DIRECTORY = 0o200000, O_PATH = 0o10000000, O_TMPFILE = 0o20200000;

let folder: string;
let inside: string;
let outside: string;

beforeEach(() => {
  folder = scratch();
  inside = join(folder, 'inside');
  outside = join(folder, 'outside');
  for (const name of [inside, outside]) {
    mkdirSync(name);
    mkdirSync(join(name, 'sub'));
    mkdirSync(join(name, 'empty'));
    writeFileSync(join(name, 'file'), 'text');
    symlinkSync('file', join(name, 'link'));
  }
});

/** Every operation on a folder that makes no difference to the next one. */
function operations(at: string): Record<string, Step> {
  return {
    read: call('openat', CWD, join(at, 'file'), 0),
    'read by link': call('openat', CWD, join(at, 'link'), 0),
    'read by dots': call('openat', CWD, `${at}/sub/.././file`, 0),
    list: call('openat', CWD, at, O_DIRECTORY),
    write: call('openat', CWD, join(at, 'file'), O_WRONLY),
    'read and write': call('openat', CWD, join(at, 'file'), O_RDWR),
    'open and truncate': call('openat', CWD, join(at, 'file'), O_TRUNC | O_RDWR),
    truncate: call('truncate', join(at, 'file'), 2),
    create: call('openat', CWD, join(at, 'new'), O_CREAT | O_WRONLY, 0o600),
    'create without a name': call('openat', CWD, at, O_TMPFILE | O_RDWR, 0o600),
    'make a folder': call('mkdirat', CWD, join(at, 'made'), 0o700),
    'make a FIFO': call('mknodat', CWD, join(at, 'fifo'), 0o010600, 0),
    'make a symbolic link': call('symlinkat', 'file', CWD, join(at, 'symbolic')),
    link: call('linkat', CWD, join(at, 'file'), CWD, join(at, 'linked'), 0),
    rename: call('renameat2', CWD, join(at, 'file'), CWD, join(at, 'renamed'), 0),
    'rename back': call('renameat2', CWD, join(at, 'renamed'), CWD, join(at, 'file'), 0),
    'remove a file': call('unlinkat', CWD, join(at, 'link'), 0),
    'remove a folder': call('unlinkat', CWD, join(at, 'empty'), 0x200),
  };
}

async function verdicts(at: string, options: SandboxOptions | 'unconfined'): Promise<Record<string, string>> {
  const all = Object.entries(operations(at));
  const steps = all.map(([, each]) => each);
  const answers = said(options === 'unconfined' ? unconfined(steps) : await confined(steps, options));
  return Object.fromEntries(all.map(([name], i) => [name, answers[i]!]));
}

const every = (answer: string): Record<string, string> => Object.fromEntries(Object.keys(operations('/')).map((name) => [name, answer]));

describeConfined('files', () => {
  it('outside the grants cannot be read, listed, changed, made or removed', async () => {
    for (const options of [{}, { fsWritable: [inside] }, { fsReadable: [inside] }, { noSupervisor: true, fsWritable: [inside] }]) {
      // What was to be renamed back had not been renamed.
      const expected = { ...every('EACCES'), 'rename back': 'ENOENT' };
      const refusedAll = await verdicts(outside, options);
      expect({ ...refusedAll, 'rename back': 'ENOENT' }).toEqual(expected);
      expect(refusedAll['rename back']).not.toBe('ok');
    }
    expect(readFileSync(join(outside, 'file'), 'latin1')).toBe('text');
    for (const name of ['new', 'made', 'fifo', 'symbolic', 'linked', 'renamed']) expect(existsSync(join(outside, name))).toBe(false);
    for (const name of ['link', 'empty', 'sub']) expect(existsSync(join(outside, name))).toBe(true);
  });

  it('that may be written can be used in every way, as without confinement', async () => {
    expect(await verdicts(inside, { fsWritable: [inside] })).toEqual(every('ok'));
    expect(await verdicts(outside, 'unconfined')).toEqual(every('ok'));
    expect(existsSync(join(inside, 'made'))).toBe(true);
  });

  it('that may be read can be read, listed and executed, and that is all', async () => {
    const answers = await verdicts(inside, { fsReadable: [inside] });
    const reading = ['read', 'read by link', 'read by dots', 'list'];
    expect(Object.keys(answers).filter((name) => answers[name] === 'ok')).toEqual(reading);
    for (const [name, answer] of Object.entries(answers)) {
      if (!reading.includes(name) && name !== 'rename back') expect([name, answer]).toEqual([name, 'EACCES']);
    }
    const program = join(inside, 'program');
    writeFileSync(program, readFileSync(compiled('calls')), { mode: 0o755 });
    const run = [step('execute', program)];
    expect((await confined(run, { fsReadable: [inside] })).map(({ result }) => result)).toEqual([0]);
    expect((await confined(run, { fsWritable: [inside] })).map(({ result }) => result)).toEqual([0]);
    expect(said(await confined(run))).toEqual(['EACCES']);
    expect(unconfined(run)[0]!.result).toBe(0);
  });

  it('are granted one by one: a file is no folder, and its neighbours stay closed', async () => {
    writeFileSync(join(inside, 'other'), 'text');
    const steps = [
      call('openat', CWD, join(inside, 'file'), 0), call('openat', CWD, join(inside, 'file'), O_RDWR | O_TRUNC),
      call('openat', CWD, join(inside, 'other'), 0), call('openat', CWD, inside, O_DIRECTORY), call('unlinkat', CWD, join(inside, 'file'), 0),
      call('renameat2', CWD, join(inside, 'file'), CWD, join(inside, 'moved'), 0),
    ];
    expect(said(await confined(steps, { fsReadable: [join(inside, 'file')] }))).toEqual(['ok', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES']);
    expect(said(await confined(steps, { fsWritable: [join(inside, 'file')] }))).toEqual(['ok', 'ok', 'EACCES', 'EACCES', 'EACCES', 'EACCES']);
  });

  it('granted through a symbolic link are those behind it, by either name', async () => {
    symlinkSync(inside, join(folder, 'alias'));
    const steps = [call('openat', CWD, join(folder, 'alias/file'), 0), call('openat', CWD, join(inside, 'file'), 0), call('openat', CWD, join(outside, 'file'), 0)];
    expect(said(await confined(steps, { fsReadable: [join(folder, 'alias')] }))).toEqual(['ok', 'ok', 'EACCES']);
    symlinkSync(join(outside, 'file'), join(inside, 'escape'));
    expect(said(await confined([call('openat', CWD, join(inside, 'escape'), 0)], { fsWritable: [inside] }))).toEqual(['EACCES']);
    expect(said(unconfined([call('openat', CWD, join(inside, 'escape'), 0)]))).toEqual(['ok']);
  });

  it('cannot be brought in or out, nor by a link made inside', async () => {
    const move = (from: string, to: string): Step[] => [
      call('renameat2', CWD, from, CWD, to, 0), call('linkat', CWD, from, CWD, to, 0), call('renameat2', CWD, from, CWD, to, 2 /* exchange */),
    ];
    const steps = [...move(join(outside, 'file'), join(inside, 'taken')), ...move(join(inside, 'file'), join(outside, 'given'))];
    for (const answer of said(await confined(steps, { fsWritable: [inside] }))) expect(answer).toMatch(/^E(ACCES|XDEV|NOENT)$/);
    expect(existsSync(join(inside, 'taken'))).toBe(false);
    expect(existsSync(join(outside, 'given'))).toBe(false);
    const symbolic = [call('symlinkat', join(outside, 'file'), CWD, join(inside, 'out')), call('openat', CWD, join(inside, 'out'), 0)];
    expect(said(await confined(symbolic, { fsWritable: [inside] }))).toEqual(['ok', 'EACCES']);
    // Between two folders of one grant it works, where the kernel has the right for it.
    const within = [call('renameat2', CWD, join(inside, 'file'), CWD, join(inside, 'sub/file'), 0), call('linkat', CWD, join(inside, 'sub/file'), CWD, join(inside, 'file'), 0)];
    expect(said(await confined(within, { fsWritable: [inside] }))).toEqual(['ok', 'ok']);
  });

  it('reached by a descriptor without rights stay out of reach', async () => {
    const steps = [
      call('openat', CWD, outside, O_PATH), call('openat', { step: 0 }, 'file', 0), call('openat', { step: 0 }, '.', O_DIRECTORY),
      call('openat', CWD, join(outside, 'file'), O_PATH), call('openat', CWD, '/proc/self/fd/4', 0),
      call('chdir', outside), call('openat', CWD, 'file', 0), call('openat', CWD, '../inside/file', 0),
    ];
    expect(said(await confined(steps, { fsReadable: [inside, '/proc'] }))).toEqual(['ok', 'EACCES', 'EACCES', 'ok', 'EACCES', 'ok', 'EACCES', 'ok']);
  });

  it('can be shortened only where they may be written, also by an open descriptor', async () => {
    const steps = [call('truncate', join(outside, 'file'), 1), call('truncate', join(inside, 'file'), 1), call('openat', CWD, join(inside, 'file'), O_RDWR), call('ftruncate', { step: 2 }, 0)];
    expect(said(await confined(steps, { fsWritable: [inside] }))).toEqual(['EACCES', 'ok', 'ok', 'ok']);
    expect(lstatSync(join(outside, 'file')).size).toBe(4);
    // Disabled, it is as the option says: for every file of the user.
    expect(said(await confined(steps, { fsWritable: [inside], disable: ['fsTruncate'] }))).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(lstatSync(join(outside, 'file')).size).toBe(1);
  });

  it('that are devices take their ioctls only where they may be written', async () => {
    const TCGETS = 0x5401, RNDGETENTCNT = 0x80045200;
    const steps = [call('openat', CWD, '/dev/urandom', 0), call('ioctl', { step: 0 }, RNDGETENTCNT, Buffer.alloc(4)), call('ioctl', { step: 0 }, TCGETS, Buffer.alloc(64))];
    expect(said(await confined(steps, { fsReadable: ['/dev/urandom'] }))).toEqual(['ok', 'EACCES', 'EACCES']);
    expect(said(await confined(steps, { fsWritable: ['/dev/urandom'] }))[1]).toBe('ok');
    expect(said(await confined(steps, { fsReadable: ['/dev/urandom'], disable: ['fsIoctlDev'] }))[1]).toBe('ok');
  });

  it('cannot be executed without a grant, and the start says so', async () => {
    const sandbox = new Sandbox({ fsReadable: [inside] });
    await expect(sandbox.run([compiled('calls')])).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC', message: expect.stringContaining('EACCES') as string });
    expect((await new Sandbox({ fsReadable: [programFolder()] }).run([compiled('calls')], { input: '' })).ok).toBe(true);
  });

  it('granted under a hard link are one file under all its names', async () => {
    linkSync(join(outside, 'file'), join(inside, 'same'));
    const steps = [call('openat', CWD, join(inside, 'same'), 0), call('openat', CWD, join(outside, 'file'), 0)];
    // A rule on a folder is about the way to the file; a rule on the file is about the file.
    expect(said(await confined(steps, { fsReadable: [inside] }))).toEqual(['ok', 'EACCES']);
    expect(said(await confined(steps, { fsReadable: [join(inside, 'same')] }))).toEqual(['ok', 'ok']);
  });
});
