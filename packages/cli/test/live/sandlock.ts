/** The built command, as a shell would start it. */
import { spawn, spawnSync, type ChildProcessByStdio, type StdioOptions } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

export const command = fileURLToPath(new URL('../../dist/sandlock.cjs', import.meta.url));

/** Everything may be read and executed, and nothing written. */
export const READ_ALL = ['-r', '/'] as const;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Those that a test has not seen to their end. */
const running = new Set<Running>();

afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL'); // its guard ends what it started
  await Promise.all(Array.from(running, ({ ended }) => ended));
});

export class Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], { stdio = [], env = {} }: { stdio?: readonly number[]; env?: NodeJS.ProcessEnv } = {}) {
    const streams: StdioOptions = ['pipe', 'pipe', 'pipe', ...stdio];
    this.child = spawn(process.execPath, [command, ...args], { stdio: streams, env: { ...process.env, ...env } }) as typeof this.child;
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        running.delete(this);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    running.add(this);
  }

  /** Resolves when the program has printed this, and fails if it ends without. */
  async printed(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      const more = new Promise<void>((resolve) => void this.child.stdout.once('data', () => resolve()));
      const ending = await Promise.race([more, this.ended]);
      if (ending !== undefined && !this.stdout.includes(text)) throw new Error(`It ended without "${text}": ${JSON.stringify(ending)}`);
    }
  }
}

export function sandlock(args: readonly string[], input = '', options?: ConstructorParameters<typeof Running>[1]): Promise<Ending> {
  const started = new Running(args, options);
  started.child.stdin.on('error', () => undefined).end(input);
  return started.ended;
}

/** A process is there, and more than the memory of its parent. */
export function isLiving(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return false;
  try {
    const stat = readFileSync(file, 'latin1');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0]!);
  } catch {
    return false;
  }
}

/** Waits for what the kernel does in its own time. */
export async function until(holds: () => boolean, what: string, limitMs = 5000): Promise<void> {
  for (const end = performance.now() + limitMs; !holds(); ) {
    if (performance.now() > end) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;
