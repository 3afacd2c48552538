/**
 * Views: what a target finds under a name, in place of what the machine has there.
 *
 * A record says the name and how an open of it is answered. Resolving paths, grants and members is the views family's
 * business, done before a record is asked: an opener may trust that the name is right, however it was spelt, that the
 * target may read it, and that a process it is about is a member of the sandbox.
 */
import type { NotifAction } from '@sandlock/dispatch';

/** A thread of a target. */
export interface Asker {
  /** A thread id. */
  readonly pid: number;
  /** Its process. */
  readonly tgid: number;
}

export interface ViewRequest {
  readonly asker: Asker;
  /** Whose directory below /proc the file was found in, a member of the sandbox; elsewhere the asker. */
  readonly subject: Asker;
  /** The canonical name under which it was found: `/proc/7/task/8/NAME` for `/proc/self/NAME`. */
  readonly name: string;
}

export interface ViewOpen extends ViewRequest {
  /** `O_*`, as the target gave them. */
  readonly flags: number;
  /** The policy grants writing to this name. */
  readonly mayWrite: boolean;
  /**
   * The number at which the descriptor of a {@link viewFile} is to be put in the target, asked for when that is done; undefined: the
   * lowest. Only there does fstat(2) tell of the view.
   */
  readonly targetFd?: () => number | undefined;
}

/** Answers an open. Never with `continue`: the kernel would open what the view stands in for. */
export type ViewOpener = (open: ViewOpen) => NotifAction;

/** What stat(2) says. The rest is as of a file that root owns, changed when the sandbox started. */
export interface ViewStat {
  /** Type and permissions: `S_IFREG | 0o444`. */
  readonly mode: number;
  readonly size: number;
  /** Of a device. */
  readonly rdev?: { readonly major: number; readonly minor: number };
  /** Its times, in seconds since 1970; left out: since this process began. */
  readonly began?: bigint | undefined;
}

/**
 * What takes long to find out: is called once, while the call waits. The signal fires when the answer is not wanted any
 * more, since the call is over or its process is dead.
 */
export type Late<T> = (signal: AbortSignal) => Promise<T>;

export interface View {
  /**
   * Canonical and absolute, a character a byte (latin1). `/proc/self/NAME` stands for NAME in the directory of every
   * member and of every thread of one, by whatever spelling: `/proc/thread-self/NAME`, `/proc/7/task/8/NAME`. What the
   * kernel reaches through a link there has the link's target for its name: `/proc/self/net/tcp`, `/proc/self/mounts`.
   */
  readonly path: string;
  /** Paths that lead to it over links of the machine's. By any other, with letters that do not come near, it is found only as OwnLinks says. */
  readonly links?: readonly string[];
  /** Whether the policy must grant reading the path, or the open fails with EACCES. Default true. */
  readonly needsGrant?: boolean;
  /** There is nothing under this name, nor beneath it: see absent(). */
  readonly absent?: true;
  readonly open: ViewOpener;
  /** Left out: stat(2) sees what the machine has. What returns undefined says that there is nothing. */
  readonly stat?: (request: ViewRequest) => ViewStat | Late<ViewStat> | undefined;
}
