/** The program of calls, not confined, that is asked one thing after the other. Steps count on from ask to ask. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';

import { answers, compiled, script, type Answer, type Step } from './calls.js';

const running = new Set<Outsider>();

export class Outsider {
  readonly #child: ChildProcessByStdio<Writable, Readable, null> = spawn(compiled('calls'), { stdio: ['pipe', 'pipe', 'inherit'] });
  #text = '';
  #wake = (): void => undefined;

  constructor() {
    running.add(this);
    this.#child.stdout.on('data', (data) => {
      this.#text += String(data);
      this.#wake();
    });
  }

  async ask(steps: readonly Step[]): Promise<Answer[]> {
    this.#text = '';
    this.#child.stdin.write(script(steps));
    while (this.#text.split('\n').length <= steps.length) await new Promise<void>((resolve) => { this.#wake = resolve; });
    return answers(this.#text, steps);
  }

  async end(): Promise<void> {
    if (!running.delete(this)) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }
}

afterAll(async () => {
  for (const outsider of running) await outsider.end();
});
