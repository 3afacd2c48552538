/**
 * Opens that may take their time: FIFOs, which wait for the other side, and files with a lease, whose holder is asked
 * to let go first.
 *
 * A supervisor must not wait, so it opens without blocking, and where the kernel would have let the target wait, the
 * answer is deferred and the question asked again. A reader stands in the FIFO from the start, as the kernel's own does
 * while it waits, so a writer finds it.
 * fifo(7); open(2), O_NONBLOCK; fcntl(2), "Leases"; fs/pipe.c, fifo_open()
 */
import { action, type NotifAction } from '@sandlock/dispatch';
import {
  AT_FDCWD, close, FdWatcher, fcntlSetFlags, O_ACCMODE, O_NOCTTY, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, openat, pipe,
  pipeHasWriter, S_IFIFO, S_IFMT, SyscallError, UV_READABLE,
} from '@sandlock/sys';
import { fstatSync } from 'node:fs';

import { errnoOf } from './errno-of.js';

const RETRY_MS = 10;

/** Those that wait, by FIFO: they ask again at once when an open of ours may be what they wait for. */
const waiting = new Map<string, Set<() => void>>();

export interface PatientOpen {
  /** An O_PATH descriptor of what is to be opened; stays the caller's. */
  readonly pinned: number;
  /** Type and permissions of that. */
  readonly mode: number;
  /** `O_*` of the target, without those that are about the path. */
  readonly flags: number;
  /** Permissions of a new file, for O_TMPFILE. */
  readonly permissions: number;
  /** Makes the answer of the descriptor, and owns it. */
  readonly give: (fd: number) => NotifAction;
  /** Does the open with the target's rights. */
  readonly guarded: <T>(work: () => T) => T;
}

/**
 * Opens anew what a descriptor is of.
 *
 * @returns the answer, now or deferred
 * @throws {SyscallError} as open(2) says
 */
export function patientOpen(request: PatientOpen): NotifAction {
  const { pinned, flags } = request;
  const isFifo = (request.mode & S_IFMT) === S_IFIFO && (flags & O_ACCMODE) !== O_RDWR;
  const patient = (flags & O_NONBLOCK) === 0;
  if (isFifo && patient && (flags & O_ACCMODE) === O_RDONLY) {
    const fd = opened(request, pinned);
    if (hasWriter(fd)) return given(request, fd);
    // Data, and a writer that has come and gone, end the wait too.
    return later((arrived) => (arrived || hasWriter(fd) ? given(request, fd) : undefined), fd, true);
  }
  const busy = isFifo ? 'ENXIO' : 'EAGAIN'; // nobody reads, or a lease is being given up
  const attempt = (from: number): NotifAction | undefined => {
    try {
      return given(request, opened(request, from));
    } catch (error) {
      if (patient && error instanceof SyscallError && error.code === busy) return undefined;
      throw error;
    }
  };
  const answer = attempt(pinned);
  if (answer !== undefined) return answer;
  const own = openat(AT_FDCWD, `/proc/self/fd/${pinned}`, O_PATH);
  return later(() => {
    const late = attempt(own);
    if (late !== undefined) close(own);
    return late;
  }, own, false);
}

function opened({ flags, permissions, guarded }: PatientOpen, pinned: number): number {
  // Never a terminal that becomes ours.
  return guarded(() => openat(AT_FDCWD, `/proc/self/fd/${pinned}`, flags | O_NONBLOCK | O_NOCTTY, permissions));
}

function given({ flags, mode, give }: PatientOpen, fd: number): NotifAction {
  const others = (mode & S_IFMT) === S_IFIFO && waiting.size > 0 ? [...waiting.get(fileOf(fd)) ?? []] : []; // `give` owns it
  if ((flags & O_NONBLOCK) === 0) fcntlSetFlags(fd, flags & ~O_NONBLOCK);
  const answer = give(fd);
  for (const again of others) again();
  return answer;
}

/**
 * @param ask    undefined: not yet. The argument is true when something has arrived on `fd`
 * @param fd     closed here when the answer is not wanted any more, or `ask` throws
 * @param watch  whether to tell of arrivals
 */
function later(ask: (arrived: boolean) => NotifAction | undefined, fd: number, watch: boolean): NotifAction {
  return action.defer((_, signal) => new Promise<NotifAction>((resolve) => {
    const file = fileOf(fd);
    const here = waiting.get(file) ?? new Set();
    let asks = false;
    const end = (answer: NotifAction): void => {
      here.delete(again);
      if (here.size === 0) waiting.delete(file);
      clearInterval(timer);
      watcher?.close();
      resolve(answer);
    };
    const look = (arrived: boolean): void => {
      if (asks || !here.has(again)) return;
      asks = true; // an answer of ours makes others ask, and not us
      let answer: NotifAction | undefined;
      try {
        answer = ask(arrived);
      } catch (error) {
        close(fd);
        answer = action.errno(errnoOf(error) ?? 'EIO');
      }
      asks = false;
      if (answer !== undefined) end(answer);
    };
    const again = (): void => look(false);
    waiting.set(file, here.add(again));
    const timer = setInterval(again, RETRY_MS);
    const watcher = watch ? new FdWatcher(fd, UV_READABLE, () => look(true)) : undefined;
    signal.addEventListener('abort', () => {
      if (!here.has(again)) return;
      close(fd);
      end(action.errno('EINTR'));
    }, { once: true });
  }), { limitMs: Infinity });
}

function fileOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

function hasWriter(fd: number): boolean {
  const [readEnd, writeEnd] = pipe();
  try {
    return pipeHasWriter(fd, writeEnd);
  } finally {
    close(readEnd);
    close(writeEnd);
  }
}
