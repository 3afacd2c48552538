/**
 * Sets of processors, as sched_setaffinity(2) has them: bit n is CPU n.
 *
 * As one number, since that is what sets are cut and compared with; as bytes, little-endian and in whole words, where
 * the kernel or a target is concerned. CPU_SET(3)
 */
const WORD_BYTES = 8;

export type CpuMask = bigint;

export function maskOf(cpus: Iterable<number>): CpuMask {
  let mask = 0n;
  for (const cpu of cpus) mask |= 1n << BigInt(cpu);
  return mask;
}

export function firstCpus(count: number): CpuMask {
  return (1n << BigInt(count)) - 1n;
}

export function numbersOf(mask: CpuMask): number[] {
  const numbers: number[] = [];
  for (let left = mask; left !== 0n; left &= left - 1n) numbers.push(lowestCpu(left));
  return numbers;
}

export function has(mask: CpuMask, cpu: number): boolean {
  return (mask >> BigInt(cpu) & 1n) !== 0n;
}

/** Those with the lowest numbers. */
export function lowest(mask: CpuMask, count: number): CpuMask {
  let taken = 0n;
  for (let left = mask, n = 0; left !== 0n && n < count; n++) {
    const bit = left & -left;
    taken |= bit;
    left ^= bit;
  }
  return taken;
}

/** The number of the lowest one. */
export function lowestCpu(mask: CpuMask): number {
  return (mask & -mask).toString(2).length - 1;
}

export function maskFromBytes(bytes: Uint8Array): CpuMask {
  const hex = Buffer.from(bytes).reverse().toString('hex');
  return hex === '' ? 0n : BigInt(`0x${hex}`);
}

/** @param length in bytes; what does not fit is left out */
export function maskToBytes(mask: CpuMask, length: number): Buffer {
  const hex = BigInt.asUintN(length * 8, mask).toString(16);
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex').reverse();
}

/** Bytes of a mask with room for these, in whole words. */
export function wordBytes(mask: CpuMask): number {
  return Math.ceil(mask.toString(2).length / (8 * WORD_BYTES)) * WORD_BYTES;
}
