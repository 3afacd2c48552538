/**
 * Stubs for aarch64.
 *
 * Programs may have looked the symbols up before their first system call, so it is the function that is changed: its first
 * instruction becomes a branch to the stub. What stood there is moved in front of a branch back, and that is what the
 * stub calls; where it cannot be moved, the stub makes the system call. A landing pad, where branch targets are checked,
 * stays the first instruction.
 * Arm A-profile reference manual, "BTI", "PACIASP", "B"; vdso(7), "ARM64 functions"
 */
import { layoutError } from './errors.js';
import type { StubArch } from './stub-arch.js';
import { stubCode, type Link } from './stub-code.js';
import type { VdsoFunction } from './vdso-image.js';

const link: Link = (code, from, at, to) => {
  const words = (to - at) / 4;
  if (words < -(2 ** 25) || words >= 2 ** 25) throw layoutError('its code is too long for a branch');
  code.writeUInt32LE(((code.readUInt32LE(from) & 0xfc000000) | (words & 0x03ffffff)) >>> 0, from);
};

const ADDITION = (modulus: number, literals: readonly [string, string, string]): string => `
  22 0c 40 a9              |    ldp x2, x3, [x1]
  ${literals[0]} 00 58              |    ldr x4, 7f
  ${literals[1]} 00 58              |    ldr x5, 8f
  ${literals[2]} 00 58              |    ldr x6, 9f
  42 00 04 8b              |    add x2, x2, x4
  63 00 05 8b              |    add x3, x3, x5
  7f 00 06 eb              |    cmp x3, x6
  6b 00 00 54              |    b.lt 2f
  63 00 06 cb              |    sub x3, x3, x6
  42 04 00 91              |    add x2, x2, #1
  22 0c 00 a9              | 2: stp x2, x3, [x1]
  c0 03 5f d6              | 3: ret
  ${modulus === 1_000_000_000 ? '1f 20 03 d5              |    nop' : ''}
  00 00 00 00 00 00 00 00  | 7: .quad seconds
  00 00 00 00 00 00 00 00  | 8: .quad fraction
  ${modulus === 1_000_000_000 ? '00 ca 9a 3b' : '40 42 0f 00'} 00 00 00 00  | 9: .quad ${modulus}
`;

const PUT = ([seconds, fraction]: readonly [string, string], padding = ''): string => `
  ${seconds} 00 00 58              |    ldr x2, 7f
  ${fraction} 00 00 58              |    ldr x3, 8f
  22 0c 00 a9              |    stp x2, x3, [x1]
  c0 03 5f d6              | 3: ret
  ${padding}
  00 00 00 00 00 00 00 00  | 7: .quad seconds
  00 00 00 00 00 00 00 00  | 8: .quad fraction
`;

/** @param skip the jump over `tail` where there is nothing to change */
const clockGettime = (skip: string, tail: string) => stubCode(`
  c0 00 00 34              |    cbz w0, 1f                   // CLOCK_REALTIME
  1f 14 00 71              |    cmp w0, #5                   // CLOCK_REALTIME_COARSE
  80 00 00 54              |    b.eq 1f
  1f 2c 00 71              |    cmp w0, #11                  // CLOCK_TAI
  40 00 00 54              |    b.eq 1f
  00 00 00 14              |    b original
  fd 7b be a9              | 1: stp x29, x30, [sp, #-32]!
  fd 03 00 91              |    mov x29, sp
  e1 0b 00 f9              |    str x1, [sp, #16]
  00 00 00 94              |    bl original
  e1 0b 40 f9              |    ldr x1, [sp, #16]
  fd 7b c2 a8              |    ldp x29, x30, [sp], #32
  ${skip} 00 35              |    cbnz w0, 3f
  ${tail}
`);

const gettimeofday = (skip: string, skipZone: string, tail: string) => stubCode(`
  fd 7b be a9              |    stp x29, x30, [sp, #-32]!
  fd 03 00 91              |    mov x29, sp
  e0 0b 00 f9              |    str x0, [sp, #16]
  00 00 00 94              |    bl original
  e1 0b 40 f9              |    ldr x1, [sp, #16]
  fd 7b c2 a8              |    ldp x29, x30, [sp], #32
  ${skip} 00 35              |    cbnz w0, 3f
  ${skipZone} 00 b4              |    cbz x1, 3f                   // only the time zone was asked for
  ${tail}
`);

const getrandom = stubCode(`
  a0 04 80 92              |    mov x0, #-38                 // ENOSYS
  c0 03 5f d6              |    ret
`);

/** movz x8, nr; svc 0; ret */
function systemCall(nr: number): Buffer {
  const code = Buffer.alloc(12);
  [(0xd2800008 | (nr << 5)) >>> 0, 0xd4000001, 0xd65f03c0].forEach((word, i) => code.writeUInt32LE(word, i * 4));
  return code;
}

/** bti, bti c, bti j, bti jc. */
const LANDING_PADS: ReadonlySet<number> = new Set([0xd503241f, 0xd503245f, 0xd503249f, 0xd50324df]);
const BTI_C = 0xd503245f;
/** A landing pad as well, and more than that. */
const PACIASP = 0xd503233f;
const BRANCH = 0x14000000;

export const aarch64: StubArch = {
  names: {
    clock_gettime: ['__kernel_clock_gettime'], gettimeofday: ['__kernel_gettimeofday'], time: [], getrandom: ['__kernel_getrandom'],
  },
  stubs: {
    clock_gettime: clockGettime('80 01', ADDITION(1_000_000_000, ['84 01', 'a5 01', 'c6 01'])),
    gettimeofday: gettimeofday('a0 01', '81 01', ADDITION(1_000_000, ['64 01', '85 01', 'a6 01'])),
    time: stubCode(''),
    getrandom,
  },
  frozen: {
    clock_gettime: clockGettime('80 00', PUT(['a2', 'c3'], '1f 20 03 d5              |    nop')),
    gettimeofday: gettimeofday('a0 00', '81 00', PUT(['82', 'a3'])),
  },
  link,
  original(image, fn, slack, nr) {
    const { from, to } = displaced(image, fn);
    if (!isMovable(image, fn, from, to)) return slack.append(systemCall(nr));
    const code = Buffer.alloc(to - from + 4);
    image.copy(code, 0, from, to);
    code.writeUInt32LE(BRANCH, to - from);
    link(code, to - from, slack.next + to - from, to);
    return slack.append(code);
  },
  divert(image, fn, stub) {
    const { from, to, pad } = displaced(image, fn);
    const after = Buffer.from(image.subarray(from, to));
    if (pad) after.writeUInt32LE(BTI_C, 0);
    const branch = to - from - 4;
    after.writeUInt32LE(BRANCH, branch);
    link(after, branch, from + branch, stub);
    return [{ at: from, before: Buffer.from(image.subarray(from, to)), after }];
  },
};

/** Which instructions give way. @throws {VdsoError} there is no room for a branch */
function displaced(image: Buffer, fn: VdsoFunction): { from: number; to: number; pad: boolean } {
  const first = image.readUInt32LE(fn.entry);
  const pad = first === PACIASP;
  const from = LANDING_PADS.has(first) ? fn.entry + 4 : fn.entry;
  const to = from + (pad ? 8 : 4);
  if (to > fn.entry + fn.size) throw layoutError(`${fn.name} is too short`);
  return { from, to, pad };
}

/** Whether instructions mean the same elsewhere, and nothing in the function goes back to them. */
function isMovable(image: Buffer, fn: VdsoFunction, from: number, to: number): boolean {
  for (let at = from; at < to; at += 4) if (isRelative(image.readUInt32LE(at))) return false;
  for (let at = to; at + 4 <= fn.entry + fn.size; at += 4) {
    const target = branchTarget(image.readUInt32LE(at), at);
    if (target !== undefined && target >= fn.entry && target < to) return false;
  }
  return true;
}

function isRelative(word: number): boolean {
  return branchTarget(word, 0) !== undefined
    || (word & 0x1f000000) === 0x10000000 // adr, adrp
    || (word & 0x3b000000) === 0x18000000; // ldr (literal)
}

function branchTarget(word: number, at: number): number | undefined {
  if ((word & 0x7c000000) === 0x14000000) return at + ((word << 6) >> 6) * 4; // b, bl
  if ((word & 0xff000000) >>> 0 === 0x54000000 || (word & 0x7e000000) === 0x34000000) return at + ((word << 8) >> 13) * 4; // b.cond, cbz
  if ((word & 0x7e000000) === 0x36000000) return at + ((word << 13) >> 18) * 4; // tbz
  return undefined;
}
