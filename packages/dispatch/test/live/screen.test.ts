/**
 * The screen of the kernel's listener: what it keeps from the handlers, and what it must not.
 *
 * Each path is opened by a real target; whether the handler was asked is the result.
 */
import { constants as fsConstants, lstatSync, mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { action, DispatchTable, type HandlerContext, type KnownEntries } from '../../src/index.js';
import { arch, hasPython, Target, type Argument } from './target.js';

const AT_FDCWD = -100;
const { EACCES, EEXIST, EFAULT, ENOENT, ENOTDIR } = constants.errno;
const { O_DIRECTORY } = fsConstants;

let directory: string;
let level: KnownEntries;
let target: Target | undefined;
let asked: string[];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dispatch-screen-'));
  writeFileSync(join(directory, 'plain'), '');
  mkdirSync(join(directory, 'level/old'), { recursive: true });
  for (const path of ['level/old/file', 'level/file', 'level/new']) writeFileSync(join(directory, path), '');
  symlinkSync('old', join(directory, 'level/link'));
  const identity = (name: string) => lstatSync(join(directory, 'level', name), { bigint: true });
  level = { path: join(directory, 'level'), entries: new Map([['old', null], ['file', identity('file')], ['link', identity('link')], ['gone', null]]) };
});
afterAll(() => { rmSync(directory, { recursive: true }); });
afterEach(async () => {
  await target?.end();
  target = undefined;
});

/** Refuses what concerns it, so that an open that it should have seen and did not succeeds or fails otherwise. */
async function start(user?: 'openat' | 'symlinkat'): Promise<Target> {
  asked = [];
  const handler = (context: HandlerContext) => {
    const path = context.readPath(context.name === 'symlinkat' ? 0 : 1);
    asked.push(path.ok ? path.text : path.reason);
    return action.errno('EACCES');
  };
  const concerns = { names: ['/etc', '/etc/hosts', join(directory, 'named')], trees: ['/proc', join(directory, 'tree')], knownEntries: [level] };
  const table = new DispatchTable().family({
    name: 'views', handlers: { openat: { handler, concerns }, newfstatat: { handler, concerns }, symlinkat: { handler, concerns } },
  });
  if (user !== undefined) table.on(user, () => action.continue());
  target = await Target.start(table);
  await target.ask({ op: 'chdir', path: directory });
  asked.length = 0;
  return target;
}

async function open(path: Argument, dirfd = AT_FDCWD): Promise<'asked' | number> {
  const before = asked.length;
  const { errno, result } = await target!.call('openat', dirfd, path, 0);
  if (asked.length > before) {
    expect(errno).toBe(EACCES);
    return 'asked';
  }
  return result >= 0 ? 0 : errno;
}

let links = 0;

/** Makes a link of the target's; the errno, or whether a handler was asked, which refuses it. */
async function link(text: Argument, path: Argument = { text: `link.${links++}` }, dirfd = AT_FDCWD): Promise<'asked' | number> {
  const before = asked.length;
  const { errno, result } = await target!.call('symlinkat', text, dirfd, path);
  if (asked.length === before) return result === 0 ? 0 : errno;
  expect(errno).toBe(EACCES);
  return 'asked';
}

describe.skipIf(!hasPython)(`the screen of a kernel's listener [needs python3], ${arch}`, () => {
  it('lets opens that concern nobody go on, and counts them', async () => {
    await start();
    const passed = target!.supervisor.stats().screened;
    expect(await open({ text: '/' })).toBe(0);
    expect(await open({ text: '/etc/passwd' })).toBe(0);
    expect(await open({ text: '/etc/hosts.other' })).toBe(ENOENT);
    expect(await open({ text: '/process' })).toBe(ENOENT);
    expect(await open({ text: './plain' })).toBe(0);
    expect(await open({ text: 'plain' })).toBe(0);
    expect(await open({ text: '/etc/../etc/passwd' })).toBe(0);
    expect(await open({ text: 'level/../plain' })).toBe(0);
    expect(await open({ text: '/../../usr/./..' })).toBe(0); // the root
    expect(await open({ text: '/usr/../proc.other/..' })).toBe(ENOENT);
    const { screened, syscalls, answeredBy } = target!.supervisor.stats();
    expect(screened - passed).toBe(10);
    expect(syscalls.openat).toBeGreaterThanOrEqual(10);
    expect(answeredBy.views ?? 0).toBe(0);
  });

  it.each([
    ['/etc/hosts'], ['//etc/hosts'], ['/etc//hosts/'], ['/./etc/./hosts'], ['/etc'], ['/etc/'], ['/etc/../etc/hosts'],
    ['/proc'], ['/proc/'], ['/proc/1/environ'], ['//proc/./1//environ'], ['/usr/../proc/kcore'],
    ['named'], ['./named'], ['tree'], ['tree/a/b'], ['.//tree/x'], ['x/../tree/y'], [''], ['/x/../../proc/1'], ['..//../../../../../../../etc'],
    ['/proc/self/cwd/..'], ['/proc/../usr'], ['tree/../plain'], ['level/../level/new'],
    [`/${'x'.repeat(600)}`],
  ])('asks about %s', async (text) => {
    await start();
    expect(await open({ text })).toBe('asked');
  });

  it('asks about every path that starts at a descriptor, and about memory that cannot be read', async () => {
    await start();
    const { result: here } = await target!.call('openat', AT_FDCWD, { text: '/usr' }, O_DIRECTORY);
    expect(await open({ text: 'plain' }, here)).toBe('asked');
    expect(await open({ text: '/usr/lib' }, here)).toBe(0); // the descriptor does not count then
    expect(await open(4096)).toBe('asked');
    expect(asked.at(-1)).toBe('fault');
  });

  it('reads a path that ends with its page', async () => {
    await start();
    expect(await open({ edge: '/etc/hosts' })).toBe('asked');
    expect(await open({ edge: '/etc/passwd' })).toBe(0);
  });

  it('asks about entries that a directory did not have, and about others in the place of those that it had', async () => {
    await start();
    for (const name of ['level', 'level/', 'level/old', 'level/old/file', 'level//old/./file', 'level/file', 'level/link', 'level/link/file', 'level/gone']) {
      expect([name, await open({ text: name })]).toEqual([name, name === 'level/gone' ? ENOENT : 0]);
    }
    for (const name of ['level/new', 'level/new/', 'level/none', 'level/none/file', 'level/olde', 'level/ol', join(directory, 'level/new')]) {
      expect([name, await open({ text: name })]).toEqual([name, 'asked']);
    }
    renameSync(join(directory, 'level/new'), join(directory, 'level/file'));
    expect(await open({ text: 'level/file' })).toBe('asked');
    rmSync(join(directory, 'level/link'));
    expect(await open({ text: 'level/link/file' })).toBe('asked');
  });

  it('follows the working directory of the task', async () => {
    await start();
    await target!.ask({ op: 'chdir', path: '/etc' });
    asked.length = 0;
    expect(await open({ text: 'hosts' })).toBe('asked');
    expect(await open({ text: 'passwd' })).toBe(0);
    expect(await open({ text: '.' })).toBe('asked');
  });

  it('is not there when a handler of the user wants to see every open', async () => {
    await start('openat');
    await target!.call('openat', AT_FDCWD, { text: '/etc/passwd' }, 0);
    expect(asked).toContain('/etc/passwd');
    expect(await target!.call('newfstatat', AT_FDCWD, { text: '/usr' }, 0, 0)).toMatchObject({ errno: EFAULT }); // still screened
  });
});

describe.skipIf(!hasPython)(`links that a target of a kernel's listener makes [needs python3], ${arch}`, () => {
  it('pass where none of them leads to what concerns anybody, nor towards it', async () => {
    await start();
    const texts = [
      'plain', './plain', '../plain', 'x/../plain', '../../bar@1.0.0/node_modules/bar', '../typescript/bin/tsc', 'etcetera', 'hosts.allow', 'process/1',
      'level/old', 'level/old/new', '/usr/lib', '/etc/passwd', '/etc/hosts.allow', '/etc/hosts/x', '/procs', '/dev/null', `${directory}/level/old/file`, '\xff',
    ];
    for (const text of texts) {
      expect([text, await link({ text }, { text: 'made' })]).toEqual([text, 0]);
      expect(readlinkSync(join(directory, 'made'), 'latin1')).toBe(text);
      rmSync(join(directory, 'made'));
    }
    const { screened, syscalls } = target!.supervisor.stats();
    expect(syscalls.symlinkat).toBe(texts.length);
    expect(screened).toBeGreaterThanOrEqual(texts.length);
    expect(await link({ text: 'plain' }, { text: 'plain' })).toBe(EEXIST);
    expect(await link({ text: 'plain' }, { text: 'none/made' })).toBe(ENOENT);
  });

  it.each([
    '/etc/hosts', '//etc/./hosts', '/usr/../etc/hosts', '/etc', '/etc/', '/', '/..', '/proc', '/proc/1/environ', '/proc/../usr',
    '..', '../', '.', '../..', 'x/..', 'etc/hosts', '../../../../etc/hosts', 'hosts', './/hosts', 'x/../hosts', '../etc', '../proc', 'proc/1/environ', 'named', 'tree', 'tree/x',
    'level/new', './level/../level/none/x', `/${'x'.repeat(600)}`,
  ])('do not pass with the text %s', async (text) => {
    await start();
    expect(await link({ text })).toBe('asked');
  });

  it('do not pass where that cannot be told', async () => {
    await start();
    expect(await link(4096)).toBe('asked'); // memory that is not there
    expect(await link({ text: 'plain' }, 4096)).toBe('asked');
    expect(await link({ text: 'plain' }, { text: 'x' }, 999)).toBe('asked');
    expect(await link({ text: '/usr' }, 4096)).toBe(EFAULT); // wherever it is made
    expect(await link({ edge: '/usr' }, 4096)).toBe(EFAULT);
    expect(await link({ edge: '/etc' }, 4096)).toBe('asked');
  });

  it('are told by the directory in which they are made, also at a descriptor', async () => {
    await start();
    mkdirSync(join(directory, 'level/old/deep'), { recursive: true });
    const { result: old } = await target!.call('openat', AT_FDCWD, { text: 'level/old' }, O_DIRECTORY);
    expect(await link({ text: 'file' }, { text: 'x1' }, old)).toBe(0);
    expect(await link({ text: '../gone' }, { text: 'x2' }, old)).toBe(0);
    expect(await link({ text: '../new' }, { text: 'x3' }, old)).toBe('asked');
    expect(await link({ text: '../new' }, { text: 'deep/x4' }, old)).toBe(0); // level/old/new
    expect(await link({ text: '../../new' }, { text: 'deep/x5' }, old)).toBe('asked');
  });

  it('make every path be looked up, once one of them did not pass', async () => {
    await start();
    const at = (name: string) => join(directory, name);
    const over: Readonly<Record<string, string>> = {
      'to-hosts': '/etc/hosts', 'to-etc': '/etc', 'to-proc': '/proc', 'to-tree': 'tree', 'to-new': 'level/new', 'to-plain': 'plain', 'to-level': 'level', 'to-self': '/proc/self',
      'to-link': 'to-hosts', 'to-itself': 'to-itself', 'to-nothing': 'nothing', 'to-cwd': '/proc/self/cwd',
    };
    for (const [name, text] of Object.entries(over)) symlinkSync(text, at(name));
    const concerning = [
      'to-hosts', './to-hosts', at('to-hosts'), 'to-hosts/', 'to-etc', 'to-etc/hosts', 'to-etc/../etc/hosts', 'to-proc', 'to-proc/1/stat', 'to-etc/../proc/1', 'to-tree/x', 'to-new',
      'to-level/new', 'to-self/stat', 'to-link', 'to-itself', 'to-nothing', 'to-nothing/x', 'to-cwd/plain', 'level/../to-hosts', 'to-tree/none', 'to-level/gone/',
    ];
    const others = ['plain', 'to-plain', './level/old', 'to-level/old/file', 'to-level/gone', 'to-etc/passwd', 'to-etc/../usr', 'to-etc/none', 'nothing', 'plain/x', '/usr', '/usr/..'];
    const answers = async (paths: readonly string[]) => {
      const each: (readonly [string, 'asked' | number])[] = [];
      for (const text of paths) each.push([text, await open({ text })]);
      return each;
    };
    for (const [name, answer] of await answers(concerning)) expect([name, answer === 'asked']).toEqual([name, false]);

    expect(await link({ text: 'to-hosts' })).toBe(0); // what was there before is not looked at
    expect(await open({ text: 'to-hosts' })).toBe(0);
    expect(await link({ text: '/etc/hosts' })).toBe('asked');
    for (const [name, answer] of await answers(concerning)) expect([name, answer]).toEqual([name, 'asked']);
    const before = target!.supervisor.stats().screened;
    for (const [name, answer] of await answers(others)) {
      expect([name, answer]).toEqual([name, name === 'plain/x' ? ENOTDIR : /no(ne|thing)|gone/.test(name) ? ENOENT : 0]);
    }
    expect(target!.supervisor.stats().screened - before).toBe(others.length);
  });

  it('make a path with .. behind a name be looked up, whatever they lead to', async () => {
    await start();
    symlinkSync('/usr', join(directory, 'to-usr'));
    const back = ['to-usr/../etc/hosts', './to-usr/../etc', 'to-usr/lib/../../proc/1'];
    const others = ['to-usr/../etc/passwd', 'to-usr/../usr', 'level/../plain', `${'../'.repeat(12)}usr`, '/usr/lib/../bin', 'to-usr/share/..'];
    for (const text of [...back, ...others]) expect([text, await open({ text })]).not.toEqual([text, 'asked']);
    expect(await link({ text: '/usr' })).toBe(0);
    for (const text of back) expect([text, await open({ text })]).toEqual([text, 'asked']);
    for (const text of others) expect([text, await open({ text })]).toEqual([text, 0]);
  });

  it('are looked at as well where a handler of the user is told of each', async () => {
    await start('symlinkat');
    symlinkSync('/etc/hosts', join(directory, 'of-user'));
    expect(await link({ text: '/usr' }, 4096)).toBe('asked');
    expect(await open({ text: 'of-user' })).toBe(0);
    expect(await link({ text: '/etc/hosts' }, 4096)).toBe('asked');
    expect(await open({ text: 'of-user' })).toBe('asked');
  });
});
