/**
 * Which object it is, whatever its name: device and inode.
 */
export interface Identified {
  readonly dev: bigint;
  readonly ino: bigint;
}

export function identityOf({ dev, ino }: Identified): string {
  return `${dev} ${ino}`;
}

/** In place of the identity of what is not there. */
export const MISSING = 'missing';

/** A set of them, which is asked of every entry of a directory and makes nothing for that. */
export class Identities {
  readonly #inodes = new Map<bigint, Set<bigint>>();

  constructor(...sources: Iterable<Identified>[]) {
    for (const source of sources) for (const each of source) this.add(each);
  }

  has({ dev, ino }: Identified): boolean {
    return this.#inodes.get(dev)?.has(ino) === true;
  }

  add({ dev, ino }: Identified): void {
    const inodes = this.#inodes.get(dev);
    if (inodes === undefined) this.#inodes.set(dev, new Set([ino]));
    else inodes.add(ino);
  }

  *[Symbol.iterator](): Iterator<Identified> {
    for (const [dev, inodes] of this.#inodes) for (const ino of inodes) yield { dev, ino };
  }
}
