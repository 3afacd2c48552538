/**
 * A path, followed as the kernel follows it for the target, component by component, and what it leads to pinned.
 *
 * The supervisor cannot leave the walk to its own kernel: `self` and `thread-self` of /proc are whoever asks, which
 * would be us. So links are read and followed by hand, directories are held by descriptor, and the two names
 * are those of the target. Magic links (/proc/<pid>/fd/N, cwd, root, exe) name objects and not paths; the kernel follows
 * those. What comes out is an O_PATH descriptor: decisions about it are about what will be opened, whoever renames
 * what meanwhile.
 * path_resolution(7), openat2(2), proc_pid_fd(5); fs/namei.c
 */
import {
  AT_FDCWD, close, O_NOFOLLOW, O_PATH, openat2, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, S_IFLNK, S_IFMT, SyscallError, type ErrnoName,
} from '@sandlock/sys';
import { fstatSync, readlinkSync, statfsSync, type Stats } from 'node:fs';
import { constants } from 'node:os';

import { errnoOf } from './errno-of.js';
import { mayFollowLink } from './sticky.js';

const { EACCES, EAGAIN, ELOOP, EXDEV } = constants.errno;

/** path_resolution(7): more in one path are ELOOP. */
const MAX_LINKS = 40;
/**
 * Components in all, those of links included. The kernel takes forty links of two thousand each, which nobody has. Here
 * every one takes calls of ours, and the supervisor's thread has others to serve.
 */
const MAX_COMPONENTS = 1024;
/** include/uapi/linux/magic.h */
const PROC_SUPER_MAGIC = 0x9fa0;
/** include/linux/proc_ns.h */
const PROC_ROOT_INO = 1;
const OPEN_ROOT = Buffer.from('/');
const STOPPED = Symbol('stopped');

export interface WalkRequest {
  /** Of the directory that the path starts from; stays the caller's. AT_FDCWD for an absolute path that is not confined. */
  readonly base: number;
  /** As the target gave it, a character a byte (latin1). */
  readonly path: string;
  /** Whether a link in the last place is followed. A slash behind it says so too. */
  readonly follow: boolean;
  /** RESOLVE_* of openat2(2), or 0. RESOLVE_CACHED is not for a walk like this one. */
  readonly resolve: number;
  /** The thread that asks, and its process. */
  readonly asker: { readonly pid: number; readonly tgid: number };
  /** Asked for the name of each thing on the way before it is looked up; true ends the walk there. */
  readonly stopAt?: (name: string, last: boolean) => boolean;
  /**
   * Asked for the kernel's name of the directory that a magic link stands in; false ends the walk there. Such a link is
   * followed with the rights of this process, which is not in the target's Landlock domain.
   */
  readonly mayFollowMagic?: (directory: string) => boolean;
}

/**
 * What was found has no name here: directories on the way may have been moved, and `..` have led elsewhere than the letters
 * say. Who judges by names asks the kernel for that of the descriptor, {@link nameOf}.
 */
export type Walked =
  | { readonly kind: 'object'; readonly fd: number; readonly stat: Stats; readonly parent: number | undefined }
  /** All but the last component is there. */
  | { readonly kind: 'missing'; readonly parent: number; readonly leaf: string }
  /** By the letters of the path. */
  | { readonly kind: 'stopped'; readonly name: string }
  | { readonly kind: 'failed'; readonly errno: ErrnoName };

/** Descriptors of one walk: the owner closes them, whatever the walk came to. */
export class Walk {
  readonly #request: WalkRequest;
  readonly #open = new Set<number>();
  readonly #left: string[];
  /** The directory reached so far, and how it is called. */
  #at: number;
  #name: string;
  /** Of the directory that a confined path does not leave. */
  readonly #rootName: string;
  #links = 0;
  /** The path ends in a slash, or a link in the last place does. */
  #slash = false;
  #turned = false;

  constructor(request: WalkRequest) {
    this.#request = request;
    this.#left = [];
    this.#at = request.base;
    this.#name = '';
    if (!request.path.startsWith('/') || this.#confined) this.#name = nameOf(request.base);
    this.#rootName = this.#name;
  }

  get #confined(): boolean {
    return (this.#request.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
  }

  /** Closed with the rest. */
  adopt(fd: number): number {
    this.#open.add(fd);
    return fd;
  }

  /** Whether the path, with the links followed at its end, has a slash behind it: only a directory will do. */
  get endsInSlash(): boolean {
    return this.#slash;
  }

  /**
   * Whether the path went up again, or over a link of a file system: then it may have been through directories that are not above
   * what it leads to, and that it leads anywhere tells of what is in them.
   */
  get turned(): boolean {
    return this.#turned;
  }

  /** Keeps a descriptor of the walk open for a new owner. */
  release(fd: number): number {
    this.#open.delete(fd);
    return fd;
  }

  close(): void {
    for (const fd of this.#open) close(fd);
    this.#open.clear();
  }

  run(): Walked {
    try {
      return this.#run();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== undefined) return { kind: 'failed', errno };
      throw error;
    }
  }

  #run(): Walked {
    const { path } = this.#request;
    if (path === '') return { kind: 'failed', errno: 'ENOENT' };
    this.#push(path);
    if (this.#left.length === 0) return this.#whole(); // '/'
    for (let n = 0; n < MAX_COMPONENTS; n++) {
      const component = this.#left.pop()!;
      const last = this.#left.length === 0;
      const name = component === '..' && this.#name === this.#rootName && this.#confined ? this.#name : childName(this.#name, component);
      if (this.#request.stopAt?.(name, last) === true) return { kind: 'stopped', name };
      if (component === '..') this.#turned = true;
      let fd: number;
      try {
        fd = component === '..' && this.#confined ? this.#above() : this.#opened(component, O_NOFOLLOW);
      } catch (error) {
        const missing = last && error instanceof SyscallError && error.code === 'ENOENT';
        if (missing) return { kind: 'missing', parent: this.#at, leaf: component };
        throw error;
      }
      const stat = fstatSync(fd);
      if ((stat.mode & S_IFMT) === S_IFLNK && (!last || this.#request.follow || this.#slash)) {
        this.#checkLink(stat, last);
        const text = this.#followed(component);
        if (text === STOPPED) return { kind: 'stopped', name };
        this.#close(fd);
        if (text === undefined) { // a magic link: #at is what it names
          if (last) return this.#whole();
          continue;
        }
        if (text === '') return { kind: 'failed', errno: 'ENOENT' };
        this.#push(text);
        if (this.#left.length === 0) return this.#whole();
        continue;
      }
      if (last) return { kind: 'object', fd, stat, parent: component === '.' || component === '..' ? undefined : this.#at };
      this.#close(this.#at);
      this.#at = fd;
      this.#name = name;
    }
    return { kind: 'failed', errno: 'ELOOP' };
  }

  /** What stands at #at, as the object of the walk. */
  #whole(): Walked {
    return { kind: 'object', fd: this.#at, stat: fstatSync(this.#at), parent: undefined };
  }

  #push(path: string): void {
    if (path.startsWith('/')) this.#toRoot();
    // A slash at the end counts where the path ends in one; in the middle it is one of many.
    if (this.#left.length === 0 && path.endsWith('/')) this.#slash = true;
    const components = path.split('/');
    for (let n = components.length - 1; n >= 0; n--) if (components[n] !== '') this.#left.push(components[n]!);
  }

  /** `..` within the directory that is not left. */
  #above(): number {
    if (this.#name === this.#rootName) {
      if ((this.#request.resolve & RESOLVE_BENEATH) !== 0) throw new SyscallError('openat2', EXDEV);
      return this.#opened('.', 0);
    }
    const fd = this.#opened('..', 0);
    const name = nameOf(fd);
    // Somebody has moved what we stand in. openat2(2), ERRORS, EAGAIN
    if (name !== this.#rootName && !name.startsWith(`${this.#rootName}/`)) throw new SyscallError('openat2', EAGAIN);
    return fd;
  }

  #toRoot(): void {
    const { resolve, base } = this.#request;
    if ((resolve & RESOLVE_BENEATH) !== 0) throw new SyscallError('openat2', EXDEV);
    if ((resolve & RESOLVE_IN_ROOT) !== 0) {
      this.#close(this.#at);
      this.#at = base;
      this.#name = this.#rootName;
      return;
    }
    const root = openat2(this.#at, OPEN_ROOT, O_PATH);
    this.#open.add(root);
    // A path that begins there has not crossed anything. fs/namei.c, nd_jump_root()
    const begins = this.#at === AT_FDCWD;
    const crosses = !begins && (resolve & RESOLVE_NO_XDEV) !== 0 && fstatSync(root).dev !== fstatSync(this.#at).dev;
    if (crosses) throw new SyscallError('openat2', EXDEV);
    this.#close(this.#at);
    this.#at = root;
    this.#name = '';
  }

  #opened(component: string, flags: number): number {
    const fd = openat2(this.#at, Buffer.from(component, 'latin1'), O_PATH | flags, 0, this.#request.resolve & RESOLVE_NO_XDEV);
    this.#open.add(fd);
    return fd;
  }

  #checkLink(stat: Stats, last: boolean): void {
    if ((this.#request.resolve & RESOLVE_NO_SYMLINKS) !== 0 || ++this.#links > MAX_LINKS) throw new SyscallError('openat2', ELOOP);
    if (last && !mayFollowLink(stat, () => fstatSync(this.#at))) throw new SyscallError('openat2', EACCES);
  }

  /** The text of a link, or undefined when it was followed to what it names, or that it is not to be followed. */
  #followed(component: string): string | typeof STOPPED | undefined {
    if (statfsSync(`/proc/self/fd/${this.#at}`).type === PROC_SUPER_MAGIC) {
      const { asker } = this.#request;
      if (fstatSync(this.#at).ino === PROC_ROOT_INO) {
        if (component === 'self') return `${asker.tgid}`;
        if (component === 'thread-self') return `${asker.tgid}/task/${asker.pid}`;
      }
      if (isMagic(this.#at, component)) {
        if ((this.#request.resolve & RESOLVE_NO_MAGICLINKS) !== 0) throw new SyscallError('openat2', ELOOP);
        if (this.#confined) throw new SyscallError('openat2', EXDEV);
        if (this.#request.mayFollowMagic?.(nameOf(this.#at)) === false) return STOPPED;
        const fd = this.#opened(component, 0);
        this.#close(this.#at);
        this.#at = fd;
        this.#name = nameOf(fd);
        return undefined;
      }
    }
    this.#turned = true;
    return readlinkSync(Buffer.from(`/proc/self/fd/${this.#at}/${component}`, 'latin1'), { encoding: 'latin1' });
  }

  #close(fd: number): void {
    if (this.#open.delete(fd)) close(fd);
  }
}

/** How the kernel calls what a descriptor of ours is of. */
export function nameOf(fd: number): string {
  const name = readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' });
  return name === '/' ? '' : name;
}

function childName(directory: string, component: string): string {
  if (component === '.') return directory;
  if (component === '..') return directory.slice(0, Math.max(directory.lastIndexOf('/'), 0));
  return `${directory}/${component}`;
}

function isMagic(directory: number, component: string): boolean {
  try {
    close(openat2(directory, Buffer.from(component, 'latin1'), O_PATH, 0, RESOLVE_NO_MAGICLINKS));
    return false;
  } catch (error) {
    if (error instanceof SyscallError) return error.code === 'ELOOP';
    throw error;
  }
}
