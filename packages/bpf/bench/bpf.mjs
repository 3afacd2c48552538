/**
 * What filters cost: to compile, to run in the kernel, to simulate.
 *
 *   pnpm build && node bench/bpf.mjs
 *
 * Docker's default profile with its default capabilities, for x86_64 with i386 and x32. Path lengths are
 * instructions that the kernel executes for an allowed call, the longest way of each call counted; the
 * constant-allow cache is left out, since libseccomp's filters profit from it as well. libseccomp stands
 * beside where gcc and libseccomp-dev are there to build the peer of the tests.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  AUDIT_ARCH, compileFilter, constantAllows, diff, DOCKER_DEFAULT_CAPABILITIES, encodeAction, explain, pathLengths, readProfile, simulator,
  syscallNames, syscallNumber,
} from '../dist/index.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const OPS = { ne: 1, lt: 2, le: 3, eq: 4, ge: 5, gt: 6, maskedEq: 7 };

/** @returns {{ title: string, columns: string[], rows: (string | number)[][] }[]} tables to print */
export function bench() {
  const text = readFileSync(here('../test/data/docker-default-seccomp.json'), 'utf8');
  const read = () => readProfile(text, { arch: 'x86_64', capabilities: DOCKER_DEFAULT_CAPABILITIES }).description;
  const description = read();
  const filter = compileFilter(description);

  const times = [
    ['read the profile, 14 kB of JSON', median(read, 60)],
    ['compile it', median(() => compileFilter(description), 60)],
    ['explain the filter, three architectures', median(() => explain(filter, ['x86_64', 'i386', 'x32']), 15)],
    ['prove it equal to its linear layout', median(() => diff(filter, compileFilter(description, { layout: 'linear' })), 10)],
  ].map(([what, ms]) => [what, `${ms.toFixed(2)} ms`]);
  times.push(['simulate', `${(simulationsPerSecond(filter) / 1e6).toFixed(1)} million seccomp_data/s`]);

  const programs = [['this package', filter], ['this package, linear', compileFilter(description, { layout: 'linear' })]];
  for (const [name, optimize] of [['libseccomp, default', 1], ['libseccomp, binary tree', 2]]) {
    const program = libseccomp(description, optimize);
    if (program !== undefined) programs.push([name, program]);
  }
  const paths = programs.map(([name, program]) => {
    const { mean, worst } = pathLengths(program, 'x86_64', { allowedOnly: true });
    return [name, (program.bytes ?? program).length / 8, mean.toFixed(1), worst, constantAllows(program, 'x86_64').length];
  });
  return [
    { title: "Docker's default profile", columns: ['what', 'median'], rows: times },
    { title: 'Instructions for an allowed call of x86_64', columns: ['filter', 'length', 'mean', 'worst', 'cached calls'], rows: paths },
  ];
}

function median(run, times) {
  for (let i = 0; i < times; i++) run(); // warm
  const all = Array.from({ length: times }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return all.sort((a, b) => a - b)[times >> 1];
}

/** Over calls of every name with changing arguments, from one buffer as a caller would keep it. */
function simulationsPerSecond(filter) {
  const run = simulator(filter);
  const calls = syscallNames('x86_64').map((name) => syscallNumber('x86_64', name));
  const words = new Uint32Array(16 * calls.length);
  for (const [i, nr] of calls.entries()) words.set([nr, AUDIT_ARCH.x86_64, 0, 0, i % 48, 0, i % 7], 16 * i);
  const rounds = Math.ceil(2_000_000 / calls.length);
  let best = 0;
  for (let repeat = 0; repeat < 5; repeat++) {
    const start = performance.now();
    let sum = 0;
    for (let round = 0; round < rounds; round++) for (let at = 0; at < words.length; at += 16) sum ^= run(words, at);
    const seconds = (performance.now() - start) / 1000;
    if (sum === -1) throw new Error('unreachable: keeps the loop alive');
    best = Math.max(best, rounds * calls.length / seconds);
  }
  return best;
}

function libseccomp(description, optimize) {
  const folder = mkdtempSync(join(tmpdir(), 'sandlock-bpf-'));
  try {
    const peer = join(folder, 'peer');
    if (spawnSync('gcc', ['-O1', '-o', peer, here('../test/peers/libseccomp-peer.c'), '-lseccomp']).status !== 0) return undefined;
    const hex = (action) => encodeAction(action).toString(16);
    const rules = new Map(description.architectures.flatMap((entry) => entry.rules)
      .map(({ syscall, action, when = [] }) => `rule ${hex(action)} ${syscall} ${when.length} ${when.map(({ index, op, value, mask }) =>
        op === 'maskedEq' ? `${index} 7 ${mask} ${value}` : `${index} ${OPS[op]} ${value} 0`).join(' ')}`).map((line) => [line, line]));
    const unconditional = (line) => line.split(' ')[3] === '0' ? 0 : 1;
    const input = [`begin ${hex(description.defaultAction)} ${optimize}`,
      ...description.architectures.map(({ arch }) => `arch ${(arch === 'x32' ? 0x4000003e : AUDIT_ARCH[arch]).toString(16)}`),
      ...[...rules.values()].sort((a, b) => unconditional(a) - unconditional(b)), 'end', ''].join('\n');
    const bytes = /^program ([0-9a-f]+)$/m.exec(spawnSync(peer, { input, encoding: 'utf8' }).stdout)?.[1];
    return bytes === undefined ? undefined : Uint8Array.from(Buffer.from(bytes, 'hex'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A table as text, columns as wide as they need to be. */
export function formatTable({ title, columns, rows }) {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(' | ')} |`;
  return [title, '', line(cells[0]), `|${widths.map((width, i) => i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`,
    ...cells.slice(1).map(line), ''].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const table of bench()) console.log(formatTable(table));
