/** Runs a program a thousand times in one process and prints what is left of it, as JSON. */
/* global AbortSignal, global */
import { readFileSync } from 'node:fs';

import { Sandbox } from '../../../../dist/index.js';
import { openFds } from './open-fds.mjs';

const optional = (path) => ({ path, optional: true });
const sandbox = new Sandbox({ fsReadable: ['/usr', '/etc', optional('/lib'), optional('/lib64'), optional('/bin')], fsWritable: ['/dev/null'] });
const total = Number(process.argv[2]);

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').filter(Boolean).length;
const measure = async () => {
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  global.gc();
  global.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    fds: openFds(),
    children: children(),
    resources: process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe)Wrap$/.test(name)).sort(),
    used: heapUsed + external, rss,
  };
};

let done = 0;
async function runs(count) {
  for (let n = 0; n < count; n++, done++) {
    const kind = done % 4;
    if (kind === 0) await sandbox.run(['/bin/true']);
    else if (kind === 1) await sandbox.run(['/bin/sh', '-c', 'echo some output; (sleep 100 &) ; exit 3'], { input: 'x' });
    else if (kind === 2) await sandbox.run(['/does/not/exist'], { timeout: 60_000 }).catch(() => undefined);
    else {
      const child = await sandbox.popen(['/bin/sleep', '100'], { signal: AbortSignal.timeout(100_000) });
      child.pause();
      await child[Symbol.asyncDispose]();
    }
  }
}

await runs(total / 5);
const before = await measure();
await runs(total * 4 / 5);
const after = await measure();
console.log(JSON.stringify({ before, after }));
process.exit(0);
