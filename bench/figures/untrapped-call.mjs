/** A call that is neither trapped nor denied, confined and not; and under a filter of one instruction, the kernel's own price. */
import { spawnSync } from 'node:child_process';

import { compile } from '../lib/native.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox } from '../lib/sandbox.mjs';

export async function untrappedCall({ quick }) {
  const calls = compile('calls');
  const allowAll = compile('allow-all');
  const box = sandbox({ fsReadable: [calls] });
  const figures = [];
  for (const [name, what] of [['getppid', 'getppid, the cheapest call there is'], ['fstat', 'fstat'], ['pread', 'pread of 4 KiB']]) {
    const command = [calls, name, quick ? '300000' : '1000000'];
    const { confined, least, unconfined } = await interleave({
      confined: async () => nanoseconds((await box.run(command, { input: '' })).stdout),
      least: () => nanoseconds(spawnSync(allowAll, command).stdout),
      unconfined: () => nanoseconds(spawnSync(command[0], command.slice(1)).stdout),
    }, { rounds: quick ? 5 : 15, warmUp: 1 });
    const row = { against: 'the same unconfined', unit: 'ns', base: unconfined };
    figures.push(
      { ...row, figure: `untrapped call: ${what}`, measured: confined, reach: 1.05 },
      { ...row, figure: `beside: ${name} under a filter of one instruction`, measured: least },
    );
  }
  return figures;
}

function nanoseconds(stdout) {
  return Number(stdout.toString().split(' ')[0]);
}
