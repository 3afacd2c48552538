import { AT_FDCWD, RESOLVE_NO_XDEV } from '@sandlock/sys';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Walk, type Walked, type WalkRequest } from '../src/open/walk.js';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'builtins-walk-')));
  mkdirSync(join(folder, 'dir'));
  writeFileSync(join(folder, 'dir/file'), '');
  symlinkSync('dir', join(folder, 'link'));
  symlinkSync('link/file/', join(folder, 'slash'));
  for (let n = 0; n < 30; n++) symlinkSync(`${'./'.repeat(1000)}chain${n + 1}`, join(folder, `chain${n}`));
});
afterAll(() => { rmSync(folder, { recursive: true }); });

/** The kernel's name of what was found, or of the directory that lacks it. */
function realName(found: Walked): string | undefined {
  const fd = found.kind === 'object' ? found.fd : found.kind === 'missing' ? found.parent : undefined;
  return fd === undefined ? undefined : readlinkSync(`/proc/self/fd/${fd}`);
}

function walked(path: string, options: Partial<WalkRequest> = {}) {
  const walk = new Walk({ base: AT_FDCWD, path, follow: true, resolve: 0, asker: { pid: process.pid, tgid: process.pid }, ...options });
  try {
    const found = walk.run();
    return { ...found, endsInSlash: walk.endsInSlash, real: realName(found) };
  } finally {
    walk.close();
  }
}

describe('a walk', () => {
  it('ends at the object that the path leads to, under the name that the kernel has for it', () => {
    for (const path of ['dir/file', 'link/file', './link/../link/./file', '//dir///file', 'dir/../link/file']) {
      expect(walked(`${folder}/${path}`)).toMatchObject({ kind: 'object', real: `${folder}/dir/file`, endsInSlash: false });
    }
    expect(walked('/')).toMatchObject({ kind: 'object', real: '/' });
    expect(walked('/../..')).toMatchObject({ kind: 'object', real: '/' });
    expect(walked(`${folder}/link`, { follow: false })).toMatchObject({ kind: 'object', real: `${folder}/link` });
    expect(walked(`${folder}/slash`)).toMatchObject({ kind: 'object', endsInSlash: true });
  });

  it('says where something is missing, and why it cannot go on', () => {
    expect(walked(`${folder}/link/new`)).toMatchObject({ kind: 'missing', leaf: 'new', real: `${folder}/dir` });
    expect(walked(`${folder}/none/new`)).toMatchObject({ kind: 'failed', errno: 'ENOENT' });
    expect(walked(`${folder}/dir/file/x`)).toMatchObject({ kind: 'failed', errno: 'ENOTDIR' });
  });

  it('stays on one device where that is asked for, wherever it begins', () => {
    const onOne = (path: string) => walked(path, { resolve: RESOLVE_NO_XDEV });
    expect(onOne('/proc/version')).toMatchObject({ kind: 'failed', errno: 'EXDEV' });
    expect(onOne('/')).toMatchObject({ kind: 'object', real: '/' });
    expect(onOne('/etc/passwd')).toMatchObject({ kind: 'object', real: '/etc/passwd' });
  });

  it('takes the names of who asks for its own', () => {
    const other = { pid: process.ppid, tgid: process.ppid };
    expect(walked('/proc/self/comm', { asker: other })).toMatchObject({ kind: 'object', real: `/proc/${process.ppid}/comm` });
    expect(walked('/proc/thread-self/comm', { asker: other })).toMatchObject({ real: `/proc/${process.ppid}/task/${process.ppid}/comm` });
    expect(walked('/proc/self/cwd')).toMatchObject({ real: process.cwd() });
    expect(walked('/proc/self/cwd/..')).toMatchObject({ real: join(process.cwd(), '..') });
  });

  it('gives up on links that lead on and on, and leaves nothing open', () => {
    const before = readdirSync('/proc/self/fd').length;
    expect(walked(`${folder}/chain0`)).toMatchObject({ kind: 'failed', errno: 'ELOOP' });
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('can be ended at a name, looked up or not', () => {
    expect(walked(`${folder}/link/none`, { stopAt: (name, last) => last && name === `${folder}/dir/none` })).toMatchObject({ kind: 'stopped', name: `${folder}/dir/none` });
  });
});
