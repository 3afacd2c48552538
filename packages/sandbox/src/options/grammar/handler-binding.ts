/**
 * Handlers as a caller binds them to system calls: by shape, and to calls that exist.
 *
 * Whether a call is denied is for the start to say, since it depends on what the kernel can enforce.
 */
import { nativeArch, syscallNames } from '@sandlock/bpf';
import { isOnlyElsewhere, Syscall, type HandlerBinding, type SyscallLike } from '@sandlock/dispatch';
import { SandlockError } from '@sandlock/sys';

import { nearestName } from '../nearest-name.js';
import { GrammarError, show } from './grammar-error.js';

/** @throws {GrammarError} */
export function parseHandler(value: unknown): HandlerBinding {
  const binding = value as { syscall?: unknown; handler?: unknown; optional?: unknown } | null;
  if (typeof binding !== 'object' || binding === null || binding.syscall === undefined) {
    throw new GrammarError(`A handler is bound to a system call, and this is ${show(value)}.`, 'Make it with on(syscall, handler).');
  }
  const { handler, syscall, optional } = binding;
  const isObject = typeof handler === 'object' && handler !== null && typeof (handler as { handle?: unknown }).handle === 'function';
  if (typeof handler !== 'function' && !isObject) throw new GrammarError(`A handler is a function or an object with handle(), not ${show(handler)}.`);
  checkSyscall(syscall as SyscallLike, optional === true);
  return value as HandlerBinding;
}

function checkSyscall(syscall: SyscallLike, optional: boolean): void {
  const elsewhere = isOnlyElsewhere(syscall);
  if (elsewhere && optional) return;
  try {
    Syscall.from(syscall);
  } catch (error) {
    if (!(error instanceof SandlockError) && !(error instanceof TypeError)) throw error;
    throw new GrammarError(error.message, elsewhere ? 'With optional: true it is left out here.' : guess(syscall));
  }
}

function guess(syscall: unknown): string | undefined {
  const nearest = typeof syscall === 'string' ? nearestName(syscall, syscallNames(nativeArch(process.arch))) : undefined;
  return nearest === undefined ? undefined : `Did you mean ${nearest}?`;
}
