/** sandlock bpf diff: where two programs disagree. Printing nothing is a proof that they are equal. */
import { diff as diffPrograms, type Disagreement, showAction, showConditions } from '@sandlock/bpf';

import { EXIT_OK } from '../../errors/exit-code.js';
import { writeOut } from '../../terminal/output.js';
import { parseCommand } from './arguments.js';
import { named, readFilter } from './filter-source.js';
import { isColoured, type Paint, paint } from './paint.js';
import { hex, printJson, showRanges } from './print.js';

/** diff(1), "EXIT STATUS". */
const EXIT_DIFFERENT = 1;

export function diff(argv: readonly string[]): number {
  const { values, files: [first, second], source } = parseCommand('diff', argv, {}, 2);
  const [a, b] = [readFilter(first!, source), readFilter(second!, source)];
  // Each alone, so that what the proof cannot follow is said of the right file.
  for (const [file, { program }] of [[first!, a], [second!, b]] as const) named(file, () => diffPrograms(program, program));
  const found = diffPrograms(a.program, b.program);
  if (values.json === true) printJson(found.map((one) => ({ ...one, a: shown(one.a), b: shown(one.b) })));
  else for (const one of found) writeOut(disagreementText(one, paint(isColoured())));
  return found.length === 0 ? EXIT_OK : EXIT_DIFFERENT;
}

function shown(side: Disagreement['a']) {
  return { ...side, text: showAction(side.value) };
}

function disagreementText({ arch, syscalls, numbers, conditions, a, b, witness }: Disagreement, { strong, faint, action }: Paint): string {
  const calls = syscalls.length > 0 ? syscalls.join(', ') : `calls ${showRanges(numbers)}`;
  const args = witness.args.map(hex).join(', ');
  const at = typeof witness.arch === 'number' ? `arch ${hex(witness.arch)}` : `arch ${witness.arch}`;
  return `${strong(arch ?? 'other architectures')}: ${calls}\n`
    + (conditions.length === 0 ? '' : `  if ${showConditions(conditions)}\n`)
    + `  ${action(showAction(a.value))} -> ${action(showAction(b.value))}\n`
    + faint(`  such as ${at}, nr ${hex(witness.nr)}, args ${args}`) + '\n';
}
