/** How often the kernel had to ask: notifications by call, for programs of every day. */
import { spawnSync } from 'node:child_process';

import { sandbox } from '../lib/sandbox.mjs';

const PROGRAMS = [
  ['/bin/true'],
  ['ls', '-l', '/usr/bin'],
  ['sh', '-c', 'for n in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done'],
  ['/usr/bin/python3', '-c', 'pass'],
  ['git', '--version'],
];

export async function notifications() {
  const box = sandbox({ fsWritable: ['/dev/null'] });
  const rows = [];
  for (const command of PROGRAMS) {
    if (spawnSync(command[0], command.slice(1)).status !== 0) continue; // not here
    const child = await box.popen(command, { stdin: 'ignore' });
    const result = await child.wait();
    if (!result.ok) throw new Error(`${command.join(' ')} works without a sandbox, and in one it ended with exit code ${result.exitCode}: ${result.stderr}`);
    const { notifications: total, syscalls } = child.stats();
    rows.push({ program: command.join(' '), total, syscalls });
  }
  return rows;
}
