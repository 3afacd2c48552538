/**
 * Syscall tables from the kernel's own headers.
 *
 * Reads an unpacked linux-libc-dev tree (Debian's package from 6.12 on carries every architecture below
 * usr/lib/linux/uapi) and writes one module per architecture to src/tables, and the errno names beside
 * them. The headers are the contract with user space, so nothing here is maintained by hand.
 *
 *   apt-get download linux-libc-dev && dpkg-deb -x linux-libc-dev_*.deb /tmp/headers
 *   node scripts/generate-syscalls.mjs /tmp/headers/usr
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2];
if (root === undefined || !existsSync(join(root, 'lib/linux/uapi/x86/asm/unistd_64.h'))) {
  console.error('usage: generate-syscalls.mjs DIR, where DIR/lib/linux/uapi/x86/asm/unistd_64.h exists');
  process.exit(2);
}
const tables = fileURLToPath(new URL('../src/tables/', import.meta.url));
mkdirSync(tables, { recursive: true });

const header = (name) => readFileSync(join(root, name), 'utf8');
const uapi = (name) => header(`lib/linux/uapi/${name}`);

const version = ['MAJOR', 'PATCHLEVEL', 'SUBLEVEL']
  .map((part) => define(header('include/linux/version.h'), `LINUX_VERSION_${part}`)).join('.');

/** AUDIT_ARCH_* of include/uapi/linux/audit.h: the ELF machine with two flag bits. */
const audit = header('include/linux/audit.h');
const elf = header('include/linux/elf-em.h');
function auditArch(name) {
  const flags = { __AUDIT_ARCH_64BIT: 0x80000000, __AUDIT_ARCH_LE: 0x40000000 };
  const expression = new RegExp(`^#define\\s+AUDIT_ARCH_${name}\\s+\\(([^)]*)\\)`, 'm').exec(audit)[1];
  return expression.split('|').reduce((sum, term) => sum + (flags[term] ?? Number(define(elf, term))), 0);
}

const architectures = [
  { arch: 'x86_64', file: 'x86/asm/unistd_64.h', audit: 'X86_64' },
  { arch: 'x32', file: 'x86/asm/unistd_x32.h', audit: 'X86_64' },
  { arch: 'i386', file: 'x86/asm/unistd_32.h', audit: 'I386' },
  { arch: 'aarch64', file: 'arm64/asm/unistd_64.h', audit: 'AARCH64' },
  // unistd.h adds the calls that are private to ARM, and the second name of one.
  { arch: 'arm', file: 'arm/asm/unistd-eabi.h', extra: 'arm/asm/unistd.h', audit: 'ARM' },
  { arch: 'riscv64', file: 'riscv/asm/unistd_64.h', audit: 'RISCV64' },
];

for (const { arch, file, extra, audit: auditName } of architectures) {
  const text = uapi(file) + (extra === undefined ? '' : uapi(extra));
  const numbers = syscalls(text);
  const lines = [...numbers].sort((a, b) => a[1] - b[1] || 0)
    .map(([name, nr]) => `    ${name}: ${nr >= 0x40000000 ? `0x${nr.toString(16)}` : nr},`);
  writeFileSync(join(tables, `${arch}.ts`), `/**
 * System calls of ${arch}: ${numbers.size} names.
 *
 * Generated from Linux ${version}, ${file}${extra === undefined ? '' : ` and ${extra}`}, by scripts/generate-syscalls.mjs.
 */
import { type SyscallTable } from './syscall-table.js';

export const ${arch}: SyscallTable = {
  arch: '${arch}',
  auditArch: 0x${auditArch(auditName).toString(16)},
  kernel: '${version}',
  numbers: {
${lines.join('\n')}
  },
};
`);
  console.log(`${arch}: ${numbers.size} system calls of Linux ${version}`);
}

const errnos = new Map();
for (const file of ['errno-base.h', 'errno.h']) {
  for (const [, name, value] of header(`include/asm-generic/${file}`).matchAll(/^#define\s+(E[A-Z0-9]+)\s+(\w+)/gm)) {
    errnos.set(name, /^\d+$/.test(value) ? Number(value) : errnos.get(value) ?? unread(name, value));
  }
}
writeFileSync(join(tables, 'errno-numbers.ts'), `/**
 * Errno names: ${errnos.size}. x86, ARM and RISC-V all use the generic numbers; where two names share a number,
 * the first is the usual one.
 *
 * Generated from Linux ${version}, asm-generic/errno-base.h and errno.h, by scripts/generate-syscalls.mjs.
 */
export const ERRNO_NUMBERS = {
${[...errnos].map(([name, number]) => `  ${name}: ${number},`).join('\n')}
} as const;
`);
console.log(`errno: ${errnos.size} names`);

function define(text, name) {
  return new RegExp(`^#define\\s+${name}\\s+(\\S+)`, 'm').exec(text)[1];
}

/** Name to number, from the three forms these headers use: a number, a base plus a number, another name. */
function syscalls(text) {
  const bases = { __X32_SYSCALL_BIT: 0x40000000, __NR_SYSCALL_BASE: 0, __ARM_NR_BASE: 0xf0000 };
  const numbers = new Map();
  const add = (name, nr) => {
    if (numbers.has(name) && numbers.get(name) !== nr) throw new Error(`${name} is ${numbers.get(name)} and ${nr}`);
    numbers.set(name, nr);
  };
  for (const [, name, value] of text.matchAll(/^#define\s+(__(?:ARM_)?NR_\w+)[ \t]+(.+?)[ \t]*$/gm)) {
    if (/^__NR_(OABI_)?SYSCALL_|^__ARM_NR_BASE$/.test(name)) continue; // bases and masks, not calls
    const call = name.replace(/^__(ARM_)?NR_/, '');
    const sum = /^\((\w+)\s*\+\s*(\w+)\)$/.exec(value);
    if (/^\d+$/.test(value)) add(call, Number(value));
    else if (sum !== null && sum[1] in bases) add(call, bases[sum[1]] + Number(sum[2]));
    else if (/^__NR_\w+$/.test(value)) add(call, numbers.get(value.slice('__NR_'.length)) ?? unread(name, value));
    else unread(name, value);
  }
  return numbers;
}

function unread(name, value) {
  throw new Error(`Cannot read #define ${name} ${value}`);
}
