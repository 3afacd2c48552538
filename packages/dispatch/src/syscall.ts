/**
 * System call numbers that are known to exist.
 *
 * A number that the architecture does not have would make a filter rule that never fires, so numbers
 * and names are looked up in the exact table, never range-tested.
 */
import { nativeArch, syscallName, syscallNumber, type Arch } from '@sandlock/bpf';

import { HandlerError, handlerTypeError } from './errors.js';

/** What a system call may be given as. A string is always a name: '2' is not the number 2. */
export type SyscallLike = string | number | Syscall;

let running: Arch | undefined;

/** The architecture that this process runs on. */
export function runningArch(): Arch {
  return (running ??= nativeArch(process.arch));
}

export class Syscall {
  readonly nr: number;
  readonly name: string;
  readonly arch: Arch;

  private constructor(nr: number, name: string, arch: Arch) {
    this.nr = nr;
    this.name = name;
    this.arch = arch;
    Object.freeze(this);
  }

  /**
   * @throws {TypeError} not an integer
   * @throws {HandlerError} ERR_SANDLOCK_HANDLER_NEGATIVE, ERR_SANDLOCK_HANDLER_UNKNOWN_NUMBER
   */
  static checked(nr: number, arch: Arch = runningArch()): Syscall {
    if (typeof nr !== 'number' || !Number.isInteger(nr)) {
      throw handlerTypeError(`A system call number is an integer, not ${describe(nr)}.`);
    }
    if (nr < 0) {
      throw new HandlerError('ERR_SANDLOCK_HANDLER_NEGATIVE',
        `System call number ${nr} is negative; numbers start at 0.`, { syscall: nr });
    }
    const name = syscallName(arch, nr);
    if (name === undefined) {
      throw new HandlerError('ERR_SANDLOCK_HANDLER_UNKNOWN_NUMBER',
        `${arch} has no system call with number ${nr}.`, { syscall: nr });
    }
    return new Syscall(nr, name, arch);
  }

  /**
   * @param name the libc spelling: newfstatat also where the kernel's table says fstatat
   * @throws {HandlerError} ERR_SANDLOCK_HANDLER_UNKNOWN_NAME, also for a call that only other architectures have
   */
  static fromName(name: string, arch: Arch = runningArch()): Syscall {
    if (typeof name !== 'string') throw handlerTypeError(`A system call name is a string, not ${describe(name)}.`);
    const nr = syscallNumber(arch, name);
    if (nr === undefined) {
      throw new HandlerError('ERR_SANDLOCK_HANDLER_UNKNOWN_NAME',
        `${arch} has no system call named "${name}".`, { syscall: name });
    }
    return new Syscall(nr, name, arch);
  }

  /** A name, a number or a Syscall, as the Syscall of this architecture. */
  static from(syscall: SyscallLike, arch: Arch = runningArch()): Syscall {
    if (syscall instanceof Syscall) return syscall.arch === arch ? syscall : Syscall.fromName(syscall.name, arch);
    if (typeof syscall === 'string') return Syscall.fromName(syscall, arch);
    if (typeof syscall === 'number') return Syscall.checked(syscall, arch);
    throw handlerTypeError(`A system call is a name, a number or a Syscall, not ${describe(syscall)}.`);
  }
}

const ARCHITECTURES: readonly Arch[] = ['x86_64', 'aarch64', 'riscv64', 'x32', 'i386', 'arm'];

/** Whether it names a call that this architecture lacks and another has. */
export function isOnlyElsewhere(syscall: SyscallLike, arch: Arch = runningArch()): boolean {
  return typeof syscall === 'string' && syscallNumber(arch, syscall) === undefined
    && ARCHITECTURES.some((other) => syscallNumber(other, syscall) !== undefined);
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `the string "${value}"` : String(value);
}
