/** A notified call: the supervisor in TypeScript against the least that C can do. */
import { spawnSync } from 'node:child_process';

import { action, on } from '../../packages/sandbox/dist/index.js';
import { compile } from '../lib/native.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox } from '../lib/sandbox.mjs';

export async function notifiedCall({ quick }) {
  const calls = compile('calls');
  const supervise = compile('supervise');
  const command = [calls, 'getppid', quick ? '3000' : '10000'];
  const box = sandbox({ fsReadable: [calls], handlers: [on('getppid', () => action.returnValue(42))] });
  const { typescript, c } = await interleave({
    typescript: async () => nanoseconds((await box.run(command, { input: '' })).stdout) / 1000,
    c: () => nanoseconds(spawnSync(supervise, ['getppid', ...command]).stdout) / 1000,
  }, { rounds: quick ? 7 : 41, warmUp: 2 });
  return [{
    figure: 'notified call, synchronous handler in TypeScript', against: 'C supervisor loop, synchronous wake-up',
    unit: 'µs', measured: typescript, base: c, reach: 1.3,
  }];
}

/** @returns {number} what the target timed, if every call was answered with 42 */
function nanoseconds(stdout) {
  const [time, answer] = stdout.toString().trim().split(' ');
  if (answer !== '42') throw new Error(`The call was answered ${JSON.stringify(answer)}, not 42.`);
  return Number(time);
}
