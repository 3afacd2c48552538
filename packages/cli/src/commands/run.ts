/**
 * sandlock run.
 *
 * Streams are the program's own. The process ends when nothing of the run is left, with the exit code of the program
 * or with one that says why there is none.
 */
import { ConfigError, ProfileError, Sandbox, type RunResult } from '@sandlock/sandbox';

import { EXIT_OK, EXIT_USAGE, exitCodeOf, exitCodeOfRun } from '../errors/exit-code.js';
import { reportError } from '../errors/report.js';
import { filterStore } from '../run/filter-store.js';
import { forwardSignals } from '../run/forward-signals.js';
import { inFlags } from '../run/policy-flags.js';
import { HelpRequest, parseRun, type RunRequest } from '../run/run-request.js';
import { failureStatus, resultStatus, writeStatus } from '../run/status-line.js';
import { withProfile, type CompleteRun } from '../run/with-profile.js';
import { isOurTerminal } from '../terminal/controlling-terminal.js';
import { followStops } from '../terminal/job-control.js';
import { writeError, writeOut } from '../terminal/output.js';

export interface RunOutcome {
  readonly exitCode: number;
  /** There was a program, and it has ended. */
  readonly programRan: boolean;
}

export async function run(argv: readonly string[]): Promise<RunOutcome> {
  let request: RunRequest | HelpRequest | undefined;
  let complete: CompleteRun | undefined;
  let sandbox: Sandbox;
  try {
    request = parseRun(argv);
    if (request instanceof HelpRequest) {
      writeOut(request.text);
      return { exitCode: EXIT_OK, programRan: false };
    }
    complete = await withProfile(request);
    sandbox = new Sandbox(complete.options, { filterStore: filterStore(complete.options) });
  } catch (error) {
    if (error instanceof ProfileError) return failed(error, (request as RunRequest).statusFd);
    if (!(error instanceof ConfigError)) throw error;
    // Flags that make no sense are a matter of usage; that a granted path is missing, as may be found below, is not.
    reportError(inFlags(error, complete?.spelling));
    return { exitCode: EXIT_USAGE, programRan: false };
  }
  const { statusFd, timeout } = request;
  const { command, spelling } = complete;
  try {
    warnOfDegraded(sandbox);
    const result = await runProgram(sandbox, command, request);
    if (result.reason === 'timeout') writeError(`sandlock: timeout after ${timeout!.text}\n`);
    if (result.reason === 'memory') writeError(`sandlock: ended for exceeding ${spelling('maxMemory')!}\n`);
    if (statusFd !== undefined) writeStatus(statusFd, resultStatus(result));
    return { exitCode: exitCodeOfRun(result), programRan: true };
  } catch (thrown) {
    return failed(inFlags(thrown, spelling), statusFd);
  }
}

/** The program never ran. */
function failed(error: unknown, statusFd: number | undefined): RunOutcome {
  reportError(error);
  if (statusFd !== undefined) writeStatus(statusFd, failureStatus(error));
  return { exitCode: exitCodeOf(error), programRan: false };
}

async function runProgram(sandbox: Sandbox, command: CompleteRun['command'], request: RunRequest): Promise<RunResult> {
  const options = {
    ...(request.timeout === undefined ? {} : { timeout: request.timeout.ms }),
    ...(request.killAfter === undefined ? {} : { killGrace: request.killAfter.ms }),
  };
  const terminal = isOurTerminal(0);
  if (request.interactive && !terminal) throw new Error('--interactive: stdin is not the terminal of this session.');
  // Without one the program gets a session of its own, so that /dev/tty is out of its reach.
  const child = terminal
    ? await sandbox.popenInteractive(command, options)
    : await sandbox.popen(command, { ...options, stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' });
  // A signal before this point ends us, and with us the program: the guard sees to it.
  const endings = [forwardSignals(child)];
  if (terminal) endings.push(followStops(child));
  try {
    return await child.wait();
  } finally {
    for (const end of endings) end();
  }
}

function warnOfDegraded(sandbox: Sandbox): void {
  for (const { protection, status, requiredAbi } of sandbox.protections()) {
    if (status === 'degraded') writeError(`sandlock: warning: protection ${protection} is missing: it needs Landlock ABI ${requiredAbi}\n`);
  }
}
