/** The number of a directory may stand for another one by the time it is opened. This process is the target, without copies. */
import type { HandlerContext } from '@sandlock/dispatch';
import { AT_FDCWD, close, isOpenFd, O_DIRECTORY, O_PATH, O_RDONLY, openat } from '@sandlock/sys';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PositionStore } from '../../src/index.js';
import { openTargetDirectory } from '../../src/directory/target-directory.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'target-directory-'));
  for (const name of ['granted', 'secret']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, `in-${name}`), '');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const opened = (name: string, flags: number) => openat(AT_FDCWD, join(folder, name), flags | O_DIRECTORY);

/** @param look is called before each look at the target, with how many there were */
function listed(fd: number, look: (n: number) => void = () => undefined): string[] | string {
  let looks = 0;
  const context = { get pid() {
    look(looks++);
    return process.pid;
  }, isValid: () => true } as unknown as HandlerContext;
  const directory = openTargetDirectory(context, BigInt(fd), new PositionStore(false));
  if (directory === 'notDirectory') return directory;
  if ('reason' in directory) return String(directory.reason);
  expect(directory.shared).toBe(false);
  const names = readdirSync(`/proc/self/fd/${directory.fd}`);
  directory.close();
  return names;
}

describe('a directory that is opened anew', () => {
  it('is the one that the target has open for reading', () => {
    const [readable, place] = [opened('granted', O_RDONLY), opened('secret', O_PATH)];
    const before = readdirSync('/proc/self/fd').length;
    expect([listed(readable), listed(place)]).toEqual([['in-granted'], 'badFd']);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    [readable, place].forEach(close);
  });

  it('is none that the number stood for only meanwhile', () => {
    const answers = new Set<string>();
    // Whenever the number is turned from a place to a directory that may be read, and back.
    for (let turn = 0; turn < 5; turn++) {
      for (let back = turn; back < 6; back++) {
        const number = opened('granted', O_RDONLY);
        const become = (name: string, flags: number): void => {
          close(number);
          expect(opened(name, flags)).toBe(number); // the lowest that is free
        };
        const answer = listed(number, (n) => {
          if (n === turn) become('secret', O_PATH);
          if (n === back) become('granted', O_RDONLY);
        });
        answers.add(String(answer));
        if (isOpenFd(number)) close(number);
      }
    }
    expect([...answers].sort()).toEqual(expect.arrayContaining(['in-granted', 'noAccess']));
    expect([...answers].filter((answer) => answer.includes('secret'))).toEqual([]);
  });
});
