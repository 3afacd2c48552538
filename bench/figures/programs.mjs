/**
 * Programs of every day, in a sandbox and without one. Where that takes longer than it should, the price of the notifications
 * alone stands beside it.
 */
import { compile } from '../lib/native.mjs';
import { timedRun, timedSpawn } from '../lib/programs.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox } from '../lib/sandbox.mjs';
import { prepareWorkloads } from '../lib/workloads.mjs';

export async function programs({ quick }) {
  const supervise = compile('supervise');
  const { workloads, remove } = prepareWorkloads();
  try {
    const figures = [];
    for (const { name, command, options, reach } of workloads) {
      const box = sandbox(options);
      const { measured, base, floor } = await interleave({
        measured: () => timedRun(box, command),
        base: () => timedSpawn(command),
        floor: () => timedSpawn([supervise, 'openat', ...command]),
      }, { rounds: quick ? 7 : 21, warmUp: 2 });
      const against = 'the same unconfined';
      figures.push({ figure: name, against, unit: 'ms', measured, base, reach });
      if (measured.median > reach * base.median) figures.push({ figure: 'beside: its opens notified to a loop in C, and nothing else', against, unit: 'ms', measured: floor, base });
    }
    return figures;
  } finally {
    remove();
  }
}
