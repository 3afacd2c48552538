/** The machine's file under a name that a target may have put a link at, and what it leads to. */
import { chmodSync, closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { withMachinesFile } from '../src/views/machines-file.js';

const isRoot = process.getuid!() === 0;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'machines-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function found(name: string, tid = process.pid): number | undefined {
  return withMachinesFile(name, tid, (fd) => fstatSync(fd).ino);
}

/** By a link in the last place, and by one on the way. */
function linkedTo(target: string, name: string): string[] {
  symlinkSync(target, join(folder, 'link'));
  symlinkSync(folder, join(folder, 'way'));
  return [join(folder, 'link'), join(folder, 'way', name)];
}

describe('the machine\'s file of a view', () => {
  it('is what has the name, or what a link of the machine leads to', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { ino } = statSync(file);
    for (const name of [file, ...linkedTo(file, 'file')]) expect(found(name)).toBe(ino);
    expect(found(`/proc/${process.pid}/status`)).toBe(statSync(`/proc/${process.pid}/status`).ino);
    expect(found(join(folder, 'none'))).toBeUndefined();
  });

  it('is none where a link leads to what a process has, or where a process is', () => {
    const other = `/proc/${process.ppid}`;
    const fd = openSync('/etc/passwd', 'r');
    try {
      const lead = [`${other}/cwd`, `${other}/exe`, `${other}/status`, `/proc/self/fd/${fd}`, `/dev/fd/${fd}`, '/proc/self/root/etc/passwd', '/proc'];
      for (const [n, target] of lead.entries()) {
        expect(statSync(target).ino).toBeGreaterThan(0); // we do get there
        symlinkSync(target, join(folder, `${n}`));
        expect([target, found(join(folder, `${n}`))]).toEqual([target, undefined]);
      }
      symlinkSync(other, join(folder, 'process'));
      expect(found(join(folder, 'process', 'status'))).toBeUndefined();
    } finally {
      closeSync(fd);
    }
  });

  it('is none where whoever asks is this process', () => {
    for (const name of ['/proc/self/status', '/proc/thread-self/status']) expect(found(name)).toBeUndefined();
  });

  it.runIf(isRoot)('is none where a link leads to what the target cannot reach', async () => {
    const hidden = join(folder, 'hidden');
    mkdirSync(hidden, { mode: 0o700 });
    chmodSync(folder, 0o755);
    const file = join(hidden, 'file');
    writeFileSync(file, '');
    const [link] = linkedTo(file, 'hidden');
    const target = spawn('cat', { uid: 65534, gid: 65534, stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      target.stdin.write('runs\n');
      await once(target.stdout, 'data');
      expect([found(link!), found(link!, target.pid)]).toEqual([statSync(file).ino, undefined]);
    } finally {
      target.stdin.end();
      await once(target, 'close');
    }
  });
});
