/** sandlock bpf explain: what a program says, call by call. */
import {
  AUDIT_ARCH, type Arch, type ArchExplanation, explain as explainProgram, parseProgram, pathLengths, type Program, programBytes,
  showAction, showConditions, type SyscallExplanation, type Verdict,
} from '@sandlock/bpf';

import { EXIT_OK } from '../../errors/exit-code.js';
import { writeOut } from '../../terminal/output.js';
import { type Call, callOf, parseCommand } from './arguments.js';
import { type FilterSource, named, readFilter } from './filter-source.js';
import { isColoured, type Paint, paint } from './paint.js';
import { printJson, showRanges, wrapped } from './print.js';

/** jeq with a constant: what a program tells architectures apart by. */
const BPF_JEQ_K = 0x15;

export function explain(argv: readonly string[]): number {
  const { values, files: [file], source: options, fail } = parseCommand('explain', argv, { syscall: { type: 'string', multiple: true } }, 1);
  const calls = values.syscall?.map((text) => callOf(text, options.arch, fail));
  const source = readFilter(file!, options);
  const arches = calls === undefined ? archesOf(source, options.archGiven ? options.arch : undefined)
    : [...new Set(calls.map(({ arch }) => arch))];
  const { architectures, otherArchitectures } = named(file!, () => explainProgram(source.program, arches));
  const wanted = architectures.map((one) => (calls === undefined ? one : onlyCalls(one, calls)));
  const lengths = (arch: Arch) => named(file!, () => pathLengths(source.program, arch));
  if (values.json === true) {
    printJson({
      architectures: wanted.map((one) => ({ ...one, pathLength: { mean: lengths(one.arch).mean, worst: lengths(one.arch).worst } })),
      ...(calls === undefined ? { otherArchitectures } : {}),
    });
    return EXIT_OK;
  }
  const colours = paint(isColoured());
  for (const one of wanted) {
    const { mean, worst } = lengths(one.arch);
    if (calls === undefined) writeOut(`${colours.strong(one.arch)}  ${colours.faint(`instructions: mean ${mean.toFixed(1)}, worst ${worst}`)}\n`);
    writeOut(calls === undefined ? archText(one, colours) : one.syscalls.map((each) => `${one.arch} ${callText(each, '', colours)}`).join(''));
  }
  if (calls === undefined) writeOut(`${colours.strong('other architectures')}\n${verdictText(otherArchitectures, '  ', colours)}`);
  return EXIT_OK;
}

/** Those that the program compares with; x86_64 stands for x32 as well, which shares its number. */
function archesOf({ description, program }: FilterSource, given: Arch | undefined): Arch[] {
  const named = description?.architectures.map(({ arch }) => arch);
  if (named !== undefined) return named.includes('x86_64') && !named.includes('x32') ? [...named, 'x32'] : named;
  if (given !== undefined) return [given];
  const compared = new Set(instructionsIn(program).filter(({ code }) => code === BPF_JEQ_K).map(({ k }) => k));
  return (Object.keys(AUDIT_ARCH) as Arch[]).filter((arch) => compared.has(AUDIT_ARCH[arch]));
}

function instructionsIn(program: Program) {
  return parseProgram(programBytes(program));
}

function onlyCalls(one: ArchExplanation, calls: readonly Call[]): ArchExplanation {
  const numbers = calls.filter(({ arch }) => arch === one.arch).map(({ nr }) => nr);
  const named = one.syscalls.filter(({ nr }) => numbers.includes(nr));
  const unnamed = numbers.filter((nr) => !named.some((each) => each.nr === nr)).map((nr): SyscallExplanation => {
    const { action, value } = one.otherNumbers.find(({ ranges }) => ranges.some((from, i) => i % 2 === 0 && nr >= from && nr <= ranges[i + 1]!))!;
    return { name: String(nr), nr, cached: false, constant: true, args: [], outcomes: [{ action, value, cases: [[]] }] };
  });
  return { ...one, syscalls: [...named, ...unnamed], otherNumbers: [] };
}

function archText({ syscalls, otherNumbers }: ArchExplanation, colours: Paint): string {
  const groups = new Map<string, string[]>();
  for (const each of syscalls.filter(({ constant }) => constant)) {
    const title = `${colours.action(showAction(each.outcomes[0]!.value))}${each.cached ? ', cached' : ''}`;
    groups.set(title, [...groups.get(title) ?? [], each.name]);
  }
  const [only, ...others] = groups.keys();
  if (only !== undefined && others.length === 0 && otherNumbers.every(({ value }) => value === syscalls[0]!.outcomes[0]!.value)
    && syscalls.every(({ constant }) => constant)) {
    return `  ${only}: every call\n`;
  }
  return [
    ...[...groups].map(([title, names]) => `  ${title}: ${names.length} call${names.length === 1 ? '' : 's'}\n${wrapped(names, '    ')}`),
    ...syscalls.filter(({ constant }) => !constant).map((each) => `  ${callText(each, '  ', colours)}`),
    ...otherNumbers.map(({ value, ranges }) => `  ${colours.action(showAction(value))}: other numbers, ${showRanges(ranges)}\n`),
  ].join('');
}

function callText({ name, nr, constant, cached, outcomes, args }: SyscallExplanation, indent: string, colours: Paint): string {
  const title = name === String(nr) ? name : `${name} (${nr >= 0x40000000 ? `0x${nr.toString(16)}` : nr})`;
  if (constant) return `${title}: ${colours.action(showAction(outcomes[0]!.value))}${cached ? ', cached' : ''}\n`;
  return `${title}: by ${args.map((i) => `args[${i}]`).join(', ') || 'the instruction pointer'}\n`
    + verdictText({ constant, args, outcomes }, `${indent}  `, colours);
}

function verdictText({ outcomes }: Verdict, indent: string, { action }: Paint): string {
  return outcomes.flatMap(({ value, cases }) => cases.map((conditions) => conditions.length === 0
    ? `${indent}${action(showAction(value))}\n`
    : `${indent}${action(showAction(value))} if ${showConditions(conditions)}\n`)).join('');
}
