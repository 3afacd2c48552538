/** sandlock bpf simulate: what a program answers to one call, and by which way. */
import { disassemble, showAction, simulate as simulateCall } from '@sandlock/bpf';

import { EXIT_OK } from '../../errors/exit-code.js';
import { writeOut } from '../../terminal/output.js';
import { callOf, parseCommand, registersOf } from './arguments.js';
import { named, readFilter } from './filter-source.js';
import { isColoured, paint } from './paint.js';
import { printJson } from './print.js';

const FLAGS = { syscall: { type: 'string' }, args: { type: 'string' }, ip: { type: 'string' }, path: { type: 'boolean' } } as const;

export function simulate(argv: readonly string[]): number {
  const { values, files: [file], source: options, fail } = parseCommand('simulate', argv, FLAGS, 1);
  const call = callOf(values.syscall ?? fail('--syscall CALL is needed'), options.arch, fail);
  const args = registersOf(values.args ?? '', '--args', 6, fail);
  const [instructionPointer = 0n] = registersOf(values.ip ?? '', '--ip', 1, fail);
  const { program } = readFilter(file!, options);
  const { action, value, data, path, steps } = named(file!, () =>
    simulateCall(program, { nr: call.nr, arch: call.arch, args, instructionPointer }));
  if (values.json === true) {
    printJson({ ...call, args: Array.from({ length: 6 }, (_, i) => BigInt.asUintN(64, args[i] ?? 0n)), instructionPointer, action, text: showAction(value), value, data, steps, path });
    return EXIT_OK;
  }
  const colours = paint(isColoured());
  if (values.path === true) {
    const lines = disassemble(program);
    for (const index of path) writeOut(`${colours.faint(String(index).padStart(4, '0'))}  ${lines[index]!.text}\n`);
  }
  writeOut(`${colours.action(showAction(value))}  ${colours.faint(`after ${steps} instruction${steps === 1 ? '' : 's'}`)}\n`);
  return EXIT_OK;
}
