import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { Sandbox } from '../../../src/index.js';
import { box, marked, newMark, sleep, until } from './support.js';

/** Times a process was put to sleep and woken, or taken off a processor. */
function switches(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return [...status.matchAll(/ctxt_switches:\t(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

it('nothing polls while a program is idle', async () => {
  const mark = newMark();
  const child = await box().spawn(['/bin/sleep', '1000'], { env: { MARK: mark } });
  await until('both are there', () => marked(mark).length === 2);
  await sleep(300);
  const pids = marked(mark);
  const before = pids.map(switches);
  await sleep(1000);
  expect(pids.map(switches)).toEqual(before);
  await child.kill();
});

it('no open is notified where no name is granted that has a view', async () => {
  const system = ['/usr', '/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }));
  const opens = async (...granted: string[]) => {
    const child = await new Sandbox({ fsReadable: [...system, ...granted] }).popen(['/bin/cat', '/etc/hostname'], { stdin: 'ignore' });
    const { stdout, exitCode } = await child.wait();
    return { text: String(stdout), exitCode, notified: Object.keys(child.stats()!.syscalls).filter((name) => name.startsWith('open')) };
  };
  expect(await opens()).toEqual({ text: '', exitCode: 1, notified: [] });
  const granted = await opens('/etc/hostname');
  expect(granted).toMatchObject({ exitCode: 0, notified: ['openat'] });
  expect(granted.text).toMatch(/^sandbox-/);
});
