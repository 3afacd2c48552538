/**
 * A run from a process with 1 GB of touched heap, against one without.
 *
 * The two are processes of their own and take turns; this file is also what they execute.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { timedRun, timedSpawn } from '../lib/programs.mjs';
import { interleave } from '../lib/sampling.mjs';
import { sandbox } from '../lib/sandbox.mjs';

const CHUNK = 64 * 1024 * 1024;
const TRUE = ['/bin/true'];

export async function heap({ quick }) {
  const small = new Runner(0);
  const large = new Runner(1024);
  try {
    // One after the other: a fork of a large process leaves work behind that the next sample would pay for.
    const sides = await interleave({
      large: () => large.sample('run'),
      small: () => small.sample('run'),
    }, { rounds: quick ? 15 : 51, warmUp: 5 });
    const spawns = await interleave({
      large: () => large.sample('spawn'),
      small: () => small.sample('spawn'),
    }, { rounds: quick ? 5 : 21, warmUp: 1 });
    return [
      { figure: 'the same run with 1 GB of touched heap', against: 'itself without', unit: 'ms', measured: sides.large, base: sides.small, reach: 1.2 },
      { figure: 'beside: child_process.spawn with 1 GB', against: 'itself without', unit: 'ms', measured: spawns.large, base: spawns.small },
    ];
  } finally {
    small.end();
    large.end();
  }
}

class Runner {
  #child;
  #settle = () => undefined;

  constructor(megabytes) {
    this.#child = fork(fileURLToPath(import.meta.url), [String(megabytes)]);
    this.#child.on('message', (answer) => this.#settle(answer));
    this.#child.on('exit', () => this.#settle({ error: 'the runner ended' }));
  }

  async sample(how) {
    const answer = await new Promise((resolve) => {
      this.#settle = resolve;
      this.#child.send(how);
    });
    if (answer.error) throw new Error(answer.error);
    return answer.milliseconds;
  }

  end() {
    if (this.#child.connected) this.#child.disconnect();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const box = sandbox();
  const chunks = Array.from({ length: Number(process.argv[2]) * 1024 * 1024 / CHUNK }, (_, n) => Buffer.alloc(CHUNK, n + 1));
  process.on('message', async (how) => {
    try {
      process.send({ milliseconds: how === 'run' ? await timedRun(box, TRUE) : await timedSpawn(TRUE), held: chunks.length });
    } catch (error) {
      process.send({ error: String(error) });
    }
  });
}
