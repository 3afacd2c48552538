/**
 * What an architecture has to know for its vDSO to be patched.
 */
import type { Slack } from './slack.js';
import type { Link, StubCode } from './stub-code.js';
import type { VdsoFunction } from './vdso-image.js';

/** What is patched, by the name of the system call. */
export type Patched = 'clock_gettime' | 'gettimeofday' | 'time' | 'getrandom';

/** Bytes of an image and what they become. */
export interface Patch {
  readonly at: number;
  readonly before: Buffer;
  readonly after: Buffer;
}

export interface StubArch {
  /** Names in the image. A function that is not there is answered by the kernel, whose calls are trapped. */
  readonly names: Readonly<Record<Patched, readonly string[]>>;
  /**
   * Each adds to what `original` yields if that succeeded, and `getrandom` fails with ENOSYS. `time` asks the stub of
   * clock_gettime, so that both tell the same second.
   */
  readonly stubs: Readonly<Record<Patched, StubCode>>;
  /** In place of those, where clocks stand still: what `original` yields is replaced if it succeeded. */
  readonly frozen: Readonly<Record<'clock_gettime' | 'gettimeofday', StubCode>>;
  readonly link: Link;
  /**
   * Where the function as it was can be called once {@link divert} has been done. May put code into the slack.
   *
   * @param nr the system call that does the same
   */
  original(image: Buffer, fn: VdsoFunction, slack: Slack, nr: number): number;
  /** What makes callers of the function arrive at `to`. */
  divert(image: Buffer, fn: VdsoFunction, to: number): Patch[];
}
