/**
 * The load of a sandbox: of its own processes, and nobody else's.
 *
 * As the kernel's: every five seconds those that run or wait for a disk are counted, and three averages move towards
 * that number, by a minute's, five minutes' and fifteen minutes' measure.
 * proc_loadavg(5); kernel/sched/loadavg.c, calc_load()
 */
export const SAMPLE_SECONDS = 5;

const MINUTES = [1, 5, 15];
const DECAYS = MINUTES.map((minutes) => Math.exp(-SAMPLE_SECONDS / (60 * minutes)));

export class LoadAverage {
  #averages: readonly number[] = MINUTES.map(() => 0);

  /** Over one, five and fifteen minutes. */
  get averages(): readonly number[] {
    return this.#averages;
  }

  /** Once in {@link SAMPLE_SECONDS}. @param running how many run now */
  sample(running: number): void {
    this.#averages = this.#averages.map((average, i) => average * DECAYS[i]! + running * (1 - DECAYS[i]!));
  }
}

export interface Counts {
  /** Processes that run now; whoever asks is one. */
  readonly running: number;
  readonly total: number;
  /** The largest pid, 0 without any. */
  readonly lastPid: number;
}

/** /proc/loadavg. */
export function loadAverageLine(averages: readonly number[], { running, total, lastPid }: Counts): string {
  const shown = Math.min(Math.max(running, 1), Math.max(total, 1));
  return `${averages.map((average) => average.toFixed(2)).join(' ')} ${shown}/${total} ${lastPid}\n`;
}
