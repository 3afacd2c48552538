/** What the demonstration prints. Colours only for a person at a terminal. */
import type { CheckReport } from '@sandlock/sandbox';

import type { Outcome } from './trials.js';

const coloured = process.stdout.isTTY && !process.env['NO_COLOR'];
const paint = (code: number) => (text: string): string => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
const [bold, red, green, dim] = [paint(1), paint(31), paint(32), paint(2)];
const mark = (ok: boolean, required = true): string => (ok ? green('✓') : required ? red('✗') : dim('-'));

export function showKernel({ kernel, arch, landlock, steps, protections, supported }: CheckReport): void {
  console.log(bold(`Linux ${kernel}, ${arch ?? process.arch}: what this kernel offers`));
  for (const { name, ok, required, detail, hint } of steps) {
    console.log(`  ${mark(ok, required)} ${name.padEnd(16)}${detail}`);
    if (!ok && hint !== undefined) console.log(`    ${hint}`);
  }
  const active = protections.filter(({ status }) => status === 'active').map(({ protection }) => protection);
  const errata = landlock.errata === 0 ? '' : `, errata 0x${landlock.errata.toString(16)} fixed`;
  console.log(`  ${mark(active.length === protections.length)} ${'protections'.padEnd(16)}${active.join(', ')}${errata}`);
  if (!supported) console.log(`\n${red('This machine cannot run a sandbox.')} Each cross above says what is missing.`);
}

export function showTrials(outcomes: readonly Outcome[]): void {
  const width = (of: (outcome: Outcome) => string): number => Math.max(...outcomes.map((outcome) => of(outcome).length)) + 3;
  const first = width(({ title }) => title);
  const second = width(({ outside }) => outside);
  console.log(`\n${bold('The same programs, twice')}\n`);
  console.log(dim(`    ${''.padEnd(first)}${'without Sandlock'.padEnd(second)}in a sandbox`));
  for (const { title, outside, inside, asExpected } of outcomes) {
    console.log(`  ${mark(asExpected)} ${title.padEnd(first)}${dim(outside.padEnd(second))}${inside}`);
  }
  const good = outcomes.filter(({ asExpected }) => asExpected).length;
  const verdict = `${good} of ${outcomes.length} as they should be`;
  console.log(`\n${good === outcomes.length ? green(verdict) : red(verdict)}`);
}
