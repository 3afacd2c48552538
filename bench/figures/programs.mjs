/** Programs of every day, in a sandbox and without one; and how often the kernel had to ask. */
import { timedRun, timedSpawn } from '../lib/programs.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox } from '../lib/sandbox.mjs';
import { prepareWorkloads } from '../lib/workloads.mjs';

export async function programs({ quick }) {
  const { workloads, remove } = prepareWorkloads();
  try {
    const figures = [];
    for (const { name, command, options, reach } of workloads) {
      const box = sandbox(options);
      const { measured, base } = await interleave({
        measured: () => timedRun(box, command), base: () => timedSpawn(command),
      }, { rounds: quick ? 7 : 21, warmUp: 2 });
      figures.push({ figure: name, against: 'the same unconfined', unit: 'ms', measured, base, reach });
    }
    return figures;
  } finally {
    remove();
  }
}
