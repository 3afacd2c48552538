/**
 * The 16 random bytes that the kernel hands every image: AT_RANDOM of the auxiliary vector.
 *
 * C libraries make the canary of the stack protector and the mask of stored pointers from them, and runtimes seed their
 * generators: Go its hashes, for one. The first eight come from the process's stream. The other eight are a digest of
 * the first, so that an image that has been seen to is known by its own memory: a fork has the bytes of its parent, an
 * exec has new ones of the kernel's.
 * getauxval(3), AT_RANDOM; fs/binfmt_elf.c, create_elf_tables()
 */
import type { HandlerContext } from '@sandlock/dispatch';
import { readFileSync } from 'node:fs';

import type { ImagePatch } from '../image/fresh-image.js';
import { crypto } from '../late-crypto.js';
import { unlessGone } from '../proc-file.js';
import type { Lineage } from './lineage.js';
import type { ProcessRandom } from './process-random.js';

// include/uapi/linux/auxvec.h
const AT_NULL = 0n;
const AT_RANDOM = 25n;
const RANDOM_BYTES = 16;
const HALF = RANDOM_BYTES / 2;

export function auxRandom(lineage: Lineage<ProcessRandom>): ImagePatch {
  return {
    apply: (context) => {
      const address = randomAddress(context);
      if (address === 'none') return true;
      if (address === 'unreadable') return false;
      const current = context.readMemory(address, RANDOM_BYTES);
      if (!current.ok || current.bytes.length < RANDOM_BYTES) return false;
      if (isOurs(current.bytes)) return true;
      const process = lineage.of(context.pid);
      return process !== undefined && context.writeMemory(address, sealed(process.images.read(HALF))).ok;
    },
  };
}

/** The address stands in the vector that the kernel made at exec; a program that moves its own stack does not move it. */
function randomAddress({ pid }: HandlerContext): bigint | 'none' | 'unreadable' {
  const vector = unlessGone(() => readFileSync(`/proc/${pid}/auxv`));
  if (vector === undefined || vector.length === 0) return 'unreadable';
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    const type = vector.readBigUInt64LE(at);
    if (type === AT_RANDOM) return vector.readBigUInt64LE(at + 8);
    if (type === AT_NULL) break;
  }
  return 'none';
}

export function sealed(half: Uint8Array): Buffer {
  return Buffer.concat([half, crypto().createHash('sha256').update('sandlock image\0').update(half).digest().subarray(0, HALF)]);
}

function isOurs(bytes: Buffer): boolean {
  return bytes.equals(sealed(bytes.subarray(0, HALF)));
}
