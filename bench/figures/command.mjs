/** The command at a shell, against the least that Node itself takes to start. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { timedCommand } from '../lib/programs.mjs';
import { interleave } from '../lib/sampling.mjs';
import { SYSTEM } from '../lib/sandbox.mjs';

const cli = new URL('../../packages/cli/', import.meta.url);
const file = fileURLToPath(new URL(JSON.parse(readFileSync(new URL('package.json', cli), 'utf8')).bin.sandlock, cli));

export async function command({ quick }) {
  const grants = SYSTEM.filter(existsSync).flatMap((path) => ['-r', path]);
  const { sandlock, node } = await interleave({
    sandlock: () => timedCommand([process.execPath, file, 'run', ...grants, '--', '/bin/true']),
    node: () => timedCommand([process.execPath, '-e', '0']),
  }, { rounds: quick ? 7 : 31, warmUp: 2 });
  return [{ figure: 'sandlock run -- /bin/true', against: 'node -e 0', unit: 'ms', measured: sandlock, base: node, reach: 1.4 }];
}
