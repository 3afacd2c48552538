/**
 * Times of files, from the machine's calendar to the sandbox's and back.
 *
 * What a file system keeps stays the machine's. It is moved by the clock's offset when it is shown, and what a program sets is
 * moved back, so that all files keep their order and a file that was just made is as old as the sandbox's clock says. With
 * a clock that stands still, whatever happened since it began happened at its moment.
 * include/uapi/linux/stat.h; arch/x86/include/uapi/asm/stat.h; include/uapi/asm-generic/stat.h
 */
import { CLOCK_REALTIME, clockGettime } from '@sandlock/sys';

import type { VirtualClock } from '../time/virtual-clock.js';

const SECOND_NS = 1_000_000_000n;
/** A file has the time of the last tick, which was up to this long ago. include/asm-generic/param.h, HZ */
const TICK_NS = 10_000_000n;
const MAX_SECONDS = 2n ** 63n - 1n;
/** Of the access, the last change of the content, and that of the inode: at the same places on all 64-bit architectures. */
const STAT_TIMES = [72, 88, 104];
/** The same, and the birth of the file, each with the bit of stx_mask that says whether it is there. */
const STATX_TIMES = [[64, 0x20], [80, 0x800], [96, 0x80], [112, 0x40]] as const;
const UTIME_NANOSECONDS = 8;
const TIMESPEC_BYTES = 16;

/** What the sandbox shows of a moment of the machine's. */
export function shownMoment({ offsetNs, startedAt, frozenAtNs }: VirtualClock, ns: bigint): bigint {
  // What lies ahead was not done, but set.
  const sinceThen = frozenAtNs !== undefined && ns >= startedAt - TICK_NS && ns <= clockGettime(CLOCK_REALTIME);
  return sinceThen ? frozenAtNs : ns + offsetNs;
}

/** @param stat struct stat, changed in place */
export function showStat(clock: VirtualClock, stat: Buffer): void {
  for (const at of STAT_TIMES) {
    const { seconds, nanoseconds } = moved(stat.readBigInt64LE(at), stat.readBigInt64LE(at + 8), (ns) => shownMoment(clock, ns));
    stat.writeBigInt64LE(seconds, at);
    stat.writeBigInt64LE(nanoseconds, at + 8);
  }
}

/** @param statx struct statx, changed in place */
export function showStatx(clock: VirtualClock, statx: Buffer): void {
  const mask = statx.readUInt32LE(0);
  for (const [at, bit] of STATX_TIMES) {
    if ((mask & bit) === 0) continue;
    const { seconds, nanoseconds } = moved(statx.readBigInt64LE(at), BigInt(statx.readUInt32LE(at + 8)), (ns) => shownMoment(clock, ns));
    statx.writeBigInt64LE(seconds, at);
    statx.writeUInt32LE(Number(nanoseconds), at + 8);
  }
}

/**
 * @param times two struct timespec as a program gives them, changed in place. What is no time, such as UTIME_NOW and UTIME_OMIT,
 *   is left: now is now on either side.
 */
export function storeTimes({ offsetNs }: VirtualClock, times: Buffer): void {
  for (const at of [0, TIMESPEC_BYTES]) {
    const fraction = times.readBigInt64LE(at + UTIME_NANOSECONDS);
    if (fraction < 0n || fraction >= SECOND_NS) continue;
    const { seconds, nanoseconds } = moved(times.readBigInt64LE(at), fraction, (ns) => ns - offsetNs);
    times.writeBigInt64LE(seconds, at);
    times.writeBigInt64LE(nanoseconds, at + UTIME_NANOSECONDS);
  }
}

function moved(seconds: bigint, nanoseconds: bigint, move: (ns: bigint) => bigint): { seconds: bigint; nanoseconds: bigint } {
  const ns = move(seconds * SECOND_NS + nanoseconds);
  const fraction = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const whole = (ns - fraction) / SECOND_NS;
  return { seconds: whole > MAX_SECONDS ? MAX_SECONDS : whole < -MAX_SECONDS ? -MAX_SECONDS : whole, nanoseconds: fraction };
}
