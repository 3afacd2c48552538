/**
 * Registers, as the kernel takes them.
 *
 * A register has 64 bits, and of an argument that is an int the kernel looks at the low half alone: what stands above it
 * is the program's, and means nothing.
 */

/** An int: a descriptor, a process id, a clock. */
export function asInt32(register: bigint): number {
  return Number(BigInt.asIntN(32, register));
}

/** An unsigned int: a size, flags. */
export function asUint32(register: bigint): number {
  return Number(BigInt.asUintN(32, register));
}
