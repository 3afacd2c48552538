/**
 * What the lifecycle tests share: a sandbox that common programs run in, and eyes for what they leave behind.
 *
 * A process is found by a mark in its arguments or environment, which fork copies and the tests' programs keep.
 * A guard has its target's arguments, so it is found as well.
 */
import { landlockAbiVersion } from '@sandlock/sys';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { PROTECTIONS, protectionFlagName, requiredAbi } from '../../../src/landlock/protections.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 }); // machines that do other things as well

export const targets = fileURLToPath(new URL('targets', import.meta.url));
const repository = fileURLToPath(new URL('../../../../..', import.meta.url));

/** Not a shim of a version manager, which would need bash and a home. */
export const python = existsSync('/usr/bin/python3')
  ? '/usr/bin/python3'
  : execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** Under the filter of a stock container, which answers some calls before the kernel does: scripts/test/in-container.mjs. */
export const inContainer = process.env['SANDLOCK_TEST_CONTAINER'] === '1';

const optional = (path: string) => ({ path, optional: true });

/** Programs live and end on older kernels as well; what these let them do has tests of its own. */
const missing = PROTECTIONS.filter((protection) => requiredAbi(protection) > landlockAbiVersion()).map(protectionFlagName);

export const grants: SandboxOptions = {
  ...(missing.length > 0 && { allowDegraded: missing as NonNullable<SandboxOptions['allowDegraded']> }),
  fsReadable: [
    '/usr', '/etc', '/proc', '/dev/zero', optional('/lib'), optional('/lib64'), optional('/bin'), optional('/sbin'), optional('/opt'), targets, repository,
    process.execPath, // wherever a version manager keeps it
  ],
  fsWritable: ['/dev/null'],
};

export function box(options: SandboxOptions = {}): Sandbox {
  return new Sandbox({ ...grants, ...options });
}

export function newMark(): string {
  return `mark-${randomUUID()}`;
}

/** Living processes that carry the mark, this one aside. */
export function marked(mark: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (isLiving(pid) && (carries(pid, 'cmdline', mark) || carries(pid, 'environ', mark))) found.push(pid);
  }
  return found;
}

/** The same without guards. */
export function members(mark: string): number[] {
  return marked(mark).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'latin1') !== 'sandlock-guard\n';
    } catch {
      return false;
    }
  });
}

/** Neither gone nor a zombie. */
export function isLiving(pid: number): boolean {
  const state = processState(pid);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** `R`, `S`, `T`, ... of proc_pid_stat(5); undefined when there is no such process. */
export function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

function carries(pid: number, file: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(mark);
  } catch {
    return false; // ended, or somebody else's
  }
}

export async function sleep(milliseconds: number): Promise<void> {
  await new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}

/** Waits for a condition. @throws when it does not come true in time */
export async function until(what: string, condition: () => boolean, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited ${limitMs} ms in vain: ${what}`);
    await sleep(5);
  }
}

/** Reads from a stream until the text is there; the stream flows on. */
export async function untilSaid(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (said.includes(text)) resolve();
    });
    stream.on('end', () => reject(new Error(`The stream ended with ${JSON.stringify(said)}.`)));
  });
}
