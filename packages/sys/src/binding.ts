/**
 * Binding.
 *
 * Finds the addon: built for glibc or for musl, in the package. The one that does not fit does not load, which is
 * quicker to find out than which C library this is. The functions take the kernel's arguments in its order and
 * return its value or -errno.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SandlockError } from './errors.js';

type Fd = number;
type Result = number;

export interface WatcherHandle {
  start(events: number, eagerUs: number): Result;
  ref(): void;
  unref(): void;
  close(): void;
}

export interface NotifWatcherHandle extends WatcherHandle {
  endDue(): boolean;
}

export interface PipeCaptureHandle extends WatcherHandle {
  drain(): boolean;
  total(): number;
  take(): Buffer;
}

export interface KeptFdHandle {
  close(): void;
  release(): void;
}

export interface ScreenHandle {
  passed(nr: number): number;
}

export interface ApartHandle {
  open(pid: number, pidfdFlags: number, targetFd: Fd): Result;
  getsockoptInt(level: number, option: number): Result;
  getsocknamePort(): Result;
  listen(backlog: number): Result;
  shutdown(how: number): Result;
  end(): void;
}

export interface LifelineHandle {
  release(): void;
}

export interface Binding {
  clockGettime(clockId: number): bigint | Result;
  timerfdSettime(fd: Fd, flags: number, newValue: Uint8Array, oldValue: Uint8Array): Result;
  close(fd: Fd): Result;
  openat(dirFd: Fd, path: Uint8Array, flags: number, mode: number): Result;
  openat2(dirFd: Fd, path: Uint8Array, flags: number, mode: number, resolve: number): Result;
  read(fd: Fd, buffer: Uint8Array): Result;
  pollNow(fd: Fd, events: number): Result;
  readFile(path: string, buffer: Uint8Array, all: boolean): Result;
  write(fd: Fd, buffer: Uint8Array): Result;
  lseek(fd: Fd, offset: number, whence: number): Result;
  lseek64(fd: Fd, offset: bigint, whence: number): bigint;
  getdents64(fd: Fd, buffer: Uint8Array): Result;
  fcntl(fd: Fd, command: number, argument: number): Result;
  tee(fdIn: Fd, fdOut: Fd, length: number, flags: number): Result;
  pipe2(ends: Int32Array, flags: number): Result;
  memfdCreate(name: Uint8Array, flags: number): Result;
  fstatMode(fd: Fd): Result;
  fstat(fd: Fd, to: Uint8Array): Result;
  statx(dirFd: Fd, path: Uint8Array, flags: number, mask: number, to: Uint8Array): Result;
  utimensat(dirFd: Fd, path: Uint8Array, times: Uint8Array | null, flags: number): Result;
  closeRange(first: number, last: number, flags: number): Result;
  seccompNotifReceive(listenerFd: Fd, buffer: Uint8Array): Result;
  seccompNotifSend(listenerFd: Fd, id: bigint, val: bigint, error: number, flags: number): Result;
  seccompNotifAddFd(fd: Fd, id: bigint, flags: number, srcFd: Fd, newFd: Fd, newFdFlags: number): Result;
  seccompNotifIdValid(listenerFd: Fd, id: bigint): Result;
  seccompNotifSetFlags(listenerFd: Fd, flags: number | bigint): Result;
  seccompGetNotifSizes(): [number, number, number] | number;
  seccompHasListener(): Result;
  seccompGetActionAvail(action: number): Result;
  seccompSetModeFilter(flags: number, program: Uint8Array): Result;
  processVmReadv(pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number): Result;
  processVmWritev(pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number): Result;
  landlockCreateRuleset(handledFs: bigint, handledNet: bigint, scoped: bigint): Result;
  landlockRulesetQuery(flags: number): Result;
  landlockAddPathRule(rulesetFd: Fd, access: bigint, parentFd: Fd): Result;
  landlockAddEntryRules(rulesetFd: Fd, directoryFd: Fd, names: Uint8Array, identities: BigUint64Array, access: bigint, fileAccess: bigint): Result;
  landlockAddPortRule(rulesetFd: Fd, access: bigint, port: bigint): Result;
  landlockRestrictSelf(rulesetFd: Fd, flags: number): Result;
  landlockRestrictAllThreads(rulesetFd: Fd, flags: number): Result;
  setNoNewPrivs(): Result;
  pidfdOpen(pid: number, flags: number): Result;
  pidfdGetfd(pidfd: Fd, targetFd: Fd, flags: number): Result;
  pidfdSendSignal(pidfd: Fd, signal: number): Result;
  kill(pid: number, signal: number): Result;
  getpgid(pid: number): Result;
  reapPidfd(pidfd: Fd): Result;
  capget(data: Uint32Array): Result;
  capset(data: Uint32Array): Result;
  setfsuid(uid: number): number;
  setfsgid(gid: number): number;
  setgroups(groups: Uint32Array): Result;
  sysinfo(): Result | [uptimeSeconds: number, totalBytes: number, freeBytes: number];
  uname(buffer: Uint8Array): Result;
  kcmpVm(pid1: number, pid2: number): Result;
  schedGetaffinity(tid: number, mask: Uint8Array): Result;
  schedSetaffinity(tid: number, mask: Uint8Array): Result;
  prlimit(pid: number, resource: number, wanted: Uint8Array | null, old: Uint8Array): Result;
  socket(domain: number, type: number, protocol: number): Result;
  setsockopt(fd: Fd, level: number, option: number, value: Uint8Array): Result;
  socketpair(ends: Int32Array, type: number): Result;
  recvMessage(socketFd: Fd, buffer: Uint8Array, received: Int32Array): Result;
  sendMessage(socketFd: Fd, buffer: Uint8Array): Result;
  getsockoptInt(fd: Fd, level: number, option: number): Result;
  getsocknamePort(fd: Fd): Result;
  listen(fd: Fd, backlog: number): Result;
  shutdown(fd: Fd, how: number): Result;
  spawnGuard(programFd: Fd, argv: Uint8Array[], envp: Uint8Array[], moves: Int32Array, above: number, pidfd: Int32Array): Result;
  encodePlan(
    flags: number, nofile: bigint, keepFds: bigint, keepCaps: bigint, ids: Uint32Array,
    cwd: Uint8Array, filter: Uint8Array, cpus: Uint8Array, cgroup: Uint8Array,
  ): Buffer;
  decodeMessage(record: Uint8Array): [number, number, number, number, number, number] | null;
  encodeMessage(type: number, argument: number): Buffer;
  readFileAside(path: Uint8Array, maxBytes: number): Promise<[Buffer, boolean, number] | Result>;
  listFilesAside(directory: Uint8Array, prefix: Uint8Array, maxLinks: number): Promise<[Float64Array, number, number] | Result>;
  readDirectoryAside(fd: Fd, maxBytes: number): Promise<[Buffer, Uint32Array] | Result>;
  guardMessageBytes: number;
  guardFds: number;
  Apart: new () => ApartHandle;
  Lifeline: new (controlFd: Fd, pidfd: Fd) => LifelineHandle;
  ancestry(directory: Uint8Array, name: Uint8Array): BigUint64Array | Result;
  pathLooks(paths: Uint8Array, changing: number): [real: Buffer, fields: BigUint64Array];
  listEntries(path: Uint8Array, look: boolean, links: boolean): [directory: BigUint64Array, names: Buffer, fields: BigUint64Array] | Result;
  KeptFd: new (fd: Fd) => KeptFdHandle;
  PathScreen: new (arch: number, calls: Int32Array, names: Uint8Array, trees: Uint8Array, directories: [Uint8Array, BigUint64Array][]) => ScreenHandle;
  FdWatcher: new (fd: Fd, callback: (status: number, events: number) => void) => WatcherHandle;
  PipeCapture: new (fd: Fd, limitBytes: number, callback: () => void) => PipeCaptureHandle;
  NotifWatcher: new (fd: Fd, buffer: Uint8Array, screen: ScreenHandle | undefined, callback: (received: Result) => void) => NotifWatcherHandle;
}

const root = fileURLToPath(new URL('..', import.meta.url));
let loaded: { binding: Binding; folder: string } | undefined;

function load(): { binding: Binding; folder: string } {
  if (process.platform !== 'linux') {
    throw new SandlockError('ERR_SANDLOCK_UNSUPPORTED_PLATFORM', `Sandlock needs Linux; this is ${process.platform}.`);
  }
  const failures: string[] = [];
  for (const libc of ['glibc', 'musl']) {
    const folder = join(root, 'prebuilds', `linux-${process.arch}-${libc}`);
    const file = join(folder, 'sandlock.node');
    if (!existsSync(file)) continue;
    try {
      return { binding: opened(file), folder };
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new SandlockError(
    'ERR_SANDLOCK_NATIVE_MISSING',
    `No native code for linux-${process.arch} in ${root}prebuilds${failures.length ? `: ${failures.join('; ')}` : ''}. ` +
      'In a checkout, build it with "npm run setup" (python3 and a C++17 compiler).',
  );
}

/** What require() does in the end, without its search: that takes as long as the rest. */
function opened(file: string): Binding {
  const module: { exports: unknown } = { exports: {} };
  process.dlopen(module, file);
  return module.exports as Binding;
}

/** Loaded on first use, so that importing the package is safe on every platform. */
export function binding(): Binding {
  return (loaded ??= load()).binding;
}

/** The guard program that belongs to the addon. */
export function guardFile(): string {
  return join((loaded ??= load()).folder, 'sandlock-guard');
}
