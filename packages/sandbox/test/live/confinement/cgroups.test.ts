/**
 * Control groups: a program does not write to them, whatever it may write to otherwise.
 *
 * Whoever writes there moves processes, itself included, and kills others. The kernel's own look at the user would allow
 * all of it: the groups here are the user's.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { cgroupBase, newCgroup, processesIn } from '../cgroups.js';
import { call, confined, describeConfined, said, scratch, unconfined, type Step } from './calls.js';
import { Sentinel } from './sentinel.js';

const CWD = -100;
const O_WRONLY = 1, O_TRUNC = 0o1000, O_DIRECTORY = 0o200000, O_PATH = 0o10000000;

let count = 0;
let group: string;
beforeEach(() => { if (cgroupBase !== undefined) group = newCgroup(`held-${count++}`); });

const everything: SandboxOptions = { fsWritable: ['/'] };

/** Opens for writing, by every kind of name. */
const writing = (file: string): Step[] => [
  call('openat', CWD, join(group, file), O_WRONLY),
  call('openat', CWD, join(group, file), O_WRONLY | O_TRUNC),
  call('openat', CWD, `${group}/../${group.split('/').at(-1)!}/./${file}`, O_WRONLY),
  call('openat', CWD, `/..${group}/${file}`, O_WRONLY),
];

describe.skipIf(cgroupBase === undefined)('[needs a cgroup to write to]', () => {
  describeConfined('control groups', () => {
    it('are not written to by any name, even where everything may be written', async () => {
      for (const file of ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control', 'cgroup.kill', 'cgroup.freeze', 'cgroup.max.descendants']) {
        for (const options of [everything, { fsWritable: ['/sys'] }, { fsWritable: [group] }]) {
          expect(said(await confined(writing(file), options)), file).toEqual(Array(4).fill('EACCES'));
        }
        expect(said(unconfined(writing(file))), file).toEqual(Array(4).fill('ok'));
      }
    });

    it('are not written to through a descriptor of a directory or of the file', async () => {
      const steps = [
        call('openat', CWD, group, O_DIRECTORY | O_PATH), call('openat', { step: 0 }, 'cgroup.procs', O_WRONLY),
        call('openat', CWD, group, O_DIRECTORY), call('openat', { step: 2 }, 'cgroup.procs', O_WRONLY),
        call('chdir', group), call('openat', CWD, 'cgroup.procs', O_WRONLY),
      ];
      expect(said(await confined(steps, everything))).toEqual(['ok', 'EACCES', 'ok', 'EACCES', 'ok', 'EACCES']);
      expect(said(unconfined(steps))).toEqual(Array(6).fill('ok'));
    });

    it('keep who is in them, and nobody comes in', async () => {
      const sentinel = await Sentinel.start();
      writeFileSync(join(group, 'cgroup.procs'), String(sentinel.pid));
      const attempts = [
        call('openat', CWD, join(group, 'cgroup.kill'), O_WRONLY), call('write', { step: 0 }, '1', 1),
        call('openat', CWD, join(group, 'cgroup.procs'), O_WRONLY), call('write', { step: 2 }, '0', 1),
      ];
      expect(said(await confined(attempts, everything))).toEqual(['EACCES', 'EBADF', 'EACCES', 'EBADF']);
      expect(sentinel.isRunning).toBe(true);
      expect(processesIn(group)).toEqual([sentinel.pid]);
      await sentinel.end();
    });

    it('can be read where that was granted, and what stands beside them be written', async () => {
      const folder = scratch();
      const steps = [
        call('openat', CWD, join(group, 'cgroup.procs'), 0), call('openat', CWD, group, O_DIRECTORY),
        call('mkdirat', CWD, join(folder, 'made'), 0o700),
      ];
      expect(said(await confined(steps, everything))).toEqual(['ok', 'ok', 'ok']);
      expect(existsSync(join(folder, 'made'))).toBe(true);
      expect(said(await confined(steps, { fsWritable: [folder] }))).toEqual(['EACCES', 'EACCES', 'EEXIST']);
    });
  });
});
