/**
 * The slack of a vDSO image: from its last byte to the end of its last page, zeros that nobody looks at.
 */
import { layoutError } from './errors.js';

const ALIGNMENT = 16;

export class Slack {
  readonly start: number;
  readonly #pieces: Buffer[] = [];
  readonly #end: number;
  #next: number;

  /** @param image as long as it is mapped */
  constructor(image: Buffer) {
    let used = image.length;
    while (used > 0 && image[used - 1] === 0) used--;
    // Section headers stand last, and may end in zeros of their own.
    const headersEnd = Number(image.readBigUInt64LE(40)) + image.readUInt16LE(58) * image.readUInt16LE(60);
    if (headersEnd <= image.length) used = Math.max(used, headersEnd);
    this.start = this.#next = aligned(used);
    this.#end = image.length;
  }

  /** Where {@link append} will put the next bytes. */
  get next(): number {
    return this.#next;
  }

  /** The bytes from {@link start} on. */
  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** @returns where the bytes stand @throws {VdsoError} ERR_SANDLOCK_VDSO_LAYOUT: there is no room */
  append(bytes: Buffer): number {
    const at = this.#next;
    if (at + bytes.length > this.#end) throw layoutError('there is no room behind its code');
    const piece = Buffer.alloc(aligned(bytes.length));
    bytes.copy(piece);
    this.#pieces.push(piece);
    this.#next = at + piece.length;
    return at;
  }
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
