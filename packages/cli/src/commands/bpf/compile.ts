/** sandlock bpf compile: a profile, rules or a program, put into the form that somebody needs. */
import { disassemble, formatProgram, type Program, programBytes, programToC, profileToJson, writeProfile } from '@sandlock/bpf';
import { writeFileSync } from 'node:fs';
import { isatty } from 'node:tty';

import { EXIT_OK } from '../../errors/exit-code.js';
import { writeAll, writeError } from '../../terminal/output.js';
import { parseCommand } from './arguments.js';
import { type FilterSource, named, readFilter } from './filter-source.js';

const FORMATS = ['raw', 'c', 'json', 'oci'] as const;
type Format = (typeof FORMATS)[number];

const FLAGS = {
  output: { type: 'string', short: 'o' }, format: { type: 'string' }, name: { type: 'string' }, verbose: { type: 'boolean', short: 'v' },
} as const;

export function compile(argv: readonly string[]): number {
  const { values, files: [file], source: options, fail } = parseCommand('compile', argv, FLAGS, 1);
  const { output = '-', name, verbose } = values;
  const format = (values.format ?? (values.json === true ? 'json' : 'raw')) as Format;
  if (!FORMATS.includes(format)) fail(`--format is one of ${FORMATS.join(', ')}, not ${JSON.stringify(format)}`);
  if (values.json === true && format !== 'json') fail(`--json and --format ${format} exclude each other`);
  if (name !== undefined && format !== 'c') fail('--name is for --format c');
  if (format === 'raw' && output === '-' && isatty(1)) {
    fail('the bytes of a program are not for a terminal; use --output FILE, a pipe, or --format c');
  }
  const source = readFilter(file!, options);
  const result = named(file!, () => formatted(source, format, name));
  if (verbose === true) tell(source);
  if (output === '-') writeAll(1, result);
  else writeFileSync(output, result);
  return EXIT_OK;
}

function formatted(source: FilterSource, format: Format, name: string | undefined): string | Uint8Array {
  const { program, description, flags, skipped } = source;
  switch (format) {
    case 'raw': return programBytes(program);
    case 'c': return programToC(program, name);
    case 'json': return `${JSON.stringify({ ...instructionsJson(program), flags, skipped }, null, 2)}\n`;
    case 'oci':
      if (description === undefined) throw new Error(`${source.name}: a profile is made of rules, and these are bytes; see "sandlock bpf explain".`);
      return `${profileToJson(writeProfile(description))}\n`;
  }
}

function instructionsJson(program: Program) {
  programBytes(program); // refuses what the kernel would
  const instructions = disassemble(program).map(({ instruction, text }) => ({ ...instruction, text }));
  return { length: instructions.length, instructions };
}

function tell({ name, program, flags, skipped }: FilterSource): void {
  writeError(`sandlock: ${name}: ${formatProgram(program).split('\n').length - 1} instructions\n`);
  if (flags.length > 0) writeError(`sandlock: ${name}: to be installed with ${flags.join(', ')}\n`);
  for (const { path, reason } of skipped) writeError(`sandlock: ${name}: no effect: ${path}: ${reason}\n`);
}
