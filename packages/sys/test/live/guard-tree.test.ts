/** Whom the guard kills: its own children, all of them, and nobody whose number merely looks like one of theirs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sandlock-guard-tree-'));
const harness = join(folder, 'tree-harness');
beforeAll(() => {
  const source = fileURLToPath(new URL('../targets/tree-harness.c', import.meta.url));
  const { status, stderr } = spawnSync('gcc', ['-O1', '-Wall', '-o', harness, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc could not compile the harness: ${stderr}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The numbers that the guard's code passed to kill(2), which the harness writes down instead. */
function killed(count: number): { children: number[]; kills: number[] } {
  const { stdout, status } = spawnSync(harness, [String(count)], { encoding: 'utf8', timeout: 20_000 });
  expect(status).toBe(0);
  const numbers = (word: string) => Array.from(stdout.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm')), ([, pid]) => Number(pid));
  return { children: numbers('child'), kills: numbers('kill') };
}

describe('the guard\'s tree', () => {
  // A list that did not fit was cut inside of a number, and the process of the shorter number was killed.
  it('kills every child and no number beside, when a read of the list ends inside of a number', () => {
    const { children, kills } = killed(40);
    expect(children).toHaveLength(40);
    expect([...kills].sort()).toEqual([...children].sort());
  });

  it('kills nobody when there is no child', () => {
    expect(killed(0).kills).toEqual([]);
  });
});
