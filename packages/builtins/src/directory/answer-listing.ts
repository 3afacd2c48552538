/**
 * Answers getdents64(2) and getdents(2) with entries of somebody's choice, and with the kernel's manners.
 *
 * As many whole records as fit; EINVAL when not even the first does; EFAULT for a buffer that cannot be written. The
 * position moves behind what was given, and not at all when nothing was.
 * getdents(2), ERRORS
 */
import { action, asUint32, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { SyscallError } from '@sandlock/sys';

import type { PositionStore } from './position-store.js';
import { encodeEntries, type DirectoryEntry, type RecordLayout } from './records.js';
import { openTargetDirectory, type TargetDirectory } from './target-directory.js';

/**
 * How a listing begins while the call waits. Calls may have to wait for each other, and until its turn comes nothing is
 * open for a call: a program can make very many, and be gone.
 */
export interface LateBegin {
  /** Does the work when its turn comes, and not at all when the signal has fired by then: it rejects as that happens. */
  inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Where the listing goes on, of a directory that was opened, and a position that was read, in its turn. */
  begin(directory: TargetDirectory, position: bigint): Promise<bigint>;
}

export interface Listing {
  /**
   * Is asked first, with where the target is: where the listing goes on, which `next` is asked with then; or how to find
   * that out where it takes long. Left out: at the same position.
   */
  begin?(directory: TargetDirectory, position: bigint): bigint | LateBegin;
  /** The entries from a position on, at least one; none at the end. The last one's `off` is where they end. */
  next(directory: TargetDirectory, position: bigint): readonly DirectoryEntry[];
  /** Those of them that are to be seen, in their order. Default: all. */
  visible?(entries: readonly DirectoryEntry[], directory: TargetDirectory): readonly DirectoryEntry[];
}

export function answerListing(context: HandlerContext, store: PositionStore, listing: Listing): NotifAction {
  const directory = openTargetDirectory(context, context.args[0]!, store);
  if (!isOpen(directory)) return refusal(directory);
  let begun: bigint | LateBegin;
  try {
    begun = listing.begin?.(directory, directory.position) ?? directory.position;
  } catch (error) {
    return concluded(directory, () => { throw error; });
  }
  if (typeof begun === 'bigint') return concluded(directory, () => listed(context, directory, begun, listing));
  directory.close(); // whoever waits is given no descriptor
  const { inTurn, begin } = begun;
  return action.defer((late, signal) => inTurn(async () => {
    const again = openTargetDirectory(late, late.args[0]!, store);
    if (!isOpen(again)) return refusal(again);
    let position: bigint;
    try {
      position = await begin(again, again.position);
    } catch (error) {
      return concluded(again, () => { throw error; });
    }
    return concluded(again, () => listed(late, again, position, listing));
  }, signal));
}

type Opened = ReturnType<typeof openTargetDirectory>;

function isOpen(opened: Opened): opened is TargetDirectory {
  return opened !== 'notDirectory' && 'fd' in opened;
}

function refusal(unopened: Exclude<Opened, TargetDirectory>): NotifAction {
  return unopened === 'notDirectory' ? action.errno('ENOTDIR') : unopened.deny();
}

/** Leaves the directory where the answer says, and where it was when there is none. */
function concluded(directory: TargetDirectory, list: () => Answer): NotifAction {
  let answer: Answer | undefined;
  try {
    answer = list();
    return answer.action;
  } catch (error) {
    if (error instanceof SyscallError) return action.errno(-error.errno);
    throw error;
  } finally {
    try {
      directory.seek(answer?.position ?? directory.position);
      if (answer?.atEnd === true) directory.ended();
    } finally {
      directory.close();
    }
  }
}

interface Answer {
  readonly action: NotifAction;
  /** Left out: where it was. */
  readonly position?: bigint;
  readonly atEnd?: boolean;
}

function listed(context: HandlerContext, directory: TargetDirectory, from: bigint, { next, visible }: Listing): Answer {
  const layout: RecordLayout = context.name === 'getdents' ? 'getdents' : 'getdents64';
  const roomBytes = asUint32(context.args[2]!);
  for (let position = from; ;) {
    const all = next(directory, position);
    const behind = all.at(-1)?.off;
    if (behind === undefined) return { action: action.returnValue(0), position, atEnd: true };
    const shown = visible === undefined ? all : visible(all, directory);
    if (shown.length > 0) {
      const { bytes, count } = encodeEntries(shown, layout, roomBytes);
      if (count === 0) return { action: action.errno('EINVAL') };
      const written = context.writeMemory(context.args[1]!, bytes);
      if (!written.ok) return { action: written.deny() };
      return { action: action.returnValue(bytes.length), position: count < shown.length ? shown[count - 1]!.off : behind };
    }
    position = behind; // nothing for the target among them, and 0 would mean the end
  }
}
