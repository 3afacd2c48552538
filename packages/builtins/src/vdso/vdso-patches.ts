/**
 * What of a vDSO image is changed for virtual time and for seeded randomness.
 *
 * Every process of a machine has the same image, so this is worked out once, before any process is started: what
 * cannot be patched is found out then.
 */
import { syscallNumber, type Arch } from '@sandlock/bpf';

import { aarch64 } from './aarch64.js';
import { layoutError } from './errors.js';
import { riscv64 } from './riscv64.js';
import { Slack } from './slack.js';
import type { Patch, Patched, StubArch } from './stub-arch.js';
import { place } from './stub-code.js';
import { vdsoFunctions, type VdsoFunction } from './vdso-image.js';
import { x86_64 } from './x86-64.js';

export type { Patch } from './stub-arch.js';

export interface VdsoChanges {
  /** What CLOCK_REALTIME and its kin show more than they do: whole microseconds. */
  readonly offsetNs?: bigint | undefined;
  /** What they show whenever they are asked, in place of the former: they stand still. */
  readonly frozenAtNs?: bigint | undefined;
  /** Random bytes come from getrandom(2) alone, which a handler answers. */
  readonly noRandom?: boolean | undefined;
}

const SECOND_NS = 1_000_000_000n;
const STUB_ARCHS: Partial<Record<Arch, StubArch>> = { x86_64, aarch64, riscv64 };

/**
 * @param image the vDSO as it is mapped, all of it
 * @returns in the order in which they have to be written
 * @throws {VdsoError} ERR_SANDLOCK_VDSO_LAYOUT
 */
export function vdsoPatches(image: Buffer, arch: Arch, changes: VdsoChanges): Patch[] {
  const stubArch = STUB_ARCHS[arch];
  if (stubArch === undefined) throw layoutError(`nobody here knows those of ${arch}`);
  const { offsetNs, frozenAtNs } = changes;
  const { names, link } = stubArch;
  const stubs = { ...stubArch.stubs, ...(frozenAtNs === undefined ? {} : stubArch.frozen) };
  const timeNs = frozenAtNs ?? offsetNs;
  const functions = vdsoFunctions(image);
  const slack = new Slack(image);
  const diversions: Patch[] = [];

  /** By the address of the code: names may share it. */
  const entries = (what: Patched): Map<number, VdsoFunction[]> => {
    const found = new Map<number, VdsoFunction[]>();
    for (const fn of functions.filter(({ name }) => names[what].includes(name))) {
      found.set(fn.entry, [...(found.get(fn.entry) ?? []), fn]);
    }
    return found;
  };
  const patch = (what: Patched, fractionUnit: bigint, callee?: number): number | undefined => {
    let stub: number | undefined;
    for (const [, aliases] of entries(what)) {
      const original = callee ?? stubArch.original(image, aliases[0]!, slack, syscallNumber(arch, what)!);
      const seconds = floorDivide(timeNs ?? 0n, SECOND_NS);
      stub = slack.append(place(stubs[what], {
        at: slack.next, original, seconds, fraction: Number(((timeNs ?? 0n) - seconds * SECOND_NS) / fractionUnit),
      }, link));
      // Symbols of one function have each a value, but the function has one beginning.
      const seen = new Set<number>();
      for (const fn of aliases) {
        for (const each of stubArch.divert(image, fn, stub)) {
          if (!seen.has(each.at)) diversions.push(each);
          seen.add(each.at);
        }
      }
    }
    return stub;
  };

  if (timeNs !== undefined) {
    const clockGettime = patch('clock_gettime', 1n);
    if (clockGettime === undefined) throw layoutError('it has no clock_gettime');
    patch('gettimeofday', 1000n);
    patch('time', SECOND_NS, clockGettime);
  }
  if (changes.noRandom === true) patch('getrandom', SECOND_NS, 0);
  if (diversions.length === 0) return [];
  // The stubs first: from the first diversion on, somebody may arrive at them.
  const after = slack.bytes;
  return [{ at: slack.start, before: Buffer.alloc(after.length), after }, ...diversions];
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}
