/**
 * Stdio: which descriptors become 0, 1 and 2 of the program, and which ends stay here.
 *
 * Pipes, not sockets: a program can tell, and /dev/stdout of a socket cannot be opened. The program's ends are
 * closed here as soon as it has its own copies, or a reader would never see the end.
 */
import { AT_FDCWD, close, isOpenFd, KeptFd, O_RDONLY, O_WRONLY, openat, pipe } from '@sandlock/sys';
import type { Socket } from 'node:net';

import type { StdioMode } from './run-options.js';

export interface StdioPlan {
  /** For the program, in this process's numbers. */
  readonly fds: readonly [number, number, number];
  /** Our end of each pipe, or null. */
  readonly ends: readonly [KeptFd | null, KeptFd | null, KeptFd | null];
  /** Closes what was opened for the program alone. Idempotent. */
  closeProgramSide(): void;
  /** Closes our ends, which no stream has taken over. */
  closeOurSide(): void;
}

/** @throws {SyscallError} EMFILE, ENFILE: nothing stays open then */
export function planStdio(modes: readonly [StdioMode, StdioMode, StdioMode]): StdioPlan {
  const opened: number[] = [];
  const ends: [KeptFd | null, KeptFd | null, KeptFd | null] = [null, null, null];
  const closeAll = (fds: number[]): void => {
    for (const fd of fds.splice(0)) close(fd);
  };
  const closeOurSide = (): void => ends.forEach((end) => end?.close());
  try {
    const fds = modes.map((mode, i) => {
      if (mode === 'pipe') {
        const [readEnd, writeEnd] = pipe();
        ends[i] = new KeptFd(i === 0 ? writeEnd : readEnd);
        return keep(opened, i === 0 ? readEnd : writeEnd);
      }
      if (typeof mode === 'number') return mode;
      // An inherited stream that is closed here is nothing there, rather than whatever gets the number next.
      if (mode === 'inherit' && isOpenFd(i)) return i;
      return keep(opened, openat(AT_FDCWD, '/dev/null', i === 0 ? O_RDONLY : O_WRONLY));
    }) as [number, number, number];
    return { fds, ends, closeProgramSide: () => closeAll(opened), closeOurSide };
  } catch (error) {
    closeAll(opened);
    closeOurSide();
    throw error;
  }
}

/** A stream over our end of a pipe; it owns the descriptor and closes it. */
export function pipeStream(fd: number, direction: 'read' | 'write'): Socket {
  // Loaded only when there is a pipe: an interactive run has none.
  const { Socket } = process.getBuiltinModule('node:net');
  // Neither flowing nor paused: a 'data' listener is all that a reader has to add, as with child_process.
  return new Socket({ fd, readable: direction === 'read', writable: direction === 'write' });
}

function keep(list: number[], fd: number): number {
  list.push(fd);
  return fd;
}
