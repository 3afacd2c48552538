/** Ways to run a program from Node, each timed to the end of the process and of its output, in milliseconds. */
import { spawn, spawnSync } from 'node:child_process';

/** child_process.spawn with the streams of sandbox.run(). */
export function timedSpawn([program, ...args]) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.stderr.resume();
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(performance.now() - started);
      else reject(new Error(`${program} ended with ${signal ?? `exit code ${code}`}.`));
    });
  });
}

export async function timedRun(box, command) {
  const started = performance.now();
  const result = await box.run(command);
  if (!result.ok) throw new Error(`${command[0]} in a sandbox ended with ${result.signal ?? `exit code ${result.exitCode}`}: ${result.stderr}`);
  return performance.now() - started;
}

/** A whole command from a shell's point of view: blocking, streams passed through. */
export function timedCommand([program, ...args]) {
  const started = performance.now();
  const { status, stderr, error } = spawnSync(program, args, { stdio: ['inherit', 'ignore', 'pipe'] });
  if (status !== 0) throw error ?? new Error(`${program} ended with exit code ${status}: ${stderr}`);
  return performance.now() - started;
}
