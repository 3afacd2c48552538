/** A process of our own whose memory can be looked at: `sleep`, or what it is told to run. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

import { auxiliaryValue } from '../src/vdso/auxiliary-vector.js';

/** include/uapi/linux/auxvec.h */
const AT_RANDOM = 25n;

export class Child {
  readonly process: ChildProcess;
  readonly pid: number;

  constructor(command = '/bin/sleep', ...args: string[]) {
    this.process = spawn(command, command === '/bin/sleep' ? ['600'] : args, { stdio: ['pipe', 'pipe', 'inherit'], env: { FILLER: 'x'.repeat(8192) } });
    this.pid = this.process.pid!;
  }

  /** It runs what it was started for, and waits. */
  async ready(): Promise<this> {
    if (this.process.spawnfile !== '/bin/sleep') {
      await once(this.process.stdout!, 'data');
      return this;
    }
    while (!readFileSync(`/proc/${this.pid}/stat`, 'latin1').includes(' (sleep) S ')) await new Promise((resolve) => setTimeout(resolve, 5));
    return this;
  }

  /** Sixteen bytes on its stack that it does not need any more; behind them are its environment's. */
  get address(): bigint {
    return auxiliaryValue(this.pid, AT_RANDOM)!;
  }

  read(address: bigint, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    this.#memory('r', (fd) => readSync(fd, bytes, 0, length, Number(address)));
    return bytes;
  }

  write(address: bigint, bytes: Buffer): void {
    this.#memory('r+', (fd) => writeSync(fd, bytes, 0, bytes.length, Number(address)));
  }

  #memory(flags: string, use: (fd: number) => unknown): void {
    const fd = openSync(`/proc/${this.pid}/mem`, flags);
    try {
      use(fd);
    } finally {
      closeSync(fd);
    }
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}
