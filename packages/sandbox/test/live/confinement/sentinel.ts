/**
 * A process outside the sandbox, of the same user, that says what happens to it.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';

import { call, compiled, unconfined } from './calls.js';

const running = new Set<Sentinel>();

export class Sentinel {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #text = '';

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    this.pid = child.pid!;
    child.stdout.on('data', (data) => { this.#text += String(data); });
  }

  static async start(): Promise<Sentinel> {
    const sentinel = new Sentinel(spawn(compiled('sentinel'), { stdio: ['pipe', 'pipe', 'inherit'] }));
    running.add(sentinel);
    while (!sentinel.#text.includes('ready')) await sleep(5);
    return sentinel;
  }

  /** The signals that have come so far, after a moment for those under way. */
  async signals(): Promise<number[]> {
    await sleep(50);
    return [...this.#text.matchAll(/signal (\d+)/g)].map(([, signal]) => Number(signal));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Everything that other processes could set. */
  state(): unknown {
    const [affinity, scheduler, nice, ioprio] = unconfined([
      call('sched_getaffinity', this.pid, 128, Buffer.alloc(128)), call('sched_getscheduler', this.pid),
      call('getpriority', 0, this.pid), call('ioprio_get', 1, this.pid),
    ]);
    return {
      limits: readFileSync(`/proc/${this.pid}/limits`, 'latin1'),
      affinity: affinity!.memory[0]!.toString('hex'), scheduler: scheduler!.result, nice: nice!.result, ioprio: ioprio!.result,
    };
  }

  async end(): Promise<void> {
    running.delete(this);
    if (!this.isRunning) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }
}

afterAll(async () => {
  for (const sentinel of running) await sentinel.end();
});
