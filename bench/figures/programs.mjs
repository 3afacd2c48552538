/**
 * Programs of every day, in a sandbox and without one. Where that takes longer than it should, two parts of the price stand
 * beside it, each alone: what the kernel takes for Landlock and the filter, and what it takes to notify anybody of opens.
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
      const unsupervised = sandbox({ ...options, noSupervisor: true });
      const { measured, base, confined, notified } = await interleave({
        measured: () => timedRun(box, command),
        base: () => timedSpawn(command),
        confined: () => timedRun(unsupervised, command),
        notified: () => timedSpawn([supervise, 'openat', ...command]),
      }, { rounds: quick ? 7 : 21, warmUp: 2 });
      const shared = { against: 'the same unconfined', unit: 'ms', base };
      figures.push({ figure: name, ...shared, measured, reach });
      if (measured.median <= reach * base.median) continue;
      figures.push({ figure: 'beside: Landlock and the filter, no supervisor', ...shared, measured: confined });
      figures.push({ figure: 'beside: its opens notified to a loop in C, and nothing else', ...shared, measured: notified });
    }
    return figures;
  } finally {
    remove();
  }
}
