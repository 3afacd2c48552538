/**
 * Credentials of the calling thread alone.
 *
 * The kernel keeps them thread by thread; it is the C library that changes all threads of a process at once. So a
 * supervisor can do one thing with less, or as somebody else, on the thread that runs its JavaScript, while the rest of
 * the process stays what it is. Nothing may be awaited in between.
 * capget(2), setfsuid(2), setgroups(2), "C library/kernel differences"
 */
import { binding } from './binding.js';
import { check } from './errors.js';

/** Sets of capabilities, bit n for capability n. */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** @see capget(2) */
export function capget(): CapabilitySets {
  const data = new Uint32Array(6);
  check('capget', binding().capget(data));
  const set = (n: number): bigint => BigInt(data[n]!) | (BigInt(data[n + 3]!) << 32n);
  return { effective: set(0), permitted: set(1), inheritable: set(2) };
}

/** @throws {SyscallError} EPERM for what is not permitted @see capset(2) */
export function capset(sets: CapabilitySets): void {
  const all = [sets.effective, sets.permitted, sets.inheritable];
  check('capset', binding().capset(Uint32Array.from([
    ...all.map((set) => Number(set & 0xffffffffn)), ...all.map((set) => Number(set >> 32n)),
  ])));
}

/**
 * The user that file access is judged by. Reports no error: whether it changed shows in the next call's result. With it
 * the process stops being dumpable and its parent-death signal is cleared, as with every change of a user id.
 *
 * @returns the id before
 * @see setfsuid(2)
 */
export function setfsuid(uid: number): number {
  return binding().setfsuid(uid);
}

/** The same for the group. @returns the id before @see setfsgid(2) */
export function setfsgid(gid: number): number {
  return binding().setfsgid(gid);
}

/** The supplementary groups. @throws {SyscallError} EPERM without CAP_SETGID @see setgroups(2) */
export function setgroups(groups: readonly number[]): void {
  check('setgroups', binding().setgroups(Uint32Array.from(groups)));
}
