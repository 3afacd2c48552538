/**
 * Compilers for the architectures that stubs are made for, and emulators to run what they make. What is not installed is
 * left out, and the test's title says so.
 */
import type { Arch } from '@sandlock/bpf';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { StubArch } from '../../src/vdso/stub-arch.js';
import { aarch64 } from '../../src/vdso/aarch64.js';
import { riscv64 } from '../../src/vdso/riscv64.js';
import { x86_64 } from '../../src/vdso/x86-64.js';

const PAGE_BYTES = 4096;
const source = (name: string) => fileURLToPath(new URL(`../targets/vdso/${name}`, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'vdso-test-'));

/** For afterAll. */
export const removeAll = (): void => rmSync(directory, { recursive: true });

export interface Toolchain {
  readonly arch: Arch;
  readonly stubArch: StubArch;
  readonly prefix: string;
  readonly tools: string;
  readonly run: readonly string[];
  /** An instruction that means something else elsewhere. */
  readonly unmovable?: string;
  /** Ways to compile the image. */
  readonly variants: readonly (readonly string[])[];
}

const native = process.arch === 'x64';
export const toolchains: readonly Toolchain[] = [
  { arch: 'x86_64', stubArch: x86_64, prefix: '__vdso_', tools: native ? '' : 'x86_64-linux-gnu-', run: native ? [] : ['qemu-x86_64'], variants: [[]] },
  {
    arch: 'aarch64', stubArch: aarch64, prefix: '__kernel_', tools: process.arch === 'arm64' ? '' : 'aarch64-linux-gnu-',
    run: process.arch === 'arm64' ? [] : ['qemu-aarch64'],
    unmovable: 'cbz x7, .+8',
    variants: [[], ['-mbranch-protection=standard'], ['-mbranch-protection=pac-ret+leaf+bti']],
  },
  {
    arch: 'riscv64', stubArch: riscv64, prefix: '__vdso_', tools: process.arch === 'riscv64' ? '' : 'riscv64-linux-gnu-',
    run: process.arch === 'riscv64' ? [] : ['qemu-riscv64'], unmovable: 'auipc a7, 0', variants: [['-march=rv64gc'], ['-march=rv64g']],
  },
];

const works = (command: string) => spawnSync(command, ['--version']).status === 0;
export const hasAssembler = ({ tools }: Toolchain) => works(`${tools}as`) && works(`${tools}objcopy`);
export const canRun = (chain: Toolchain) => works(`${chain.tools}gcc`) && chain.run.every(works);

export function assembled({ tools, arch }: Toolchain, text: string): Buffer {
  const [input, object, output] = ['in.s', 'out.o', 'out.bin'].map((name) => join(directory, `${arch}-${name}`)) as [string, string, string];
  const head = { x86_64: '.intel_syntax noprefix', riscv64: '.option norvc\n.option norelax' }[arch as string] ?? '';
  writeFileSync(input, `${head}\n${text}\n`);
  must([`${tools}as`, ...(arch === 'riscv64' ? ['-march=rv64gc'] : []), '-o', object, input]);
  must([`${tools}objcopy`, '-O', 'binary', '-j', '.text', object, output]);
  return readFileSync(output);
}

/**
 * The image of test/targets/vdso, as it would be mapped.
 *
 * @param first what its functions begin with: as a compiler's own choice, it may not be what a test is about
 */
export function image({ tools, arch, prefix }: Toolchain, variant: readonly string[], first = 'nop; nop'): Buffer {
  const output = join(directory, `${arch}-image${variant.join('')}${first.length}.so`);
  if (!existsSync(output)) must([`${tools}gcc`, '-O2', '-shared', '-fPIC', '-nostdlib', '-ffreestanding', '-fno-asynchronous-unwind-tables', ...variant, `-DPREFIX=${prefix}`, `-DFIRST="${first}"`,
    '-Wl,--hash-style=both', '-Wl,--build-id=none', '-Wl,-T', source('image.lds'), '-s', '-o', output, source('image.c')]);
  const file = readFileSync(output);
  const mapped = Buffer.alloc(Math.ceil(file.length / PAGE_BYTES) * PAGE_BYTES);
  file.copy(mapped);
  return mapped;
}

/** What the functions of an image answer, line by line. */
export function answers(chain: Toolchain, bytes: Buffer): string[] {
  const [program, file] = [join(directory, `${chain.arch}-host`), join(directory, `${chain.arch}-image.bin`)];
  writeFileSync(file, bytes);
  if (!existsSync(program)) must([`${chain.tools}gcc`, '-O1', '-static', '-o', program, source('host.c')]);
  return must([...chain.run, program, file, chain.prefix]).trim().split('\n');
}

function must([command, ...args]: readonly string[]): string {
  const { status, signal, stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`${command!} ${args.join(' ')}: ${status ?? signal}\n${stderr}`);
  return stdout;
}
