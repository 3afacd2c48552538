/** One step of the set-up: a line while it runs, and the output of its command only if that fails. */
import { spawnSync } from 'node:child_process';

import { root, toolEnvironment } from './root.mjs';

export class StepFailed extends Error {}

export function runStep(title, command, args, { env = {}, announce = true } = {}) {
  if (announce) console.error(`sandlock: ${title} ...`);
  const { error, status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: root, env: { ...toolEnvironment, ...env }, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error === undefined && status === 0) return;
  process.stderr.write((stdout || '') + (stderr || ''));
  throw new StepFailed(`${title}: ${error ? error.message : `${command} ended with ${signal || `exit code ${status}`}`}. Its output is above.`);
}
