/**
 * The memory of a sandbox that has a limit.
 */
export interface MemoryUse {
  readonly limitBytes: number;
  usedBytes(): number;
}

export function freeBytes({ limitBytes, usedBytes }: MemoryUse): number {
  return Math.max(0, limitBytes - usedBytes());
}
