import { action } from '@sandlock/dispatch';
import { AT_FDCWD, close, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY, openat, S_IFIFO } from '@sandlock/sys';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { patientOpen } from '../src/open/patient-open.js';

it('an open of a FIFO makes those ask again who wait at it, and nobody who waits at another', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fifos-'));
  const paths = ['a', 'b'].map((name) => join(directory, name));
  execFileSync('mkfifo', paths);
  const [a, b] = paths.map((path) => openat(AT_FDCWD, path, O_PATH)) as [number, number];
  let asked = 0;
  const open = (pinned: number, flags: number, asks: () => void = () => undefined) => patientOpen({
    pinned, flags, mode: S_IFIFO | 0o600, permissions: 0, give: (srcFd) => action.injectFdSend({ srcFd }),
    guarded: (work) => { asks(); return work(); },
  });
  const waits = open(a, O_WRONLY, () => asked++);
  if (waits.kind !== 'defer') throw new Error(waits.kind);
  const answer = waits.work({} as never, new AbortController().signal);
  asked = 0;
  const other = open(b, O_RDONLY | O_NONBLOCK);
  expect(asked).toBe(0);
  const same = open(a, O_RDONLY | O_NONBLOCK);
  expect(asked).toBe(1);
  const given = await answer;
  expect(given.kind).toBe('injectFdSend');
  for (const each of [other, same, given]) each.discard();
  for (const fd of [a, b]) close(fd);
  rmSync(directory, { recursive: true });
});
