/** C programs of the bench, compiled once for each change of their source. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../programs/', import.meta.url));
const built = fileURLToPath(new URL('../../.cache/bench/', import.meta.url));

/** @returns {string} path of the program: static where the C library can be, for a start that is all kernel */
export function compile(name) {
  const source = join(sources, `${name}.c`);
  const program = join(built, `${name}-${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  mkdirSync(built, { recursive: true });
  const cc = process.env.CC ?? 'cc';
  const args = ['-O2', '-Wall', '-o', `${program}.new`, source];
  let result = spawnSync(cc, ['-static', ...args], { encoding: 'utf8' });
  if (result.status !== 0) result = spawnSync(cc, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${cc} cannot compile ${source}: ${result.error?.message ?? result.stderr}`);
  renameSync(`${program}.new`, program);
  return program;
}
