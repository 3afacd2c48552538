import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

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
