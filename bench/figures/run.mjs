/** A whole run of /bin/true, everything on, against child_process.spawn; bubblewrap and the Rust sandlock beside. */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { timedRun, timedSpawn } from '../lib/programs.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox, SYSTEM } from '../lib/sandbox.mjs';

const TRUE = ['/bin/true'];

export async function run({ quick }) {
  const box = sandbox();
  const others = besides();
  const sides = await interleave({
    run: () => timedRun(box, TRUE),
    spawn: () => timedSpawn(TRUE),
    ...Object.fromEntries(others.map(({ name, command }) => [name, () => timedSpawn(command)])),
  }, { rounds: quick ? 15 : 101, warmUp: 10 });
  const { run: measured, spawn: base } = sides;
  return [
    { figure: 'sandbox.run([\'/bin/true\']), everything on', against: 'child_process.spawn', unit: 'ms', measured, base, reach: 2 },
    ...others.map(({ name, what }) => ({ figure: `beside: ${what}`, against: 'child_process.spawn', unit: 'ms', measured: sides[name], base })),
  ];
}

/** What is installed here and works. */
function besides() {
  const grants = SYSTEM.filter(existsSync);
  const binds = grants.flatMap((path) => ['--ro-bind', path, path]);
  const candidates = [
    { name: 'bwrap', what: 'bubblewrap, the same folders', command: ['bwrap', ...binds, '--die-with-parent', ...TRUE] },
    {
      name: 'bwrapAll', what: 'bubblewrap, and every namespace of its own',
      command: ['bwrap', ...binds, '--proc', '/proc', '--dev', '/dev', '--die-with-parent', '--unshare-all', ...TRUE],
    },
  ];
  const rust = rustSandlock();
  if (rust) candidates.push({ name: 'rust', what: 'sandlock in Rust', command: [rust, 'run', ...grants.flatMap((path) => ['-r', path]), '--', ...TRUE] });
  return candidates.filter(({ command: [program, ...args] }) => spawnSync(program, args).status === 0);
}

/** The one in SANDLOCK_RUST, or a `sandlock` in PATH that is not this project's. */
function rustSandlock() {
  if (process.env.SANDLOCK_RUST) return process.env.SANDLOCK_RUST;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  return (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'sandlock'))
    .find((file) => existsSync(file) && !realpathSync(file).startsWith(root) && !realpathSync(file).endsWith('.js'));
}
