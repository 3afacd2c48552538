/** How often the kernel had to ask: notifications by call, for programs of every day. */
import { spawnSync } from 'node:child_process';

import { sandbox } from '../lib/sandbox.mjs';
import { prepareWorkloads } from '../lib/workloads.mjs';

const SMALL = [['/bin/true'], ['ls', '-l', '/usr/bin'], ['git', '--version']];

export async function notifications() {
  const { workloads, remove } = prepareWorkloads();
  try {
    const small = SMALL.filter(([program, ...args]) => spawnSync(program, args).status === 0)
      .map((command) => ({ name: command.join(' '), command, options: { fsWritable: ['/dev/null'] } }));
    const rows = [];
    for (const { name, command, options } of [...small, ...workloads]) {
      const child = await sandbox(options).popen(command, { stdin: 'ignore' });
      const result = await child.wait();
      if (!result.ok) throw new Error(`${command.join(' ')} works without a sandbox, and in one it ended with exit code ${result.exitCode}: ${result.stderr}`);
      const { notifications: total, screened, syscalls } = child.stats();
      rows.push({ program: name, total, screened, syscalls });
    }
    return rows;
  } finally {
    remove();
  }
}
