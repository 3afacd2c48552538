/**
 * A supervisor to be ended by the test: runs unruly.py in a sandbox, says "ready" once it runs, then does what it
 * is told. Arguments: mark, what to do.
 */
import { setInterval } from 'node:timers';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

import { Sandbox } from '../../../../dist/index.js';

const [mark, what, python, targets] = isMainThread ? process.argv.slice(2) : workerData;

async function run() {
  const optional = (path) => ({ path, optional: true });
  const sandbox = new Sandbox({
    fsReadable: ['/usr', '/etc', '/proc', optional('/lib'), optional('/lib64'), optional('/bin'), targets],
    fsWritable: ['/dev/null'],
    maxProcesses: 200,
  });
  const child = await sandbox.popen([python, `${targets}/unruly.py`, 'all', mark, 'stay'], { stdin: 'ignore' });
  for await (const chunk of child.stdout) if (chunk.includes('ready')) break;
  return child;
}

if (!isMainThread) {
  await run();
  parentPort.postMessage('ready');
  setInterval(() => undefined, 1000);
} else if (what === 'worker') {
  const worker = new Worker(new URL(import.meta.url), { workerData: [mark, what, python, targets] });
  await new Promise((resolve) => { worker.once('message', resolve); });
  console.log('ready');
  await new Promise((resolve) => { process.stdin.once('data', resolve); });
  await worker.terminate();
  console.log('terminated');
  setInterval(() => undefined, 1000);
} else {
  const child = await run();
  console.log('ready');
  process.stdin.once('data', () => {
    if (what === 'exit') process.exit(3);
    if (what === 'throw') throw new Error('on purpose');
    if (what === 'unref') {
      child.unref();
      process.stdin.destroy();
    }
  });
}
