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
  const inC = (how) => nanoseconds(spawnSync(supervise, [how, ...command]).stdout) / 1000;
  const { typescript, c, polled } = await interleave({
    typescript: async () => nanoseconds((await box.run(command, { input: '' })).stdout) / 1000,
    c: () => inC('getppid'),
    polled: () => inC('getppid-polled'),
  }, { rounds: quick ? 7 : 41, warmUp: 2 });
  const shared = { against: 'C supervisor loop, synchronous wake-up', unit: 'µs', base: c };
  return [
    { figure: 'notified call, synchronous handler in TypeScript', ...shared, measured: typescript, reach: 1.3 },
    { figure: 'beside: a loop in C that waits for other events as well', ...shared, measured: polled },
  ];
}

/** @returns {number} what the target timed, if every call was answered with 42 */
function nanoseconds(stdout) {
  const [time, answer] = stdout.toString().trim().split(' ');
  if (answer !== '42') throw new Error(`The call was answered ${JSON.stringify(answer)}, not 42.`);
  return Number(time);
}
