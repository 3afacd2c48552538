/**
 * The virtual time family: the time of day begins at a moment of choice, and goes on at its own pace or not at all.
 *
 * Programs read it from their vDSO, which is patched in every fresh image and costs no system call; by system call, which is
 * answered here; and wait for it, with deadlines that are taken back to the machine's clock. Clocks that count from some
 * event, and every time that counts from now, are the machine's. It is a view and no secret: timestamps of files and sockets
 * are the machine's. What /proc counts from the start of the machine is the proc family's; see VirtualBoot.
 */
import type { Family, HandlerContext } from '@sandlock/dispatch';

import { AT_SYSINFO_EHDR, auxiliaryValue } from '../vdso/auxiliary-vector.js';
import { ownVdsoImage } from '../vdso/own-image.js';
import { deadlines } from './deadlines.js';
import { LentDeadlines } from './lent-deadlines.js';
import { readClocks } from './read-clocks.js';
import type { VirtualClock } from './virtual-clock.js';

export interface VirtualTimeOptions {
  readonly clock: VirtualClock;
}

/** It needs the vDSO patched for the same clock: see vdsoPatch(). */
export function virtualTime({ clock }: VirtualTimeOptions): Family {
  const lent = new LentDeadlines(clock);
  return {
    name: 'virtualTime',
    handlers: { ...readClocks(clock, isVdsoCall), ...deadlines(lent) },
    dispose: () => lent.close(),
  };
}

/** Where in a page the calls of the vDSO's code return to. Most other calls are told by that alone. */
let returns: ReadonlySet<number> | undefined;
const PAGE_MASK = 0xfffn;
const SYSCALL_X86_64 = Buffer.of(0x0f, 0x05);

function isVdsoCall({ pid, instructionPointer }: HandlerContext): boolean {
  if (process.arch === 'x64') {
    returns ??= placesBehind(ownVdsoImage(), SYSCALL_X86_64);
    if (!returns.has(Number(instructionPointer & PAGE_MASK))) return false;
  }
  const base = auxiliaryValue(pid, AT_SYSINFO_EHDR);
  return base !== undefined && instructionPointer > base && instructionPointer <= base + BigInt(ownVdsoImage().length);
}

function placesBehind(image: Buffer, instruction: Buffer): ReadonlySet<number> {
  const places = new Set<number>();
  for (let at = image.indexOf(instruction); at >= 0; at = image.indexOf(instruction, at + 1)) {
    places.add((at + instruction.length) & Number(PAGE_MASK));
  }
  return places;
}
