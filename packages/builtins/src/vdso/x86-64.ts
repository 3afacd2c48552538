/**
 * Stubs for x86_64.
 *
 * Whoever calls the vDSO found the function by its symbol, so it is the symbol's value that is changed: the code stays as it
 * is, and a stub can call it. That is as quick as before, where a system call in its place would be several times slower. It
 * needs to be done before the C library looks symbols up.
 * System V ABI, AMD64 supplement, "Parameter Passing"; vdso(7), "x86-64 functions"
 */
import type { StubArch } from './stub-arch.js';
import { stubCode, type Link } from './stub-code.js';

/** rel32, the last 4 bytes of a call or jump. */
const link: Link = (code, from, at, to) => void code.writeInt32LE(to - (at + 5), from + 1);

/** What is done to a result at `[register]`, of as many bytes as the jumps over it say. */
type Tail = readonly [length: number, text: string];

const ADD_TO_TIMESPEC: Tail = [0x30, `
  48 b9 00 00 00 00 00 00 00 00  |    movabs rcx, offset seconds
  48 03 0e                       |    add rcx, qword ptr [rsi]
  ba 00 00 00 00                 |    mov edx, offset fraction
  48 03 56 08                    |    add rdx, qword ptr [rsi+8]
  48 81 fa 00 ca 9a 3b           |    cmp rdx, 1000000000
  7c 0a                          |    jl 2f
  48 81 ea 00 ca 9a 3b           |    sub rdx, 1000000000
  48 ff c1                       |    inc rcx
  48 89 0e                       | 2: mov qword ptr [rsi], rcx
  48 89 56 08                    |    mov qword ptr [rsi+8], rdx
`];

const PUT_TIMESPEC: Tail = [0x16, `
  48 b9 00 00 00 00 00 00 00 00  |    movabs rcx, offset seconds
  48 89 0e                       |    mov qword ptr [rsi], rcx
  b9 00 00 00 00                 |    mov ecx, offset fraction
  48 89 4e 08                    |    mov qword ptr [rsi+8], rcx
`];

const ADD_TO_TIMEVAL: Tail = [0x30, `
  48 b9 00 00 00 00 00 00 00 00  |    movabs rcx, offset seconds
  48 03 0f                       |    add rcx, qword ptr [rdi]
  ba 00 00 00 00                 |    mov edx, offset fraction
  48 03 57 08                    |    add rdx, qword ptr [rdi+8]
  48 81 fa 40 42 0f 00           |    cmp rdx, 1000000
  7c 0a                          |    jl 2f
  48 81 ea 40 42 0f 00           |    sub rdx, 1000000
  48 ff c1                       |    inc rcx
  48 89 0f                       | 2: mov qword ptr [rdi], rcx
  48 89 57 08                    |    mov qword ptr [rdi+8], rdx
`];

const PUT_TIMEVAL: Tail = [0x16, `
  48 b9 00 00 00 00 00 00 00 00  |    movabs rcx, offset seconds
  48 89 0f                       |    mov qword ptr [rdi], rcx
  b9 00 00 00 00                 |    mov ecx, offset fraction
  48 89 4f 08                    |    mov qword ptr [rdi+8], rcx
`];

// Registers are as at entry when `original` is called, and the stack is aligned to 16.
const clockGettime = ([length, tail]: Tail) => stubCode(`
  85 ff                          |    test edi, edi                # CLOCK_REALTIME
  74 0f                          |    je 1f
  83 ff 05                       |    cmp edi, 5                   # CLOCK_REALTIME_COARSE
  74 0a                          |    je 1f
  83 ff 0b                       |    cmp edi, 11                  # CLOCK_TAI
  74 05                          |    je 1f
  e9 00 00 00 00                 |    jmp original
  56                             | 1: push rsi
  e8 00 00 00 00                 |    call original
  5e                             |    pop rsi
  85 c0                          |    test eax, eax
  75 ${hex(length)}                          |    jne 3f
  ${tail}
  c3                             | 3: ret
`);

const gettimeofday = ([length, tail]: Tail) => stubCode(`
  57                             |    push rdi
  e8 00 00 00 00                 |    call original
  5f                             |    pop rdi
  85 c0                          |    test eax, eax
  75 ${hex(length + 5)}                          |    jne 3f
  48 85 ff                       |    test rdi, rdi                # only the time zone was asked for
  74 ${hex(length)}                          |    je 3f
  ${tail}
  c3                             | 3: ret
`);

const time = stubCode(`
  57                             |    push rdi
  48 83 ec 10                    |    sub rsp, 16
  48 89 e6                       |    mov rsi, rsp
  bf 05 00 00 00                 |    mov edi, 5                   # the clock that time(2) shows
  e8 00 00 00 00                 |    call original
  48 98                          |    cdqe
  85 c0                          |    test eax, eax
  75 11                          |    jne 2f
  48 8b 04 24                    |    mov rax, qword ptr [rsp]
  48 8b 7c 24 10                 |    mov rdi, qword ptr [rsp+16]
  48 85 ff                       |    test rdi, rdi
  74 03                          |    je 2f
  48 89 07                       |    mov qword ptr [rdi], rax
  48 83 c4 18                    | 2: add rsp, 24
  c3                             |    ret
`);

const getrandom = stubCode(`
  48 c7 c0 da ff ff ff           |    mov rax, -38                 # ENOSYS
  c3                             |    ret
`);

export const x86_64: StubArch = {
  names: {
    clock_gettime: ['__vdso_clock_gettime', 'clock_gettime'],
    gettimeofday: ['__vdso_gettimeofday', 'gettimeofday'],
    time: ['__vdso_time', 'time'],
    getrandom: ['__vdso_getrandom', 'getrandom'],
  },
  stubs: { clock_gettime: clockGettime(ADD_TO_TIMESPEC), gettimeofday: gettimeofday(ADD_TO_TIMEVAL), time, getrandom },
  frozen: { clock_gettime: clockGettime(PUT_TIMESPEC), gettimeofday: gettimeofday(PUT_TIMEVAL) },
  link,
  original: (_image, fn) => fn.entry,
  divert(image, fn, to) {
    const after = Buffer.alloc(8);
    after.writeBigUInt64LE(BigInt(to));
    return [{ at: fn.valueAt, before: Buffer.from(image.subarray(fn.valueAt, fn.valueAt + 8)), after }];
  },
};

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
