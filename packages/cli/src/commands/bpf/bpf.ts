/**
 * sandlock bpf: make, read, compare and try seccomp filters.
 *
 * A file of its own beside the command, loaded when it is asked for, so that a run is not slower for it. Shares no
 * object with the command, hence reports its own errors and returns a code for each.
 */
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from '../../errors/exit-code.js';
import { reportError } from '../../errors/report.js';
import { UsageError } from '../../errors/usage-error.js';
import { writeOut } from '../../terminal/output.js';
import { compile } from './compile.js';
import { diff } from './diff.js';
import { disasm } from './disasm.js';
import { explain } from './explain.js';
import { help, isCommand, type BpfCommand } from './help.js';
import { simulate } from './simulate.js';

/** diff(1), "EXIT STATUS": 1 says that they differ, so trouble is 2. */
const EXIT_DIFF_TROUBLE = 2;
/** What a shell reports of a program that wrote to a pipe which nobody reads. */
const EXIT_PIPE = 141;

const commands: Readonly<Record<BpfCommand, (argv: readonly string[]) => number>> = { compile, disasm, explain, diff, simulate };

/** @returns the exit code; throws nothing */
export function bpf([name, ...rest]: readonly string[]): number {
  try {
    if (name === undefined) throw new UsageError('no command was given', 'sandlock bpf');
    if (name === '--help' || name === '-h' || name === 'help') return printed(help());
    if (!isCommand(name)) throw new UsageError(`there is no command ${JSON.stringify(name)}`, 'sandlock bpf');
    const end = rest.indexOf('--');
    const asksForHelp = (end < 0 ? rest : rest.slice(0, end)).some((word) => word === '--help' || word === '-h');
    return asksForHelp ? printed(help(name)) : commands[name](rest);
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code === 'EPIPE') return EXIT_PIPE;
    reportError(error);
    if (error instanceof UsageError) return EXIT_USAGE;
    return name === 'diff' ? EXIT_DIFF_TROUBLE : EXIT_FAILURE;
  }
}

function printed(text: string): number {
  writeOut(text);
  return EXIT_OK;
}
