/**
 * The demonstration that `npm start` runs: the same programs without Sandlock and in a sandbox, side by side.
 *
 * First what this kernel can do, found out by doing it. Then one line for each thing that a sandbox is for. A line has
 * a tick when it came out as it should on both sides, and the exit code is 1 when one did not.
 */
import { check } from '@sandlock/sandbox';

import { showKernel, showTrials } from './report.js';
import { runTrials } from './trials.js';

const report = await check();
showKernel(report);
if (report.supported) {
  const outcomes = await runTrials();
  showTrials(outcomes);
  process.exitCode = outcomes.every(({ asExpected }) => asExpected) ? 0 : 1;
} else {
  process.exitCode = 1;
}
