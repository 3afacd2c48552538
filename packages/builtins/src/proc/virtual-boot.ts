/**
 * When a machine with the sandbox's clock was started: at the moment that the clock began.
 *
 * What /proc counts from the start of the machine counts from there, so that a program gets the same from any two of them: the
 * time of day is `btime` and uptime, the age of a process is uptime less its start. Counted in whole ticks, as the kernel counts
 * starts, or a process could be younger than nothing. With a clock that stands still, everything has just been started.
 * proc_uptime(5); proc_stat(5), btime; proc_pid_stat(5), starttime; fs/proc/array.c, do_task_stat()
 */
import { CLOCK_BOOTTIME, CLOCK_REALTIME, clockGettime } from '@sandlock/sys';
import { readFileSync } from 'node:fs';

import { wholeSeconds } from '../time/time-values.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import { bootTimeOf } from './kernel-stat.js';

/** USER_HZ, in which /proc counts time. include/uapi/asm-generic/param.h */
export const TICKS_PER_SECOND = 100;
const TICK_NS = 10_000_000n;
/** Who takes the time and, a moment later, the uptime from it would come out a second before a start at a whole second. */
const LATER_TICKS = 1;

export class VirtualBoot {
  /** On the machine's count. */
  readonly #atTick: number;
  readonly #frozen: boolean;
  /** Seconds between `btime` of the sandbox and of the machine. */
  readonly #aheadSeconds: number;

  constructor({ startNs, startedAt, frozenAtNs }: VirtualClock) {
    const began = clockGettime(CLOCK_BOOTTIME) - (clockGettime(CLOCK_REALTIME) - startedAt);
    this.#atTick = Number((began + TICK_NS - 1n) / TICK_NS) + LATER_TICKS;
    this.#frozen = frozenAtNs !== undefined;
    this.#aheadSeconds = Number(wholeSeconds(startNs)) - bootTimeOf(readFileSync('/proc/stat', 'latin1'));
  }

  uptimeTicks(): number {
    return this.ticksSince(Number(clockGettime(CLOCK_BOOTTIME) / TICK_NS));
  }

  /** What the machine counts as so many ticks since its start. */
  ticksSince(machineTicks: number): number {
    return this.#frozen ? 0 : Math.max(0, machineTicks - this.#atTick);
  }

  /** `btime`, in seconds since 1970. @param machine its own now: it moves when somebody sets the machine's clock */
  bootTime(machine: number): number {
    return machine + this.#aheadSeconds;
  }
}
