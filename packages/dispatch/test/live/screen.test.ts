/**
 * The screen of the kernel's listener: what it keeps from the handlers, and what it must not.
 *
 * Each path is opened by a real target; whether the handler was asked is the result.
 */
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { action, DispatchTable, type HandlerContext, type KnownEntries } from '../../src/index.js';
import { arch, hasPython, Target, type Argument } from './target.js';

const AT_FDCWD = -100;
const { EACCES, EFAULT, ENOENT } = constants.errno;

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
async function start(user = false): Promise<Target> {
  asked = [];
  const handler = (context: HandlerContext) => {
    const path = context.readPath();
    asked.push(path.ok ? path.text : path.reason);
    return action.errno('EACCES');
  };
  const concerns = { names: ['/etc', '/etc/hosts', join(directory, 'named')], trees: ['/proc', join(directory, 'tree')], knownEntries: [level] };
  const table = new DispatchTable().family({
    name: 'views', handlers: { openat: { handler, concerns }, newfstatat: { handler, concerns } },
  });
  if (user) table.on('openat', () => action.continue());
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
    const { result: here } = await target!.call('openat', AT_FDCWD, { text: '/usr' }, 0o200000);
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
    await start(true);
    await target!.call('openat', AT_FDCWD, { text: '/etc/passwd' }, 0);
    expect(asked).toContain('/etc/passwd');
    expect(await target!.call('newfstatat', AT_FDCWD, { text: '/usr' }, 0, 0)).toMatchObject({ errno: EFAULT }); // still screened
  });
});
