/**
 * A command line of `sandlock run`, understood.
 *
 * The flags of the policy come from the options' own records; here are only those of the run itself. Everything from
 * the first word that is no flag on belongs to the program, its flags included.
 */
import { ConfigError, type SandboxOptions } from '@sandlock/sandbox';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import { UsageError } from '../errors/usage-error.js';
import { parseDuration, type Duration } from './duration.js';
import { cliFlags, optionsFromFlags, parseProfileName } from './policy-flags.js';
import { isLossy, lastArguments } from './raw-arguments.js';
import { statusFd } from './status-line.js';

export interface RunRequest {
  /** Those that flags stand for. */
  readonly options: SandboxOptions;
  /** Absent: that of the profile. */
  readonly command?: readonly (string | Uint8Array)[];
  readonly profile?: { readonly name: string } | { readonly file: string };
  readonly timeout?: Duration;
  readonly killAfter?: Duration;
  readonly statusFd?: number;
  readonly interactive: boolean;
}

interface RunFlags {
  timeout?: Duration;
  killAfter?: Duration;
  execShell?: string;
  statusFd?: number;
  interactive?: boolean;
  profile?: string;
  profileFile?: string;
}

/** What to print, when that was all that was asked for. */
export class HelpRequest {
  constructor(readonly text: string) {}
}

/** @throws {UsageError} @throws {ConfigError} every flag whose value means nothing */
export function parseRun(argv: readonly string[]): RunRequest | HelpRequest {
  let help = '';
  const command = runCommand((text) => (help += text));
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return new HelpRequest(help);
    if (error instanceof CommanderError) throw new UsageError(error.message.replace(/^error: /, ''), 'sandlock run');
    throw error;
  }
  refuseLossyFlags(argv.slice(0, argv.length - command.args.length));
  const flags = command.opts<RunFlags>();
  const { profile, profileFile } = flags;
  const options = optionsFromFlags(flags as Readonly<Record<string, unknown>>);
  const words = program(flags, lastArguments(command.args));
  return {
    options,
    ...(words === undefined ? {} : { command: words }),
    ...(profile !== undefined ? { profile: { name: profile } } : profileFile !== undefined ? { profile: { file: profileFile } } : {}),
    interactive: flags.interactive === true,
    ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
    ...(flags.killAfter === undefined ? {} : { killAfter: flags.killAfter }),
    ...(flags.statusFd === undefined ? {} : { statusFd: flags.statusFd }),
  };
}

function runCommand(writeHelp: (text: string) => void): Command {
  const command = new Command('sandlock run')
    .usage('[options] [--] PROGRAM [ARGUMENT...]')
    .description('Run a program that may do what it was granted, and nothing else.')
    .argument('[program...]')
    .passThroughOptions()
    .exitOverride()
    .configureOutput({ writeOut: writeHelp, writeErr: () => undefined })
    .configureHelp({ visibleArguments: () => [] })
    .option('-t, --timeout <DURATION>', 'end the run after this time, with exit code 124: 5, 1.5s, 500ms, 2m', duration('--timeout'))
    .option('--kill-after <DURATION>', 'on timeout send SIGTERM first, and SIGKILL this much later', duration('--kill-after'))
    .option('-e, --exec-shell <COMMAND>', 'run this by /bin/sh -c; what follows the options is $0, $1 and so on')
    .option('--status-fd <FD>', 'write how the run ended to this descriptor, as a line of JSON', statusFd)
    .option('-i, --interactive', 'fail unless stdin is a terminal that the program can be given')
    .addOption(new Option('-p, --profile <NAME>', 'take options, and the program unless one is given, from this profile')
      .argParser(once(profileName)).conflicts('profileFile'))
    .addOption(new Option('--profile-file <PATH>', 'the same, from a profile in any file').argParser(once((path) => path)))
    .helpOption('-h, --help', 'print this');
  for (const { spec, repeatable, summary } of cliFlags) {
    const option = new Option(spec, summary + (repeatable ? ' (repeatable)' : ''));
    command.addOption(repeatable ? option.argParser((text, before: string[] = []) => [...before, text]) : option);
  }
  return command;
}

/** Of several sources the first that is there. */
function program({ execShell }: RunFlags, words: readonly (string | Uint8Array)[]): readonly (string | Uint8Array)[] | undefined {
  if (execShell !== undefined) return ['/bin/sh', '-c', execShell, ...words];
  return words.length === 0 ? undefined : words;
}

/** The last one would count, and what the first one restricts would be gone. */
function once(parse: (text: string) => string): (text: string, before?: string) => string {
  return (text, before) => {
    if (before !== undefined) throw new InvalidArgumentError('There is one profile at most.');
    return parse(text);
  };
}

function profileName(text: string): string {
  try {
    return parseProfileName(text);
  } catch (error) {
    throw new UsageError(`--profile: ${(error as Error).message} A file is named by --profile-file.`, 'sandlock run');
  }
}

function duration(flag: string): (text: string) => Duration {
  return (text) => {
    try {
      return parseDuration(text);
    } catch (error) {
      throw new ConfigError([{ path: flag, message: (error as Error).message }]);
    }
  };
}

/** A path that was changed in decoding would grant something else. */
function refuseLossyFlags(flags: readonly string[]): void {
  const lossy = flags.find(isLossy);
  if (lossy !== undefined) {
    throw new UsageError(`${JSON.stringify(lossy)} is not valid UTF-8. The value of a flag has to be; name a folder above it instead.`, 'sandlock run');
  }
}
