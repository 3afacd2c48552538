/**
 * The generator: from one seed, a tree of independent streams of bytes.
 *
 * It is frozen: the same seed and the same way through the tree give the same bytes in every release and on every
 * architecture, and golden values in the tests hold it there.
 *
 *     key of the root   SHA-256("sandlock random 1" NUL, seed as 8 bytes, least significant first)
 *     key of a branch   SHA-256(key, label in UTF-8, NUL, index as 8 bytes, least significant first)
 *     stream at a node  the key stream of ChaCha20 (RFC 8439) under the node's key, nonce and first counter zero
 *
 * Who knows the seed knows every byte: this makes runs repeatable and nothing secret.
 */
import type { Cipher } from 'node:crypto';

import { crypto } from '../late-crypto.js';

export const SEED_MAX = 2n ** 64n - 1n;

export class RandomTree {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /** @throws {RangeError} not an integer from 0 to 2^64 - 1 */
  static fromSeed(seed: bigint): RandomTree {
    if (typeof seed !== 'bigint' || seed < 0n || seed > SEED_MAX) throw new RangeError(`A seed is a bigint from 0 to ${SEED_MAX}, not ${String(seed)}.`);
    return new RandomTree(crypto().createHash('sha256').update('sandlock random 1\0').update(uint64(seed)).digest());
  }

  branch(label: string, index = 0): RandomTree {
    return new RandomTree(crypto().createHash('sha256').update(this.#key).update(`${label}\0`).update(uint64(BigInt(index))).digest());
  }

  /** The bytes of this node, from the first one. */
  stream(): RandomStream {
    return new RandomStream(this.#key);
  }
}

/** Bytes without end. How they are asked for makes no difference: 2 and 3 are the same as 5. */
export class RandomStream {
  readonly #cipher: Cipher;

  constructor(key: Uint8Array) {
    this.#cipher = crypto().createCipheriv('chacha20', key, Buffer.alloc(16));
  }

  read(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length));
  }
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
