/**
 * PathScreen: which calls concern nobody by the path they name, told in C++ on the way in.
 *
 * A path concerns somebody when, made absolute and cleaned of `.` and `//`, it is one of some names or lies at or beneath
 * one of some trees; and whenever that cannot be told at a glance: memory that is not readable, 512 bytes and more, `..`,
 * a directory descriptor. What passes is answered with `continue`, which grants nothing.
 */
import { binding, type ScreenHandle } from './binding.js';

export interface ScreenedCall {
  readonly nr: number;
  /** The register with the path. */
  readonly path: number;
  /** The register with the directory that a relative path starts from, if the call has one. */
  readonly dirfd?: number | undefined;
}

export class PathScreen {
  /** For NotifWatcher. */
  readonly handle: ScreenHandle;

  /**
   * @param arch   AUDIT_ARCH_*; calls of another one never pass
   * @param names  absolute paths without a slash at the end
   * @param trees  the same, with everything beneath
   */
  constructor(arch: number, calls: readonly ScreenedCall[], names: readonly Uint8Array[], trees: readonly Uint8Array[]) {
    const numbers = Int32Array.from(calls.flatMap(({ nr, path, dirfd }) => [nr, path, dirfd ?? -1]));
    this.handle = new (binding().PathScreen)(arch, numbers, nulTerminated(names), nulTerminated(trees));
  }

  /** How many calls with this number have passed. */
  passed(nr: number): number {
    return this.handle.passed(nr);
  }
}

function nulTerminated(paths: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)]));
}
