/** A call that is neither trapped nor denied, confined and not. */
import { spawnSync } from 'node:child_process';

import { compile } from '../lib/native.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox } from '../lib/sandbox.mjs';

export async function untrappedCall({ quick }) {
  const calls = compile('calls');
  const box = sandbox({ fsReadable: [calls] });
  const figures = [];
  for (const [name, what] of [['getppid', 'getppid, the cheapest call there is'], ['fstat', 'fstat'], ['pread', 'pread of 4 KiB']]) {
    const command = [calls, name, quick ? '300000' : '1000000'];
    const { confined, unconfined } = await interleave({
      confined: async () => nanoseconds((await box.run(command, { input: '' })).stdout),
      unconfined: () => nanoseconds(spawnSync(command[0], command.slice(1)).stdout),
    }, { rounds: quick ? 5 : 15, warmUp: 1 });
    figures.push({ figure: `untrapped call: ${what}`, against: 'the same unconfined', unit: 'ns', measured: confined, base: unconfined, reach: 1.05 });
  }
  return figures;
}

function nanoseconds(stdout) {
  return Number(stdout.toString().split(' ')[0]);
}
