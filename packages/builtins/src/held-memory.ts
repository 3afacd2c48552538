/**
 * Memory of a target, held: what is written goes to the program that made the call, or nowhere.
 *
 * A process's number may be another's by the time its memory is opened. So it is opened first, and asked then whether the
 * call still waits: if it does, the number was that program's all along. What is held is the address space and not the
 * number; once the process has ended or executed another program, there is nothing left to read or write in it.
 * Through the file, which pays no regard to protection: what is written may be a constant, or code.
 * proc_pid_mem(5); fs/proc/base.c, mem_rw(); seccomp_unotify(2), "Caveats regarding the use of /proc/[tid]/mem"
 */
import type { HandlerContext } from '@sandlock/dispatch';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** A double counts no further, and no program of ours has memory there. */
const END = 2n ** 53n;

export class HeldMemory {
  #fd: number;

  /** @returns undefined: the call is over @throws what keeps us from opening it */
  static of(call: Pick<HandlerContext, 'pid' | 'isValid'>): HeldMemory | undefined {
    const held = new HeldMemory(openSync(`/proc/${call.pid}/mem`, 'r+'));
    if (call.isValid()) return held;
    held.close();
    return undefined;
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns undefined where it cannot be read whole */
  read(address: bigint, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length);
    return this.#whole(address, length, (at) => readSync(this.#fd, bytes, 0, length, at)) ? bytes : undefined;
  }

  /** @returns whether it is written whole */
  write(address: bigint, bytes: Uint8Array): boolean {
    return this.#whole(address, bytes.length, (at) => writeSync(this.#fd, bytes, 0, bytes.length, at));
  }

  /** From here on nothing is read or written. */
  close(): void {
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #whole(address: bigint, length: number, done: (at: number) => number): boolean {
    if (address + BigInt(length) > END) return false;
    try {
      return done(Number(address)) === length;
    } catch {
      return false;
    }
  }
}
