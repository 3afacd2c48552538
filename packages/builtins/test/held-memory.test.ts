import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';

import { HeldMemory } from '../src/held-memory.js';
import { Child } from './child.js';

const waits = () => true;
const children: Child[] = [];
const child = async (...command: string[]) => {
  const started = new Child(...command);
  children.push(started);
  return started.ready();
};
afterEach(async () => {
  for (const each of children.splice(0)) await each.end();
});

/** Ours, of this process's memory. */
function openOf(pid: number): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === `/proc/${pid}/mem`;
    } catch {
      return false; // the listing's own
    }
  }).length;
}

it('is read and written while the call waits', async () => {
  const target = await child();
  const { pid, address } = target;
  const held = HeldMemory.of({ pid, isValid: waits })!;
  expect(held.write(address, Buffer.from('0123456789abcdef'))).toBe(true);
  expect(held.read(address + 10n, 6)?.toString()).toBe('abcdef');
  expect(target.read(address, 4).toString()).toBe('0123');
  held.close();
  expect(openOf(pid)).toBe(0);
});

it('is open when it is asked whether the call still waits, and let go if it does not', async () => {
  const target = await child();
  const opened: number[] = [];
  const held = HeldMemory.of({ pid: target.pid, isValid: () => opened.push(openOf(target.pid)) < 0 });
  expect(held).toBeUndefined();
  expect(opened).toEqual([1]);
  expect(openOf(target.pid)).toBe(0);
});

it('has nothing to read or write outside of it', async () => {
  const { pid } = await child();
  const held = HeldMemory.of({ pid, isValid: waits })!;
  for (const address of [8n, 2n ** 53n - 8n, 2n ** 64n - 16n]) {
    expect(held.read(address, 16)).toBeUndefined();
    expect(held.write(address, Buffer.alloc(16))).toBe(false);
  }
  held.close();
});

it('is nothing any more when the process has ended, or runs another program', async () => {
  const ended = await child();
  const ofEnded = HeldMemory.of({ pid: ended.pid, isValid: waits })!;
  const { address } = ended;
  expect(ofEnded.read(address, 16)).toBeDefined();
  await ended.end();
  expect([ofEnded.read(address, 16), ofEnded.write(address, Buffer.alloc(16))]).toEqual([undefined, false]);
  ofEnded.close();

  const replaced = await child('/bin/sh', '-c', 'echo ready; read line; exec /bin/sh -c "echo again; read line; true"');
  const before = HeldMemory.of({ pid: replaced.pid, isValid: waits })!;
  replaced.process.stdin!.write('\n');
  await once(replaced.process.stdout!, 'data');
  const now = replaced.address;
  const bytes = replaced.read(now, 16);
  expect([before.read(now, 16), before.write(now, Buffer.alloc(16))]).toEqual([undefined, false]);
  expect(replaced.read(now, 16)).toEqual(bytes);
  before.close();
});

it('is nothing any more once it is let go, whatever its descriptor is of by then', async () => {
  const { pid } = await child();
  const directory = mkdtempSync(join(tmpdir(), 'held-memory-'));
  const file = join(directory, 'file');
  writeFileSync(file, 'untouched');
  const held = HeldMemory.of({ pid, isValid: waits })!;
  held.close();
  const fds = Array.from({ length: 64 }, () => openSync(file, 'r+'));
  expect([held.read(0n, 4), held.write(0n, Buffer.from('changed!!'))]).toEqual([undefined, false]);
  fds.forEach((fd) => closeSync(fd));
  expect(readFileSync(file, 'latin1')).toBe('untouched');
  rmSync(directory, { recursive: true });
});
