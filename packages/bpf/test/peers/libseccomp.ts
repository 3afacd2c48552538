/**
 * libseccomp, asked to compile the same profile: the way a container runtime does it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type Action, type Arch, AUDIT_ARCH, encodeAction, type FilterDescription, type Rule } from '../../src/index.js';

/** libseccomp's own number for x32, which the kernel does not have. seccomp.h, SCMP_ARCH_X32. */
export const scmpArch = (arch: Arch): number => arch === 'x32' ? 0x4000003e : AUDIT_ARCH[arch];

const OPS = { ne: 1, lt: 2, le: 3, eq: 4, ge: 5, gt: 6, maskedEq: 7 } as const;

export class Libseccomp {
  readonly #folder: string;
  readonly #program: string;
  /** The version, or undefined where there is no gcc or no libseccomp-dev. */
  readonly available: boolean;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'sandlock-bpf-'));
    this.#program = join(this.#folder, 'peer');
    const source = fileURLToPath(new URL('libseccomp-peer.c', import.meta.url));
    this.available = spawnSync('gcc', ['-O1', '-o', this.#program, source, '-lseccomp']).status === 0;
  }

  /**
   * Answers to commands, one line for each `end` and `resolve`.
   *
   * @param timeoutMs after which the answers are those that came until then
   */
  ask(commands: readonly string[], timeoutMs?: number): string[] {
    const { stdout, status, error } = spawnSync(this.#program, {
      input: `${commands.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28, timeout: timeoutMs ?? 300_000, killSignal: 'SIGKILL',
    });
    const late = error !== undefined && 'code' in error && error.code === 'ETIMEDOUT';
    if (status !== 0 && !(late && timeoutMs !== undefined)) throw error ?? new Error(`The peer ended with ${String(status)}.`);
    return stdout.split('\n').slice(0, -1);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * The commands that have libseccomp compile a description whose rules are the same on every architecture, but
 * for values cut to 32 bits where the first one has 64.
 */
export function commandsFor(description: FilterDescription, layout: 'priority' | 'tree' = 'priority'): string[] {
  const hex = (action: Action): string => encodeAction(action).toString(16);
  // Of a call that several architectures have, the rules of the first: it is the one with whole values.
  const rules = new Map<string, readonly Rule[]>();
  for (const { rules: those } of description.architectures) {
    const here = new Map<string, Rule[]>();
    for (const rule of those) here.set(String(rule.syscall), [...here.get(String(rule.syscall)) ?? [], rule]);
    for (const [name, list] of here) if (!rules.has(name)) rules.set(name, list);
  }
  return [
    `begin ${hex(description.defaultAction)} ${layout === 'tree' ? 2 : 1}`,
    ...description.architectures.map(({ arch }) => `arch ${scmpArch(arch).toString(16)}`),
    // Rules for all calls of a name first, as profiles have them: i386's socketcall before what it multiplexes.
    ...[...rules.values()].flat().sort((a, b) => Math.min(1, a.when?.length ?? 0) - Math.min(1, b.when?.length ?? 0)).map(({ syscall, action, when = [] }) => `rule ${hex(action)} ${syscall} ${when.length} ${when
      .map(({ index, op, value, mask }) => op === 'maskedEq' ? `${index} 7 ${mask} ${value}` : `${index} ${OPS[op]} ${value} 0`).join(' ')}`),
    'end',
  ];
}

/** The program in an answer to `end`. */
export function programIn(answer: string | undefined): Uint8Array {
  const bytes = /^program ([0-9a-f]+)$/.exec(answer ?? '')?.[1];
  if (bytes === undefined) throw new Error(`libseccomp answered: ${String(answer)}`);
  return Uint8Array.from(Buffer.from(bytes, 'hex'));
}
