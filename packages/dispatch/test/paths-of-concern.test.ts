import { describe, expect, it } from 'vitest';

import { action, DispatchTable, type Family, type PathsOfConcern } from '../src/index.js';
import { screening } from '../src/paths-of-concern.js';

const handler = () => action.continue();

function family(name: string, calls: Record<string, PathsOfConcern | undefined>): Family {
  return {
    name,
    handlers: Object.fromEntries(Object.entries(calls).map(([call, concerns]) => (
      [call, concerns === undefined ? handler : { handler, concerns }]))),
  };
}

function screened(...families: Family[]) {
  const table = new DispatchTable({ arch: 'x86_64' });
  for (const each of families) table.family(each);
  return screening(table.chains().values());
}

describe('screening', () => {
  it('gathers what concerns any family, with the registers of each call', () => {
    const known = { path: '/c', entries: new Map([['d', null]]) };
    expect(screened(
      family('a', { openat: { names: ['/a'], knownEntries: [known] }, open: { names: ['/a'], knownEntries: [known] } }),
      family('b', { openat: { trees: ['/b'] } }),
    )).toEqual({
      calls: [{ nr: 257, path: 1, dirfd: 0 }, { nr: 2, path: 0, dirfd: undefined }], names: ['/a'], trees: ['/b'], knownEntries: [known],
    });
  });

  it('leaves out a call as soon as one of its handlers makes no promise, a user\'s among them', () => {
    const a = family('a', { openat: { names: ['/a'] }, open: { names: ['/a'] } });
    expect(screened(a, family('b', { openat: undefined }))?.calls.map(({ nr }) => nr)).toEqual([2]);
    const table = new DispatchTable({ arch: 'x86_64' }).family(a).on('openat', handler).on('open', handler);
    expect(screening(table.chains().values())).toBeUndefined();
  });

  it('has calls that make a symbolic link, with its text, also where somebody made no promise', () => {
    const concerns = { names: ['/a'] };
    const link = { nr: 88, path: 1, dirfd: undefined, text: 0 };
    const linkAt = { nr: 266, path: 2, dirfd: 1, text: 0 };
    expect(screened(family('a', { symlink: concerns, symlinkat: concerns }))?.calls).toEqual([link, linkAt]);
    expect(screened(family('a', { symlink: concerns, symlinkat: concerns }), family('b', { symlink: undefined }))?.calls)
      .toEqual([{ ...link, handedOut: true }, linkAt]);
    expect(screened(family('b', { symlink: undefined, symlinkat: undefined }))).toBeUndefined();
  });

  it('takes in a call without a path where nothing concerns anybody', () => {
    expect(screened(family('a', { getpid: {} }), family('b', { getpid: { names: [] } }))?.calls).toEqual([{ nr: 39, path: undefined, dirfd: undefined }]);
    expect(screened(family('a', { getpid: {} }), family('b', { getpid: undefined }))).toBeUndefined();
  });

  it('leaves out openat2, whose memory says where its path starts, and calls with two paths or none', () => {
    const concerns = { names: ['/a'] };
    expect(screened(family('a', { openat2: concerns, rename: concerns, getpid: concerns }))).toBeUndefined();
  });
});
