/**
 * Sets of processors as files of /proc and /sys spell them: `0-3,8` and `00000000,0000010f`.
 *
 * cpuset(7), "Mask format" and "List format"; lib/vsprintf.c, bitmap_string() and bitmap_list_string()
 */
import { lowestCpu, type CpuMask } from './cpu-mask.js';

const GROUP_DIGITS = 8;

export function cpuList(mask: CpuMask): string {
  const ranges: string[] = [];
  for (let first = 0, left = mask; left !== 0n;) {
    const skipped = lowestCpu(left);
    const count = lowestCpu(~(left >> BigInt(skipped))); // up to the next one that is missing
    first += skipped;
    ranges.push(count === 1 ? `${first}` : `${first}-${first + count - 1}`);
    left >>= BigInt(skipped + count);
    first += count;
  }
  return ranges.join();
}

/** @param like the machine's own, of the width that its kernel has */
export function cpuMap(mask: CpuMask, like: string): string {
  const digits = mask.toString(16).padStart(like.replaceAll(',', '').length, '0');
  return digits.replace(new RegExp(`(?<=.)(?=(?:.{${GROUP_DIGITS}})+$)`, 'g'), ',');
}

/** @param list as {@link cpuList} gives it */
export function maskFromList(list: string): CpuMask {
  let mask = 0n;
  for (const [, first, last] of list.matchAll(/(\d+)(?:-(\d+))?/g)) {
    const from = BigInt(first!);
    mask |= ((1n << (BigInt(last ?? first!) - from + 1n)) - 1n) << from;
  }
  return mask;
}
