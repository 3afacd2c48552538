/**
 * Stubs for riscv64: as those for aarch64, with instructions of 2 and of 4 bytes.
 * The RISC-V instruction set manual, "RV32I", "C" and "auipc"; vdso(7), "riscv functions"
 */
import { layoutError } from './errors.js';
import type { StubArch } from './stub-arch.js';
import { stubCode, type Link } from './stub-code.js';
import type { VdsoFunction } from './vdso-image.js';

/** auipc and jalr of a call, which reach everything. */
const link: Link = (code, from, at, to) => {
  const distance = to - at;
  const low = (distance << 20) >> 20;
  code.writeUInt32LE((code.readUInt32LE(from) | (distance - low)) >>> 0, from);
  code.writeUInt32LE((code.readUInt32LE(from + 4) | (low << 20)) >>> 0, from + 4);
};

const ADDITION = (modulus: number): string => `
  03 b6 05 00              |    ld a2, 0(a1)
  83 b6 85 00              |    ld a3, 8(a1)
  17 07 00 00              |    auipc a4, 0
  83 37 07 03              |    ld a5, 48(a4)
  03 38 87 03              |    ld a6, 56(a4)
  83 38 07 04              |    ld a7, 64(a4)
  33 06 f6 00              |    add a2, a2, a5
  b3 86 06 01              |    add a3, a3, a6
  63 c6 16 01              |    blt a3, a7, 2f
  b3 86 16 41              |    sub a3, a3, a7
  13 06 16 00              |    addi a2, a2, 1
  23 b0 c5 00              | 2: sd a2, 0(a1)
  23 b4 d5 00              |    sd a3, 8(a1)
  67 80 00 00              | 3: ret
  00 00 00 00 00 00 00 00  |    .quad seconds
  00 00 00 00 00 00 00 00  |    .quad fraction
  ${modulus === 1_000_000_000 ? '00 ca 9a 3b' : '40 42 0f 00'} 00 00 00 00  |    .quad ${modulus}
`;

const PUT = `
  17 07 00 00              |    auipc a4, 0
  83 37 87 01              |    ld a5, 24(a4)
  03 38 07 02              |    ld a6, 32(a4)
  23 b0 f5 00              |    sd a5, 0(a1)
  23 b4 05 01              |    sd a6, 8(a1)
  67 80 00 00              | 3: ret
  00 00 00 00 00 00 00 00  |    .quad seconds
  00 00 00 00 00 00 00 00  |    .quad fraction
`;

/** @param far the last byte of the jumps over `tail`: how many times 16 bytes they go beyond what the others say */
const clockGettime = (far: string, tail: string) => stubCode(`
  63 0e 05 00              |    beqz a0, 1f                  # CLOCK_REALTIME
  13 06 50 00              |    li a2, 5                     # CLOCK_REALTIME_COARSE
  63 0a c5 00              |    beq a0, a2, 1f
  13 06 b0 00              |    li a2, 11                    # CLOCK_TAI
  63 06 c5 00              |    beq a0, a2, 1f
  17 03 00 00 67 00 03 00  |    tail original
  13 01 01 fe              | 1: addi sp, sp, -32
  23 3c 11 00              |    sd ra, 24(sp)
  23 38 b1 00              |    sd a1, 16(sp)
  97 00 00 00 e7 80 00 00  |    call original
  83 30 81 01              |    ld ra, 24(sp)
  83 35 01 01              |    ld a1, 16(sp)
  13 01 01 02              |    addi sp, sp, 32
  63 1c 05 ${far}              |    bnez a0, 3f
  ${tail}
`);

const gettimeofday = (far: string, tail: string) => stubCode(`
  13 01 01 fe              |    addi sp, sp, -32
  23 3c 11 00              |    sd ra, 24(sp)
  23 38 a1 00              |    sd a0, 16(sp)
  97 00 00 00 e7 80 00 00  |    call original
  83 30 81 01              |    ld ra, 24(sp)
  83 35 01 01              |    ld a1, 16(sp)
  13 01 01 02              |    addi sp, sp, 32
  63 1e 05 ${far}              |    bnez a0, 3f
  63 8c 05 ${far}              |    beqz a1, 3f                  # only the time zone was asked for
  ${tail}
`);

const getrandom = stubCode(`
  13 05 a0 fd              |    li a0, -38                   # ENOSYS
  67 80 00 00              |    ret
`);

const JAL_ZERO = 0x6f; // jal zero, i.e. j
const JUMP_BYTES = 4;

export const riscv64: StubArch = {
  names: {
    clock_gettime: ['__vdso_clock_gettime'], gettimeofday: ['__vdso_gettimeofday'], time: [], getrandom: ['__vdso_getrandom'],
  },
  stubs: {
    clock_gettime: clockGettime('02', ADDITION(1_000_000_000)), gettimeofday: gettimeofday('02', ADDITION(1_000_000)), time: stubCode(''), getrandom,
  },
  frozen: { clock_gettime: clockGettime('00', PUT), gettimeofday: gettimeofday('00', PUT) },
  link,
  original(image, fn, slack, nr) {
    const to = displacedEnd(image, fn);
    if (!isMovable(image, fn, to)) return slack.append(systemCall(nr));
    const code = Buffer.alloc(to - fn.entry + JUMP_BYTES);
    image.copy(code, 0, fn.entry, to);
    code.writeUInt32LE(jump(slack.next + to - fn.entry, to), to - fn.entry);
    return slack.append(code);
  },
  divert(image, fn, stub) {
    const after = Buffer.alloc(JUMP_BYTES);
    after.writeUInt32LE(jump(fn.entry, stub), 0);
    return [{ at: fn.entry, before: Buffer.from(image.subarray(fn.entry, fn.entry + JUMP_BYTES)), after }];
  },
};

function jump(at: number, to: number): number {
  const distance = to - at;
  if (distance < -(2 ** 20) || distance >= 2 ** 20) throw layoutError('its code is too long for a jump');
  const bits = (high: number, low: number): number => (distance >> low) & (2 ** (high - low + 1) - 1);
  return (JAL_ZERO | (bits(20, 20) << 31) | (bits(10, 1) << 21) | (bits(11, 11) << 20) | (bits(19, 12) << 12)) >>> 0;
}

/** li a7, nr; ecall; ret */
function systemCall(nr: number): Buffer {
  const code = Buffer.alloc(12);
  [0x00000893 | (nr << 20), 0x00000073, 0x00008067].forEach((word, i) => code.writeUInt32LE(word >>> 0, i * 4));
  return code;
}

/** Where the instructions end that give way to a jump. @throws {VdsoError} there is no room for it */
function displacedEnd(image: Buffer, fn: VdsoFunction): number {
  let to = fn.entry;
  while (to < fn.entry + JUMP_BYTES) to += length(image, to);
  if (to > fn.entry + fn.size) throw layoutError(`${fn.name} is too short`);
  return to;
}

/** Whether instructions mean the same elsewhere, and nothing in the function goes back to them. */
function isMovable(image: Buffer, fn: VdsoFunction, to: number): boolean {
  for (let at = fn.entry; at < to; at += length(image, at)) if (isRelative(image, at)) return false;
  for (let at = to; at + 2 <= fn.entry + fn.size; at += length(image, at)) {
    const target = branchTarget(image, at);
    if (target !== undefined && target >= fn.entry && target < to) return false;
  }
  return true;
}

function length(image: Buffer, at: number): 2 | 4 {
  return (image.readUInt16LE(at) & 3) === 3 ? 4 : 2;
}

function isRelative(image: Buffer, at: number): boolean {
  const isAuipc = (image.readUInt16LE(at) & 0x7f) === 0x17;
  return isAuipc || branchTarget(image, at) !== undefined;
}

function branchTarget(image: Buffer, at: number): number | undefined {
  if (length(image, at) === 2) {
    const half = image.readUInt16LE(at);
    const bit = (from: number, to: number): number => ((half >> from) & 1) << to;
    if ((half & 0xe003) === 0xa001) { // c.j
      const offset = bit(12, 11) | bit(11, 4) | bit(10, 9) | bit(9, 8) | bit(8, 10) | bit(7, 6) | bit(6, 7)
        | bit(5, 3) | bit(4, 2) | bit(3, 1) | bit(2, 5);
      return at + ((offset << 20) >> 20);
    }
    if ((half & 0xc003) !== 0xc001) return undefined; // c.beqz, c.bnez
    const offset = bit(12, 8) | bit(11, 4) | bit(10, 3) | bit(6, 7) | bit(5, 6) | bit(4, 2) | bit(3, 1) | bit(2, 5);
    return at + ((offset << 23) >> 23);
  }
  const word = image.readInt32LE(at);
  const field = (from: number, count: number, to: number): number => ((word >>> from) & (2 ** count - 1)) << to;
  if ((word & 0x7f) === 0x6f) { // jal
    return at + (((field(31, 1, 20) | field(21, 10, 1) | field(20, 1, 11) | field(12, 8, 12)) << 11) >> 11);
  }
  if ((word & 0x7f) !== 0x63) return undefined;
  return at + (((field(31, 1, 12) | field(25, 6, 5) | field(8, 4, 1) | field(7, 1, 11)) << 19) >> 19);
}
