/** sandlock bpf disasm: the instructions of a program of any origin, also of one that the kernel would refuse. */
import { disassemble, validateProgram } from '@sandlock/bpf';

import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit-code.js';
import { writeError, writeOut } from '../../terminal/output.js';
import { parseCommand } from './arguments.js';
import { readFilter } from './filter-source.js';
import { isColoured, paint } from './paint.js';
import { printJson } from './print.js';

export function disasm(argv: readonly string[]): number {
  const { values, files: [file], source: options } = parseCommand('disasm', argv, {}, 1);
  const { name, program } = readFilter(file!, options);
  const problems = validateProgram(program);
  const lines = disassemble(program);
  if (values.json === true) {
    printJson({ valid: problems.length === 0, problems, instructions: lines });
  } else {
    const { faint, strong, action } = paint(isColoured());
    for (const { index, label, text } of lines) {
      const [, operation, rest] = /^(\S+ *)(.*)$/.exec(text)!;
      writeOut(`${faint(String(index).padStart(4, '0'))}  ${strong((label === undefined ? '' : `${label}:`).padEnd(7))}${operation}`
        + `${operation!.trimEnd() === 'ret' ? action(rest!) : rest}\n`);
    }
    for (const { index, message } of problems) {
      writeError(`sandlock: error: ${name}: the kernel would refuse this${index < 0 ? '' : `, for instruction ${index}`}: ${message}\n`);
    }
  }
  return problems.length === 0 ? EXIT_OK : EXIT_FAILURE;
}
