/**
 * A listener without a kernel, for testing handlers and families.
 *
 * It queues notifications, keeps a memory for each task, and says of every response what the
 * kernel would have made of it, refusals included. Nothing is asserted here.
 */
import { AUDIT_ARCH, syscallNumber, type Arch } from '@sandlock/bpf';
import { errnoName, O_CLOEXEC, SECCOMP_ADDFD_FLAG_SEND, SECCOMP_ADDFD_FLAG_SETFD, type ErrnoName } from '@sandlock/sys';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { FakeCall, type FakeInjection, type FakeResponse } from './fake-call.js';
import type { Listener } from './listener.js';
import { runningArch } from './syscall.js';

export { FakeCall, type FakeInjection, type FakeResponse };

export interface FakeNotification {
  readonly args?: readonly (bigint | number)[];
  /** Default 1000. */
  readonly pid?: number;
  readonly flags?: number;
  /** AUDIT_ARCH_*, default the running architecture's. */
  readonly auditArch?: number;
  readonly instructionPointer?: bigint;
}

const { EBADF, EFAULT, EINPROGRESS, EINTR, EINVAL, ENOENT, EPIPE, ESRCH } = constants.errno;
/** What the real one asks again for, instead of saying so. */
const AGAIN: ReadonlySet<number> = new Set([-EINTR, -ENOENT]);

interface Region {
  readonly start: bigint;
  readonly bytes: Buffer;
  readonly writable: boolean;
}

type Faulty = 'receive' | 'send' | 'addFd' | 'makeFile' | 'readMemory' | 'writeMemory' | 'dupFd';

export class FakeListener implements Listener {
  readonly fd: number | undefined = undefined;
  readonly syncWakeUp = true;
  readonly arch: Arch;
  /** Process groups by pid; the supervisor's own is 500 and stands under 0. */
  readonly groups = new Map<number, number>([[0, 500]]);
  /** Signals that were sent: 'task 1000 9', 'group 1000 9'. */
  readonly signals: string[] = [];
  /** Descriptors of targets by pid and number: what `dupFd` gives. */
  readonly targetFds = new Map<string, number>();
  /** Every number given to closeFd, in order. */
  readonly closedFds: number[] = [];
  /** Files that were made and are not closed. */
  readonly openFiles = new Map<number, Buffer>();
  closed = false;
  #nextId = 1n;
  #nextFile = 100_000;
  #hungUp = false;
  #buffer: Buffer | undefined;
  #onReceived: ((received: number) => void) | undefined;
  #wake: NodeJS.Immediate | undefined;
  readonly #waiting: { call: FakeCall; record: Buffer }[] = [];
  readonly #received = new Map<bigint, FakeCall>();
  readonly #memory = new Map<number, Region[]>();
  readonly #faults = new Map<Faulty, number[]>();

  constructor(arch: Arch = runningArch()) {
    this.arch = arch;
  }

  // What a test does

  /** A target makes this call. The supervisor is woken on its next turn. */
  notify(syscall: string | number, notification: FakeNotification = {}): FakeCall {
    const nr = typeof syscall === 'number' ? syscall : syscallNumber(this.arch, syscall);
    if (nr === undefined) throw new TypeError(`${this.arch} has no system call named "${syscall}".`);
    const call = new FakeCall(this.#nextId++, notification.pid ?? 1000);
    const record = Buffer.alloc(80);
    record.writeBigUInt64LE(call.id, 0);
    record.writeUInt32LE(call.pid, 8);
    record.writeUInt32LE(notification.flags ?? 0, 12);
    record.writeInt32LE(nr, 16);
    record.writeUInt32LE(notification.auditArch ?? AUDIT_ARCH[this.arch], 20);
    record.writeBigUInt64LE(notification.instructionPointer ?? 0x1000n, 24);
    (notification.args ?? []).forEach((value, i) => record.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 32 + i * 8));
    this.#waiting.push({ call, record });
    this.#wakeLater();
    return call;
  }

  /** Maps bytes into a task. What is outside of every mapping faults. */
  map(pid: number, start: bigint, content: string | Uint8Array, options: { readonly writable?: boolean } = {}): void {
    const regions = this.#memory.get(pid) ?? [];
    regions.push({ start, bytes: Buffer.from(content as string), writable: options.writable ?? true });
    this.#memory.set(pid, regions);
  }

  /** Maps a string and its NUL. */
  mapString(pid: number, start: bigint, text: string | Uint8Array): void {
    this.map(pid, start, Buffer.concat([Buffer.from(text as string), Buffer.of(0)]));
  }

  /** What a task's memory holds now. */
  memory(pid: number, start: bigint, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    const got = this.readMemory(pid, start, bytes, 0, length);
    return bytes.subarray(0, Math.max(got, 0));
  }

  /** The target is killed or its call interrupted: nobody waits for the answer any more. */
  withdraw(call: FakeCall): void {
    if (call.waits) call.end({ kind: 'withdrawn' });
  }

  /** The next calls of this operation fail, one with each of these; then it works again. */
  fail(operation: Faulty, ...errors: ErrnoName[]): void {
    this.#faults.set(operation, [...(this.#faults.get(operation) ?? []), ...errors.map((name) => -constants.errno[name])]);
    if (operation === 'receive') this.#wakeLater();
  }

  /** The last task that used the filter is gone. */
  hangUp(): void {
    this.#hungUp = true;
    this.#wakeLater();
  }

  // What the supervisor does

  start(buffer: Buffer, onReceived: (received: number) => void): void {
    this.#buffer = buffer;
    this.#onReceived = onReceived;
    this.#wakeLater();
  }

  close(): void {
    this.closed = true;
    this.#onReceived = undefined;
    for (const { call } of this.#waiting) if (call.waits) call.end({ kind: 'closed', errno: 'ENOSYS' });
    for (const call of this.#received.values()) if (call.waits) call.end({ kind: 'closed', errno: 'ENOSYS' });
  }

  ref(): void {}
  unref(): void {}

  /** 1: a notification is in the buffer; 0: none waits; -errno. */
  receive(buffer: Buffer): number {
    const fault = this.#fault('receive');
    if (fault !== undefined) return fault;
    while (this.#waiting.length > 0 && !this.#waiting[0]!.call.waits) this.#waiting.shift();
    const next = this.#waiting.shift();
    if (next === undefined) return this.#hungUp ? -EPIPE : 0;
    next.record.copy(buffer);
    this.#received.set(next.call.id, next.call);
    return 1;
  }

  send(id: bigint, value: bigint, error: number, flags: number): number {
    const fault = this.#fault('send');
    if (fault !== undefined) return fault;
    const call = this.#waitingCall(id);
    if (typeof call === 'number') return call;
    if (flags === 1) {
      if (value !== 0n || error !== 0) return -EINVAL;
      call.end({ kind: 'continue' });
    } else if (flags !== 0) return -EINVAL;
    else if (error === 0) call.end({ kind: 'returnValue', value });
    else call.end({ kind: 'errno', errno: errnoName(error) ?? String(error) });
    return 0;
  }

  addFd(id: bigint, flags: number, srcFd: number, newFd: number, newFdFlags: number): number {
    const fault = this.#fault('addFd');
    if (fault !== undefined) return fault;
    const setFd = (flags & SECCOMP_ADDFD_FLAG_SETFD) !== 0;
    if ((newFdFlags & ~O_CLOEXEC) !== 0 || (newFd !== 0 && !setFd)) return -EINVAL;
    const call = this.#waitingCall(id);
    if (typeof call === 'number') return call;
    const content = this.#contentOf(srcFd);
    if (content === null) return -EBADF;
    const fd = setFd ? newFd : 3 + call.injections.length;
    call.injections.push({ fd, srcFd, cloexec: newFdFlags !== 0, content });
    if ((flags & SECCOMP_ADDFD_FLAG_SEND) !== 0) call.end({ kind: 'fd', fd });
    return fd;
  }

  idValid(id: bigint): number {
    return this.#received.get(id)?.waits === true && !this.closed ? 0 : -ENOENT;
  }

  readMemory(pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number): number {
    return this.#fault('readMemory') ?? this.#copy(pid, address, length, false, (region, from, at, count) => {
      buffer.set(region.bytes.subarray(from, from + count), offset + at);
    });
  }

  writeMemory(pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number): number {
    return this.#fault('writeMemory') ?? this.#copy(pid, address, length, true, (region, from, at, count) => {
      region.bytes.set(buffer.subarray(offset + at, offset + at + count), from);
    });
  }

  dupFd(pid: number, targetFd: number): number {
    return this.#fault('dupFd') ?? this.targetFds.get(`${pid}:${targetFd}`) ?? -EBADF;
  }

  makeFile(content: Uint8Array): number {
    const fault = this.#fault('makeFile');
    if (fault !== undefined) return fault;
    const fd = this.#nextFile++;
    this.openFiles.set(fd, Buffer.from(content));
    return fd;
  }

  closeFd(fd: number): void {
    this.closedFds.push(fd);
    this.openFiles.delete(fd);
  }

  getpgid(pid: number): number {
    return this.groups.get(pid) ?? -ESRCH;
  }

  signalTask(pid: number, signal: number, stillThere: () => boolean): number {
    if (stillThere()) this.signals.push(`task ${pid} ${signal}`);
    return 0;
  }

  signalGroup(pgid: number, signal: number): number {
    this.signals.push(`group ${pgid} ${signal}`);
    return 0;
  }

  #fault(operation: Faulty): number | undefined {
    return this.#faults.get(operation)?.shift();
  }

  #waitingCall(id: bigint): FakeCall | number {
    if (this.closed) return -EBADF;
    const call = this.#received.get(id);
    if (call === undefined || call.response?.kind === 'withdrawn') return -ENOENT;
    return call.waits ? call : -EINPROGRESS;
  }

  /** null: no such descriptor; undefined: one that cannot be read. */
  #contentOf(fd: number): Buffer | undefined | null {
    const made = this.openFiles.get(fd);
    if (made !== undefined) return made;
    try {
      return readFileSync(`/proc/self/fd/${fd}`);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : undefined;
    }
  }

  /** Goes on over adjoining regions and stops short at the first gap, as the kernel does. */
  #copy(
    pid: number, address: bigint, length: number, write: boolean,
    step: (region: Region, from: number, at: number, count: number) => void,
  ): number {
    const regions = this.#memory.get(pid);
    if (regions === undefined) return -ESRCH;
    let done = 0;
    while (done < length) {
      const at = address + BigInt(done);
      const region = regions.find(({ start, bytes }) => at >= start && at < start + BigInt(bytes.length));
      if (region === undefined || (write && !region.writable)) break;
      const from = Number(at - region.start);
      const count = Math.min(length - done, region.bytes.length - from);
      step(region, from, done, count);
      done += count;
    }
    return done === 0 && length > 0 ? -EFAULT : done;
  }

  #wakeLater(): void {
    if (this.#wake !== undefined || this.closed) return;
    this.#wake = setImmediate(() => {
      this.#wake = undefined;
      if (this.#onReceived === undefined) return;
      // One a turn, as the real one; and again while there is more.
      const received = this.receive(this.#buffer!);
      if (received !== 0 && !AGAIN.has(received)) this.#onReceived(received);
      if (received !== 0) this.#wakeLater();
    });
  }
}
