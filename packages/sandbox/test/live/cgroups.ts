/**
 * Control groups for tests: beneath the one that SANDLOCK_TEST_CGROUP names, or for root beneath the root one.
 *
 * What a test makes goes with its file. A process in one is somebody else's to end first.
 */
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';

import { mountTable } from '../../src/landlock/mount-table.js';

/** undefined: there is none that could be written to. */
export const cgroupBase: string | undefined = process.env['SANDLOCK_TEST_CGROUP'] ?? mountTable().filter(({ type }) => type === 'cgroup2').map(({ path }) => path).find(writable);

/** Whether children of the base can be given this controller. */
export function hasController(name: string): boolean {
  return cgroupBase !== undefined && readFileSync(join(cgroupBase, 'cgroup.controllers'), 'latin1').trim().split(' ').includes(name);
}

const made: string[] = [];

export function newCgroup(name: string): string {
  const path = join(cgroupBase!, `test-${process.pid}-${name}`);
  mkdirSync(path);
  made.push(path);
  return path;
}

/** The processes in one. */
export function processesIn(cgroup: string): number[] {
  return readFileSync(join(cgroup, 'cgroup.procs'), 'latin1').split('\n').filter((line) => line !== '').map(Number);
}

afterAll(() => {
  for (const path of made.splice(0).reverse()) rmdirSync(path);
});

function writable(path: string): boolean {
  try {
    accessSync(join(path, 'cgroup.procs'), constants.W_OK);
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
