/**
 * The memory family: how much a sandbox uses in all.
 *
 * What counts is memory in use: anonymous and shared pages, swap, page tables, memfds. A request for more is judged
 * by what is in use plus what it asks for: at once where the plain counters tell that there is room, otherwise when
 * that has been measured, for which the request waits and nobody else does.
 * Reservations (PROT_NONE, MAP_NORESERVE), what a program makes of its own (MAP_FIXED, mprotect) and small requests
 * are not notified: runtimes reserve and commit far more than they use. A look now and then sees what becomes of it,
 * as it sees everything that is used without a call.
 * mmap(2), brk(2), mremap(2)  ->  continue, or the end of the process (ENOMEM where that was chosen)
 * memfd_create(2), shmget(2), close_range(2), and clone(2) of a thread with descriptors of its own  ->  continue
 * vmsplice(2)  ->  ENOSYS: a byte of a huge page in a pipe keeps all of the page, and nobody counts it when it is unmapped
 */
import { arg, arg32 } from '@sandlock/bpf';
import { action, type Family, type Handler, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { CLONE_FILES, CLONE_THREAD, signals } from '@sandlock/sys';

import { OneAtATime } from '../one-at-a-time.js';
import type { ProcessTree } from '../process-tree.js';
import { heapEnd, heapEndAside, Heaps } from './heap.js';
import { MemoryAccount } from './memory-account.js';
import { MemoryMeter } from './memory-meter.js';
import { readMemoryStatus } from './memory-status.js';
import { MemoryWatch } from './memory-watch.js';
import { SharedObjects } from './shared-objects.js';

// include/uapi/asm-generic/mman-common.h, mman.h
const PROT_WRITE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const CLOSE_RANGE_UNSHARE = 2; // include/uapi/linux/close_range.h

/** malloc(3) maps what is larger than this by itself. Smaller requests come too often to be asked about. */
const SMALLEST_REQUEST = 128 * 1024;
/** No address space has room for more, so the kernel itself says ENOMEM. */
const LARGEST_REQUEST = 2 ** 56;
/**
 * Who may refuse requests refuses them a little before the limit: what was granted and is not used yet, a stack,
 * tables of pages must still fit then, or a program that handles ENOMEM well would be ended all the same.
 */
const MARGIN = 1 / 16;

const NO_MEMORY = action.errno('ENOMEM');
/** As of a kernel without it: whoever uses it has another way. */
const NO_SPLICE = action.errno('ENOSYS');
/** The kernel says no to a brk(2) with the old end. 0, like every other low number, is taken for a no, too. */
const NO_BREAK = action.returnValue(0);

export type OnMemoryExceeded = 'kill' | 'enomem';

export interface MemoryOptions {
  /** For all processes of the sandbox together, from 1. */
  readonly limitBytes: number;
  /** What becomes of a request that does not fit. What is used without one always ends a process. Default 'kill'. */
  readonly onExceeded?: OnMemoryExceeded | undefined;
  /** The processes of the sandbox. */
  readonly members: ProcessTree;
  /** Another family hands out files of a size that counts. Default false: what a program makes itself is seen anyway. */
  readonly filesHandedOut?: boolean | undefined;
}

export interface MemoryFamily extends Family {
  readonly limitBytes: number;
  /** What is in use now, or was a moment ago. At most this much. */
  usedBytes(): number;
  /** The most that was found in use at once. */
  peak(): number;
  /** Begins to look now and then. To be called once the first process exists. */
  watch(): void;
  /** Whether this process was ended because of the limit. */
  killed(pid: number): boolean;
}

/** @throws {RangeError} limitBytes is no whole number from 1 */
export function memory({ limitBytes, onExceeded = 'kill', members, filesHandedOut }: MemoryOptions): MemoryFamily {
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 1) {
    throw new RangeError(`limitBytes is a whole number from 1, not ${String(limitBytes)}.`);
  }
  const objects = new SharedObjects(filesHandedOut);
  const meter = new MemoryMeter({ members, objects, limitBytes });
  const heaps = new Heaps();
  const aside = new OneAtATime();
  const killed = new Set<number>();
  const account = new MemoryAccount({
    meter,
    limitBytes,
    requestLimitBytes: onExceeded === 'enomem' ? limitBytes - Math.floor(limitBytes * MARGIN) : limitBytes,
    onGranted: (bound) => watch.within(watch.pace(bound)),
  });
  const kills = (pid: number): void => {
    killed.add(pid);
    meter.killed(pid);
  };
  const watch = new MemoryWatch({ members, account, limitBytes, onKill: kills });

  /** @param refusal what the caller sees where requests are refused */
  const refuse = (context: HandlerContext, pid: number, refusal: NotifAction): NotifAction => {
    if (onExceeded === 'enomem') return refusal;
    if (context.isValid()) kills(pid);
    return action.kill({ signal: signals.SIGKILL, target: 'task' });
  };

  const judge = (context: HandlerContext, bytes: number, refusal: NotifAction): NotifAction => {
    if (bytes > LARGEST_REQUEST || account.fitsAtOnce(bytes)) return action.continue();
    const pid = processOf(context);
    return action.defer(async () => await account.refusal(bytes, () => refuse(context, pid, refusal)) ?? action.continue(), { otherwise: NO_MEMORY });
  };

  const map: Handler = (context) => judge(context, Number(context.args[1]!), NO_MEMORY);

  const remap: Handler = (context) => judge(context, Math.max(0, Number(context.args[2]! - context.args[1]!)), NO_MEMORY);

  const moveBreak: Handler = (context) => {
    const end = Number(context.args[0]!);
    const last = heaps.remembered(context.pid);
    if (last !== undefined && end >= last && account.hasRoom(end - last)) {
      account.fitsAtOnce(end - last);
      heaps.remember(context.pid, end);
      return action.continue();
    }
    const now = heapEnd(context.pid);
    if (now !== 'long') {
      const moved = moves(context, end, now);
      if (moved !== undefined) return moved;
    }
    const pid = processOf(context);
    return action.defer(async () => {
      // Whose call has ended meanwhile keeps nobody waiting.
      const seen = now === 'long' ? await aside.run(async () => context.isValid() ? await heapEndAside(context.pid) : undefined) : now;
      // It was this target's only if its call still waits.
      if (!context.isValid()) return NO_BREAK;
      const moved = moves(context, end, seen);
      if (moved !== undefined) return moved;
      const refused = await account.refusal(end - seen!, () => refuse(context, pid, action.returnValue(seen!)));
      if (refused !== undefined) return refused;
      heaps.remember(context.pid, end);
      return action.continue();
    }, { otherwise: NO_BREAK });
  };

  /** undefined: only a measurement can tell. */
  const moves = (context: HandlerContext, end: number, now: number | undefined): NotifAction | undefined => {
    if (now === undefined) return NO_BREAK;
    if (end > now && !account.fitsAtOnce(end - now)) return undefined;
    heaps.remember(context.pid, end);
    return action.continue();
  };

  const openMemfd: Handler = () => {
    objects.expectMemfd();
    return action.continue();
  };

  const parts: Handler = (context) => {
    objects.expectOwnDescriptors(processOf(context));
    return action.continue();
  };

  const getSegment: Handler = (context) => {
    const caller = readMemoryStatus(context.pid);
    if (caller === undefined) return NO_MEMORY;
    objects.expectSegment(caller.pid);
    return judge(context, Number(context.args[1]!), NO_MEMORY);
  };

  return {
    name: 'memory',
    handlers: {
      mmap: {
        handler: map,
        // Registers in the kernel's widths: prot and flags are unsigned longs of which the low half is looked at.
        when: [
          arg(1).ge(SMALLEST_REQUEST), arg32(2).maskedEq(PROT_WRITE, PROT_WRITE),
          arg32(3).maskedEq(MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, MAP_ANONYMOUS),
        ],
        onException: 'denyEperm',
      },
      mremap: { handler: remap, when: arg(2).ge(SMALLEST_REQUEST), onException: 'denyEperm' },
      brk: { handler: moveBreak, when: arg(0).ne(0), onException: 'kill' },
      memfd_create: { handler: openMemfd, onException: 'denyEperm' },
      shmget: { handler: getSegment, onException: 'denyEperm' },
      vmsplice: { handler: () => NO_SPLICE, onException: 'denyEperm' },
      // The kernel looks at the low half of the flags only. kernel/fork.c, SYSCALL_DEFINE5(clone, ...)
      clone: { handler: parts, when: arg32(0).maskedEq(CLONE_THREAD | CLONE_FILES, CLONE_THREAD), onException: 'denyEperm' },
      close_range: { handler: parts, when: arg32(2).maskedEq(CLOSE_RANGE_UNSHARE, CLOSE_RANGE_UNSHARE), onException: 'denyEperm' },
    },
    limitBytes,
    usedBytes: () => account.usedBytes(),
    peak: () => account.peak,
    watch: () => watch.within(0),
    killed: (pid) => killed.has(pid),
    dispose: () => watch.stop(),
  };
}

/** While its call waits, its status is there; where it is hidden, the thread stands for it. */
function processOf({ pid }: HandlerContext): number {
  return readMemoryStatus(pid)?.pid ?? pid;
}
