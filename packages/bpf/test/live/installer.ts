/** The small C program of these tests, built once: it installs filters on processes of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export class Installer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sandlock-bpf-'));
  readonly #program = join(this.#folder, 'install');
  /** False without gcc, or where the kernel takes no filter at all. */
  readonly available: boolean;

  constructor() {
    const source = fileURLToPath(new URL('install.c', import.meta.url));
    const allowAll = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0xff, 0x7f);
    this.available = process.platform === 'linux' && spawnSync('gcc', ['-O1', '-o', this.#program, source]).status === 0
      && this.verdicts([allowAll])[0] === 0;
  }

  /** What the kernel says to each program: 0, or an errno. */
  verdicts(programs: readonly Uint8Array[]): number[] {
    const input = programs.map((bytes) => `${Buffer.from(bytes).toString('hex')}\n`).join('');
    const { stdout, status } = spawnSync(this.#program, ['check'], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`The installer ended with ${String(status)}.`);
    return stdout.split('\n').slice(0, -1).map(Number);
  }

  /** Installs the program, makes one call: `ok`, an errno, or the signal that ended it. */
  run(bytes: Uint8Array, nr: number, args: readonly (number | bigint)[] = []): 'ok' | number | NodeJS.Signals {
    const { stdout, signal } = spawnSync(this.#program,
      ['run', Buffer.from(bytes).toString('hex'), String(nr), ...args.map(String)], { encoding: 'utf8' });
    if (signal !== null) return signal;
    const [result, errno] = stdout.trim().split(' ');
    if (result === 'refused') throw new Error(`The kernel refused the filter with errno ${String(errno)}.`);
    return result === '-1' ? Number(errno) : 'ok';
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
