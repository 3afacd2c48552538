/**
 * A set of paths, all looked at in one call: what each leads to, and whether that is what it was.
 */
import { binding } from './binding.js';
import { cString, type PathLike } from './files.js';

/** What a path leads to, links followed. */
export interface PathLook {
  /** Absolute, without a link on the way; undefined: it leads nowhere. */
  readonly real: Uint8Array | undefined;
  readonly dev: bigint;
  readonly ino: bigint;
  /** In nanoseconds since 1970: of its birth where the file system keeps that, otherwise and where asked for of its last change. */
  readonly timeNs: bigint;
}

const FIELDS = 6;

/** One look at all of them. */
export class PathLooks {
  readonly #real: Buffer;
  readonly #fields: Uint8Array;

  /** @param fields of each path errno, device, inode, device of the node, mode and time */
  constructor(real: Buffer, fields: BigUint64Array) {
    this.#real = real;
    this.#fields = new Uint8Array(fields.buffer, fields.byteOffset, fields.byteLength);
  }

  /** Whether every path led to the same then: by its name, device, inode, kind, permissions and time, or the same error. */
  equals(other: PathLooks): boolean {
    return this.#real.equals(other.#real) && Buffer.compare(this.#fields, other.#fields) === 0;
  }

  /** In the order of the paths. */
  list(): PathLook[] {
    const fields = new BigUint64Array(this.#fields.buffer, this.#fields.byteOffset, this.#fields.byteLength / 8);
    let at = 0;
    return Array.from({ length: fields.length / FIELDS }, (_, i) => {
      const end = this.#real.indexOf(0, at);
      const real = this.#real.subarray(at, end);
      at = end + 1;
      const [errno, dev, ino, , , timeNs] = fields.subarray(i * FIELDS);
      return { real: errno === 0n ? real : undefined, dev: dev!, ino: ino!, timeNs: timeNs! };
    });
  }
}

export class PathSet {
  readonly #paths: Uint8Array;
  readonly #changing: number;

  /**
   * @param paths     stay what they were born as
   * @param changing  told by their last change as well: directories, for what is in them
   * @throws {SyscallError} EINVAL for a NUL
   */
  constructor(paths: readonly PathLike[], changing: readonly PathLike[] = []) {
    this.#paths = Buffer.concat([...paths, ...changing].map(cString));
    this.#changing = changing.length;
  }

  /** Of `paths`, then of `changing`. */
  look(): PathLooks {
    return new PathLooks(...binding().pathLooks(this.#paths, this.#changing));
  }
}
