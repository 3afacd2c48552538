/**
 * getrandom(2), answered from the process's own stream.
 *
 * What the kernel checks is checked, in its order. What cannot be written is EFAULT, and when it is not known whose call
 * this is, EPERM: real entropy is no way out, since the program would go on with what nobody can repeat.
 * getrandom(2); drivers/char/random.c, SYSCALL_DEFINE3(getrandom, ...) and get_random_bytes_user()
 */
import { action, asUint32, type Handler, type HandlerContext } from '@sandlock/dispatch';

import type { Lineage } from './lineage.js';
import type { ProcessRandom } from './process-random.js';

// include/uapi/linux/random.h
const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
/** One call gives this much, and the program asks again: getrandom(2) may always give less than was asked for. */
export const MAX_GETRANDOM_BYTES = 1024 * 1024;
const PAGE_BYTES = 4096;

export function getrandom(lineage: Lineage<ProcessRandom>): Handler {
  return (context) => {
    const flags = asUint32(context.args[2]!);
    if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return action.errno('EINVAL');
    if ((flags & GRND_RANDOM) !== 0 && (flags & GRND_INSECURE) !== 0) return action.errno('EINVAL');
    const asked = context.args[1]!;
    if (asked === 0n) return action.returnValue(0);
    const process = lineage.of(context.pid);
    if (process === undefined) return action.errno('EPERM');
    const bytes = process.calls.read(asked < MAX_GETRANDOM_BYTES ? Number(asked) : MAX_GETRANDOM_BYTES);
    return give(context, bytes);
  };
}

function give(context: HandlerContext, bytes: Buffer): ReturnType<typeof action.returnValue> | ReturnType<typeof action.errno> {
  const address = context.args[0]!;
  const written = context.writeMemory(address, bytes);
  if (written.ok) return action.returnValue(bytes.length);
  if (written.errno !== 'EFAULT') return written.deny();
  // As much as can be written up to the page that cannot, as the kernel does.
  let given = 0;
  while (given < bytes.length) {
    const end = given + PAGE_BYTES - Number((address + BigInt(given)) % BigInt(PAGE_BYTES));
    if (!context.writeMemory(address + BigInt(given), bytes.subarray(given, end)).ok) break;
    given = Math.min(end, bytes.length);
  }
  return given > 0 ? action.returnValue(given) : action.errno('EFAULT');
}
